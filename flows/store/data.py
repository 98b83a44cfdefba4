"""Typed values as JSON and back: what case fields, answers, arguments and results are kept as."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

_READ = {
    "@datetime": datetime.fromisoformat,
    "@date": date.fromisoformat,
    "@time": time.fromisoformat,
    "@decimal": Decimal,
}


def dump(value: object) -> str:
    """JSON in which a date, time, moment or decimal keeps its type."""
    return _ENCODER.encode(_marked(value))


def load(text: str) -> Any:
    """The inverse of `dump`."""
    return _DECODER.decode(text)


def _marked(value: object) -> object:
    """The same, with one more @ on names that begin with one: a vendor's `{"@date": ...}` stays what it is."""
    match value:
        case dict():
            return {f"@{key}" if str(key)[:1] == "@" else key: _marked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_marked(inner) for inner in value]
    return value


def _write(value: object) -> object:
    match value:
        case datetime():
            return {"@datetime": value.isoformat()}
        case date():
            return {"@date": value.isoformat()}
        case time():
            return {"@time": value.isoformat()}
        case Decimal():
            return {"@decimal": str(value)}
        case BaseModel():
            return _marked(value.model_dump())
        case _:
            raise TypeError(f"{type(value).__name__} cannot be kept")


def _typed(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        ((key, value),) = found.items()
        if key in _READ:
            return _READ[key](value)
    if any(key[:1] == "@" for key in found):
        return {key[1:] if key[:1] == "@" else key: value for key, value in found.items()}
    return found


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_write, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_hook=_typed)
