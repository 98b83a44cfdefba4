"""Words of the Quarantine and of one event in it."""

from flows.web.board.words import Pairs

QUARANTINE: Pairs = {
    "quarantine": ("격리함", "Quarantine"),
    "quarantine_why": (
        "들어왔지만 digilog가 읽지 못했거나 어떻게 할지 모르는 것이 버려지지 않고 여기에 남습니다.",
        "What came in and could not be read, or acted on. Nothing is thrown away without you.",
    ),
    "view_quarantined": ("격리됨", "In quarantine"),
    "view_unconfirmed": ("확인을 기다림", "Waiting to be confirmed"),
    "view_discarded": ("버린 것", "Discarded"),
    "no_quarantined": (
        "격리된 것이 없습니다. 읽을 수 없는 신청이나 알림이 들어오면 까닭과 함께 여기에 나타납니다.",
        "Nothing is in quarantine. What comes in and cannot be read appears here with the reason.",
    ),
    "no_unconfirmed": (
        "확인을 기다리는 것이 없습니다. 서명하지 않는 서비스가 보낸 것은 그 서비스에 물어본 뒤에 처리됩니다.",
        "Nothing waits. What services send that do not sign is asked of them before it is believed.",
    ),
    "no_discarded": ("버린 것이 없습니다.", "Nothing was discarded."),
    "older_events": ("더 오래된 것", "Older"),
    "name_form.submitted": ("양식이 들어옴", "a form was sent"),
    "name_exchange.recorded": ("거래가 적힘", "a dealing was recorded"),
    "name_schedule.due": ("정해진 때가 됨", "a time came"),
    "why_here": ("까닭", "Why it is here"),
    "came_at": ("들어온 때", "Came in"),
    "body_of": ("들어온 그대로", "As it came in"),
    "body_cut": ("앞의 {}자만 보입니다.", "Only the first {} signs are shown."),
    "body_gone": ("보관 기간이 지나 내용은 지워졌습니다.", "Its content was erased, as its time is over."),
    "body_none": (
        "digilog 자신의 사건이라 따로 내용이 없습니다.",
        "It is digilog’s own and brought nothing from outside.",
    ),
    "headers_of": ("함께 온 머리말", "Its headers"),
    "only_actors_read": (
        "내용을 보고 처리하려면 ‘처리’ 권한이 필요합니다.",
        "Reading it and acting on it takes the role “act”.",
    ),
    "replay": ("다시 처리하기", "Take it once more"),
    "replay_why": (
        "플레이북이나 연결을 고친 뒤에 누릅니다. 지금의 플레이북으로 한 번 더 읽으며, 한 일을 두 번 하지 않습니다.",
        "After a playbook or a connection was corrected: it is read once more. Nothing is done twice.",
    ),
    "discard": ("버리기", "Discard"),
    "discard_why": (
        "아무 일도 시작하지 않고 치웁니다. ‘버린 것’에 남아 다시 처리할 수 있습니다.",
        "Nothing comes of it. It stays among the discarded and can be taken up again.",
    ),
    "reason_needed": ("까닭을 짧게 적어 주세요", "say in a few words why"),
    "told_discarded": ("버렸습니다.", "Discarded."),
    "told_opened": ("처리했습니다. 케이스가 시작되었습니다.", "Done: a case began."),
    "told_noted": ("처리했습니다. 진행 중인 케이스에 적었습니다.", "Done: noted on the case that is open."),
    "told_taken": (
        "다시 읽었습니다. 지금은 이것으로 시작되는 플레이북이 없습니다.",
        "Read once more; no playbook begins by it.",
    ),
    "told_asked": ("서비스에 다시 물어봅니다.", "The service is asked once more."),
    "still_here": ("다시 읽었지만 여전히 처리할 수 없습니다: {}", "Read once more, and still nobody can act on it: {}"),
    "audit": ("누가 무엇을 했나", "Who did what"),
    "what_replay": ("다시 처리함", "took it once more"),
    "what_discard": ("버림", "discarded it"),
}
