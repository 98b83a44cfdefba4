"""Words of an assignment's page, beside those of a piece of work."""

from flows.web.board.words import Pairs

ASSIGNMENT: Pairs = {
    "hand_over": ("다른 사람에게 넘기기", "Hand over"),
    "hand_to": ("누구에게", "To whom"),
    "hand_why": ("넘기는 까닭", "Why"),
    "hand_needed": ("누구에게, 왜 넘기는지 적어 주세요", "say to whom and why"),
    "of_case": ("이 케이스의 이야기 보기", "See the case’s whole story"),
    "of_numbers": ("숫자와 그 출처 보기", "See the numbers and their source"),
    "only_look": (
        "보기 권한이라 처리할 수는 없습니다.",
        "You may look; doing it takes the role “act”.",
    ),
    "closed_late": (
        "누군가 먼저 처리했습니다. 적은 것은 저장되지 않았습니다.",
        "Somebody was quicker; what you typed was not kept.",
    ),
    "to_today": ("오늘로 돌아가기", "Back to Today"),
}
