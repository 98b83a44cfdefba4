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
    return json.dumps(value, ensure_ascii=False, default=_write, separators=(",", ":"))


def load(text: str) -> Any:
    """The inverse of `dump`."""
    return json.loads(text, object_hook=_typed)


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
            return value.model_dump()
        case _:
            raise TypeError(f"{type(value).__name__} cannot be kept")


def _typed(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        ((key, value),) = found.items()
        if key in _READ and isinstance(value, str):
            return _READ[key](value)
    return found
