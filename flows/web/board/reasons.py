"""Why something went wrong, in Korean where the company reads Korean: the rooms below write it in English.

What is not listed stays as it was written: an English sentence is better than none.
"""

import re

from flows.web.words import said as refusal

_SAID = (
    (r"waits to be let go \(state complete\)", "시작해도 좋다는 사람의 확인을 기다립니다 (완성 단계)"),
    (r"a person did not let it go", "사람이 보내지 않기로 했습니다"),
    (r"asked before under the same key", "이미 같은 열쇠로 처리되었습니다"),
    (r"asked again while this case is open", "진행 중인데 다시 요청이 왔습니다"),
    (r"outside its hours", "보낼 수 있는 시간이 아닙니다"),
    (r"too late: not (?:done|sent) after its time", "때가 지나 하지 않았습니다"),
    (r"tried again", "다시 시도했습니다"),
    (r"its case has ended|the case was stopped", "케이스가 끝났습니다"),
    (r"by (\S+): (.*)", r"\1: \2"),
    (r"the playbook is in state (\S+)", r"플레이북이 \1 상태라 나가지 않았습니다"),
    (r"adverts are not sent: .*", "광고를 거르는 절차가 아직 없어 보내지 않았습니다"),
    (r"the customer has no phone to write to", "고객의 전화번호를 모릅니다"),
    (r"the customer has no email to write to", "고객의 이메일 주소를 모릅니다"),
    (r"no medium took the message", "어떤 방법으로도 보내지 못했습니다"),
    (r"digilog stopped while it was being sent", "보내는 도중 digilog가 멈췄습니다"),
    (r"the store went away before it was sent", "보내기 전에 저장소가 끊겼습니다"),
    (r"the service cannot be reached", "서비스에 연결할 수 없습니다"),
    (r"the service's name has no address just now", "서비스의 주소를 지금 찾을 수 없습니다"),
    (r"the service refused the credentials \((\d+)\)", r"서비스가 인증을 거절했습니다 (\1)"),
    (r"the service asks to come later \((\d+)\)", r"서비스가 나중에 다시 오라고 했습니다 (\1)"),
    (r"the service refused \((\d+)\)", r"서비스가 거절했습니다 (\1)"),
    (r"no playbook starts by this event; .*", "이 사건으로 시작하는 플레이북이 없습니다"),
    (r"no exchange is recorded: no customer .*", "주문 번호나 연락처로 아는 고객이 없어 적지 못했습니다"),
    (r"the playbook is in state trial: by hand, .*", "시운전 중이라 사람에게 맡겼습니다"),
    (r"the playbook is in state (\S+): by hand, .*", r"플레이북이 \1 상태라 사람에게 맡겼습니다"),
    (r"the payload is no JSON(?: object)?", "내용이 JSON이 아니라 읽을 수 없습니다"),
    (r"stop: (.*)", r"이 거래가 적혀 끝났습니다: \1"),
    (r"(\S+) cannot be read as an Excel file", r"\1 파일을 엑셀로 읽을 수 없습니다. 열어서 .xlsx로 다시 저장해 주세요"),
    (r"(\S+) has no sheet (.+)", r"\1 파일에 ‘\2’ 시트가 없습니다"),
    (r"(\S+) is open in a spreadsheet program", r"\1 파일이 엑셀에서 열려 있습니다. 닫아 주세요"),
    (r"(\S+) is larger than 30 MB", r"\1 파일이 30 MB보다 큽니다. 오래된 줄을 다른 파일로 옮겨 주세요"),
    (r"(\S+) cannot be written; is the disk full\?", r"\1 파일에 쓸 수 없습니다. 디스크가 가득 찼는지 봐 주세요"),
    (r"(\S+) is not there", r"\1 파일이 없습니다. files 폴더에 넣어 주세요"),
    (r"(DIGILOG_\S+) is not set", r"\1 값이 없습니다"),
    (r"nobody has consented at the service yet", "서비스에서 아직 아무도 동의하지 않았습니다"),
)  # fmt: skip
_AFTERWARDS = (
    (r"(.*); given up after long trying", "{} · 오래 시도한 끝에 그만두었습니다"),
    (r"it may have happened; (.*)", "되었을 수도 있습니다 · {}"),
)


def said(reason: str | None, language: str) -> str:
    """One reason of a journal line, an effect or a connection."""
    if not reason or language != "ko":
        return reason or ""
    for pattern, korean in _AFTERWARDS:
        if found := re.fullmatch(pattern, reason, re.DOTALL):
            return korean.format(said(found[1], language))
    for pattern, korean in _SAID:
        if found := re.fullmatch(pattern, reason, re.DOTALL):
            return found.expand(korean)
    return _of_fields(reason) or reason


def _of_fields(reason: str) -> str | None:
    """What is wrong with fields that came in, one after the other; none if it is about something else."""
    parts = [one.partition(": ") for one in re.split(r"; (?=[\w.-]+: )", reason)]
    told = [(name, refusal(sentence, "", "ko")) for name, _, sentence in parts]
    known = all(after != before[2] for (_, after), before in zip(told, parts, strict=True))
    return " · ".join(f"{name}: {sentence}" for name, sentence in told) if known else None
