"""How often each connection may be called: never more calls in a time than it allows, none while it asks for rest."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite's compiler writes it as well

from flows.store import tables as t
from flows.store.prepared import Prepared

Rate = tuple[int, timedelta]  # so many calls in any such length of time
_RECENT = 10_000  # effects that are looked through for calls before a restart
IN_A_ROW = 5  # failures after which a connection is down: it is tried in rounds, and not by each effect for itself
_ROUNDS = (timedelta(seconds=1), timedelta(seconds=30))  # between the first two tries of one that is down; at most
_e = t.effect.c
_SENT = Prepared(
    select(_e.started_at)
    .where(
        _e.id > select(func.max(_e.id)).scalar_subquery() - _RECENT,
        _e.connection == bindparam("connection"),
        _e.started_at > bindparam("since", type_=t.At()),
        _e.bulk_id.is_(None),
    )
    .order_by(_e.started_at.desc())
    .limit(bindparam("calls"))
)


_n = t.connection.c
_SHARED = Prepared(
    select(_n.name, _n.calls, _n.rest_since, _n.rest_until).where(
        or_(_n.calls.is_not(None), _n.rest_until.is_not(None))
    )
)
_new = upsert(t.connection)
_PACE = ("calls", "rest_since", "rest_until")
_SHARE = Prepared(
    _new.on_conflict_do_update(index_elements=["name"], set_={one: _new.excluded[one] for one in _PACE}),
    ("name", "at", *_PACE),
)


class Rates:
    """What this engine remembers of its connections; after a restart it is read from the effects.

    Where several engines share a store, `read` comes before and `write` after each choice of what is sent.
    """

    def __init__(self) -> None:
        self._sent: dict[str, tuple[Rate, deque[datetime]]] = {}
        self._rests: dict[str, tuple[datetime, datetime]] = {}
        self._changed: set[str] = set()
        self._failures: dict[str, int] = {}
        self._down: dict[str, tuple[datetime, datetime]] = {}  # since and until when nothing leaves
        self._known: dict[str, list[datetime]] = {}  # calls of all engines
        self.begin()

    def begin(self) -> None:
        """A turn begins: until it is committed, what it says can be taken back."""
        sent = {name: (rate, made.copy()) for name, (rate, made) in self._sent.items()}
        self._before = sent, dict(self._rests), dict(self._failures), dict(self._down), set(self._changed)

    def undo(self) -> None:
        """The turn was rolled back, and comes again."""
        self._sent, self._rests, self._failures, self._down, self._changed = self._before
        self.begin()

    def read(self, session: Connection) -> None:
        """Take over what all engines know."""
        for row in _SHARED.rows(session):
            if row["rest_until"]:
                since, until = self._rests.get(row["name"], (row["rest_since"], row["rest_until"]))
                self._rests[row["name"]] = (min(since, row["rest_since"]), max(until, row["rest_until"]))
            if row["calls"]:
                name, calls = row["name"], [datetime.fromisoformat(one) for one in json.loads(row["calls"])]
                self._known[name] = calls
                if name in self._sent:
                    rate = self._sent[name][0]
                    self._sent[name] = (rate, deque(calls, maxlen=rate[0]))

    def write(self, session: Connection, now: datetime) -> None:
        """Tell all engines what has changed."""
        for name in self._changed:
            since, until = self._rests.get(name, (None, None))
            calls = json.dumps([one.isoformat() for one in self._sent[name][1]]) if name in self._sent else None
            row = {"name": name, "at": now, "calls": calls, "rest_since": since, "rest_until": until}
            _SHARE.do(session, row)
        self._changed.clear()

    def rest(self, connection: str, now: datetime, pause: timedelta) -> None:
        """The service asks to come later: that holds for the whole connection."""
        since, until = self._rests.get(connection, (now, now))
        self._rests[connection] = (min(since, now), max(until, now + pause))
        self._changed.add(connection)

    def failed(self, connection: str, now: datetime) -> None:
        """One call found nobody there. After some in a row the connection rests, a little longer after each round."""
        if connection in self._down and now < self._down[connection][1]:
            return  # others of the same round
        self._failures[connection] = count = self._failures.get(connection, 0) + 1
        if count >= IN_A_ROW:
            pause = min(_ROUNDS[0] * 2 ** min(count - IN_A_ROW, 10), _ROUNDS[1])
            self._down[connection] = (now, now + pause)

    def worked(self, connection: str) -> bool:
        """One call was answered. Says whether the connection was down until now."""
        self._down.pop(connection, None)
        return self._failures.pop(connection, 0) >= IN_A_ROW

    def held(self, now: datetime, rate: Callable[[str], Rate | None]) -> frozenset[str]:
        """Connections that no call may leave for at this moment; `rate` says what each one's is now."""
        if not self._rests and not self._sent and not self._down:
            return frozenset()
        full = (name for name in self._sent if self._sent[name][0] == rate(name) and not self._free(name, now))
        down = (name for name, (since, until) in self._down.items() if since <= now < until)
        return frozenset((*self._resting(now), *down, *full))

    def take(self, session: Connection, connection: str, rate: Rate | None, now: datetime, calls: int = 1) -> bool:
        """Take so many calls of a connection's rate. Says whether there were as many."""
        if rate is None:
            self._sent.pop(connection, None)
            return True
        known = self._sent.get(connection)
        if known is None or known[0] != rate:
            told = self._known.get(connection)
            made = deque(told, maxlen=rate[0]) if told else _earlier(session, connection, rate, now)
            self._sent[connection] = (rate, made)
        if not self._free(connection, now, min(calls, rate[0])):
            return False
        self._sent[connection][1].extend([now] * calls)
        self._changed.add(connection)
        return True

    def _resting(self, now: datetime) -> Iterator[str]:
        for name, (since, until) in list(self._rests.items()):
            if since <= now < until:  # a clock that was set back ends it too
                yield name
            else:
                del self._rests[name]

    def _free(self, connection: str, now: datetime, wanted: int = 1) -> bool:
        (calls, length), sent = self._sent[connection]
        if sent and sent[-1] > now:  # the clock was set back: what it says of before means nothing
            sent.clear()
        while sent and now - sent[0] >= length:
            sent.popleft()
        return len(sent) + wanted <= calls


def _earlier(session: Connection, connection: str, rate: Rate, now: datetime) -> deque[datetime]:
    calls, length = rate
    found = _SENT.rows(session, connection=connection, since=now - length, calls=calls)
    return deque((row["started_at"] for row in reversed(found)), maxlen=calls)
