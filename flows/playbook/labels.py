"""The words of process documents in the company's language, and people, roles and places by their labels."""

import re
from collections.abc import Mapping
from typing import Literal

from flows.playbook import saying
from flows.playbook.model import Book, By, Playbook

KOREAN: Mapping[str, str] = {
    "purpose": "왜", "owner": "책임", "state": "상태", "place": "자리", "begins": "언제 시작하나",
    "scenario": "고객이 겪는 일", "fields": "받는 것", "steps": "하는 일", "who": "누가", "machine": "기계",
    "due": "언제까지", "minutes": "손으로 하면", "serves": "고객이 겪는 일", "expect": "되었다는 것은",
    "checklist": "확인", "form": "적는 것", "when": "다음일 때만", "wait": "기다림", "escalate": "늦으면",
    "remind": "미리 알림", "fallback": "기계가 못 하면", "between": "보내는 시간", "valid_for": "늦어도",
    "ends": "여기서 끝나는 때", "stops": "무엇이 멈추나", "measures": "무엇으로 재나", "revisions": "고쳐 온 길",
    "sends": "보내는 글", "optional": "선택", "sensitive": "민감", "exchange": "거래", "after": "지나면",
    "schedule": "일정", "event": "들어옴", "target": "목표", "won": "성사", "lost": "실패", "done": "마침",
    "design": "설계", "trial": "시운전", "complete": "완성", "operate": "운영", "expand": "확산",
    "before": "전에", "circle": "전체", "named": "정해진 사람",
    "customer": "고객", "production": "생산", "revenue": "수익", "organization": "조직",
    "blueprint": "서비스 청사진", "as_is": "지금", "gap": "차이", "to_be": "바라는 것", "behind": "(뒤에서)",
    "no_playbook": "아직 플레이북이 없다", "contents": "차례",
    "by_exchange": "거래가 적히면:", "by_stage": "고객이 여기에 이르면:", "by_step": "이 단계가 끝나면:",
    "by_hand": "사람이 시작한다:", "or": "그 전에 오면 바로", "withdrawn": "동의를 거둠",
}  # fmt: skip
ENGLISH: Mapping[str, str] = {
    "purpose": "Why", "owner": "Answers for it", "state": "State", "place": "Place", "begins": "When it begins",
    "scenario": "What the customer lives through", "fields": "What comes in", "steps": "What is done", "who": "Who",
    "machine": "machine", "due": "By when", "minutes": "By hand", "serves": "Customer's line", "expect": "Done means",
    "checklist": "Check", "form": "Write down", "when": "Only when", "wait": "Wait", "escalate": "If late",
    "remind": "Reminder", "fallback": "If the machine cannot", "between": "Sent between", "valid_for": "Not later than",
    "ends": "Ends here when", "stops": "What stops it", "measures": "How it is measured", "revisions": "Revisions",
    "sends": "Message", "optional": "optional", "sensitive": "sensitive", "exchange": "exchange",
    "after": "past due", "schedule": "schedule", "event": "arrives", "target": "target", "won": "won", "lost": "lost",
    "done": "done", "design": "design", "trial": "trial", "complete": "complete", "operate": "operate",
    "expand": "expand", "before": "before", "circle": "the whole circle",
    "named": "the person named", "customer": "customer", "production": "production", "revenue": "revenue",
    "organization": "organization",
    "blueprint": "Service blueprint", "as_is": "Today", "gap": "Gap", "to_be": "Wanted", "behind": "(behind it)",
    "no_playbook": "no playbook yet", "contents": "Contents",
    "by_exchange": "when this exchange is recorded:", "by_stage": "when a customer reaches",
    "by_step": "when this step is done:", "by_hand": "started by hand:",
    "or": "Or as soon as this comes", "withdrawn": "consent withdrawn",
}  # fmt: skip
_MARKS = re.compile(r"([\\`*_\[\]<>|&]|#(?!\{))")  # `#{name}` is no heading, and stays as it is written


def words(language: Literal["ko", "en"]) -> Mapping[str, str]:
    return KOREAN if language == "ko" else ENGLISH


def language(words: Mapping[str, str]) -> saying.Language:
    return "ko" if words is KOREAN else "en"


def role(word: str, book: Book) -> str:
    role = book.company.roles.get(word)
    return plain(role.label) if role else person(word, book)


def person(word: str, book: Book) -> str:
    person = book.company.people.get(word)
    return plain(person.name if person else word)


def place(word: str, book: Book, words: Mapping[str, str]) -> str:
    place = book.canvas.stages.get(word) or book.canvas.arrows.get(word)
    return plain(place.label) if place else words.get(word, word)


def kind(kind: str, book: Book, words: Mapping[str, str]) -> str:
    rule = book.canvas.kinds.get(kind)
    return plain(rule.label if rule and rule.label else saying.kind(kind, language(words)))


def plain(text: str) -> str:
    """Words of people inside Markdown: their signs stay signs."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def who(by: By, playbook: Playbook, book: Book, words: Mapping[str, str]) -> str:
    if by.machine:
        return words["machine"]
    if by.who is None:
        return role(by.role, book)
    return f"{role(by.role, book)} ({words['named']}: {label(by.who, playbook)})"


def label(path: str, playbook: Playbook) -> str:
    """A field or an answer, as its form calls it."""
    step, _, answer = path.partition(".")
    place = playbook.index.get(step)
    field = playbook.steps[place].form.get(answer) if place is not None else playbook.fields.get(path)
    return field.label if field and field.label else path
