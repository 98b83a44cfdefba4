"""Lines of the exchange ledger as pages show them: what, how much, until when, by whom, and whether it counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from flows.ledger.parties import family
from flows.playbook.model import EXCHANGES
from flows.playbook.wording import said_date, said_money
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.web.board import words
from flows.web.board.ask import Ask
from flows.web.board.people import names
from flows.web.board.words.exchange import KINDS

_x, _p = t.exchange.c, t.private_exchange.c
_NOTE = 300  # signs


@dataclass(frozen=True, slots=True)
class Dealing:
    """One line; `customer` and `note` are private."""

    id: str
    party: str
    customer: str
    kind: str
    about: str  # amount, end, count
    at: datetime
    by: str
    note: str
    counts: bool
    corrects: bool
    case: str | None


def dealings(session: Connection, ask: Ask, found: Sequence[Row]) -> list[Dealing]:
    """These rows of the ledger, told; what voids them is looked for among their customers' rows."""
    parties = sorted({row["party_id"] for row in found})
    known = names(session, parties)
    ids = [row["id"] for row in found]
    gone = select(_x.voids).where(_x.party_id.in_(parties), _x.voids.in_(ids)) if found else None
    voided = {row["voids"] for row in rows(session, gone)} if gone is not None else set()
    notes = select(_p.exchange_id, _p.note).where(_p.exchange_id.in_(ids))
    said = {row["exchange_id"]: row["note"] for row in rows(session, notes)} if found else {}
    return [
        Dealing(
            id=row["id"],
            party=row["party_id"],
            customer=known.get(row["party_id"], ""),
            kind=kind_said(ask, row["kind"]),
            about=_about(ask, row),
            at=row["at"],
            by=ask.say.who(row["recorded_by"]),
            note=said.get(row["id"], "")[:_NOTE],
            counts=not row["voids"] and row["id"] not in voided,
            corrects=bool(row["voids"]),
            case=row["case_id"],
        )
        for row in found
    ]


def kind_said(ask: Ask, kind: str) -> str:
    """A kind in the company's words: of canvas.yaml, or ours, or the name itself."""
    book = ask.context.world.book
    rule = book.canvas.kinds.get(kind)
    if rule and rule.label:
        return rule.label
    said = words.of(book.company.language, KINDS)
    return said[f"kind_{kind}"] if kind in EXCHANGES else said.get(f"kind_{family(kind)}", kind)


def _about(ask: Ask, row: Row) -> str:
    company = ask.context.world.book.company
    said, form = words.of(company.language, KINDS), company.format
    told = []
    if row["amount"] is not None:
        same = row["currency"] in {None, company.currency}
        money = said_money(row["amount"], form) if same else f"{row['amount']:,f} {row['currency']}"
        told.append(f"−{money}" if row["direction"] == "out" else money)
    if row["quantity"] is not None:
        told.append(said["ex_quantity"].format(row["quantity"]))
    if row["until"]:
        told.append(said["ex_until"].format(said_date(date.fromisoformat(row["until"]), form)))
    if row["channel"]:
        told.append(str(company.channels.get(row["channel"], row["channel"])))
    return " · ".join(told)
