"""How often each connection may be called: never more calls in a time than it allows, none while it asks for rest."""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from flows.store import tables as t
from flows.store.prepared import Prepared

Rate = tuple[int, timedelta]  # so many calls in any such length of time
_RECENT = 10_000  # effects that are looked through for calls before a restart
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


class Rates:
    """What this engine remembers of its connections; after a restart it is read from the effects."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[Rate, deque[datetime]]] = {}
        self._rests: dict[str, tuple[datetime, datetime]] = {}

    def rest(self, connection: str, now: datetime, pause: timedelta) -> None:
        """The service asks to come later: that holds for the whole connection."""
        since, until = self._rests.get(connection, (now, now))
        self._rests[connection] = (min(since, now), max(until, now + pause))

    def held(self, now: datetime, rate: Callable[[str], Rate | None]) -> frozenset[str]:
        """Connections that no call may leave for at this moment; `rate` says what each one's is now."""
        if not self._rests and not self._sent:
            return frozenset()
        full = (name for name in self._sent if self._sent[name][0] == rate(name) and not self._free(name, now))
        return frozenset((*self._resting(now), *full))

    def take(self, session: Connection, connection: str, rate: Rate | None, now: datetime) -> bool:
        """Take one call of a connection's rate. Says whether there was one."""
        if rate is None:
            self._sent.pop(connection, None)
            return True
        known = self._sent.get(connection)
        if known is None or known[0] != rate:
            self._sent[connection] = (rate, _earlier(session, connection, rate, now))
        if not self._free(connection, now):
            return False
        self._sent[connection][1].append(now)
        return True

    def _resting(self, now: datetime) -> Iterator[str]:
        for name, (since, until) in list(self._rests.items()):
            if since <= now < until:  # a clock that was set back ends it too
                yield name
            else:
                del self._rests[name]

    def _free(self, connection: str, now: datetime) -> bool:
        (calls, length), sent = self._sent[connection]
        if sent and sent[-1] > now:  # the clock was set back: what it says of before means nothing
            sent.clear()
        return len(sent) < calls or now - sent[0] >= length


def _earlier(session: Connection, connection: str, rate: Rate, now: datetime) -> deque[datetime]:
    calls, length = rate
    found = _SENT.rows(session, connection=connection, since=now - length, calls=calls)
    return deque((row["started_at"] for row in reversed(found)), maxlen=calls)
