"""What the engine is handed: the company's book, its connections, the time and chance."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from connectors.base import Action, Connector, variable_of
from connectors.clock import Clock
from connectors.errors import NotConnected, Odd
from connectors.registry import find
from connectors.tokens import Vault
from flows.engine.rates import Rate, Rates
from flows.ledger.messages import OUTBOX
from flows.people.links import Links
from flows.playbook.check import parse_version
from flows.playbook.model import Book, ConnectionEntry, Playbook
from flows.playbook.text import Format
from flows.store import tables as t
from flows.store.prepared import Prepared

_PLAIN = Connector()  # reads a JSON object as it is
_TEXT = Prepared(select(t.version.c.text).where(t.version.c.hash == bindparam("version")))
_KEEP = Prepared(upsert(t.version).on_conflict_do_nothing(), ("hash", "playbook", "text", "at"))
BUILT_IN = frozenset({"ledger", "metrics", "message", "team"})
OUTGOING_STATES = frozenset({"operate", "complete", "expand"})  # in all others no effect leaves


@dataclass
class World:
    """Everything the engine does not own. `book` is replaced when the company's files change."""

    book: Book
    clock: Clock
    links: Links
    home: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    vault: Vault | None = None  # where connections keep their tokens; none: the home's own folder
    chance: random.Random = field(default_factory=random.Random)
    give_up: timedelta = timedelta(hours=24)
    simulated: bool = False  # a playbook in state design runs too, since nothing real is reached
    judged: set[tuple[int, bool]] | None = None  # of a simulation: conditions by `id`, and what came out

    claimer: str = ""  # who makes the calls: the id of a claim (see `flows.store.claims`)

    rates: Rates = field(default_factory=Rates)

    _versions: set[str] = field(default_factory=set)  # known to be kept
    _connections: dict[str, tuple[ConnectionEntry, Connector]] = field(default_factory=dict)
    _actions: dict[str, tuple[ConnectionEntry, Mapping[str, Action]]] = field(default_factory=dict)

    def connection(self, name: str) -> Connector:
        """The connection of this name, made at first use.

        Raises NotConnected when it is not in company.yaml any more, or a setting or secret is missing.
        """
        entry = self._entry(name)
        made = self._connections.get(name)
        if made is None or made[0] is not entry:  # company.yaml may have changed
            kind = find(entry.connector)
            made = (
                entry,
                kind.connect(
                    name,
                    entry.settings,
                    environ=self.secrets,
                    home=self.home,
                    clock=_Now(self),
                    vault=self.vault,
                ),
            )
            self._connections[name] = made
        return made[1]

    def read(self, name: str, event: str, raw: bytes) -> Mapping[str, Any]:
        """What an event of a connection says, in our own words. Raises Odd for a shape that nobody knows.

        Neither a service nor a secret is needed for it. A test's events are in our words already.
        """
        if self.simulated or name not in self.book.company.connections:
            return _PLAIN.read(event, raw)
        try:
            return self.connection(name).read(event, raw)
        except NotConnected:
            kind = find(self.book.company.connections[name].connector)
        stand_in = {variable_of(name, one.field): "-" for one in kind.secrets().values() if one.required}
        try:
            made = kind.connect(name, self.book.company.connections[name].settings, environ=stand_in, home=self.home)
        except NotConnected as error:
            raise Odd(f"its connection is not set up: {error.reason}") from None
        return made.read(event, raw)

    def rate(self, name: str) -> Rate | None:
        """How often the connection of this name may be called; none: as often as one likes."""
        try:
            return None if self.simulated else self.connection(name).pace
        except NotConnected:  # the call will say so
            return None

    def action(self, use: str) -> Action:
        """What the signature of `connection.action` declares."""
        name, _, does = use.partition(".")
        entry = self._entry(name)
        known = self._actions.get(name)
        if known is None or known[0] is not entry:  # company.yaml may have changed
            known = self._actions[name] = (entry, find(entry.connector).actions(entry.settings))
        return known[1][does]

    def _entry(self, name: str) -> ConnectionEntry:
        entry = self.book.company.connections.get(name) or _own(name)
        if entry is None:
            raise NotConnected(
                f"{name} is no connection of company.yaml any more",
                connection=name,
                next_step=f"write {name} under connections again",
            )
        return entry

    def state(self, playbook: str) -> str:
        """The state of a playbook as it stands now; one whose file is gone is held back like a design."""
        known = self.book.playbooks.get(playbook)
        if self.simulated and known and known.state in {"design", "complete"}:  # in a test nobody has to let it go
            return "operate"
        return known.state if known else "design"

    @property
    def format(self) -> Format:
        company = self.book.company
        return Format(company.zone, company.language, company.currency, company.country)

    def pinned(self, session: Connection, hash: str) -> Playbook:
        """The playbook as a case was started with it."""
        for playbook in self.book.playbooks.values():
            if playbook.version == hash:
                return playbook
        kept = _parsed(_TEXT.the(session, version=hash)["text"])
        live = self.book.playbooks.get(kept.playbook)
        return kept.model_copy(update={"owner": live.owner}) if live else kept  # who answers is read live

    def keep_version(self, session: Connection, playbook: Playbook) -> None:
        """Keep the text of a version: a case is pinned to it, or it was published, or has stood for a while."""
        if playbook.version not in self._versions:
            row = {"hash": playbook.version, "playbook": playbook.playbook, "text": playbook.text}
            _KEEP.do(session, {**row, "at": self.clock.now()})
            self._versions.add(playbook.version)

    def forget(self) -> None:
        """A turn was rolled back: what it kept is not kept."""
        self._versions.clear()


class _Now:
    """The world's clock as it stands at each look, since it can be replaced."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()


@lru_cache(maxsize=64)
def _own(name: str) -> ConnectionEntry | None:
    """A built-in, or the outbox: connections that no company has to name."""
    return ConnectionEntry(connector=name) if name in BUILT_IN | {OUTBOX} else None


@lru_cache(maxsize=256)
def _parsed(text: str) -> Playbook:
    return parse_version(text)
