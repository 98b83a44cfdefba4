"""Events that are exchanges by themselves, by a fixed list: a payment, what was given back of one, a reply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.messaging import REPLIED
from connectors.payments import PAID, REFUNDED

REFUND = "refund"  # a kind of exchange
RECORDED_EVENTS = frozenset({PAID, REFUNDED, REPLIED})
_STATES: Mapping[str, frozenset[str | None]] = {  # of a payment whose event is what its name says
    PAID: frozenset({None, "paid", "partly_refunded"}),
    REFUNDED: frozenset({None, "refunded", "partly_refunded"}),
}
_LARGEST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Dealing:
    """One exchange as its event tells it, without whom it is about.

    `about` and `order` are the service's and our own number of a payment. Of a refund, `amount` is all that was
    given back so far: what of it is new, the ledger knows.
    """

    kind: str
    reference: str
    amount: Decimal | None = None
    currency: str = ""
    about: str = ""
    order: str = ""
    at: datetime | None = None


def dealings(name: str, key: str, body: Mapping[str, Any]) -> Iterator[Dealing]:
    """What an event tells, in its order. A payment that was given back meanwhile is a payment and a refund."""
    if name == REPLIED:
        yield Dealing("reply", key)
    if name not in _STATES:
        return
    paid = _payment(body)
    id, state = str(paid.get("id") or key), paid.get("state")
    amount, back = _money(paid.get("amount")), _money(paid.get("refunded"))
    facts: dict[str, Any] = {"currency": _currency(paid.get("currency")), "about": id}
    facts |= {"order": str(paid.get("order") or ""), "at": _moment(paid.get("at"))}
    if state in {"paid", "partly_refunded", "refunded"} or (state is None and name == PAID):
        yield Dealing("payment", id, amount, **facts)
    if state in {"refunded", "partly_refunded"} or (state is None and name == REFUNDED):
        total = back or amount
        yield Dealing(REFUND, f"{id}/{REFUND}/{total}", total, **{**facts, "at": None})


def otherwise(name: str, body: Mapping[str, Any]) -> str | None:
    """What the service says of a payment whose event says something else; none if they agree."""
    state = _payment(body).get("state")
    if name not in _STATES or state in _STATES[name]:
        return None
    known = {"waiting", "canceled", "failed", "refunded", "paid"}
    said = state if state in known else "something that digilog does not know"
    return f"nothing begins by it: the service says of this payment: {said}"


def _payment(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("payment")
    return found if isinstance(found, Mapping) else body


def _money(value: object) -> Decimal | None:
    """An exact amount above zero; none for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 < found < _LARGEST else None


def _currency(value: object) -> str:
    return value if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() else ""


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return found if isinstance(found, datetime) and found.tzinfo else None
