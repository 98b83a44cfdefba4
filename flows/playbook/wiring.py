"""What a playbook's expressions, texts, times and arguments name: known, earlier, of the right kind, never missing."""

from collections.abc import Iterator, Mapping

from connectors.actions import check_arguments
from flows.playbook import rules
from flows.playbook.expression import Expression
from flows.playbook.kinds import WORDS
from flows.playbook.load import Path_
from flows.playbook.model import Book, MessageText, Playbook, Step
from flows.playbook.problem import nearest
from flows.playbook.scope import Known, Scope, at_start, everything, scopes, with_item, with_reply
from flows.playbook.services import action_of
from flows.playbook.sheet import Sheet
from flows.playbook.text import Blank, Text, blanks
from flows.playbook.time import Time

_TAKES: Mapping[str, set[str]] = {
    "date": {"date", "datetime", "any"},
    "datetime": {"datetime", "any"},
    "time": {"time", "datetime", "any"},
    "number": {"number", "any"},
    "money": {"number", "any"},
}


def check(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    """Write everything down that cannot be found, or does not fit, when a case comes to it."""
    if playbook.start.where is not None:
        _expression(playbook.start.where, ("start", "where"), at_start(playbook, book), sheet)
    anywhere = everything(playbook, book)
    for number, stop in enumerate(playbook.stop):
        if stop.when is not None:
            _expression(stop.when, ("stop", number, "when"), anywhere, sheet)
    for number, (step, (before, own)) in enumerate(zip(playbook.steps, scopes(playbook, book), strict=True)):
        path: Path_ = ("steps", number)
        _conditions(step, path, before, own, sheet)
        _times(step, path, before, sheet)
        _who(step, path, before, sheet)
        named = before
        if step.for_each is not None:
            _list(step.for_each, step, path, before, sheet)
            named = with_item(before)
        for place, text in _texts(step.arguments, (*path, "with")):
            _text(text, place, step, named, sheet)
        if step.key is not None:
            _text(step.key, (*path, "key"), step, named, sheet)
        if step.use is not None:
            _use(step, path, book, sheet)


def _list(path: str, step: Step, at: Path_, before: Scope, sheet: Sheet) -> None:
    """What `for_each` goes through, and that its action can be done many times in one case."""
    place = (*at, "for_each")
    found = _name(path, place, before, sheet)
    if found is not None and found.type.kind not in {"list", "any"}:
        sheet.say(place, f"{path} is {WORDS[found.type.kind]}; for_each goes through several values")
    elif found is not None:
        _present(path, found, place, step, sheet, "give this step a when:")
    if (step.use or "").partition(".")[0] in {"message", "team", "metrics"}:
        sheet.say(place, f"{step.use} cannot be done for each item; name an action of a connection, or ledger.record")


def _conditions(step: Step, path: Path_, before: Scope, own: Scope, sheet: Sheet) -> None:
    if step.when is not None:
        _expression(step.when, (*path, "when"), before, sheet)
    if step.check is not None:
        _expression(step.check, (*path, "check"), own, sheet)
    if step.or_ is not None and step.or_.where is not None:
        _expression(step.or_.where, (*path, "or", "where"), with_reply(before), sheet)
    for place, end in enumerate(step.ends):
        _expression(end.when, (*path, "ends", place, "when"), own, sheet)


def _expression(expression: Expression, path: Path_, scope: Scope, sheet: Sheet) -> None:
    unknown = {name: said for name in sorted(expression.names) if (said := scope.unknown(name))}
    for said in expression.check(scope.type, scope.names):
        name = said.split(" ", 1)[0]
        # a name that comes later is known, only not here: the scope says it better
        sheet.say(path, unknown[name] if name in unknown and "is not known here" in said and not _yes(name) else said)


def _yes(name: str) -> bool:
    return name in {"yes", "no"}


def _times(step: Step, path: Path_, before: Scope, sheet: Sheet) -> None:
    fallback = step.fallback.due if step.fallback else None
    escalate = step.escalate.after if step.escalate else None
    for place, time in (
        (("wait",), step.wait),
        (("due",), step.due),
        (("valid_for",), step.valid_for),
        (("escalate", "after"), escalate),
        (("fallback", "due"), fallback),
    ):
        if time is not None:
            _time(time, (*path, *place), step, before, sheet)


def _time(time: Time, path: Path_, step: Step, before: Scope, sheet: Sheet) -> None:
    for name in time.names:
        found = _name(name, path, before, sheet)
        if found is None:
            continue
        if found.type.kind not in {"date", "datetime", "any"}:
            sheet.say(path, f"{name} is {WORDS[found.type.kind]}; a time counts from a date")
        else:
            _present(name, found, path, step, sheet, "make it required")


def _who(step: Step, path: Path_, before: Scope, sheet: Sheet) -> None:
    if step.by is None or step.by.who is None or step.by.machine:
        return
    place = (*path, "by", "who")
    found = _name(step.by.who, place, before, sheet)
    if found is None:
        return
    if not found.person:
        sheet.say(place, f"{step.by.who} is no person; name an answer of type: person")
    else:
        _present(step.by.who, found, place, step, sheet, "make it required")


def _texts(value: object, path: Path_) -> Iterator[tuple[Path_, Text]]:
    match value:
        case Text():
            yield path, value
        case Mapping():
            for key, inner in value.items():
                yield from _texts(inner, (*path, str(key)))
        case list():
            for place, inner in enumerate(value):
                yield from _texts(inner, (*path, place))


def _text(text: Text, path: Path_, step: Step, before: Scope, sheet: Sheet) -> None:
    for part in text.parts:
        if not isinstance(part, Blank):
            continue
        found = _name(part.path, path, before, sheet)
        if found is None:
            continue
        if part.filters and found.type.kind not in _TAKES.get(part.filters[0], {found.type.kind}):
            sheet.say(path, f"{part.path} is {WORDS[found.type.kind]}; it cannot be shown as {part.filters[0]}")
        if part.default is None:
            _present(part.path, found, path, step, sheet, "add | default('')")


def _name(name: str, path: Path_, scope: Scope, sheet: Sheet) -> Known | None:
    if said := scope.unknown(name):
        sheet.say(path, said)
        return None
    return scope.find(name)


def _present(name: str, found: Known, path: Path_, step: Step, sheet: Sheet, remedy: str) -> None:
    if found.optional:
        sheet.say(path, f"{name} may be left empty; {remedy}")
    elif found.when is not None and (step.when is None or step.when.source != found.when):
        sheet.say(path, f"{name} is there only when {found.when}; give this step the same when:")


def _use(step: Step, path: Path_, book: Book, sheet: Sheet) -> None:
    use = step.use or ""
    try:
        action = action_of(book.company, use)
    except ValueError as error:
        sheet.say((*path, "use"), str(error))
        return
    for said in check_arguments(action, set(step.arguments)):
        named = next((name for name in step.arguments if f"no such argument {name};" in said), None)
        if named is not None:
            sheet.say((*path, "with", named), said.removeprefix(f"{action.name}: "), key=True)
        else:
            sheet.say((*path, "use"), said.replace(action.name, use, 1))
    _arguments(use, step, path, book, sheet)


def _arguments(use: str, step: Step, path: Path_, book: Book, sheet: Sheet) -> None:
    """What the built-ins' plain arguments name."""
    company = book.company
    known = {
        ("ledger.record", "kind"): (rules.kinds(book), "kind of exchange"),
        ("ledger.record", "channel"): ([*company.channels], "channel of company.yaml"),
        ("ledger.record", "shop"): ([*company.branches], "branch of company.yaml"),
        ("message.send", "message"): ([*book.messages], "message of messages.yaml"),
        ("metrics.record", "metric"): ([*book.metrics.metrics], "metric of metrics.yaml"),
    }
    for name, value in step.arguments.items():
        if isinstance(value, Text) and not value.names and (use, name) in known:
            words, what = known[use, name]
            sheet.known((*path, "with", name), value.source, words, what)
    message = step.arguments.get("message")
    if use == "message.send" and isinstance(message, Text) and message.source in book.messages:
        _values(step, path, message.source, book.messages[message.source], sheet)


def _values(step: Step, path: Path_, id: str, message: MessageText, sheet: Sheet) -> None:
    wanted = blanks(message.text) | blanks(message.subject)
    values = step.arguments.get("values", {})
    if not isinstance(values, Mapping):
        sheet.say((*path, "with", "values"), "values are names with texts, as in {이름: '{{ name }}'}")
        return
    at: Path_ = (*path, "with", "values") if values else (*path, "with")
    for name in sorted(wanted - set(values)):
        sheet.say(at, f"the message {id} has a blank #{{{name}}}; add {name} to values")
    for name in values:
        if name not in wanted:
            sheet.say((*at, name), f"the message {id} has no blank #{{{name}}}{nearest(str(name), wanted)}", key=True)
