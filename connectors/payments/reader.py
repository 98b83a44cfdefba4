"""Reads vendors' JSON field by field, so that a changed shape goes to a person and never becomes a wrong amount."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Never, TypeVar

from connectors.errors import Odd, Rejected, Uncertain
from connectors.payments.money import MOST, digits

if TYPE_CHECKING:
    from connectors.http import Answer

T = TypeVar("T")

_HALVES = re.compile("[\ud800-\udfff]")  # JSON may hold half a letter; no store and no digest takes it
_NOTHING = {"", "None", "null", "undefined"}  # what a vendor's own slip writes for nothing


def loads(raw: bytes) -> "Reader":
    """A JSON object, numbers with a point exact. Raises Odd."""
    try:
        found: Any = json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError):
        raise Odd("the payload is no JSON") from None
    return Reader(found)


def readable(answer: "Answer", translate: "Callable[[Reader], T]") -> T:
    """An answer in our words. Raises Rejected (a read) or Uncertain (a write) if it has another shape."""
    try:
        return translate(Reader(answer.json(), "answer"))
    except Odd as error:
        raise (Uncertain if answer.write else Rejected)(f"the answer cannot be read: {error.reason}") from None


class Reader:
    """Reads a vendor's object field by field; what is missing or of another type raises Odd, and names the field."""

    __slots__ = ("_found", "_path")

    def __init__(self, found: object, path: str = "") -> None:
        if not isinstance(found, Mapping):
            raise Odd(f"{path or 'the payload'} is no object")
        self._found, self._path = found, path

    def __contains__(self, name: str) -> bool:
        return self._found.get(name) is not None

    def holds(self, name: str) -> bool:
        """Whether a whole object lies in the field, and not its number or nothing."""
        return isinstance(self._found.get(name), Mapping)

    def raw(self) -> bytes:
        """The object as JSON again."""
        return json.dumps(self._found, default=str).encode()

    def text(self, name: str, default: str | None = None) -> str:
        """A string; `default` (if given) stands for a missing or empty one."""
        value = self._found.get(name)
        if isinstance(value, str) and value.strip() not in _NOTHING and not _HALVES.search(value):
            return value.strip()
        if default is not None and (value is None or value == ""):
            return default
        raise Odd(f"{self._where(name)} is missing or no text")

    def units(self, name: str, default: int | None = None) -> int:
        """A whole number, not negative."""
        value = self._found.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST:
            raise Odd(f"{self._where(name)} is missing or no whole number")
        return value

    def money(self, name: str, currency: str) -> Decimal:
        """A number in whole money of `currency`, not negative; exact only if the JSON was read with Decimal."""
        value = self._found.get(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Odd(f"{self._where(name)} is missing or no amount")
        amount = Decimal(value)
        if not amount.is_finite() or not 0 <= amount < MOST:
            raise Odd(f"{self._where(name)} is no possible amount")
        exact = amount.quantize(Decimal(1).scaleb(-digits(currency)))
        if exact != amount:
            raise Odd(f"{self._where(name)} has more digits than {currency} has")
        return exact

    def currency(self, name: str) -> str:
        """Three letters of ISO 4217, in capitals."""
        code = self.text(name).upper()
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise Odd(f"{self._where(name)} is no currency")
        return code

    def at(self, name: str) -> datetime | None:
        """A moment with its zone, as ISO 8601; None if there is none."""
        text = self.text(name, "")
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Odd(f"{self._where(name)} is no time") from None
        if moment.tzinfo is None:
            raise Odd(f"{self._where(name)} has no zone")
        return moment.astimezone(UTC)

    def seconds(self, name: str) -> datetime | None:
        """A moment in seconds since 1970; None if there is none."""
        if name not in self:
            return None
        try:
            return datetime.fromtimestamp(self.units(name), UTC)
        except (OverflowError, ValueError, OSError):
            raise Odd(f"{self._where(name)} is no time") from None

    def inside(self, name: str) -> "Reader":
        """The object in a field."""
        return Reader(self._found.get(name), self._where(name))

    def listed(self, name: str) -> "list[Reader]":
        """The objects of a list that must be there."""
        if name not in self:
            raise Odd(f"{self._where(name)} is missing")
        return self.each(name)

    def each(self, name: str) -> "list[Reader]":
        """The objects of a list; none if it is missing."""
        value = self._found.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Odd(f"{self._where(name)} is no list")
        return [Reader(one, f"{self._where(name)}[{place}]") for place, one in enumerate(value)]

    def _where(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _no_constant(_: str) -> Never:
    raise ValueError("NaN and Infinity are no JSON")
