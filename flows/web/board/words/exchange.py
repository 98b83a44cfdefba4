"""Words of the page Record an exchange, and the names of dealings that every company knows."""

from flows.web.board.words import Pairs

KINDS: Pairs = {
    "kind_inquiry": ("문의", "inquiry"),
    "kind_apply": ("신청", "application"),
    "kind_subscribe": ("구독", "subscription"),
    "kind_reserve": ("예약", "reservation"),
    "kind_cancel": ("취소", "cancellation"),
    "kind_visit": ("방문", "visit"),
    "kind_call": ("통화", "call"),
    "kind_attend": ("참석", "attendance"),
    "kind_purchase": ("구매", "purchase"),
    "kind_payment": ("입금·결제", "payment"),
    "kind_refund": ("환불", "refund"),
    "kind_claim": ("불만·보상 요구", "claim"),
    "kind_review": ("후기", "review"),
    "kind_reply": ("답장", "reply"),
    "kind_refer": ("소개", "referral"),
    "kind_join": ("가입", "joining"),
    "kind_leave": ("탈퇴", "leaving"),
    "kind_consent": ("동의", "consent"),
    "kind_message": ("메시지", "message"),
    "ex_until": ("{}까지", "until {}"),
    "ex_quantity": ("{}회", "{}×"),
    "ex_voided": ("바로잡혀 세지 않음", "taken back, does not count"),
    "ex_voids": ("바로잡은 기록", "a correction"),
    "ex_by": ("기록: {}", "recorded by {}"),
    "of_case": ("이 케이스의 이야기 보기", "See the case’s whole story"),
    "take_back": ("바로잡기", "Take back"),
    "take_back_why": (
        "잘못 적었을 때 누릅니다. 줄은 지워지지 않고 둘 다 세지 않게 됩니다. 맞는 것은 새로 적어 주세요.",
        (
            "For what was recorded by mistake. No line is erased; this one and its correction count no more."
            " Record what is right anew."
        ),
    ),
    "why_wrong": ("무엇이 잘못되었나요?", "What is wrong with it?"),
    "reason_needed": ("까닭을 짧게 적어 주세요.", "Say in a few words why."),
    "kind_gone": ("이 종류의 거래가 canvas.yaml에 없습니다.", "This kind is not in canvas.yaml any more."),
    "told_void": ("바로잡았습니다. 이제 세지 않습니다.", "Taken back; it counts no more."),
}
EXCHANGE: Pairs = {
    **KINDS,
    "exchange_title": ("거래 기록", "Record a dealing"),
    "exchange_why": (
        (
            "데스크에서 산 것, 계좌로 받은 돈, 취소처럼 digilog 밖에서 있었던 일을 적습니다."
            " 적으면 이어지는 플레이북이 바로 움직입니다."
        ),
        (
            "What happened outside digilog: a purchase at the desk, a bank transfer, a cancellation."
            " Playbooks that begin or end by it move at once."
        ),
    ),
    "who": ("고객", "Customer"),
    "who_hint": (
        "전화번호나 이메일. 이미 아는 고객이면 이름이나 번호 뒤 4자리도 됩니다.",
        "Phone or e-mail; of a customer you know, the name or the last four digits will do.",
    ),
    "which": ("누구인가요?", "Who is it?"),
    "which_many": ("여러 분이 있습니다. 한 분을 골라 주세요.", "Several fit; choose one."),
    "which_none": (
        "찾지 못했습니다. 새 고객이면 전화번호나 이메일을 적어 주세요.",
        "Nobody fits. For a new customer, write a phone number or an e-mail.",
    ),
    "other_one": ("다른 고객 찾기", "Look for another"),
    "new_name": ("이름 (새 고객이면)", "Name, if the customer is new"),
    "kind": ("무슨 거래인가요?", "What happened?"),
    "kinds_ours": ("우리 회사의 거래", "This company’s"),
    "kinds_all": ("그 밖의 거래", "Others"),
    "amount": ("금액", "Amount"),
    "at": ("언제", "When"),
    "more_fields": ("더 적기 (기한, 횟수, 경로)", "More (end, count, channel)"),
    "until": ("언제까지 (회원권의 끝)", "Until (the end of a membership)"),
    "quantity": ("횟수", "Count"),
    "channel": ("경로", "Channel"),
    "none_of_it": ("정하지 않음", "not said"),
    "note_of": ("메모", "Note"),
    "record_it": ("기록하기", "Record"),
    "told_recorded": ("기록했습니다.", "Recorded."),
    "told_new": ("새 고객으로 기록했습니다.", "Recorded, for a new customer."),
    "recent": ("최근 거래", "Newest"),
    "no_recent": (
        "아직 거래가 없습니다. 양식, 결제, 여기에 적은 것이 최근 순서로 나타납니다.",
        "Nothing yet. Forms, payments and what is recorded here appear, the newest first.",
    ),
    "older_exchanges": ("더 오래된 거래", "Older"),
    "only_actors": (
        "거래를 적으려면 ‘처리’ 권한이 필요합니다.",
        "To record one takes the role “act”.",
    ),
    "kind_needed": ("거래의 종류를 골라 주세요", "choose what happened"),
    "amount_wrong": ("0보다 큰 금액을 숫자로 적어 주세요", "write an amount above zero in digits"),
    "at_wrong": (
        "지난 5년 안의 때를 적어 주세요. 앞날은 적을 수 없습니다",
        "a time of the last five years, not of the future",
    ),
    "until_wrong": ("2026-12-31처럼 적어 주세요", "write a day like 2026-12-31"),
    "quantity_wrong": ("1에서 10000 사이의 정수로 적어 주세요", "a whole number from 1 to 10000"),
    "who_needed": ("누구의 거래인지 적어 주세요", "say whose it is"),
}
