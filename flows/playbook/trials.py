"""What the tests of a playbook name must be in that playbook."""

from collections.abc import Iterable

from flows.playbook import rules, starts
from flows.playbook.load import Path_
from flows.playbook.model import Book, Playbook, TestCase, TestFile
from flows.playbook.scope import everything
from flows.playbook.sheet import Sheet


def check(tests: TestFile, playbook: Playbook, book: Book, sheet: Sheet) -> None:
    """Write down every name that is not one of the playbook's or company's."""
    seen: set[str] = set()
    for number, case in enumerate(tests.cases):
        path: Path_ = ("cases", number)
        if case.name in seen:
            sheet.say((*path, "name"), "two cases have this name; change one")
        seen.add(case.name)
        _case(case, path, playbook, book, sheet)
        _expected(case, (*path, "expect"), playbook, book, sheet)


def _case(case: TestCase, path: Path_, playbook: Playbook, book: Book, sheet: Sheet) -> None:
    answers = _answers(playbook, book)
    if (playbook.start.event or playbook.start.hand) and not case.start:
        sheet.say(path, "a case begins with what the form brings; add start:")
    _all((*path, "start"), case.start, answers, "field of the playbook", sheet)
    people = [step.id for step in playbook.steps if step.by is not None]
    for name, answered in case.people.items():
        at = (*path, "people", name)
        if not sheet.known(at, name, people, "step that someone does"):
            continue
        step = playbook.steps[playbook.index[name]]
        form = {**step.form, **(step.fallback.form if step.fallback else {})}
        of_doubt = {"happened"} if step.use else set()
        _all(
            (*at, "answers"),
            answered.answers,
            of_doubt | {word for id, one in form.items() for word in (id, one.label)},
            "answer of this step",
            sheet,
        )
        if answered.by is not None:
            sheet.known((*at, "by"), answered.by, book.company.people, "person of company.yaml")
    for name, known in case.parties.items():
        for place, one in enumerate(known.exchanges):
            at = (*path, "parties", name, "exchanges", place, "kind")
            sheet.known(at, one.kind, rules.kinds(book), "kind of exchange")
    for number, event in enumerate(case.events):
        at = (*path, "events", number)
        if sum(one is not None for one in (event.start, event.exchange, event.withdraws, event.event)) != 1:
            said = "an event is one of start: {..}, exchange: a kind, withdraws: ad, and event: with connection:"
            sheet.say(at, said)
        if event.event is not None:
            starts.comes(event.event, event.connection or "", at, book, sheet)
        if event.party is not None:
            sheet.known((*at, "party"), event.party, case.parties, "party of this test")
        _all((*at, "start"), event.start or {}, answers, "field of the playbook", sheet)
    for use in case.connections:
        uses = [step.use for step in playbook.steps if step.use] + [
            metric.source.use for metric in book.metrics.metrics.values() if metric.source.use
        ]
        sheet.known((*path, "connections", use), use, [*uses, *_mediums(book)], "action of this playbook")


def _mediums(book: Book) -> list[str]:
    return [f"{connection}.send" for connection in {*book.company.mediums.values(), "outbox"}]


def _answers(playbook: Playbook, book: Book) -> set[str]:
    """A start says fields as a sender does: by name, label, or `from`; what another playbook knew by its names."""
    own = {
        word
        for name, field in playbook.fields.items()
        for word in (name, field.label, field.source or "", (field.source or "").partition(".")[0])
        if word
    }
    other = book.playbooks.get((playbook.start.step or "").partition(".")[0])
    return own | set(everything(other, book).names) if other else own


def _all(path: Path_, given: Iterable[str], known: Iterable[str], what: str, sheet: Sheet) -> None:
    among = [word for word in known if word]
    for word in given:
        if word not in among:
            sheet.known((*path, word), word, among, what)


def _expected(case: TestCase, path: Path_, playbook: Playbook, book: Book, sheet: Sheet) -> None:
    expected = case.expect
    for place, message in enumerate(expected.sent or ()):
        sheet.known((*path, "sent", place), message, [*book.messages, "team"], "message of messages.yaml")
    for place, step in enumerate(expected.blocked or ()):
        sheet.known((*path, "blocked", place), step, playbook.index, "step of this playbook")
    for place, due in enumerate(expected.assignments or ()):
        sheet.known((*path, "assignments", place, "step"), due.step, playbook.index, "step of this playbook")
        if due.person is not None:
            at = (*path, "assignments", place, "person")
            sheet.known(at, due.person, book.company.people, "person of company.yaml")
    for step in expected.steps or {}:
        sheet.known((*path, "steps", step), step, playbook.index, "step of this playbook")
    for place, party in enumerate(expected.parties or ()):
        sheet.known((*path, "parties", place), party, case.parties, "party of this test")
    for metric in expected.readings or {}:
        sheet.known((*path, "readings", metric), metric, book.metrics.metrics, "metric of metrics.yaml")
    for step in expected.told or {}:
        sheet.known((*path, "told", step), step, playbook.index, "step of this playbook")
    if expected.refused is not None:
        fields = [*playbook.fields, *(name for step in playbook.steps for name in step.form)]
        sheet.known((*path, "refused"), expected.refused, fields, "field of the playbook")
