"""Writes docs/reference/connectors.md from the connectors themselves: `python docs/write_connectors.py`."""

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from connectors import registry
from connectors.actions import Action
from connectors.base import Connector

PAGE = Path(__file__).with_name("reference") / "connectors.md"
PARTS = ("ledger", "metrics", "message", "team")  # of digilog itself: no connection is written for them
COMMON = {"base_url", "allow_loopback", "proxy"}
PACE = "rate"  # every connection takes it: said once above, and where a connector brings its own
OUT_BY_HTTP = {"web"}  # for these alone the common settings mean something
VERIFIED = {
    "own_form": "the pages of digilog, against a running server",
    "webhook": "the `standardwebhooks` library as the sender",
    "outbox": "real files",
    "email": "`aiosmtpd`, a real SMTP server, with STARTTLS and a login. No mail provider has been tried",
    "excel": "real files, read again with `openpyxl`. Excel itself has not been tried",
    "csv": "real files, in UTF-8 and cp949",
    "web": "a scripted HTTP service on this machine. No particular service has been tried",
}
EFFECTS = """\
| class | what it means for you |
| --- | --- |
| `read` | only looks; asked again as often as needed, and in every state of a playbook |
| `inside` | writes into digilog's own ledgers; works in every state |
| `resolver` | finds out who does it (a message finds its medium); the connection's own class then counts |
| `repeat` | a second time leaves the same as once; repeated by itself |
| `keyed` | the service drops a second one with the same key; repeated by itself as long as it does, then a *doubt* |
| `checkable` | the service can be asked whether it happened: it is asked first, and repeated by itself if it did not |
| `once` | must not happen twice: if the outcome is not known, a person is asked (a *doubt*) |
"""
WORDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "Decimal": "number",
    "bool": "yes or no",
    "Any": "any",
}
_NO_STEP = "No actions: it brings events."


def page() -> str:
    """The whole page."""
    names = [
        name for name in registry.names() if registry.find(name).__module__.split(".")[0] in {"connectors", "flows"}
    ]
    outside = [name for name in names if name not in PARTS]
    lines = [
        "# Connectors",
        "",
        "<!-- Written by docs/write_connectors.py from the code; change that, not this. -->",
        "",
        "What digilog can talk to today, and what is part of it. A connection is written in",
        "[company.yaml](playbook.md#companyyaml); [how to connect](../how-to/connections.md) shows each one at work.",
        "A step names an action as `use: connection.action`, with your own name of the connection.",
        "",
        "Every connection also takes `rate`, like `60/1m`:",
        "[how often it is called](../how-to/connections.md#how-often).",
        "",
        "How careful an action is, its *effect class*:",
        "",
        EFFECTS,
        "## Connections",
        "",
        *(line for name in outside for line in _connector(name)),
        "## Parts of digilog",
        "",
        "No connection is written for these; their names are taken.",
        "",
        *(line for name in names if name in PARTS for line in _connector(name)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _connector(name: str) -> Iterable[str]:
    found = registry.find(name)
    yield f"### {name}"
    yield ""
    yield _doc(found)
    yield ""
    if name not in PARTS:
        yield from _settings(name, found)
        yield f"Verified against: {VERIFIED.get(name, '*not verified*')}."
        yield ""
    events = ", ".join(f"`{event}`" for event in found.events)
    if events:
        more = ", or the name that `event` gives" if "event" in found.model_fields else ""
        yield f"Events: {events}{more}."
        yield ""
    actions = found.actions()
    yield from _actions(name, actions.values()) if actions else (_NO_STEP, "")


def _settings(name: str, found: type[Connector]) -> Iterable[str]:
    secrets = found.secrets()
    shown = [
        (one, field)
        for one, field in found.model_fields.items()
        if one not in secrets and (one not in COMMON or name in OUT_BY_HTTP) and (one != PACE or field.default)
    ]
    if shown or secrets:
        yield from ("| setting | value | default |", "| --- | --- | --- |")
        for one, field in shown:
            yield f"| `{one}` | {_said(field.annotation)} | {_default(field.default, field.default_factory)} |"
        for secret in secrets.values():
            default = "needed" if secret.required else "none"
            where = f"secret: `DIGILOG_CONNECTIONS__<NAME>__{secret.field.upper()}`; {secret.where}"
            yield f"| `{secret.field}` | {where} | {default} |"
        yield ""


def _actions(name: str, actions: Iterable[Action]) -> Iterable[str]:
    yield from ("| action | what it does | arguments | brings | effect class |", "| --- | --- | --- | --- | --- |")
    for action in actions:
        given = ", ".join(
            f"`{one.name}`: {_said(one.annotation)}" + ("" if one.required else " (optional)")
            for one in action.parameters.values()
        )
        does = " ".join(action.doc.split())
        yield f"| `{name}.{action.name}` | {does} | {given or 'none'} | {_brings(action)} | `{action.effect}` |"
    yield ""


def _brings(action: Action) -> str:
    """What later steps may name of the result."""
    fields = getattr(action.result, "model_fields", None)
    if fields:
        return ", ".join(f"`{one}`" for one in fields)
    return "a list" if get_origin(action.result) is list else "what the medium brings"


def _doc(found: type[Connector]) -> str:
    return " ".join((inspect.getdoc(found) or "").split())


def _default(value: object, factory: object) -> str:
    if value is PydanticUndefined and factory is None:
        return "needed"
    if value is PydanticUndefined or value in {None, ""}:
        return "none"
    return f"`{'yes' if value else 'no'}`" if isinstance(value, bool) else f"`{value}`"


def _said(annotation: Any) -> str:
    """A type in plain words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in {Union, UnionType}:
        return " or ".join(_said(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list of {_said(inner[0])}"
    if origin is not None:
        return "names with values"
    name = getattr(annotation, "__name__", str(annotation))
    return WORDS.get(name, name.lower())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
