"""One customer: how to reach them, what they agreed to, what they did, where they stand, their cases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select
from starlette.responses import Response

from flows.ledger.parties import stage
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.web.board.ask import Ask
from flows.web.board.cases import Line, of_parties
from flows.web.board.dealings import Dealing, dealings
from flows.web.board.words.customers import CUSTOMER
from flows.web.body import Refused

_EXCHANGES, _CASES, _CONSENTS, _CONTACTS = 30, 20, 20, 20
_k, _x, _n = t.private_contact.c, t.exchange.c, t.consent.c


@dataclass(frozen=True, slots=True)
class Agreed:
    """The newest word of a customer on one purpose and medium."""

    purpose: str
    medium: str
    state: str  # given | not_given | withdrawn
    row: Row


def get(ask: Ask, session: Connection) -> Response:
    id = ask.request.path_params["id"]
    party = first(session, select(t.party).where(t.party.c.id == id))
    if party is None:
        raise Refused(404, ask.words()["nothing"])
    points = rows(session, select(_k.kind, _k.value).where(_k.party_id == id).order_by(_k.id.desc()).limit(_CONTACTS))
    by_kind: dict[str, list[str]] = {}
    for row in points:
        by_kind.setdefault(row["kind"], []).append(row["value"])
    names = by_kind.pop("name", [])
    canvas = ask.context.world.book.canvas
    reached = stage(_kinds(session, id), canvas)
    told = ask.said("told")
    return ask.page(
        "customer.html",
        CUSTOMER,
        party=party,
        name=names[0][:80] if names else "",
        other_names=[one[:80] for one in names[1:5]],
        phones=[ask.say.phone(one) for one in by_kind.get("phone", [])],
        mails=by_kind.get("email", []),
        stage=canvas.stages[reached].label if reached else "",
        consents=_consents(session, id),
        exchanges=_exchanges(session, ask, id),
        most=_EXCHANGES,
        cases=[_without_name(one) for one in of_parties(session, ask, "", [id], _CASES)],
        back=f"/customers/{id}",
        told=told if told == "void" else None,
    )


def _without_name(one: Line) -> Line:
    """A case of a list in which all are the same customer's: what it is comes first."""
    return replace(one, customer=one.playbook, playbook=one.stands, stands="")


def _kinds(session: Connection, party: str) -> list[str]:
    """The kinds of all their dealings that count."""
    found = rows(session, select(_x.id, _x.kind, _x.voids).where(_x.party_id == party))
    voided = {row["voids"] for row in found if row["voids"]}
    return [row["kind"] for row in found if not row["voids"] and row["id"] not in voided]


def _exchanges(session: Connection, ask: Ask, party: str) -> list[Dealing]:
    asked = select(t.exchange).where(_x.party_id == party).order_by(_x.at.desc(), _x.id.desc())
    return dealings(session, ask, rows(session, asked.limit(_EXCHANGES)))


def _consents(session: Connection, party: str) -> list[Agreed]:
    asked = select(t.consent).where(_n.party_id == party).order_by(_n.id)
    kept: dict[tuple[str, str], list[Row]] = {}
    for row in rows(session, asked):
        kept.setdefault((row["purpose"], row["medium"] or ""), []).append(row)
    return [Agreed(*of, _state(all_of), all_of[-1]) for of, all_of in kept.items()][:_CONSENTS]


def _state(said: Sequence[Row]) -> str:
    if said[-1]["given"]:
        return "given"
    return "withdrawn" if any(row["given"] for row in said) else "not_given"
