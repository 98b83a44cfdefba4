"""An engine's turns, taken by a worker outside `up` while no engine is at work; with one at work it only looks on."""

import logging
import threading
import time
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from flows.engine import place
from flows.engine.__main__ import make_world, offset
from flows.engine.calls import Calls
from flows.engine.engine import Engine
from flows.settings import Settings
from flows.store.store import Store

HELD = 3.0  # seconds after which the place is offered to an engine that may wait for it
OFFERED = 0.5  # seconds: an engine tries more often
LONGEST = 60.0  # seconds for calls in flight; no connector takes longer
_STEP = 0.02  # seconds between two looks at calls in flight
log = logging.getLogger(__name__)


class StandIn:
    """Takes the engine's place at a file, turn by turn; at a database it is one more engine beside others."""

    def __init__(self, settings: Settings, store: Store, held: float = HELD) -> None:
        self._settings, self._store, self._held = settings, store, held
        world = make_world(settings, store)
        self._answered = threading.Event()
        self._calls = _Calls(world, store, self._answered.set)
        self._engine = Engine(store, world, self._calls, fires_at_once=offset(store) != timedelta())
        self._place: int | None = None
        self._since, self._not_before, self._looked = 0.0, 0.0, float("-inf")
        self._lock = threading.Lock()  # flows of one process may be shown in several threads

    def work(self, seconds: float = 1.0) -> bool:
        """Take turns until nothing is left to do at once, or for so long. False where an engine is at work."""
        with self._lock:
            if not self._took_place():
                return False
            until = time.monotonic() + seconds
            while time.monotonic() < until and self._turn() is not False:
                pass
            if self._calls.idle or time.monotonic() - self._since > self._held:
                self._leave()
            return True

    def rest(self) -> None:
        """Take the answers of calls in flight and give the place back; for the end of a run."""
        with self._lock:
            if self._place is not None or not self._calls.idle:
                self._leave()

    def _took_place(self) -> bool:
        now = time.monotonic()
        if self._place is not None:
            return True
        if now < self._not_before:
            return False
        if not self._store.shared:
            self._place = place.take(self._settings.home)
            if self._place is None:
                return False
        self._since = now
        return True

    def _turn(self) -> bool | None:
        """One turn. Says whether another may find something to do soon; None where the store refused it."""
        self._answered.clear()
        try:
            if time.monotonic() - self._looked > 1:
                self._looked = time.monotonic()
                self._engine.recover()
            more = self._engine.turn()
        except OperationalError as error:  # nothing was done, and nothing is lost by coming again
            log.warning("the store cannot be written just now (%s)", type(error.orig).__name__)
            self._answered.wait(_STEP)
            return None
        if not more and not self._calls.idle:
            self._answered.wait(_STEP)
        return more or not self._calls.idle

    def _leave(self) -> None:
        """No call is left behind: whoever comes next must find nothing in doubt."""
        self._calls.closing, until, recorded = True, time.monotonic() + LONGEST, False
        while not recorded and time.monotonic() < until:
            came_back = self._calls.idle
            recorded = self._turn() is not None and came_back
        self._calls.closing = False
        if self._place is not None:
            place.leave(self._place)
            self._place, self._looked = None, float("-inf")
            if time.monotonic() - self._since > self._held:
                self._not_before = time.monotonic() + OFFERED


class _Calls(Calls):
    """Makes no new ones while `closing`."""

    closing = False

    @property
    def free(self) -> int:
        return 0 if self.closing else super().free

    @property
    def idle(self) -> bool:
        return self._busy == 0
