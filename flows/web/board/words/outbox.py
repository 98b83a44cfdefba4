"""Words of the Outbox and of one message."""

from flows.web.board.words import Pairs

OUTBOX: Pairs = {
    "outbox": ("보낸 메시지", "Outbox"),
    "outbox_why": (
        "무엇이 누구에게 갔는지, 가지 않았다면 왜 가지 않았는지 봅니다.",
        "What went to whom; and what did not go, and why.",
    ),
    "view_customers": ("고객에게", "To customers"),
    "view_team": ("팀에게", "To the team"),
    "view_unsent": ("보내지 않은 것", "Not sent"),
    "no_customers": (
        "아직 고객에게 보낸 메시지가 없습니다. 플레이북의 기계 단계가 메시지를 보내면 여기에 나타납니다.",
        "Nothing was sent to a customer yet. What a machine's step sends appears here.",
    ),
    "no_team": (
        "아직 팀에 보낸 알림이 없습니다. 할 일이 생기거나 마감이 다가오면 여기에 나타납니다.",
        "No notice was sent to the team yet. One appears when there is work, or a time comes near.",
    ),
    "no_unsent": (
        "보내지 않은 메시지가 없습니다. 막히거나 때를 놓치거나 시운전이라 사람에게 맡긴 것이 까닭과 함께 나타납니다.",
        "Nothing was kept back. What is blocked, too late, or left to a person in a trial appears here, with why.",
    ),
    "older_messages": ("더 오래된 것", "Older"),
    "to_whom": ("받는 이", "To"),
    "by_medium": ("방법", "By"),
    "words_of": ("보낸 글", "Its words"),
    "words_gone": (
        "보관 기간이 지나 글은 지워졌습니다. 언제 누구에게 어떻게 갔는지는 남아 있습니다.",
        "Its words were erased, as their time is over. When and how it went is kept.",
    ),
    "customer": ("이 고객의 모든 것", "All of this customer"),
    "story_of": ("이 케이스의 이야기", "The case’s whole story"),
    "was_blocked": ("막음", "blocked"),
    "was_dropped": ("때를 놓침", "too late"),
    "was_handed": ("사람에게 맡김", "left to a person"),
    "sent_due": ("보낼 차례", "about to leave"),
    "sent_sending": ("보내는 중", "being sent"),
    "sent_done": ("보냄", "sent"),
    "sent_failed": ("보내지 못함", "not sent"),
    "sent_in_doubt": ("보내졌는지 확실하지 않음", "may have been sent"),
    "sent_cancelled": ("보내지 않음", "not sent"),
    "sent_dropped": ("때를 놓침", "too late"),
}
