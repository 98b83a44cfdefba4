"""Why something could not be done, in the company's language: the rooms below say it in English, for the terminal."""

import re

from flows.engine.operate import OperateError
from flows.people.assignments import AssignmentError
from flows.web.board.ask import Ask

_COMMAND = re.compile(r"(?:: digilog [^;]*|; see: digilog [^;]*)$")
# by their beginning: Korean, and English without the terminal's commands
_SAID = (
    (
        r"there is no case .*",
        "그런 케이스가 없습니다.",
        "There is no such case.",
    ),
    (
        r"case \S+ is not held; .*",
        "이미 다시 진행 중입니다.",
        "It is not held any more.",
    ),
    (
        r"case \S+ is held already; .*",
        "이미 멈춰 둔 케이스입니다.",
        "It is held already.",
    ),
    (
        r"it is with (.+) already",
        r"이미 \1 님에게 넘어가 있습니다.",
        r"It is with \1 already.",
    ),
    (
        r"case \S+ has ended .*",
        "이미 끝난 케이스라 더 할 수 있는 일이 없습니다.",
        "This case has ended; nothing more can be done to it.",
    ),
    (
        r"case \S+ has no failed step; it waits for .*",
        "실패한 단계가 없습니다. 사람의 일을 기다리고 있습니다.",
        "Nothing failed; it waits for a person.",
    ),
    (
        r"case \S+ has no failed step; .*",
        "실패한 단계가 없습니다. 누군가 이미 다시 시도했을 수 있습니다.",
        "Nothing failed; somebody may have tried it again already.",
    ),
    (
        r"(.+) has taken this step over; let them finish",
        r"\1 님이 직접 처리하고 있습니다. 끝날 때까지 기다려 주세요.",
        r"\1 has taken this step over; let them finish.",
    ),
    (
        r"it may have happened already; .*",
        "이미 되었을 수도 있습니다. 먼저 ‘오늘’에서 확인해 주세요.",
        "It may have happened already; settle that first, on Today.",
    ),
    (
        r"there is no doubt .*",
        "이미 확인된 일입니다. 고맙습니다.",
        "This is settled already; thank you.",
    ),
    (
        r"already done by (.+); thank you all the same",
        r"\1 님이 이미 완료했습니다. 그래도 고맙습니다.",
        r"Already done by \1; thank you all the same.",
    ),
    (
        r"no longer needed: .*",
        "더 이상 필요하지 않은 일입니다.",
        "This is no longer needed.",
    ),
    (
        r"later steps need this answer, .*",
        "다음 단계에 이 답이 필요해서 건너뛸 수 없습니다. 답하거나, 케이스를 끝내 주세요.",
        "Later steps need this answer, so it cannot be skipped; answer it, or stop the case.",
    ),
    (
        r"the connection stays paused .*",
        "연결을 바로잡은 뒤 완료를 눌러 주세요.",
        "The connection stays paused until it is set right; do that, then say done.",
    ),
    (
        r"there is no assignment .*",
        "그런 할 일이 없습니다.",
        "There is no such assignment.",
    ),
    (
        r"there is no person .*",
        "그런 사람이 없습니다.",
        "There is no such person.",
    ),
    (
        r"there is no exchange .*",
        "그런 거래가 없습니다.",
        "There is no such dealing.",
    ),
    (
        r"exchange \S+ was taken back already",
        "이미 바로잡은 거래입니다.",
        "This was taken back already.",
    ),
    (
        r"exchange \S+ is a correction itself; .*",
        "바로잡은 기록은 다시 바로잡을 수 없습니다. 맞는 거래를 새로 적어 주세요.",
        "A correction cannot be taken back; record what is right instead.",
    ),
    (
        r"there is no event .*",
        "그런 사건이 없습니다.",
        "There is no such event.",
    ),
    (
        r"event \S+ is not in quarantine any more; .*",
        "누군가 이미 처리했습니다. 격리함에 없습니다.",
        "Somebody was quicker: it is not in quarantine any more.",
    ),
    (
        r"what event \S+ brought was erased after its time; .*",
        "보관 기간이 지나 내용이 지워져 다시 처리할 수 없습니다.",
        "What it brought was erased after its time; nothing is left to replay.",
    ),
    (
        r"event \S+ did its work when it came; .*",
        "이미 한 번 처리되었습니다. 다시 하면 그 뒤에 시작된 케이스를 끝낼 수 있어 하지 않습니다.",
        "It did its work when it came; once more, it could end cases begun since.",
    ),
)


def refused(error: OperateError | AssignmentError, ask: Ask) -> str:
    """The sentence of a refusal for a page."""
    told, people = str(error), ask.context.world.book.company.people
    for pattern, korean, english in _SAID:
        if found := re.fullmatch(pattern, told, re.DOTALL):
            said = korean if ask.words()["lang"] == "ko" else english
            who = found[1] if found.re.groups else ""
            return said.replace(r"\1", people[who].name if who in people else who)
    return _COMMAND.sub("", told)
