"""Numbers that are ours already, counted when asked for: exchanges net of what was given back, minutes people noted."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from flows.ledger.exchanges import SALES
from flows.ledger.parties import CUSTOMERS, family
from flows.ledger.series import days
from flows.playbook.hours import at_clock
from flows.playbook.metrics import Metric
from flows.playbook.metrics import Source as Basis
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, rows

TAKEN = ("refund", "claim")  # families that give a sale's money back
_x = t.exchange.c
_later = t.exchange.alias("later")  # a correction stands among the same customer's rows
_GONE = exists().where(_later.c.party_id == _x.party_id, _later.c.voids == _x.id)
_EXCHANGES = (
    select(
        _x.id, _x.party_id, _x.at, _x.day, _x.kind, _x.channel, _x.sale, _x.amount, _x.net_amount, _x.currency,
        _x.quantity, _x.system, _x.reference,
    )
    .join(t.party)
    .where(t.party.c.kind.in_(CUSTOMERS), _x.voids.is_(None), ~_GONE)
    .order_by(_x.at, _x.id)
)  # fmt: skip
_FIRST_DEALT = select(_x.day).where(_x.voids.is_(None), ~_GONE).order_by(_x.day).limit(1)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one exchange adds to a day: a sale or another dealing, or what was given back of one, below zero."""

    day: str
    party: str
    exchanges: int
    amount: Decimal = Decimal()
    quantity: int = 0


@dataclass(slots=True)
class Dealing:
    """One exchange of a metric's kind, and what was given back of it, in its order."""

    row: Row
    back: list[Row] = field(default_factory=list)

    @property
    def party(self) -> str:
        return str(self.row["party_id"])

    @property
    def at(self) -> datetime:
        at: datetime = self.row["at"]
        return at

    @property
    def whole(self) -> bool:
        """Whether nothing of it was left: all money is back, or a refund named no amount."""
        return sum(part.exchanges for part in self.parts(Basis())) == 0

    def parts(self, basis: Basis) -> Iterator[Counted]:
        """The sale on its day, and what is taken off on the day that the metric declares."""
        row, money = self.row, "net_amount" if basis.count == "net_amount" else "amount"
        yield Counted(row["day"], self.party, 1, row[money] or Decimal(), row["quantity"] or 0)
        left, visits, stands = row[money], row["quantity"] or 0, True
        for back in self.back if basis.claims != "ignored" else ():
            all_ = family(back["kind"]) == "refund" and back["amount"] is None
            same = row["currency"] == back["currency"] and left is not None
            amount = (left or Decimal()) if all_ else (back[money] or Decimal()) if same else Decimal()
            left = None if left is None else left - amount
            ends = stands and (all_ or (left is not None and left <= 0 and amount > 0))
            taken = visits if ends else min(back["quantity"] or 0, visits)
            visits, stands = visits - taken, stands and not ends
            day = row["day"] if basis.claims == "sale_day" else back["day"]
            yield Counted(day, self.party, -int(ends), -amount, -taken)


def derived(session: Connection, book: Book, name: str, first: date, last: date) -> dict[date, Decimal]:
    """A metric's number of every day from first to last, both included: a day without any is zero.

    Days before the ledger began have none: nobody counted then. Raises ValueError for a metric of another source.
    """
    metric, begin = book.metrics.metrics[name], began(session, book)
    if not (metric.source.exchanges or metric.source.minutes_of):
        raise ValueError(f"{name} is not counted from what is ours")
    if begin is None or begin > last:
        return {}
    first = max(first, begin)
    if metric.source.minutes_of:
        return _minutes(session, book, metric.source.minutes_of, first, last)
    basis, found = metric.source, defaultdict[str, list[Counted]](list)
    for dealing in dealings(session, book, name, first, last):
        for part in dealing.parts(basis):
            found[part.day].append(part)
    return {day: _number(basis, found[day.isoformat()]) for day in days(first, last)}


def began(session: Connection, book: Book) -> date | None:
    """The company's day from which on no exchange and no work is a zero: of the first of either, or of the first event.

    None: nothing has happened yet.
    """
    dealt = session.execute(_FIRST_DEALT).scalar()
    came = session.execute(select(t.event.c.at).order_by(t.event.c.id).limit(1)).scalar()
    worked = session.execute(select(t.journal.c.at).order_by(t.journal.c.at).limit(1)).scalar()
    moments = [at.astimezone(book.company.zone).date() for at in (came, worked) if at is not None]
    return min([*moments, *([date.fromisoformat(dealt)] if dealt else [])], default=None)


def dealings(session: Connection, book: Book, name: str, first: date, last: date) -> list[Dealing]:
    """The metric's exchanges with days from first to last, oldest first; of customers, and none that was corrected.

    With a sale comes what was given back of it, whenever that was; and a sale of before, if that was in these days.
    """
    metric = book.metrics.metrics[name]
    kind = metric.source.exchanges
    if kind is None:
        raise ValueError(f"{name} is not counted from exchanges")
    within = _x.day.between(first.isoformat(), last.isoformat())
    if family(kind) not in SALES or metric.source.claims == "ignored":
        made = [Dealing(row) for row in rows(session, _EXCHANGES.where(within, _of([kind])))]
    else:
        wanted = _of([family(kind), *TAKEN])
        here = select(_x.party_id).where(within, wanted)
        made = _matched(rows(session, _EXCHANGES.where(wanted, _x.party_id.in_(here))))
    return [one for one in made if _counts(one.row, metric, book)]


def _matched(found: Iterable[Row]) -> list[Dealing]:
    """Sales with what was given back of each: the one it names, else the customer's latest one before it."""
    made, given = list[Dealing](), list[Row]()
    of_party = defaultdict[str, list[Dealing]](list)
    for row in found:
        if family(row["kind"]) in TAKEN:
            given.append(row)
        else:
            made.append(Dealing(row))
            of_party[row["party_id"]].append(made[-1])
    for row in given:
        mine = of_party[row["party_id"]]
        named = (one for one in mine if _names(row, one.row))
        before = (one for one in reversed(mine) if one.row["at"] <= row["at"] and _suits(row["kind"], one.row["kind"]))
        if sale := next(named, None) or next(before, None):
            sale.back.append(row)
    return made


def _names(back: Row, sale: Row) -> bool:
    """A service's refund carries its payment's number before a slash."""
    return bool(
        sale["reference"]
        and back["system"] == sale["system"]
        and str(back["reference"]).startswith(f"{sale['reference']}/")
    )


def _suits(back: str, sale: str) -> bool:
    """`refund_membership` is about a `purchase_membership`; `refund` about any sale."""
    about = back.partition("_")[2]
    return not about or about == sale.partition("_")[2]


def _of(kinds: Iterable[str]) -> ColumnElement[bool]:
    """Of these kinds; a family means all of its kinds, as everywhere."""
    return or_(*(one for kind in kinds for one in (_x.kind == kind, _x.kind.startswith(f"{kind}_", autoescape=True))))


def _counts(row: Row, metric: Metric, book: Book) -> bool:
    source = metric.source
    money = source.count in {"amount", "net_amount"}
    unit = metric.unit if len(metric.unit) == 3 and metric.unit.isupper() else book.company.currency
    return (
        source.exchanges in {row["kind"], family(row["kind"])}
        and (source.sale is None or row["sale"] == source.sale)
        and (metric.channel is None or row["channel"] == metric.channel)
        and (not money or row["currency"] == unit)  # two currencies are never one sum
    )


def _number(basis: Basis, parts: list[Counted]) -> Decimal:
    match basis.count:
        case "amount" | "net_amount":
            return sum((part.amount for part in parts), Decimal())
        case "quantity":
            return Decimal(sum(part.quantity for part in parts))
        case "exchanges":
            return Decimal(sum(part.exchanges for part in parts))
    each = defaultdict[str, int](int)  # customers: who bought twice and gave one back is one still
    for part in parts:
        each[part.party] += part.exchanges
    return Decimal(sum((count > 0) - (count < 0) for count in each.values()))


def _minutes(session: Connection, book: Book, role: str, first: date, last: date) -> dict[date, Decimal]:
    """Minutes noted at a role's work, by the company's day on which it was done."""
    zone, found = book.company.zone, dict.fromkeys(days(first, last), Decimal())
    a = t.assignment.c
    asked = select(a.done_at, a.minutes).where(
        a.role == role, a.state == "done", a.minutes.is_not(None),
        a.done_at >= at_clock(first, 0, zone), a.done_at < at_clock(last + timedelta(days=1), 0, zone),
    )  # fmt: skip
    for row in rows(session, asked):
        found[row["done_at"].astimezone(zone).date()] += row["minutes"]
    return found
