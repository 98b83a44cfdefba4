"""Every action of every connector, called against a service that goes wrong at one of its requests."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.base import Connector, Incoming, variable_of
from connectors.errors import ConnectorError, Rejected
from connectors.registry import find
from tests.faults.menu import CANARY, WELL, Fault, Outcome
from tests.faults.server import Asked, Service, free_port, serving

SAMPLES = Path(__file__).parents[1] / "connectors" / "samples"
KEY = "case-1/step"
DEADLINE = 1.2  # seconds that a call may take here; 20 outside of tests
GRACE = 0.5
SILENT = {("chat_webhook", "probe")}  # asks nobody: whatever is sent there is written to the channel


@dataclass(frozen=True, slots=True)
class Call:
    """One action with arguments, on a connection of a sample."""

    service: str
    action: str

    def __str__(self) -> str:
        return f"{self.service}.{self.action}"

    @property
    def sample(self) -> Any:
        return sample(self.service)

    @property
    def effect(self) -> str:
        declared = find(self.service).actions(self.sample.SETTINGS)
        return declared[self.action].effect if self.action in declared else "read"

    def make(self, connector: Connector) -> object:
        """Make the call. Raises ConnectorError."""
        match self.action:
            case "probe":
                return connector.probe()
            case "poll":
                return connector.poll(_cursor(self.service))
            case "reconcile":
                return connector.reconcile(datetime.now(UTC) - timedelta(days=1))
            case "confirm":
                sign, raw = self.sample.EVENTS[0]
                incoming = connector.receive(sign(raw, self.sample.SECRETS), raw)
                assert isinstance(incoming, Incoming)
                if connector.confirm(incoming.name, raw) is None:  # goes into quarantine
                    raise Rejected("the vendor does not bear it out")
                return incoming
        return connector.call(self.action, self.sample.ACTIONS[self.action], key=KEY)


def sample(service: str) -> Any:
    return import_module(f"tests.connectors.samples.{service}")


def services() -> list[str]:
    """Every service that has a sample."""
    return sorted(one.stem for one in SAMPLES.glob("*.py") if not one.stem.startswith("_"))


def calls() -> list[Any]:
    """All actions of all samples that call a service by HTTP, as parameters of a test."""
    found = [Call(service, action) for service in services() if sample(service).GOOD for action in _all_of(service)]
    return [pytest.param(one, id=str(one)) for one in found]


def _all_of(service: str) -> list[str]:
    """Its actions, and what the engine and `digilog connect` ask of it."""
    kind, found = find(service), list(sample(service).ACTIONS)
    found += ["poll"] if kind.polls else []
    found += ["confirm"] if kind.confirms else []
    found += [one for one in ("probe", "reconcile") if getattr(kind, one) is not getattr(Connector, one)]
    return [one for one in found if (service, one) not in SILENT]


def connect(service: str, base_url: str, home: Path, *, loopback: bool = True) -> Connector:
    """The sample's connection, its service at `base_url`, on this machine if it says so."""
    one = sample(service)
    environ = {variable_of(service, name): value for name, value in _secrets(one, base_url).items()}
    settings = {**getattr(one, "at", _at)(one.SETTINGS, base_url), "allow_loopback": loopback}
    return find(service).connect(service, settings, environ=environ, home=home)


def _secrets(one: Any, base_url: str) -> dict[str, str]:
    given = one.SECRETS(base_url) if callable(one.SECRETS) else one.SECRETS
    return {name: _quick(value) if "PRIVATE KEY" in value else value for name, value in given.items()}


@cache
def _quick(key_file: str) -> str:
    """The same key file with a key that is read in a tenth of the time; there are thousands of calls."""
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    text = key.private_bytes(pem, kind, serialization.NoEncryption()).decode()
    return json.dumps({**json.loads(key_file), "private_key": text})


def _at(settings: Mapping[str, object], base_url: str) -> dict[str, object]:
    return {**settings, "base_url": base_url}


@cache
def _cursor(service: str) -> str:
    """Where the next poll goes on, from a first one that went well."""
    with serving(Service(sample(service).GOOD)) as good:
        connector = connect(service, good.base_url, Path())
        first = connector.poll(None)
        connector.close()
    assert first.events == ()
    return first.cursor


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call."""

    outcome: Outcome
    error: Exception | None
    seconds: float
    asked: tuple[Asked, ...]
    told: str
    secrets: tuple[str, ...]


def made(call: Call, home: Path, fault: Callable[..., None] | None = None, at: int = 0, *, deaf: bool = False) -> Came:
    """Make one call; `fault` stands at its request number `at`. `deaf`: nothing listens at all."""
    with serving(Service(call.sample.GOOD, fault, at)) as service:
        if deaf:
            service.port = free_port()
        own = Path(mkdtemp(dir=home))  # calls on one home wait for each other where they share a sheet
        connector = connect(call.service, service.base_url, own)
        start, error = time.monotonic(), None
        try:
            call.make(connector)
        except Exception as caught:  # noqa: BLE001 - judged below
            error = caught
        begun = next((one.at for one in service.asked if one.wrong), start)  # each request has its own deadline
        seconds = time.monotonic() - begun
        connector.close()
        secrets = (*_secrets(call.sample, service.base_url).values(), service.base_url, f":{service.port}")
    outcome: Outcome = type(error) if error else WELL
    return Came(outcome, error, seconds, tuple(service.asked), str(error or ""), secrets)


def broken(call: Call, fault: Fault, came: Came, expected: frozenset[Outcome]) -> Iterator[str]:
    """The promises that a call broke, one sentence each."""
    where = f"{fault.name}:"
    if came.outcome not in expected:
        yield f"{where} {_name(came.outcome)} ({came.told}), not {' or '.join(sorted(map(_name, expected)))}"
    if came.seconds > DEADLINE + GRACE:
        yield f"{where} took {came.seconds:.2f} s"
    if "unexpectedly" in came.told:
        yield f"{where} the connector stumbled: {came.told}"
    ours = isinstance(came.error, ConnectorError) and call.action in call.sample.ACTIONS
    if ours and came.error.connection != call.service:
        yield f"{where} does not say which connection"
    shown = [one for one in (CANARY, "010-1234", "http://", "https://", *came.secrets) if one and one in came.told]
    if shown:
        yield f"{where} shows {shown}: {came.told}"


def _name(outcome: Outcome) -> str:
    return outcome if isinstance(outcome, str) else outcome.__name__
