"""Keys of what comes in: the sender's own, or one of ours for what brought none that can be used."""

import hashlib
from collections.abc import Mapping


def usable(key: str) -> bool:
    """Whether a store can hold it: JSON can hold half of a character, or a NUL."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return bool(key) and "\0" not in key


def own_key(headers: Mapping[str, str], raw: bytes) -> str:
    """The same webhook sent again has the same."""
    told = headers.get("webhook-id", "").encode() + b"\n" + raw
    return f"odd-{hashlib.sha256(told).hexdigest()[:32]}"
