"""Words of the page Canvas."""

from flows.web.board.words import Pairs

CANVAS: Pairs = {
    "canvas": ("캔버스", "Canvas"),
    "canvas_why": (
        "고객이 지나가는 길입니다. 점선인 단계에는 아직 플레이북이나 지표가 없습니다.",
        "The way of a customer. A dashed stage has no playbook or no metric yet.",
    ),
    "picture": ("고객이 지나가는 원: {}", "The circle of customers: {}"),
    "playbooks_here": ("절차 {}", "playbooks {}"),
    "metrics_here": ("지표 {}", "metrics {}"),
    "yesterday_here": ("어제", "Yesterday"),
    "missing": ("아직 없는 것", "What is missing"),
    "nothing_missing": ("빠진 것이 없습니다.", "Nothing is missing."),
    "missing_no_playbook": ("{}: 플레이북이 없습니다", "{}: no playbook"),
    "missing_no_metric": ("{}: 지표가 없습니다", "{}: no metric"),
    "missing_no_step": (
        "{}: 고객이 겪는 이 장면을 맡은 단계가 없습니다",
        "{}: no step serves this moment of the customer",
    ),
    "missing_no_backup": ("{}: 대신할 사람이 없습니다", "{}: nobody stands in"),
    "to_be": ("되어야 할 모습", "To be"),
    "as_is": ("지금", "Today"),
    "gap": ("차이", "Gap"),
    "places": ("자리마다", "Place by place"),
    "no_place_words": ("canvas.yaml에 적힌 설명이 없습니다.", "canvas.yaml says nothing of it."),
}
