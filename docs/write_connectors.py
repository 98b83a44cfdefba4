"""Writes the pages of all connectors from the connectors themselves: `python docs/write_connectors.py`."""

import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from connectors import registry
from connectors.actions import Action
from connectors.analytics import Source
from connectors.base import Connector

REFERENCE = Path(__file__).with_name("reference")
VERIFIED = REFERENCE / "verified.json"  # written by tests, see tests/verified.py
PARTS = ("ledger", "metrics", "message", "team")  # of digilog itself: no connection is written for them
ROOMS = {
    "forms": "Forms and whatever else comes in",
    "messaging": "Messages",
    "spreadsheets": "Tables",
    "payments": "Payments",
    "analytics": "Numbers",
    "web": "Anything else",
}
COMMON = {"base_url", "allow_loopback", "proxy"}
PACE = {"rate", "every"}  # said once for all, and where a connector brings its own
OUT_BY_HTTP = {"web", "web_json"}  # for these alone the common settings mean something
WRITTEN = "<!-- Written by docs/write_connectors.py from the code; change that, not this. -->"
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


def pages() -> dict[str, str]:
    """Every page by its path below docs/reference."""
    verified = json.loads(VERIFIED.read_text("utf-8")) if VERIFIED.exists() else {}
    names = [name for name in registry.names() if _ours(name)]
    outside = [name for name in names if name not in PARTS]
    found = {f"connectors/{name}.md": _page(name, verified) for name in outside}
    return {"connectors/index.md": _index(names, outside), "verified.md": _verified(outside, verified), **found}


def _ours(name: str) -> bool:
    return registry.find(name).__module__.split(".")[0] in {"connectors", "flows"}


def _index(names: list[str], outside: list[str]) -> str:
    lines = [
        "# Connectors",
        "",
        WRITTEN,
        "",
        "What digilog can talk to, and what is part of it. A connection is written in",
        "[company.yaml](../playbook.md#companyyaml); [how to connect](../../how-to/connections.md) shows each at work.",
        "A step names an action as `use: connection.action`, with your own name of the connection; one company may",
        "have several connections of one connector. What was tried against what: [verified](../verified.md).",
        "Your own: [a new connector](../../how-to/new-connector.md).",
        "",
        "Every connection also takes `rate`, like `60/1m`:",
        "[how often it is called](../../how-to/connections.md#how-often); one that is asked for what is new takes",
        "`every`, like `10m`.",
        "",
        "How careful an action is, its *effect class*:",
        "",
        EFFECTS,
    ]
    for room, title in ROOMS.items():
        lines += [f"## {title}", ""]
        found = [name for name in outside if registry.find(name).room == room]
        lines += [f"- [{name}]({name}.md): {_first(registry.find(name))}" for name in found]
        lines.append("")
    lines += ["## Parts of digilog", "", "No connection is written for these; their names are taken.", ""]
    for name in [one for one in names if one in PARTS]:
        kind = registry.find(name)
        lines += [f"### {name}", "", _doc(kind), "", *_actions(name, kind.actions().values())]
    return "\n".join(lines).rstrip() + "\n"


def _page(name: str, verified: Mapping[str, Any]) -> str:
    kind = registry.find(name)
    lines = [f"# {name}", "", WRITTEN, "", _doc(kind), ""]
    lines += ["[All connectors](index.md) · [how to connect](../../how-to/connections.md)", ""]
    lines += _part("Settings", [*_settings(name, kind)])
    lines += _part("At the service", [*_console(kind)])
    lines += _part("What a step can do", [*_actions(name, kind.actions().values())])
    lines += _part("Its numbers", [*_numbers(kind)])
    lines += _part("What it tells", [*_tells(kind)])
    lines += _part("Limits", [*_limits(kind)])
    lines += _part("Verified", [*_against(name, kind, verified)])
    return "\n".join(lines).rstrip() + "\n"


def _part(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines] + ([] if lines[-1] == "" else [""]) if lines else []


def _console(kind: type[Connector]) -> Iterable[str]:
    steps = [line.strip() for line in inspect.cleandoc(kind.console).splitlines() if line.strip()]
    yield from (f"{number}. {step}" for number, step in enumerate(steps, 1))
    if kind.scopes:
        yield ""
        yield "Permissions to ask for: " + ", ".join(f"`{one}`" for one in kind.scopes) + "."
    if steps:
        yield ""
        yield "Then `digilog connect NAME` tries it, and says what is still missing."


def _numbers(kind: type[Connector]) -> Iterable[str]:
    if not issubclass(kind, Source):
        return
    if kind.names:
        yield "Names for `of` in metrics.yaml: " + ", ".join(f"`{one}`" for one in kind.names) + "."
    if kind.settles:
        yield f"The service still changes a number for some days: say `settle_days: {kind.settles}` of its metrics."


def _tells(kind: type[Connector]) -> Iterable[str]:
    if not kind.events:
        return
    more = ", or the name that `event` gives" if "event" in kind.model_fields else ""
    yield "Events: " + ", ".join(f"`{event}`" for event in kind.events) + f"{more}."
    if kind.signed:
        yield "Who sends them is proven by a signature or a secret; anything else is refused."
    if kind.confirms:
        yield "Each one is asked again at the service, and only its answer is believed."
    if kind.polls:
        yield f"It is asked for what is new every {_length(kind.polls.total_seconds())}; `every` says otherwise."
    if kind.reconcile is not Connector.reconcile:
        yield "What was missed is found again: the service is asked for its own list at times."


def _length(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"


def _limits(kind: type[Connector]) -> Iterable[str]:
    said = " ".join(kind.limits.split()).rstrip(".")
    if said:
        yield f"{said[0].upper()}{said[1:]}."
    if kind.usual_rate:
        yield f"digilog calls it at most `{kind.usual_rate}` unless `rate` says otherwise."


def _against(name: str, kind: type[Connector], verified: Mapping[str, Any]) -> Iterable[str]:
    if not deeds(kind):
        return
    found = [*_rows(name, kind, verified)]
    if any(peer for _, peer, _ in found):
        yield "By tests, against programs that are not ours, never against a live account; an empty cell: not at all."
    elif kind.hosts or kind.signed or kind.confirms:
        yield "*Not verified against the vendor*: only our own tests have seen it."
    else:
        yield "There is no vendor: our own tests use real files and services on this computer."
    yield ""
    yield from ("| what | against | when |", "| --- | --- | --- |")
    yield from (f"| `{what}` | {peer} | {day} |" for what, peer, day in found)


def _verified(outside: list[str], verified: Mapping[str, Any]) -> str:
    lines = [
        "# Verified",
        "",
        WRITTEN,
        "",
        "What each connector was tried against that is not ours, and when: other people's simulators of a service, its",
        "own published client as a second sender or reader, or its published description of its interface. An empty",
        "cell says that nothing but our own tests has seen it. No cell means a live account of the service.",
        "",
        "| connector | what | against | when |",
        "| --- | --- | --- | --- |",
    ]
    for name in outside:
        for what, peer, day in _rows(name, registry.find(name), verified):
            lines.append(f"| [{name}](connectors/{name}.md) | `{what.partition('.')[2]}` | {peer} | {day} |")
    return "\n".join(lines) + "\n"


def _rows(name: str, kind: type[Connector], verified: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(what, peer, day) for all that a connector does; peer and day are empty where nothing verified it."""
    for does in deeds(kind):
        peers = verified.get(f"{name}.{does}", {})
        for _, one in sorted(peers.items()):
            yield f"{name}.{does}", one["peer"], one["date"]
        if not peers:
            yield f"{name}.{does}", "", ""


def deeds(kind: type[Connector]) -> list[str]:
    """All that can be verified of a connector: its actions, its ways of hearing, and the trial of `digilog connect`."""
    ways = {
        "receive": kind.signed or kind.confirms,
        "confirm": kind.confirms,
        "poll": kind.polls is not None,
        "reconcile": kind.reconcile is not Connector.reconcile,
        "probe": kind.probe is not Connector.probe and bool(kind.hosts),
    }
    return [*kind.actions(), *(way for way, has in ways.items() if has)]


def _settings(name: str, found: type[Connector]) -> Iterable[str]:
    secrets = found.secrets()
    shown = [
        (one, field)
        for one, field in found.model_fields.items()
        if one not in secrets and (one not in COMMON or name in OUT_BY_HTTP) and (one not in PACE or field.default)
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
    if not actions:
        return
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
    if get_origin(action.result) in {list, tuple}:
        return "a list"
    found = [one for one in get_args(action.result) or (action.result,) if one is not type(None)]
    fields = getattr(found[0], "model_fields", None) if len(found) == 1 else None
    return ", ".join(f"`{one}`" for one in fields) if fields else "what the medium brings"


def _doc(found: type[Connector]) -> str:
    return " ".join((inspect.getdoc(found) or "").split())


def _first(found: type[Connector]) -> str:
    """The first sentence of what a connector says of itself."""
    said = _doc(found)
    end = said.find(". ")
    return said if end < 0 else said[: end + 1]


def _default(value: object, factory: object) -> str:
    if value is PydanticUndefined and factory is None:
        return "needed"
    if value is PydanticUndefined or value in (None, "", ()):
        return "none"
    return f"`{'yes' if value else 'no'}`" if isinstance(value, bool) else f"`{value}`"


def _said(annotation: Any) -> str:
    """A type in plain words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in {Union, UnionType}:
        return " or ".join(_said(one) for one in inner if one is not type(None))
    if origin in {list, tuple}:
        return f"list of {_said(inner[0])}"
    if origin is not None:
        return "names with values"
    if fields := getattr(annotation, "model_fields", None):
        return ", ".join(f"`{one}` ({_said(field.annotation)})" for one, field in fields.items())
    name = getattr(annotation, "__name__", str(annotation))
    return WORDS.get(name, name.lower())


if __name__ == "__main__":
    (REFERENCE / "connectors").mkdir(exist_ok=True)
    for path, text in pages().items():
        (REFERENCE / path).write_text(text, "utf-8")
    sys.stdout.write(f"wrote the pages of connectors below {REFERENCE}\n")
