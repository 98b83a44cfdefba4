"""The exchange ledger (거래장부): every dealing with a customer, append-only; recording one is an event."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from connectors.base import Connector, action
from connectors.errors import Rejected
from flows.ledger.call import Call
from flows.ledger.parties import family
from flows.ledger.parties import party as read_party
from flows.playbook.model import EXCHANGES, Book
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.write import RAW_KEPT, add, emit, new_id

SALES = {"purchase", "payment"}  # families that are a new or a repeat sale


class Exchange(BaseModel):
    """One exchange to be recorded. `until` is a day in the company's zone, `quantity` counts visits."""

    kind: str
    channel: str = ""
    shop: str = ""
    direction: str = "in"
    amount: Decimal | None = None
    currency: str = ""
    quantity: int | None = None
    until: date | None = None
    note: str = ""


class Recorded(BaseModel):
    """What `ledger.record` gives back."""

    id: str
    stage: str | None


def known_kind(kind: str, book: Book) -> bool:
    return kind in EXCHANGES or kind in book.canvas.kinds


def record(
    session: Connection,
    book: Book,
    party: str,
    exchange: Exchange,
    now: datetime,
    *,
    by: str,
    system: str,
    reference: str,
    case: str | None = None,
    voids: str | None = None,
) -> str:
    """Append one exchange and the event that tells of it. The same (system, reference) is recorded once.

    `voids` is the id of an earlier one that this corrects: neither of the two counts any more.
    Raises Rejected for a kind that neither digilog nor canvas.yaml knows.
    """
    if not known_kind(exchange.kind, book):
        # the kind may be rendered from what a customer typed: its text stays out of the reason
        raise Rejected("this kind of exchange is unknown; add it to kinds in canvas.yaml")
    if found := _KNOWN.first(session, system=system, reference=reference):
        return str(found["id"])
    id = new_id()
    add(
        session,
        t.exchange,
        id=id,
        party_id=party,
        at=now,
        day=now.astimezone(book.company.zone).date().isoformat(),
        sale=_sale(session, party, exchange.kind),
        system=system,
        reference=reference,
        case_id=case,
        recorded_by=by,
        voids=voids,
        **_said(exchange, book),
    )
    if exchange.note:
        until = now + RAW_KEPT
        add(session, t.private_exchange, exchange_id=id, party_id=party, note=exchange.note, retain_until=until)
    emit(session, "ledger", id, "exchange.recorded", now, subject=id)
    return id


_KNOWN = Prepared(
    select(t.exchange.c.id).where(
        t.exchange.c.system == bindparam("system"), t.exchange.c.reference == bindparam("reference")
    )
)


def _sale(session: Connection, party: str, kind: str) -> str | None:
    """New or repeat, of what is a sale at all."""
    if family(kind) not in SALES:
        return None
    return "repeat" if read_party(session, party).has(family(kind)) else "new"


def _said(exchange: Exchange, book: Book) -> dict[str, Any]:
    """The columns that the exchange itself fills; empty words are none."""
    currency = exchange.currency or (book.company.currency if exchange.amount is not None else None)
    return {
        "kind": exchange.kind,
        "direction": exchange.direction,
        "channel": exchange.channel or None,
        "shop": exchange.shop or None,
        "amount": exchange.amount,
        "net_amount": exchange.amount,
        "currency": currency,
        "quantity": exchange.quantity,
        "until": exchange.until.isoformat() if exchange.until else None,
    }


class Ledger(Connector):
    """The exchange ledger: write down what a customer did."""

    service = "ledger"

    @action(effect="inside")
    def record(
        self,
        kind: str,
        channel: str = "",
        shop: str = "",
        amount: Decimal | None = None,
        currency: str = "",
        quantity: int | None = None,
        until: date | None = None,
        note: str = "",
        *,
        call: Call,
    ) -> Recorded:
        """Record one exchange of the case's customer: its kind, and what is known of it."""
        if call.party is None:
            raise Rejected("this case is about no customer, so there is nobody to record an exchange for")
        exchange = Exchange(
            kind=kind,
            channel=channel,
            shop=shop,
            amount=amount,
            currency=currency,
            quantity=quantity,
            until=until,
            note=note,
        )
        id = record(
            call.session,
            call.book,
            call.party,
            exchange,
            call.now,
            by="machine",
            system="digilog",
            reference=call.key,
            case=call.case["id"],
        )
        return Recorded(id=id, stage=read_party(call.session, call.party).stage(call.book.canvas))
