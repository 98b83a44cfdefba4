"""Connector: one service as its settings, its actions, and the events it sends."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Self, Union, get_args, get_origin

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.actions import (
    EFFECTS,
    Action,
    Effect,
    Parameter,
    action,
    check_arguments,
    checked,
    declared,
    duration,
    plain,
)
from connectors.clock import Clock, RealClock
from connectors.errors import ConnectorError, Forged, NotConnected, Rejected, Uncertain
from connectors.files import inside

if TYPE_CHECKING:  # at run time it costs httpx, which a process that only receives never needs
    from connectors.http import Http

__all__ = [
    "EFFECTS",
    "Action",
    "Connector",
    "Effect",
    "Incoming",
    "Parameter",
    "Secret",
    "action",
    "check_arguments",
]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified event: its name, the sender's own key for it, its payload, and whom it is about (if said)."""

    name: str
    key: str
    payload: dict[str, Any]
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret setting: where the vendor shows it, and whether several may be active at once."""

    field: str
    where: str
    many: bool
    required: bool


class Connector(BaseSettings):
    """The class is its settings: its fields are what `company.yaml` may say, secret fields come from outside it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True, validate_default=True
    )

    service: ClassVar[str] = ""
    room: ClassVar[str] = ""
    hosts: ClassVar[tuple[str, ...]] = ()
    events: ClassVar[tuple[str, ...]] = ()
    signed: ClassVar[bool] = False

    base_url: str = ""
    allow_loopback: bool = False
    proxy: str | None = None
    rate: str | None = Field(None, pattern=r"^[1-9]\d*/([1-9]\d*)?[smhd]$")

    _name: str = PrivateAttr("")
    _home: Path = PrivateAttr(Path())
    _clock: Clock = PrivateAttr(default_factory=RealClock)
    _http: "Http | None" = PrivateAttr(None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # A variable that happens to be called HOST, PORT or PROXY must not change a connection.
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @classmethod
    def connect(
        cls,
        name: str,
        settings: Mapping[str, object],
        *,
        environ: Mapping[str, str],
        home: Path | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """The connection `name`: settings from company.yaml, secrets from `environ`, files in `home`.

        Raises NotConnected, naming the setting or the variable that is wrong or missing.
        """
        wrong = cls.check_settings(settings)
        if wrong:
            raise NotConnected("; ".join(wrong), connection=name, next_step="correct connections in company.yaml")
        given = dict(settings) | cls._secrets(name, environ)
        try:
            made = cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            raise NotConnected(
                "; ".join(_sentences(error)), connection=name, next_step="correct connections in company.yaml"
            ) from None
        made._name = name
        made._home = home or Path()
        made._clock = clock or RealClock()
        return made

    @classmethod
    def check_settings(cls, settings: Mapping[str, object]) -> list[str]:
        """What is wrong with settings as company.yaml gives them, without their secrets: one sentence each."""
        secrets = cls.secrets()
        open_to_all = [one for one in cls.model_fields if one not in secrets]
        wrong = []
        for field in settings:
            if field in secrets:
                wrong.append(f"{field}: a secret does not belong in company.yaml; {secrets[field].where}")
            elif field not in cls.model_fields:
                near = get_close_matches(field, open_to_all, 1)
                wrong.append(
                    f"{field}: no such setting; " + (f"did you mean {near[0]}?" if near else _list(open_to_all))
                )
        if wrong:
            return wrong
        stand_in = {one.field: ["-"] if one.many else "-" for one in secrets.values() if one.required}
        try:
            cls(**{**settings, **stand_in})  # type: ignore[arg-type]
        except ValidationError as error:
            return _sentences(error)
        return []

    @classmethod
    def secrets(cls) -> Mapping[str, Secret]:
        """The secret settings by field name."""
        return _secret_fields(cls)

    @classmethod
    def actions(cls, settings: Mapping[str, object] | None = None) -> Mapping[str, Action]:
        """What the connector can do, by name; `settings` (of company.yaml) may change an effect class."""
        del settings
        return declared(cls)

    @classmethod
    def sends(cls, settings: Mapping[str, object]) -> tuple[str, ...]:
        """Names of the events that a connection with these settings can send."""
        del settings
        return cls.events

    @classmethod
    def _secrets(cls, name: str, environ: Mapping[str, str]) -> dict[str, object]:
        found: dict[str, object] = {}
        for secret in cls.secrets().values():
            variable = variable_of(name, secret.field)
            value = environ.get(variable, "").strip()
            several = [one.strip() for one in value.split(",") if one.strip()]
            if several:
                found[secret.field] = several if secret.many else value
            elif secret.required:
                raise NotConnected(
                    f"{variable} is not set", connection=name, next_step=f"set it in .env; {secret.where}".rstrip("; ")
                )
        return found

    @property
    def name(self) -> str:
        """The connection's name in company.yaml."""
        return self._name

    @property
    def pace(self) -> tuple[int, timedelta] | None:
        """So many calls in any such length of time; none: no limit is known. From `rate`, like 60/1m."""
        calls, _, length = (self.rate or "").partition("/")
        return (int(calls), duration(length if length[:-1] else f"1{length}")) if calls else None

    @property
    def http(self) -> "Http":
        """The way out to `base_url`, made at first use."""
        if self._http is None:
            self._http = self.open_http()
        return self._http

    def open_http(self) -> "Http":
        """Make the way out; a connector adds its headers or login here."""
        from connectors.http import Http

        return Http(self.base_url, hosts=self.hosts, allow_loopback=self.allow_loopback, proxy=self.proxy)

    def close(self) -> None:
        """Let go of open connections; the next call opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            http.close()

    def in_files(self, name: str) -> Path:
        """Path of a file in the home's files folder. Raises Rejected for a name that leaves it."""
        return inside(self._home / "files", name)

    def in_outbox(self, name: str) -> Path:
        """Path of a file in the home's outbox. Raises Rejected for a name that leaves it."""
        return inside(self._home / "outbox", name)

    def probe(self) -> str:
        """One harmless read that proves the connection, told in a sentence. Raises ConnectorError."""
        return "the settings are complete; there is nothing to ask"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming:
        """Verify and read a webhook (header names in any case). Raises Forged, Odd, or NotConnected."""
        del headers, raw
        raise Forged("this connection receives nothing", connection=self.name, next_step="use a webhook connection")

    def call(
        self, name: str, arguments: Mapping[str, object], *, key: str | None = None, call: object | None = None
    ) -> object:
        """Do an action and return plain data (a resolver's answer as it is).

        Raises one of the four errors, with the connection's name in it.
        """
        try:
            found = self.actions().get(name)
            if found is None:
                near = get_close_matches(name, self.actions(), 1)
                hint = f"did you mean {near[0]}?" if near else _list(list(self.actions()))
                raise Rejected(f"{name}: no such action; {hint}", next_step="correct the step's `use:`")
            return self._do(found, checked(found, arguments), key, call)
        except ConnectorError as error:
            error.connection = error.connection or self.name
            raise

    def _do(self, found: Action, arguments: dict[str, object], key: str | None, call: object | None) -> object:
        if found.takes_key:
            if not key:
                raise Rejected(f"{found.name}: this write needs a key")
            arguments["key"] = key
        if found.takes_call:
            arguments["call"] = call
        try:
            result = getattr(self, found.name)(**arguments)
            return result if found.effect == "resolver" else plain(result)
        except ConnectorError:
            raise
        except Exception as error:
            if found.takes_call:  # a built-in works in the caller's own transaction; its faults are the caller's
                raise
            # Another's fault must not end the engine's turn; its text may hold customers' words, so it is left out.
            reason = f"{found.name}: the connector failed unexpectedly ({type(error).__name__})"
            raise (Uncertain(reason) if found.outgoing else Rejected(reason)) from None


def variable_of(connection: str, field: str) -> str:
    """The environment variable that holds a connection's secret."""
    return f"DIGILOG_CONNECTIONS__{re.sub(r'[^0-9A-Za-z]', '_', connection).upper()}__{field.upper()}"


@lru_cache(maxsize=512)
def _secret_fields(owner: type[Connector]) -> Mapping[str, Secret]:
    found = {}
    for name, field in owner.model_fields.items():
        kinds = _kinds(field.annotation)
        if SecretStr in kinds:
            many = bool(kinds & {list, tuple})
            found[name] = Secret(name, _where(field), many, field.is_required())
    return found


def _kinds(annotation: Any) -> set[Any]:
    origin = get_origin(annotation)
    if origin is None:
        return {annotation}
    outer = set() if origin in {Union, UnionType} else {origin}
    return outer.union(*(_kinds(one) for one in get_args(annotation)))


def _where(field: FieldInfo) -> str:
    return field.description or ""


def _list(words: list[str]) -> str:
    return f"there are: {', '.join(words)}" if words else "there are none"


def _sentences(error: ValidationError) -> list[str]:
    told = error.errors(include_input=False, include_url=False, include_context=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in told]
