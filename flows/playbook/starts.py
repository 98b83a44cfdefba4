"""What the start of a playbook must keep: one of the ways to begin, where it comes from, and whom a case is about."""

from flows.playbook import rules, services
from flows.playbook.load import Path_
from flows.playbook.model import Book, Or, Playbook, Start, Step
from flows.playbook.problem import nearest
from flows.playbook.scope import everything
from flows.playbook.sheet import Sheet
from flows.playbook.time import Schedule

WAYS = ("event", "schedule", "exchange", "stage", "step", "hand")
ABOUT_A_PARTY = ("exchange", "stage", "step")  # with `each` too: the case is about the party that they are about
EXCHANGE = ("kind", "channel", "shop", "amount", "quantity", "until")  # what `from: exchange.until` may name
# which keys go with which way
_GOES_WITH = {"connection": "event", "missed": "schedule", "each": "schedule"}


def check(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    """Write everything down that does not hold of `start` and `case`."""
    way = way_of(playbook.start)
    if way is None:
        sheet.say(
            ("start",),
            "a start names exactly one of event with connection, schedule, exchange, stage, step and hand; "
            "write one of them",
        )
        return
    for key, only in _GOES_WITH.items():
        if key in playbook.start.model_fields_set and way != only:
            article = "an" if only == "event" else "a"
            sheet.say(("start", key), f"{key} belongs to {article} {only}; take it away", key=True)
    _WAYS[way](playbook, book, sheet)
    _case(playbook, way, sheet)
    for number, step in enumerate(playbook.steps):
        if step.or_ is not None:
            _or(step.or_, ("steps", number), step, playbook, book, sheet)


def way_of(start: Start) -> str | None:
    """Which of the ways a start names; none if it is not exactly one."""
    given = [way for way in WAYS if getattr(start, way) is not None]
    return given[0] if len(given) == 1 else None


def _event(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    if playbook.start.connection is None:
        sheet.say(("start",), "an event comes from a connection; add connection: and its name")
        return
    comes(playbook.start.event or "", playbook.start.connection, ("start",), book, sheet)


def comes(event: str, connection: str, path: Path_, book: Book, sheet: Sheet) -> None:
    """An event that a connection sends."""
    try:
        events = services.events_of(book.company, connection)
    except ValueError as error:
        sheet.say((*path, "connection"), str(error))
        return
    if not events:
        sheet.say((*path, "connection"), f"{connection} sends no events; name a form or a webhook")
    else:
        sheet.known((*path, "event"), event, events, f"event of {connection}")


def _or(other: Or, path: Path_, step: Step, playbook: Playbook, book: Book, sheet: Sheet) -> None:
    """An event that ends a wait: it comes in, and whose it is can be known."""
    if step.wait is None:
        sheet.say((*path, "or"), "or stands beside wait: until when; add wait:", key=True)
    if not about_a_party(playbook):
        sheet.say((*path, "or"), "a case of this playbook is about no customer, so no event can be its own", key=True)
    comes(other.event, other.connection, (*path, "or"), book, sheet)
    entry = book.company.connections.get(other.connection)
    begun = [one for one in book.playbooks.values() if one.start.connection == other.connection]
    if entry and "party" not in entry.settings and not any(about_a_party(one) for one in begun):
        sheet.say(
            (*path, "or", "connection"),
            f"nothing says whose an event of {other.connection} is; add party: to the connection, as party: data.phone",
        )


def _schedule(playbook: Playbook, book: Book, sheet: Sheet) -> None:  # noqa: ARG001 - one shape for all ways
    start = playbook.start
    try:
        Schedule.parse(start.schedule or "")
    except ValueError as error:
        sheet.say(("start", "schedule"), str(error))
    if playbook.fields:
        sheet.say(("fields",), "a schedule brings no fields; take them away", key=True)
    if start.each is not None and start.where is None:
        sheet.say(("start",), "each: party without where: takes every customer; add where:")
    if start.each is None and start.where is not None:
        sheet.say(("start", "where"), "where belongs to a start about somebody; add each: party", key=True)


def _exchange(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    sheet.known(("start", "exchange"), playbook.start.exchange or "", rules.kinds(book), "kind of exchange")
    others = [everything(other, book) for other in book.playbooks.values() if other is not playbook]
    for name, path in _taken_from(playbook):
        head, _, rest = path.partition(".")
        if not (head == "exchange" and rest in EXCHANGE) and not any(one.find(path) for one in others):
            words = [f"exchange.{word}" for word in EXCHANGE]
            words += [word for one in others for word in one.names]
            sheet.say(("fields", name), f"no playbook knows {path}{nearest(path, words)}; name an answer in from:")


def _stage(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    sheet.known(("start", "stage"), playbook.start.stage or "", book.canvas.stages, "stage of canvas.yaml")
    if playbook.fields:
        sheet.say(("fields",), "a stage brings no fields; take them away", key=True)


def _step(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    place: Path_ = ("start", "step")
    name, _, step = (playbook.start.step or "").partition(".")
    if not sheet.known(
        place, name, [other for other in book.playbooks if other != playbook.playbook], "other playbook"
    ):
        return
    other = book.playbooks[name]
    if not sheet.known(place, step, other.index, f"step of {name}"):
        return
    if not about_a_party(other):
        sheet.say(place, f"a case of {name} is about no customer, so nothing can start from it")
    scope = everything(other, book)
    for own, path in _taken_from(playbook):
        if said := scope.unknown(path):
            sheet.say(("fields", own), f"{said}; name an answer of {name} in from:")


def _taken_from(playbook: Playbook) -> list[tuple[str, str]]:
    """Where each field comes from in the case that began this one."""
    return [(name, field.source or name) for name, field in playbook.fields.items()]


def _hand(playbook: Playbook, book: Book, sheet: Sheet) -> None:
    rules.who(playbook.start.hand or "", book, ("start", "hand"), sheet)
    if playbook.start.where is not None:
        sheet.say(("start", "where"), "a start by hand asks no where; take it away", key=True)
    if not playbook.fields:
        sheet.say(("start",), "a start by hand asks a form; add fields:")


_WAYS = {
    "event": _event, "schedule": _schedule, "exchange": _exchange, "stage": _stage, "step": _step, "hand": _hand,
}  # fmt: skip


def about_its_party(playbook: Playbook) -> bool:
    """Whether the start itself says whom a case is about, and no field does."""
    return playbook.case is not None and playbook.case.field == "party"


def about_a_party(playbook: Playbook) -> bool:
    """Whether each case of a playbook is one customer's."""
    case = playbook.case
    field = playbook.fields.get(case.field) if case else None
    return case is not None and (case.field == "party" or (field is not None and field.type in {"phone", "email"}))


def _case(playbook: Playbook, way: str, sheet: Sheet) -> None:
    case = playbook.case
    place: Path_ = ("case", "field")
    wanted = _wanted(playbook.start, way)
    if case is None:
        sheet.say((), f"case is missing; add case: {wanted or 'the field whom one case is about, such as phone'}")
    elif wanted and case.field != wanted:
        what = "a case of a schedule is its period" if wanted == "period" else "a case of this start is about its party"
        sheet.say(place, f"{what}; write case: {wanted}")
    elif wanted:
        return
    elif case.field == "period":
        sheet.say(place, "period belongs to a schedule; name a field")
    elif case.field == "party":
        sheet.say(place, "party belongs to a start by exchange, stage, step or each; name a field")
    elif sheet.known(place, case.field, playbook.fields, "field of this playbook"):
        field = playbook.fields[case.field]
        if not field.required:
            sheet.say(place, f"{case.field} may be left empty; a case needs a field that is required")
        elif field.type in {"consent", "yesno"}:
            sheet.say(place, f"a case cannot be about {field.type}; name a phone or e-mail field")


def _wanted(start: Start, way: str) -> str | None:
    if way in ABOUT_A_PARTY or start.each is not None:
        return "party"
    return "period" if way == "schedule" else None
