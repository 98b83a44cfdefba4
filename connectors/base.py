"""Connector: one service as its settings, its actions, and the events it sends."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationError
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
from connectors.answers import Answer
from connectors.clock import Clock, RealClock
from connectors.errors import ConnectorError, Forged, NotConnected, Odd, Rejected, Uncertain
from connectors.fields import Secret, given_secrets, secret_fields, sentences, there_are, variable_of
from connectors.files import inside
from connectors.incoming import Greeting, Incoming, Polled
from connectors.tokens import FileVault, Vault

if TYPE_CHECKING:  # at run time it costs httpx, which a process that only receives never needs
    from connectors.http import Http

__all__ = [
    "EFFECTS", "Action", "Answer", "Connector", "Effect", "Greeting", "Incoming", "Parameter", "Polled", "Secret",
    "action", "check_arguments", "variable_of",
]  # fmt: skip

_RATE = r"^[1-9]\d*/([1-9]\d*)?[smhd]$"


class Connector(BaseSettings):
    """The class is its settings: its fields are what `company.yaml` may say, secret fields come from outside it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True, validate_default=True
    )

    service: ClassVar[str] = ""
    room: ClassVar[str] = ""
    hosts: ClassVar[tuple[str, ...]] = ()
    events: ClassVar[tuple[str, ...]] = ()
    signed: ClassVar[bool] = False  # proves by a signature or a secret who sent a webhook
    confirms: ClassVar[bool] = False  # nobody signs: what a webhook says is asked again by `confirm`
    answer: ClassVar[int] = 202  # the status with which the vendor wants a webhook answered
    polls: ClassVar[timedelta | None] = None  # asks by `poll` for what is new, so often unless `every` is set
    usual_rate: ClassVar[str | None] = None  # like 60/1m; for connections that say no `rate`
    console: ClassVar[str] = ""  # what to click at the vendor's, one step a line
    scopes: ClassVar[tuple[str, ...]] = ()  # permissions to ask for there
    limits: ClassVar[str] = ""  # the vendor's limits, with the month in which they were read

    base_url: str = ""
    allow_loopback: bool = False
    proxy: str | None = None
    rate: str | None = Field(None, pattern=_RATE)
    every: str | None = Field(None, pattern=r"^[1-9]\d*[smhd]$")

    _name: str = PrivateAttr("")
    _home: Path = PrivateAttr(Path())
    _clock: Clock = PrivateAttr(default_factory=RealClock)
    _vault: Vault = PrivateAttr(default_factory=lambda: FileVault(Path("secrets")))
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
        vault: Vault | None = None,
    ) -> Self:
        """The connection `name`: settings of company.yaml, secrets of `environ`, files in `home`, tokens in `vault`.

        Raises NotConnected, naming the setting or the variable that is wrong or missing.
        """
        wrong = cls.check_settings(settings)
        if wrong:
            raise NotConnected("; ".join(wrong), connection=name, next_step="correct connections in company.yaml")
        given = dict(settings) | given_secrets(name, cls.secrets().values(), environ)
        try:
            made = cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            raise NotConnected(
                "; ".join(sentences(error)), connection=name, next_step="correct connections in company.yaml"
            ) from None
        made._name = name
        made._home = home or Path()
        made._clock = clock or RealClock()
        made._vault = vault or FileVault(made._home / "secrets")
        return made

    @classmethod
    def check_settings(cls, settings: Mapping[str, object]) -> list[str]:
        """What is wrong with settings as company.yaml gives them, without their secrets: one sentence each."""
        secrets = cls.secrets()
        open_to_all = [one for one in cls.model_fields if one not in secrets and (one != "every" or cls.polls)]
        wrong = []
        for field in settings:
            if field in secrets:
                wrong.append(f"{field}: a secret does not belong in company.yaml; {secrets[field].where}")
            elif field not in open_to_all:
                near = get_close_matches(field, open_to_all, 1)
                wrong.append(
                    f"{field}: no such setting; " + (f"did you mean {near[0]}?" if near else there_are(open_to_all))
                )
        if wrong:
            return wrong
        stand_in = {one.field: ["-"] if one.many else "-" for one in secrets.values() if one.required}
        try:
            cls(**{**settings, **stand_in})  # type: ignore[arg-type]
        except ValidationError as error:
            return sentences(error)
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

    @property
    def name(self) -> str:
        """The connection's name in company.yaml."""
        return self._name

    @property
    def pace(self) -> tuple[int, timedelta] | None:
        """So many calls in any such length of time; none: no limit is known. From `rate`, else the usual one."""
        calls, _, length = (self.rate or self.usual_rate or "").partition("/")
        return (int(calls), duration(length if length[:-1] else f"1{length}")) if calls else None

    @property
    def every_so_often(self) -> timedelta:
        """How long after one poll the next is due."""
        return duration(self.every) if self.every else self.polls or timedelta(hours=1)

    @property
    def http(self) -> "Http":
        """The way out to `base_url`, made at first use."""
        if self._http is None:
            made = self.open_http()
            made.refusal = made.refusal or type(self).refusal
            self._http = made
        return self._http

    def open_http(self) -> "Http":
        """Make the way out: to the connector's hosts only, with its `credentials`."""
        from connectors.http import Http

        return Http(
            self.base_url,
            hosts=self.hosts,
            allow_loopback=self.allow_loopback,
            proxy=self.proxy,
            **self.credentials(),
        )

    def credentials(self) -> dict[str, Any]:
        """What every call carries to be let in: `headers`, `auth` (name and password), or `key_header`."""
        return {}

    @staticmethod
    def refusal(answer: Answer) -> ConnectorError | None:
        """The error inside an answer of status 200, for services that put it there; none: all is well."""
        del answer
        return None

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

    def in_pictures(self, name: str) -> Path:
        """Path of a file in the home's pictures folder. Raises Rejected for a name that leaves it."""
        return inside(self._home / "pictures", name)

    def probe(self) -> str:
        """One harmless read that proves the connection, told in a sentence. Raises ConnectorError."""
        return "the settings are complete; there is nothing to ask"

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """Verify a webhook, find its name and key (header names in any case). Raises Forged, Odd, or NotConnected."""
        del headers, raw
        raise Forged("this connection receives nothing", connection=self.name, next_step="use a webhook connection")

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """A kept body in the room's own words, as plain data; asks nobody. Raises Odd for a shape nobody knows."""
        del name
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            raise Odd("the payload is no JSON") from None
        if not isinstance(found, dict):
            raise Odd("the payload is no JSON object")
        return found

    def confirm(self, name: str, raw: bytes) -> bytes | None:
        """What the vendor itself says of an event that nobody signed: the body to believe; None: it knows none.

        Raises the four errors.
        """
        del name
        return raw

    def poll(self, cursor: str | None) -> Polled:
        """What is new since `cursor`; with none, no events and a cursor to begin from. Raises the four errors."""
        del cursor
        raise Rejected("this connection cannot be asked for what is new")

    def reconcile(self, since: datetime) -> tuple[Incoming, ...]:
        """All events since `since` (aware) as the vendor lists them, with the keys of its webhooks. Raises the four."""
        del since
        raise Rejected("this connection cannot list what it sent")

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
                hint = f"did you mean {near[0]}?" if near else there_are(list(self.actions()))
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


@lru_cache(maxsize=512)
def _secret_fields(owner: type[Connector]) -> Mapping[str, Secret]:
    return secret_fields(owner)
