"""What an answer with numbers holds: exact values, each day and metric once, and what is wrong by its row."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Never, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.analytics import Asked, Reading
from connectors.errors import Rejected

_TOLD = 3  # bad rows named in one reason
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][-+]?\d{1,2})?", re.ASCII)
_LARGEST = 30  # digits before the point, or noughts behind it
_ODD_ANSWER = "if it stays so, tell the service's support"
M = TypeVar("M", bound=BaseModel)


class Wrong:
    """Sentences about bad rows: the first few are kept, the others only counted, for there may be millions."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._count = 0

    def add(self, said: str) -> None:
        self._count += 1
        if self._count <= _TOLD:
            self._told.append(said)

    def __bool__(self) -> bool:
        return bool(self._count)

    def __str__(self) -> str:
        more = f"; and {self._count - _TOLD} more" if self._count > _TOLD else ""
        return "; ".join(self._told) + more


def marked(place: Mapping[str, object], answer: bytes) -> bytes:
    """An answer below a line that says which page it is: a service's own words often do not."""
    return json.dumps(place, ensure_ascii=False).encode() + b"\n" + answer


def unmarked(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """What `marked` put together. Raises Rejected."""
    line, _, answer = raw.partition(b"\n")
    place = json_of(line)
    if not isinstance(place, dict):
        raise _unreadable("the kept answer does not say which page it is")
    return place, answer


def json_of(raw: bytes) -> Any:
    """An answer as JSON, its numbers exact. Raises Rejected."""
    if raw.lstrip()[:1] == b"<":  # a login page, or a gateway's own, answered with 200
        raise _unreadable("the service answered with a web page instead of data")
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError):
        raise _unreadable("the service's answer is no JSON") from None


def fit(model: type[M], found: object) -> M:
    """An answer in the shape that the service documents. Raises Rejected, naming the first field that is not so."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(one) for one in first["loc"] if isinstance(one, int) or one in _fields(model))
        raise _unreadable(f"the service's answer has another shape{f', at {where}' if where else ''}") from None


def gathered(rows: Iterable[tuple[str, Iterable[Reading]]], *, of: str = "", twice: str = "") -> tuple[Reading, ...]:
    """All readings of rows, each row with what it is called, like `row 3`; going through one may raise ValueError.

    Raises Rejected with the first rows that are wrong; `of`: the file, or what else they are rows of; `twice`: what to
    do where nothing is wrong but that rows are of one day and metric.
    """
    found: dict[tuple[object, ...], Reading] = {}
    wrong, unclear = Wrong(), False
    for called, readings in rows:
        try:
            told = list(readings)
        except ValueError as error:
            wrong.add(f"{called}: {error}")
            unclear = True
            continue
        if again := next((one for one in told if found.setdefault(one.key, one) is not one), None):
            both = f"{again.day}: {found[again.key].value:f} and {again.value:f}"
            wrong.add(f"{called}: this day and metric stand there twice ({both})")
    if wrong:
        step = _step(of) if unclear or not twice else twice
        raise Rejected(f"{of}: {wrong}" if of else str(wrong), next_step=step)
    return tuple(found.values())


def number(said: object, what: str = "value") -> Decimal:
    """An exact number of a row. Raises ValueError."""
    text = str(said).strip() if isinstance(said, int | float | Decimal | str) and not isinstance(said, bool) else ""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{what} is no number like 1234.5")
    value = Decimal(text)
    if value and abs(value.adjusted()) > _LARGEST:
        raise ValueError(f"{what} is no number that can be kept")
    return value


def day_of(said: object, what: str = "day") -> date:
    """A day written like 2026-03-31. Raises ValueError."""
    try:
        return date.fromisoformat(str(said).strip())
    except ValueError:
        raise ValueError(f"{what} is no date like 2026-03-31") from None


def widen(spans: dict[str, tuple[date, date]], metric: str, day: date) -> None:
    """Let a metric's span of days reach to one more."""
    first, last = spans.get(metric, (day, day))
    spans[metric] = min(first, day), max(last, day)


def asked_for(day: date, asked: Asked) -> date:
    """The day, if it was asked for. Raises ValueError."""
    if not asked.since <= day <= asked.until:
        raise ValueError("the day was not asked for")
    return day


def check_names(given: Iterable[str], known: Collection[str], what: str) -> None:
    """Raises Rejected for a name that the service does not have, with the nearest that it has."""
    for one in given:
        if one not in known:
            raise Rejected(f"{one}: no such {what}; {nearest(one, known)}", next_step="correct it in metrics.yaml")


def nearest(name: str, known: Collection[str]) -> str:
    """The nearest of the names that there are, or all of them."""
    near = get_close_matches(name, known, 1, 0.5) or [one for one in known if one.lower() == name.lower()]
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"


def _fields(model: type[BaseModel]) -> set[str]:
    """Names that are ours to say; what else stands in an answer may be a customer's word."""
    found = {one.alias or name for name, one in model.model_fields.items()}
    for field in model.model_fields.values():
        for inner in getattr(field.annotation, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= _fields(inner)
    return found


def _step(of: str) -> str:
    return "correct it there" if of else _ODD_ANSWER


def _unreadable(reason: str) -> Rejected:
    return Rejected(reason, next_step=_ODD_ANSWER)


def _no_constant(_: str) -> Never:
    raise ValueError("NaN and Infinity are no JSON")
