"""The settings of a connector: which are secret, where their values come from, and what is wrong with them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from connectors.errors import NotConnected


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


def given_secrets(connection: str, secrets: Iterable[Secret], environ: Mapping[str, str]) -> dict[str, object]:
    """The values of a connection's secrets. Raises NotConnected, naming the variable that is not set."""
    found: dict[str, object] = {}
    for secret in secrets:
        variable = variable_of(connection, secret.field)
        value = environ.get(variable, "").strip()
        several = [one.strip() for one in value.split(",") if one.strip()]
        if several:
            found[secret.field] = several if secret.many else value
        elif secret.required:
            step = f"set it in .env; {secret.where}".rstrip("; ")
            raise NotConnected(f"{variable} is not set", connection=connection, next_step=step)
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
