"""Words of the page Today."""

from flows.web.board.words import Pairs

TODAY: Pairs = {
    "today": ("오늘", "Today"),
    "todo": ("할 일", "To do"),
    "todo_sum": ("할 일 {}건", "{} to do"),
    "late_sum": ("그중 {}건 마감 지남", "{} overdue"),
    "doubt_sum": ("확인할 것 {}건", "{} to confirm"),
    "all_well": ("밀린 일이 없습니다.", "Nothing is waiting."),
    "mine": ("내 일", "Mine"),
    "everyone": ("모두의 일", "Everyone’s"),
    "no_mine": ("지금 내 차례인 일은 없습니다.", "Nothing is waiting for you."),
    "no_todo": (
        "열린 할 일이 없습니다. 고객이 양식을 보내거나 때가 되면 사람이 할 일이 여기에 나타납니다.",
        "Nothing is open. When a customer sends a form, or a time comes, what people are to do appears here.",
    ),
    "more_todo": ("먼저 할 {}건만 보입니다.", "Only the first {} are shown."),
    "doubts": ("되었는지 확인해 주세요", "Did it happen?"),
    "doubts_why": (
        "보냈지만 답을 받지 못했습니다. 해당 서비스에서 확인한 뒤 눌러 주세요. 누른다고 다시 보내지는 않습니다.",
        "It was sent and no answer came. Look at the service, then say so. These buttons never send anything again.",
    ),
    "settle": ("확인하기", "Settle"),
    "of_case": ("이 케이스의 이야기 보기", "See the case’s whole story"),
    "sent_at": ("보낸 때", "Sent"),
    "how_found": ("어떻게 확인했나요?", "How did you find out?"),
    "how_to_connect": ("잇는 방법", "How to connect"),
    "machines": ("어제부터 기계가 한 일", "What the machines did since yesterday"),
    "opened": ("새 케이스 {}건이 시작되었습니다.", "{} new cases began."),
    "ended_cases": ("케이스 {}건이 끝났습니다.", "{} cases ended."),
    "by_people": ("사람이 {}번 일했습니다.", "People did {} steps."),
    "times": ("{}번", "{}×"),
    "handed": ("{}번은 못 하고 사람에게 넘김", "{} times it could not, and a person took over"),
    "no_machines": (
        "어제부터 조용합니다. 기계가 보낸 메시지와 적은 줄이 여기에 문장으로 나타납니다.",
        "It has been quiet since yesterday. What machines send and write is told here in sentences.",
    ),
    "failed_cases": ("멈춘 케이스", "Cases that failed"),
    "connections": ("손이 필요한 연결", "Connections that need a hand"),
    "forms": ("고객이 채우는 양식", "Forms that customers fill in"),
    "no_forms": ("아직 양식으로 시작하는 플레이북이 없습니다.", "No playbook starts by an own form yet."),
    "not_open": ("아직 열리지 않음", "not open yet"),
    "told_settled": ("확인해 주셔서 고맙습니다.", "Thank you, that is settled."),
    "told_done": ("완료했습니다. 고맙습니다!", "Done. Thank you!"),
    "told_skipped": ("건너뛰었습니다.", "Skipped."),
    "told_handed": ("넘겼습니다. 받은 사람에게 알렸습니다.", "Handed over; they are told."),
}
