"""Record an exchange: a purchase at the desk, a bank transfer, a cancellation; and take back what was a mistake."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import quote

from sqlalchemy import Connection, and_, or_, select
from starlette.responses import Response

from connectors.errors import Rejected
from flows.engine import operate
from flows.engine.operate import OperateError
from flows.ledger.exchanges import Exchange
from flows.ledger.parties import add_contact, family, find
from flows.playbook import contact
from flows.playbook.model import EXCHANGES
from flows.store import tables as t
from flows.store.read import rows
from flows.store.write import new_id
from flows.web.board.ask import Ask
from flows.web.board.dealings import Dealing, dealings, kind_said
from flows.web.board.finding import Found, customers, people
from flows.web.board.refusals import refused
from flows.web.board.words.exchange import EXCHANGE
from flows.web.body import Refused
from flows.web.page import after

SHOWN = 20
_FITS = 12  # customers to choose among
_LONGEST = 1000  # signs of a note
_LARGEST = Decimal(10) ** 12
_MOST = 10_000
_BACK = timedelta(days=5 * 366)
_JUST_NOW = timedelta(minutes=2)
_FIELDS = ("who", "name", "kind", "amount", "at", "until", "quantity", "channel", "note", "party", "once")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,17})\.([a-z0-9]{1,40})")
_ONCE = re.compile(r"[a-z0-9]{10,40}")
_x = t.exchange.c
_OUT = frozenset({"refund"})


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, and what is wrong with it by field; `fits`: customers to choose among."""

    said: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    fits: Sequence[Found] = ()
    exchange: Exchange | None = None
    at: datetime | None = None


def get(ask: Ask, session: Connection) -> Response:
    chosen = ask.said("party") if ask.user.may("act") else ""
    return _page(ask, session, Typed({"once": new_id(), "party": chosen}))


async def post(ask: Ask) -> Response:
    """Record one; the form's key makes a second press the same."""
    typed = await ask.read(lambda session: _typed(ask, session))
    if typed.wrong or typed.exchange is None:
        return await ask.read(lambda session: _page(ask, session, typed, 422))
    try:
        told = await ask.write(lambda session: _record(session, ask, typed))
    except (OperateError, Rejected):  # the files changed in between
        wrong = Typed(typed.said, {"kind": ask.words(EXCHANGE)["kind_needed"]})
        return await ask.read(lambda session: _page(ask, session, wrong, 409))
    return after(f"/exchanges?told={told}")


async def correct(ask: Ask) -> Response:
    """Take one back, with a reason."""
    id, reason, back = ask.request.path_params["id"], ask.said("reason")[:500], ask.said("back")
    if ask.said("_press") != "void":
        raise Refused(404, ask.words()["nothing"])
    if not reason:
        raise Refused(422, ask.words(EXCHANGE)["reason_needed"])
    try:
        await ask.write(lambda session: operate.void(session, ask.context.world, id, ask.user.name, reason))
    except OperateError as error:
        raise Refused(409, refused(error, ask)) from None
    except Rejected:
        raise Refused(409, ask.words(EXCHANGE)["kind_gone"]) from None
    to = back if re.fullmatch(r"/customers/[a-z0-9]{1,40}", back) else "/exchanges"
    return after(f"{to}?told=void")


def _record(session: Connection, ask: Ask, typed: Typed) -> str:
    world, who, said = ask.context.world, ask.user.name, typed.said
    facts = {"at": typed.at, "reference": f"{who}/{said['once']}"}
    if typed.exchange is None:
        raise OperateError("nothing to record")
    if said["party"]:
        operate.record_for(session, world, said["party"], typed.exchange, who, **facts)  # type: ignore[arg-type]
        return "recorded"
    made = operate.record_by_hand(session, world, said["who"], typed.exchange, who, **facts)  # type: ignore[arg-type]
    if said["name"]:
        party = session.execute(select(_x.party_id).where(_x.id == made)).scalar_one()
        add_contact(session, party, "person", "name", said["name"][:60])
    return "new"


def _typed(ask: Ask, session: Connection) -> Typed:
    """What was typed, as an exchange; or what is wrong with each field."""
    said = {name: ask.said(name) for name in _FIELDS}
    if not _ONCE.fullmatch(said["once"]):
        said["once"] = new_id()
    words, wrong = ask.words(EXCHANGE), dict[str, str]()
    fits = _whose(ask, session, said, wrong)
    read = {name: _tried(does, ask, said, name, wrong) for name, does in _READERS.items() if said[name]}
    if said["kind"] not in {*EXCHANGES, *ask.context.world.book.canvas.kinds}:
        wrong["kind"] = "kind_needed"
    if wrong:
        return Typed(said, {name: words[key] for name, key in wrong.items()}, fits)
    channel = said["channel"] if said["channel"] in ask.context.world.book.company.channels else ""
    way = "out" if family(said["kind"]) in _OUT else "in"
    numbers = {name: read.get(name) for name in ("amount", "until", "quantity")}
    exchange = Exchange(kind=said["kind"], channel=channel, direction=way, note=said["note"][:_LONGEST], **numbers)
    at = read.get("at")
    return Typed(said, exchange=exchange, at=at if isinstance(at, datetime) else None)


def _whose(ask: Ask, session: Connection, said: dict[str, str], wrong: dict[str, str]) -> Sequence[Found]:
    """Find the customer: chosen, or by phone or e-mail (new if unknown), or by name. Fills `party` where known."""
    country = ask.context.world.book.company.country
    if said["party"]:
        if session.execute(select(t.party.c.id).where(t.party.c.id == said["party"])).scalar() is None:
            said["party"], wrong["who"] = "", "which_none"
        return ()
    if not said["who"]:
        wrong["who"] = "who_needed"
        return ()
    kind = "email" if "@" in said["who"] else "phone"
    try:
        value = contact.email(said["who"]) if kind == "email" else contact.phone(said["who"], country)
    except ValueError:
        found = people(session, ask, customers(session, said["who"][:100], country, _FITS))
        wrong["who"] = "which_many" if found else "which_none"
        return found
    said["party"] = find(session, "person", kind, value) or ""
    return ()


def _tried(does: object, ask: Ask, said: Mapping[str, str], name: str, wrong: dict[str, str]) -> object:
    try:
        return does(ask, said[name])  # type: ignore[operator]
    except (ValueError, OverflowError, InvalidOperation):
        wrong[name] = f"{name}_wrong"
        return None


def _amount(ask: Ask, text: str) -> Decimal:
    del ask
    found = Decimal(re.sub(r"[,\s₩원$]", "", text))
    if not found.is_finite() or not 0 < found < _LARGEST or int(found.as_tuple().exponent) < -2:
        raise ValueError
    return found


def _at(ask: Ask, text: str) -> datetime:
    found = datetime.fromisoformat(text)
    found = found if found.tzinfo else found.replace(tzinfo=ask.context.world.book.company.zone)
    found = found.astimezone(UTC)
    if not ask.now - _BACK < found < ask.now + _JUST_NOW:
        raise ValueError
    return ask.now if ask.now - found < _JUST_NOW else found  # the field knows no seconds


def _until(ask: Ask, text: str) -> date:
    del ask
    found = date.fromisoformat(text)
    if not 2000 <= found.year <= 2200:
        raise ValueError
    return found


def _quantity(ask: Ask, text: str) -> int:
    del ask
    found = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 0 < found <= _MOST:
        raise ValueError
    return found


_READERS = {"amount": _amount, "at": _at, "until": _until, "quantity": _quantity}


def _page(ask: Ask, session: Connection, typed: Typed, status: int = 200) -> Response:
    book = ask.context.world.book
    said = {**dict.fromkeys(_FIELDS, ""), **typed.said}
    chosen = people(session, ask, [said["party"]])[0] if said["party"] and not typed.wrong.get("who") else None
    recent, then = _recent(session, ask)
    told = ask.said("told") if ask.request.method == "GET" else ""
    ours = [(kind, kind_said(ask, kind)) for kind in book.canvas.kinds]
    others = [(kind, kind_said(ask, kind)) for kind in EXCHANGES if kind not in book.canvas.kinds]
    return ask.page(
        "exchange.html",
        EXCHANGE,
        status,
        said=said,
        wrong={**dict.fromkeys(_FIELDS, ""), **typed.wrong},
        any_wrong=bool(typed.wrong),
        fits=typed.fits,
        chosen=chosen if chosen and (chosen.name or chosen.contacts) else None,
        kinds=[("kinds_ours", ours), ("kinds_all", others)],
        channels=list(book.company.channels.items()),
        now=ask.now.astimezone(book.company.zone).strftime("%Y-%m-%dT%H:%M"),
        more=any(said[name] for name in ("until", "quantity", "channel")),
        recent=recent,
        then=then,
        told=told if told in {"recorded", "new", "void"} else None,
    )


def _recent(session: Connection, ask: Ask) -> tuple[list[Dealing], str | None]:
    """The newest of the ledger, a page at a time."""
    asked = select(t.exchange).order_by(_x.at.desc(), _x.id.desc()).limit(SHOWN + 1)
    if place := _PLACE.fullmatch(ask.said("before")):
        at = _EPOCH + timedelta(microseconds=int(place[1]))
        asked = asked.where(and_(_x.at <= at, or_(_x.at < at, _x.id < place[2])))
    found = rows(session, asked)
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    then = f"{(last['at'] - _EPOCH) // timedelta(microseconds=1)}.{quote(last['id'])}" if last else None
    return dealings(session, ask, found[:SHOWN]), then
