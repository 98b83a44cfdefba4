"""What a service answered, and which of the four errors an answer is; needs no HTTP library."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Never

from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain

# What a vendor means by a status, or by a status and the code in its answer: which error, told in our sentence.
Meaning = Mapping[int | tuple[int, str], tuple[type[ConnectorError], str]]
_LATER = frozenset({408, 425, 429, 503})
_CODES = ("code", "error", "type", "status", "reason", "errorCode", "error_code", "name")
_INSIDE = ("error", "errors", "details")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    write: bool

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal. Raises Rejected (a read) or Uncertain (a write)."""
        try:
            return json.loads(self.content, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError, ArithmeticError):
            unreadable("the service's answer is no JSON", write=self.write)


Refusal = Callable[[Answer], ConnectorError | None]


def raise_for(answer: Answer, meaning: Meaning | None) -> Never:
    """Raise what a status from 300 on means: as the vendor documents it, else as everybody uses it."""
    status, write = answer.status, answer.write
    later = retry_after(answer.headers)
    if meaning and (found := _documented(answer, meaning)):
        kind, sentence = found
        raise _fitting(kind, sentence, later, write=write)
    if status == 401:
        raise NotConnected("the service refused the credentials (401)")
    if status in _LATER:
        raise Unavailable(f"the service asks to come later ({status})", retry_after=later)
    if status >= 500:
        raise (Uncertain if write else Unavailable)(f"the service failed ({status})")
    if status < 400:
        raise Rejected(f"the service sends the call elsewhere ({status}), which is not followed")
    raise Rejected(f"the service refused ({status})")


def raise_refusal(answer: Answer, refusal: Refusal) -> None:
    """Raise the error that stands inside an answer whose status says that all is well."""
    error = refusal(answer)
    if isinstance(error, Uncertain) and not answer.write:
        raise Unavailable(error.reason, connection=error.connection)
    if isinstance(error, Unavailable) and error.retry_after is None:
        error.retry_after = retry_after(answer.headers)
    if error is not None:
        raise error


def unreadable(reason: str, *, write: bool) -> Never:
    """An answer that came and cannot be read: after a write, nobody knows."""
    raise (Uncertain if write else Rejected)(reason) from None


def _documented(answer: Answer, meaning: Meaning) -> tuple[type[ConnectorError], str] | None:
    for code in codes(answer.content):
        if (answer.status, code) in meaning:
            return meaning[answer.status, code]
    return meaning.get(answer.status)


def codes(content: bytes) -> list[str]:
    """The codes that an error's body may name, wherever vendors write them; none of it is ever shown."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return []
    return list(_codes(found, _DEEPEST))


def _codes(found: object, deep: int) -> list[str]:
    if isinstance(found, list):
        return [code for one in found[:10] for code in _codes(one, deep - 1)] if deep else []
    if not isinstance(found, dict):
        return []
    said = [found.get(name) for name in _CODES]
    here = [str(one) for one in said if isinstance(one, str | int) and not isinstance(one, bool)]
    inner = [code for name in _INSIDE if deep for code in _codes(found.get(name), deep - 1)]
    return here + inner


def _fitting(kind: type[ConnectorError], sentence: str, later: float | None, *, write: bool) -> ConnectorError:
    if issubclass(kind, Unavailable) or (issubclass(kind, Uncertain) and not write):  # a read changed nothing
        return Unavailable(sentence, retry_after=later)
    return kind(sentence)


def _no_constant(_: str) -> Never:
    raise ValueError("NaN and Infinity are no JSON")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service asks to wait, at most a day; it may write a number or a date."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), 86400.0) if math.isfinite(seconds) else None
