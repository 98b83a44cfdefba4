"""A playbook as the process document that people read: Markdown, in the company's language."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from flows.playbook import saying
from flows.playbook.model import Book, By, FormField, Measure, Playbook, Step
from flows.playbook.text import Text
from flows.playbook.time import Time

_KOREAN: Mapping[str, str] = {
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
}  # fmt: skip
_ENGLISH: Mapping[str, str] = {
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
}  # fmt: skip
_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


def document(playbook: Playbook, book: Book, language: Literal["ko", "en"] | None = None) -> str:
    """Markdown of one playbook; `language` is that of the labels, the company's by default."""
    words = _KOREAN if (language or book.company.language) == "ko" else _ENGLISH
    return "\n".join(_lines(playbook, book, words)).rstrip() + "\n"


def _lines(playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[str]:
    yield f"# {_plain(playbook.title)}"
    yield ""
    yield f"- **{words['purpose']}**: {_plain(playbook.purpose)}"
    yield f"- **{words['owner']}**: {_role(playbook.owner, book)}"
    yield f"- **{words['begins']}**: {_begins(playbook, words)}"
    yield f"- **{words['place']}**: {words[playbook.system]} / {_stage(playbook.stage, book, words)}"
    yield f"- **{words['state']}**: {words[playbook.state]}"
    if playbook.scenario:
        yield from _section(words["scenario"])
        yield from (f"{number}. {_plain(line)}" for number, line in enumerate(playbook.scenario.values(), 1))
    if playbook.fields:
        yield from _section(words["fields"])
        yield from (f"- {_field(name, field, words)}" for name, field in playbook.fields.items())
    yield from _section(words["steps"])
    for number, step in enumerate(playbook.steps, 1):
        yield f"{number}. **{_plain(step.do)}**"
        yield from (f"   - {line}" for line in _step(step, playbook, book, words))
    yield from _end(playbook, book, words)


def _end(playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[str]:
    if playbook.stop:
        yield from _section(words["stops"])
        for stop in playbook.stop:
            what = ", ".join(_kind(kind, book, words) for kind in stop.exchange)
            what = f"{words['exchange']}: {what}" if what else f"`{stop.when.source if stop.when else ''}`"
            yield f"- {what} > {words[stop.outcome]}"
    if playbook.measures:
        yield from _section(words["measures"])
        yield from (f"- {_measure(measure, words)}" for measure in playbook.measures)
    if playbook.revisions:
        yield from _section(words["revisions"])
        for one in sorted(playbook.revisions, key=lambda revision: -revision.revision):
            said = " · ".join(_plain(part) for part in (one.change, one.why) if part)
            yield f"- {one.revision} ({one.on.isoformat()}, {_person(one.by, book)}): {said}"


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""


def _step(step: Step, playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[str]:
    if step.by is not None:
        yield f"{words['who']}: {_who(step.by, playbook, book, words)}"
    if step.when is not None:
        yield f"{words['when']}: `{step.when.source}`"
    for key, time in (("wait", step.wait), ("due", step.due), ("valid_for", step.valid_for)):
        if time is not None:
            yield f"{words[key]}: {_time(time, playbook, words)}"
    if step.between is not None:
        yield f"{words['between']}: {step.between.source}"
    if step.remind is not None:
        yield f"{words['remind']}: {saying.length(step.remind, _language(words))} {words['before']}"
    if step.escalate is not None:
        to = _role(step.escalate.to, book)
        yield f"{words['escalate']}: {_time(step.escalate.after, playbook, words)} {words['after']} > {to}"
    yield from (f"{words['checklist']}: ☐ {_plain(line)}" for line in step.checklist)
    for name, field in step.form.items():
        yield f"{words['form']}: {_field(name, field, words)}"
    yield from _sends(step, book, words)
    if step.fallback is not None:
        by = _role(step.fallback.by or playbook.owner, book)
        yield f"{words['fallback']}: {by}, {_plain(step.fallback.do or step.do)}"
    for end in step.ends:
        yield f"{words['ends']}: `{end.when.source}` > {words[end.outcome]}"
    if step.expect:
        yield f"{words['expect']}: {_plain(step.expect)}"
    if step.serves:
        lines = [playbook.scenario.get(id, id) for id in step.serves]
        yield f"{words['serves']}: {_plain(' / '.join(lines))}"
    if step.by_hand is not None:
        yield f"{words['minutes']}: {saying.length(step.by_hand, _language(words))}"


def _sends(step: Step, book: Book, words: Mapping[str, str]) -> Iterator[str]:
    named = step.arguments.get("message")
    id = named.source if isinstance(named, Text) else ""
    if step.use == "message.send" and id in book.messages:
        text = " ".join(book.messages[id].text.split())
        yield f"{words['sends']} ({id}): {_plain(text)}"


def _who(by: By, playbook: Playbook, book: Book, words: Mapping[str, str]) -> str:
    if by.machine:
        return words["machine"]
    if by.who is None:
        return _role(by.role, book)
    return f"{_role(by.role, book)} ({words['named']}: {_label(by.who, playbook)})"


def _time(time: Time, playbook: Playbook, words: Mapping[str, str]) -> str:
    return _plain(saying.moment(time, lambda path: _label(path, playbook), _language(words)))


def _label(path: str, playbook: Playbook) -> str:
    """A field or an answer, as its form calls it."""
    step, _, answer = path.partition(".")
    place = playbook.index.get(step)
    field = playbook.steps[place].form.get(answer) if place is not None else playbook.fields.get(path)
    return field.label if field and field.label else path


def _language(words: Mapping[str, str]) -> saying.Language:
    return "ko" if words is _KOREAN else "en"


def _role(word: str, book: Book) -> str:
    role = book.company.roles.get(word)
    return _plain(role.label) if role else _person(word, book)


def _person(word: str, book: Book) -> str:
    person = book.company.people.get(word)
    return _plain(person.name if person else word)


def _stage(word: str, book: Book, words: Mapping[str, str]) -> str:
    place = book.canvas.stages.get(word) or book.canvas.arrows.get(word)
    return _plain(place.label) if place else words.get(word, word)


def _kind(kind: str, book: Book, words: Mapping[str, str]) -> str:
    rule = book.canvas.kinds.get(kind)
    return _plain(rule.label if rule and rule.label else saying.kind(kind, _language(words)))


def _begins(playbook: Playbook, words: Mapping[str, str]) -> str:
    start = playbook.start
    if start.schedule is not None:
        return f"{words['schedule']} {_plain(start.schedule)}"
    condition = f", `{start.where.source}`" if start.where else ""
    return f"{_plain(start.connection or '')} ({_plain(start.event or '')}) {words['event']}{condition}"


def _field(name: str, field: FormField, words: Mapping[str, str]) -> str:
    said = [_plain(field.label or name)]
    if field.choices:
        said.append("(" + ", ".join(_plain(label) for label in field.choices.values()) + ")")
    marks = [words["optional"]] * (not field.required) + [words["sensitive"]] * field.sensitive
    return " ".join([*said, *(f"[{mark}]" for mark in marks)])


def _measure(measure: Measure, words: Mapping[str, str]) -> str:
    target = f" ({words['target']} {measure.target})" if measure.target else ""
    return f"{_plain(measure.name)}{target}"


def _plain(text: str) -> str:
    """Words of people inside Markdown: their signs stay signs."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
