"""The body of a webhook as the JSON object that it must be."""

import json
from typing import Any

from connectors.errors import Odd


def json_object(raw: bytes) -> dict[str, Any]:
    """The body that a sender signed. Raises Odd when it is no JSON object."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Odd("the payload is no JSON") from None
    if not isinstance(found, dict):
        raise Odd("the payload is no JSON object")
    return found
