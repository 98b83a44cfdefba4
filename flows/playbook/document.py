"""A playbook as the process document that people read: Markdown, in the company's language."""

from collections.abc import Iterator, Mapping
from typing import Literal

from flows.playbook import labels, saying
from flows.playbook.model import Book, FormField, Measure, Playbook, Revision, Step, Stop
from flows.playbook.text import Text
from flows.playbook.time import Time

Said = tuple[str, str]  # a label, and what is said under it as Markdown


def document(playbook: Playbook, book: Book, language: Literal["ko", "en"] | None = None) -> str:
    """Markdown of one playbook; `language` is that of the labels, the company's by default."""
    words = labels.words(language or book.company.language)
    return "\n".join(_lines(playbook, book, words)).rstrip() + "\n"


def _lines(playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[str]:
    yield f"# {labels.plain(playbook.title)}"
    yield ""
    yield from (f"- **{label}**: {said}" for label, said in head(playbook, book, words))
    if playbook.scenario:
        yield from _section(words["scenario"])
        yield from (f"{number}. {labels.plain(line)}" for number, line in enumerate(playbook.scenario.values(), 1))
    if playbook.fields:
        yield from _section(words["fields"])
        yield from (f"- {said}" for said in fields(playbook, words))
    yield from _section(words["steps"])
    for number, step in enumerate(playbook.steps, 1):
        yield f"{number}. **{labels.plain(step.do)}**"
        yield from (f"   - {label}: {said}" for label, said in details(step, playbook, book, words))
    for title, lines in ends(playbook, book, words):
        yield from _section(title)
        yield from (f"- {line}" for line in lines)


def head(playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[Said]:
    """What it is for, who answers for it, when it begins, where it stands."""
    yield words["purpose"], labels.plain(playbook.purpose)
    yield words["owner"], labels.role(playbook.owner, book)
    yield words["begins"], _begins(playbook, words)
    yield words["place"], f"{words[playbook.system]} / {labels.place(playbook.stage, book, words)}"
    yield words["state"], words[playbook.state]


def fields(playbook: Playbook, words: Mapping[str, str]) -> list[str]:
    """What its start brings, a line of Markdown each."""
    return [_field(name, field, words) for name, field in playbook.fields.items()]


def ends(playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The sections after the steps, those that are not empty: a title, and lines of Markdown."""
    if playbook.stop:
        yield words["stops"], [_stop(stop, book, words) for stop in playbook.stop]
    if playbook.measures:
        yield words["measures"], [_measure(measure, words) for measure in playbook.measures]
    if playbook.revisions:
        newest = sorted(playbook.revisions, key=lambda revision: -revision.revision)
        yield words["revisions"], [_revision(one, book) for one in newest]


def _stop(stop: Stop, book: Book, words: Mapping[str, str]) -> str:
    what = ", ".join(labels.kind(kind, book, words) for kind in stop.exchange)
    asked = f"`{stop.when.source}`" if stop.when else f"{words['withdrawn']} ({stop.purpose})"
    what = f"{words['exchange']}: {what}" if what else asked
    return f"{what} > {words[stop.outcome]}"


def _revision(one: Revision, book: Book) -> str:
    said = " · ".join(labels.plain(part) for part in (one.change, one.why) if part)
    return f"{one.revision} ({one.on.isoformat()}, {labels.person(one.by, book)}): {said}"


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""


def details(step: Step, playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[Said]:
    """All that is said of one step."""
    if step.by is not None:
        yield words["who"], labels.who(step.by, playbook, book, words)
    if step.when is not None:
        yield words["when"], f"`{step.when.source}`"
    for key, time in (("wait", step.wait), ("due", step.due), ("valid_for", step.valid_for)):
        if time is not None:
            yield words[key], _time(time, playbook, words)
    if step.or_ is not None:
        condition = f", `{step.or_.where.source}`" if step.or_.where else ""
        yield words["or"], f"{labels.plain(step.or_.connection)} ({labels.plain(step.or_.event)}){condition}"
    if step.between is not None:
        yield words["between"], step.between.source
    if step.remind is not None:
        yield words["remind"], f"{saying.length(step.remind, labels.language(words))} {words['before']}"
    if step.escalate is not None:
        to = labels.role(step.escalate.to, book)
        yield words["escalate"], f"{_time(step.escalate.after, playbook, words)} {words['after']} > {to}"
    yield from ((words["checklist"], f"☐ {labels.plain(line)}") for line in step.checklist)
    yield from ((words["form"], _field(name, field, words)) for name, field in step.form.items())
    yield from _sends(step, book, words)
    yield from _afterwards(step, playbook, book, words)


def _afterwards(step: Step, playbook: Playbook, book: Book, words: Mapping[str, str]) -> Iterator[Said]:
    if step.fallback is not None:
        by = labels.role(step.fallback.by or playbook.owner, book)
        yield words["fallback"], f"{by}, {labels.plain(step.fallback.do or step.do)}"
    for end in step.ends:
        yield words["ends"], f"`{end.when.source}` > {words[end.outcome]}"
    if step.expect:
        yield words["expect"], labels.plain(step.expect)
    if step.serves:
        lines = [playbook.scenario.get(id, id) for id in step.serves]
        yield words["serves"], labels.plain(" / ".join(lines))
    if step.by_hand is not None:
        yield words["minutes"], saying.length(step.by_hand, labels.language(words))


def _sends(step: Step, book: Book, words: Mapping[str, str]) -> Iterator[Said]:
    named = step.arguments.get("message")
    id = named.source if isinstance(named, Text) else ""
    if step.use == "message.send" and id in book.messages:
        text = " ".join(book.messages[id].text.split())
        yield f"{words['sends']} ({id})", labels.plain(text)


def _time(time: Time, playbook: Playbook, words: Mapping[str, str]) -> str:
    return labels.plain(saying.moment(time, lambda path: labels.label(path, playbook), labels.language(words)))


def _begins(playbook: Playbook, words: Mapping[str, str]) -> str:
    start = playbook.start
    condition = f", `{start.where.source}`" if start.where else ""
    if start.schedule is not None:
        return f"{words['schedule']} {labels.plain(start.schedule)}{condition}"
    for way in ("exchange", "stage", "step", "hand"):
        if (found := getattr(start, way)) is not None:
            return f"{words[f'by_{way}']} {labels.plain(found)}{condition}"
    return f"{labels.plain(start.connection or '')} ({labels.plain(start.event or '')}) {words['event']}{condition}"


def _field(name: str, field: FormField, words: Mapping[str, str]) -> str:
    said = [labels.plain(field.label or name)]
    if field.choices:
        said.append("(" + ", ".join(labels.plain(label) for label in field.choices.values()) + ")")
    marks = [words["optional"]] * (not field.required) + [words["sensitive"]] * field.sensitive
    return " ".join([*said, *(f"[{mark}]" for mark in marks)])


def _measure(measure: Measure, words: Mapping[str, str]) -> str:
    target = f" ({words['target']} {measure.target})" if measure.target else ""
    return f"{labels.plain(measure.name)}{target}"
