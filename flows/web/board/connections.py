"""Connections: how each fares, what it lacks, how to connect it, and where its events come in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select
from starlette.responses import Response

from connectors.registry import UnknownConnector, find
from flows.engine.connections import Known, connections, known
from flows.engine.entrances import Entrance, entrance, steps
from flows.people.assignments import OPEN
from flows.store import tables as t
from flows.web.board.ask import Ask
from flows.web.board.words.connections import CONNECTIONS
from flows.web.body import Refused

MARKS = {
    "well": "outcome_done", "not tried yet": "held", "failing": "failed", "paused": "failed", "not connected": "failed",
}  # fmt: skip
_ORDER = ("not connected", "paused", "failing", "not tried yet", "well")
_USES = (  # as `flows.engine.connections.uses` says it
    (r"starts (\S+)", "use_start"),
    (r"(\S+): awaited at (\S+)", "use_await"),
    (r"(\S+): (?:\S+) at (\S+)", "use_step"),
    (r"sends (.+)", "use_medium"),
    (r"brings (.+)", "use_metric"),
    (r"asked what is new by digilog", "use_poll"),
    (r"asked what was missed by digilog", "use_reconcile"),
    (r"asked whether events are so by digilog", "use_confirm"),
)
_OF_PLAYBOOK = frozenset({"use_start", "use_await", "use_step"})
_a = t.assignment.c


@dataclass(frozen=True, slots=True)
class Way:
    """How a connector is set up at its service."""

    steps: Sequence[str] = ()
    scopes: Sequence[str] = ()
    limits: str = ""
    says: str = ""  # what it is, in a sentence
    entrance: Entrance | None = None


def get(ask: Ask, session: Connection) -> Response:
    found = sorted(connections(session, ask.context.world), key=lambda one: _ORDER.index(one.health))
    bad = sum(MARKS[one.health] == "failed" for one in found)
    used = {one.name: _uses(ask, one) for one in found}
    return ask.page("connections.html", CONNECTIONS, found=found, used=used, bad=bad, marks=MARKS)


def one(ask: Ask, session: Connection) -> Response:
    world, name = ask.context.world, ask.request.path_params["name"]
    if name not in world.book.company.connections:
        raise Refused(404, ask.words()["nothing"])
    told: Known = known(session, world, name)
    way = _way(ask, name)
    asked = select(_a.id).where(_a.kind == "reconnect", _a.connection == name, _a.state.in_(OPEN))
    return ask.page(
        "connection.html",
        CONNECTIONS,
        one=told,
        used=_uses(ask, told),
        way=way,
        every=_every(ask, way.entrance.asked) if way.entrance and way.entrance.asked else "",
        secret=bool(way.entrance and not way.entrance.signed) and not ask.user.may("act"),
        assignment=session.execute(asked.limit(1)).scalar(),
        mark=MARKS[told.health],
    )


def _way(ask: Ask, name: str) -> Way:
    world = ask.context.world
    try:
        kind = find(world.book.company.connections[name].connector)
        says = (kind.__doc__ or "").strip().partition("\n")[0]
        told = [step.replace("connect NAME", f"connect {name}") for step in steps(kind)]
        return Way(told, kind.scopes, kind.limits, says, entrance(world, name))
    except UnknownConnector:
        return Way()
    except Exception:  # noqa: BLE001 - a broken connector of others must not take its page away; what is wrong stands on it
        return Way()


def _uses(ask: Ask, told: Known) -> list[str]:
    """What it is used for, with the names that people know."""
    return [_use(ask, one) for one in told.used_for]


def _use(ask: Ask, use: str) -> str:
    words, book = ask.words(CONNECTIONS), ask.context.world.book
    for pattern, key in _USES:
        if found := re.fullmatch(pattern, use):
            names = list(found.groups())
            playbook = book.playbooks.get(names[0]) if key in _OF_PLAYBOOK else None
            if playbook:
                names[0] = playbook.title
                if names[-1] in playbook.index:
                    names[-1] = playbook.steps[playbook.index[names[-1]]].do
            if key == "use_medium":
                names = [", ".join(words.get(f"medium_{one}", one) for one in names[0].split(", "))]
            if key == "use_metric":
                labels = book.metrics.metrics
                names = [", ".join(labels[one].label if one in labels else one for one in names[0].split(", "))]
            return words[key].format(*names)
    return use


def _every(ask: Ask, span: timedelta) -> str:
    words, seconds = ask.words(CONNECTIONS), int(span.total_seconds())
    for name, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= size and seconds % size == 0:
            return words[name].format(seconds // size)
    return words["seconds"].format(seconds)
