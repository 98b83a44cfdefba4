"""The promises that every connector keeps, ours and other people's: what breaks one is told in a sentence."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.actions import EFFECTS, Action, duration
from connectors.base import Connector, variable_of
from connectors.errors import ConnectorError, Forged, Odd
from connectors.incoming import Greeting

_CANARY = "YS1zZWNyZXQtdGhhdC1tdXN0LW5vdC1zaG93"  # base64, as some signatures want their secrets
_NAME = "promise"
_KEYED = frozenset({"keyed", "checkable", "once"})
_OFTEN = timedelta(seconds=10)  # nobody may be asked more often without being asked to
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
GARBAGE = (
    b"", b"null", b"[]", b'"text"', b"{}", b"\xff\xfe\x00", b"[" * 20_000, b'{"a": NaN}', b"9" * 6_000,
    b'{"data": null, "type": 7}', b'{"data": {"fields": [null, {"label": []}]}}', b"payload=%7B",
    '{"이름": "\\ud800"}'.encode(),
)  # fmt: skip
_HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    {"webhook-id": "1", "webhook-timestamp": "x", "webhook-signature": "v1,"},
)


def promises(name: str, connector: type[Connector], settings: Mapping[str, object] | None = None) -> list[str]:
    """What a connector promises and breaks, one sentence each; `settings` as company.yaml would give them."""
    broken = [*_said(name, connector), *_reached(connector), *_heard(connector)]
    for action in connector.actions().values():
        broken += [f"{action.name}: {wrong}" for wrong in _broken_by(action, connector)]
    environ = {variable_of(_NAME, one.field): _CANARY for one in connector.secrets().values()}
    try:
        made = connector.connect(_NAME, settings or {}, environ=environ)
    except ConnectorError as error:
        broken.append(f"cannot be made with these settings: {error.reason}")
    else:
        broken += [*_leaks(made), *_believes(made, settings or {})]
    return [f"{name}: {one}" for one in broken]


def _said(name: str, connector: type[Connector]) -> Iterator[str]:
    if not (connector.__doc__ or "").strip() or connector.__doc__ == Connector.__doc__:
        yield "the class has no docstring"
    if connector.service != name:
        yield f"service is {connector.service!r}, registered is {name!r}"
    if not connector.room:
        yield "no room is named"
    for event in connector.events:
        if "." not in event:
            yield f"{event}: an event's name is noun.verb"
    for one in connector.secrets().values():
        if not one.where:
            yield f"{one.field}: no word where the vendor shows it"
    for setting in ("scopes", "events", "hosts"):
        if not isinstance(getattr(connector, setting), tuple):
            yield f"{setting} is no tuple"


def _reached(connector: type[Connector]) -> Iterator[str]:
    base = urlsplit(str(connector.model_fields["base_url"].default or ""))
    if base.scheme not in {"", "https"}:
        yield "base_url does not begin with https://"
    if base.hostname and connector.hosts and base.hostname not in connector.hosts:
        yield "the host of base_url is not among hosts"
    for host in connector.hosts:
        if not _HOST.fullmatch(host):
            yield f"{host}: a host is a plain name in small letters"
    if (connector.hosts or connector.signed or connector.confirms) and not connector.console.strip():
        yield "console does not say what to click at the vendor's"
    if connector.hosts and not connector.limits.strip():
        yield "limits does not say what the vendor allows"
    if base.hostname and connector.secrets() and connector.probe is Connector.probe:
        yield "probe does not prove the connection"
    if connector.usual_rate is not None:
        try:
            calls, _, length = connector.usual_rate.partition("/")
            duration(length if length[:-1] else f"1{length}")
            assert int(calls) > 0  # noqa: S101 - one kind of error for all that is wrong
        except (ValueError, AssertionError):
            yield f"usual_rate {connector.usual_rate!r} is not like 60/1m"


def _heard(connector: type[Connector]) -> Iterator[str]:
    ways = connector.signed or connector.confirms or connector.polls is not None
    if ways and not connector.events:
        yield "it hears, yet names no events"
    if connector.signed and not connector.secrets():
        yield "signed, yet there is no secret to verify with"
    if (connector.signed or connector.confirms) and connector.receive is Connector.receive:
        yield "it takes webhooks, yet has no receive"
    if connector.confirms != (connector.confirm is not Connector.confirm):
        yield "confirms and confirm do not say the same"
    if (connector.polls is not None) != (connector.poll is not Connector.poll):
        yield "polls and poll do not say the same"
    if connector.polls is not None and connector.polls < _OFTEN:
        yield "polls more often than each ten seconds"
    if connector.answer not in range(200, 300):
        yield f"answer {connector.answer} tells the sender that it failed"


def _broken_by(action: Action, connector: type[Connector]) -> Iterator[str]:
    if not action.doc:
        yield "no docstring; shop people read it"
    if action.effect not in EFFECTS:
        yield f"{action.effect} is no effect class"
    if action.effect in _KEYED and not action.takes_key:
        yield "a write that cannot simply be repeated takes `key`"
    if action.effect == "read" and action.takes_key and not _finds(action, connector):
        yield "takes `key`, as writes do: say which effect it has"
    if action.effect == "checkable":
        found_by = connector.actions().get(action.found_by or "")
        if found_by is None or found_by.effect != "read":
            yield "checkable needs found_by, the name of a read"
    together = connector.actions().get(action.bulk or "")
    if action.bulk and (together is None or together.effect != "repeat" or len(together.parameters) != 1):
        yield "bulk names an action of effect repeat that takes one list"
    if action.result is Any and not action.takes_call:
        yield "the result has no type"


def _finds(action: Action, connector: type[Connector]) -> bool:
    return any(one.found_by == action.name for one in connector.actions().values())


def _leaks(made: Connector) -> Iterator[str]:
    if any(_CANARY in shown for shown in (repr(made), str(made), str(made.model_dump()), made.model_dump_json())):
        yield "a secret shows"


def _believes(made: Connector, settings: Mapping[str, object]) -> Iterator[str]:
    """Garbage is refused by an error of ours, at the door and when it is read."""
    kind = type(made)
    names = kind.sends(settings)
    if kind.signed:
        yield from {f"receive: {one}" for one in _wrong(made.receive, _all(_HEADERS), Forged)}
    elif kind.confirms:
        yield from {f"receive: {one}" for one in _wrong(made.receive, _all(_HEADERS), Odd, Greeting)}
    if names and (kind.signed or kind.confirms or kind.polls):
        yield from {f"read: {one}" for one in _wrong(made.read, [(names[0], raw) for raw in GARBAGE], Odd, dict)}


def _all(headers: tuple[Mapping[str, str], ...]) -> list[tuple[Any, ...]]:
    return [(one, raw) for one in headers for raw in GARBAGE]


def _wrong(call: Callable[..., object], tries: list[tuple[Any, ...]], *fine: type) -> Iterator[str]:
    """What came of garbage, where it is none of `fine`."""
    for arguments in tries:
        try:
            found: object = call(*arguments)
        except Exception as error:  # noqa: BLE001 - which one it is decides
            found = error
        if not isinstance(found, fine):
            yield f"garbage brings {type(found).__name__}, not {' or '.join(one.__name__ for one in fine)}"
