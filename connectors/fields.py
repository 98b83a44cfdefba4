"""The settings of a connector: which are secret, where their values come from, and what is wrong with them."""

import re
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret setting: where the vendor shows it, and whether several may be active at once."""

    field: str
    where: str
    many: bool
    required: bool


def variable_of(connection: str, field: str) -> str:
    """The environment variable that holds a connection's secret."""
    return f"DIGILOG_CONNECTIONS__{re.sub(r'[^0-9A-Za-z]', '_', connection).upper()}__{field.upper()}"


def secret_fields(owner: type[BaseModel]) -> dict[str, Secret]:
    """The secret settings of a connector's class, by name."""
    found = {}
    for name, field in owner.model_fields.items():
        kinds = _kinds(field.annotation)
        if SecretStr in kinds:
            many = bool(kinds & {list, tuple})
            found[name] = Secret(name, field.description or "", many, field.is_required())
    return found


def _kinds(annotation: Any) -> set[Any]:
    origin = get_origin(annotation)
    if origin is None:
        return {annotation}
    outer = set() if origin in {Union, UnionType} else {origin}
    return outer.union(*(_kinds(one) for one in get_args(annotation)))


def there_are(words: list[str]) -> str:
    """What may be written instead."""
    return f"there are: {', '.join(words)}" if words else "there are none"


def sentences(error: ValidationError) -> list[str]:
    """What is wrong, setting by setting, without the value that stood there."""
    told = error.errors(include_input=False, include_url=False, include_context=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in told]
