"""The body of a webhook as the JSON object that it must be, and the sender's own key in it."""

import json
import math
from typing import Any, Never

from connectors.errors import Odd

_LONGEST_KEY = 255


def json_object(raw: bytes | str) -> dict[str, Any]:
    """The body that a sender signed. Raises Odd when it is no JSON object, or has a number that is none."""
    try:
        found = json.loads(raw, parse_float=_finite, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Odd("the payload is no JSON") from None
    if not isinstance(found, dict):
        raise Odd("the payload is no JSON object")
    return found


def key_of(said: object, what: str) -> str:
    """The sender's own key for an event. Raises Odd, naming `what` has none that can be used."""
    if not isinstance(said, str) or not said.strip() or len(said) > _LONGEST_KEY:
        raise Odd(f"{what} has no id that can be used")
    return said


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e400 would be read to somebody as `inf`
        raise ValueError(text)
    return number


def _no_constant(_: str) -> Never:
    raise ValueError("NaN and Infinity are no JSON")
