"""Calls side by side: long-lived threads, one connector call at a time each; answers come back in a queue."""

import logging
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import Connection

from connectors.base import Connector
from connectors.errors import ConnectorError, NotConnected, Unavailable, Uncertain
from flows.engine.effects import Answer, Sending
from flows.engine.world import BUILT_IN, World
from flows.ledger.call import LongCall
from flows.people import reconnect
from flows.store.store import Store

SLOTS = 64
Q = TypeVar("Q")
A = TypeVar("A")
log = logging.getLogger(__name__)


class Threads(Generic[Q, A]):
    """Long-lived threads that `do` one thing at a time each: `submit` a question, `answers` gives what came back."""

    def __init__(self, do: Callable[[Q], A], done: Callable[[], None], slots: int, name: str) -> None:
        self._do, self._done, self._name = do, done, name
        self._slots, self._busy = slots, 0
        self._todo: queue.SimpleQueue[Q | None] = queue.SimpleQueue()
        self._back: queue.SimpleQueue[A] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def free(self) -> int:
        return self._slots - self._busy

    def submit(self, asked: Q) -> None:
        self._busy += 1
        if self._busy > len(self._threads):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._todo.put(asked)

    def answers(self) -> list[A]:
        """All answers so far; only the engine's own thread asks."""
        found: list[A] = []
        while True:
            try:
                found.append(self._back.get_nowait())
            except queue.Empty:
                self._busy -= len(found)
                return found

    def close(self) -> None:
        """Let the threads end after what they are at."""
        for _ in self._threads:
            self._todo.put(None)

    def _work(self) -> None:
        while (asked := self._todo.get()) is not None:
            self._back.put(self._do(asked))
            self._done()


class Calls(Threads[Sending, Answer]):
    """Calls that are marked `sending` and committed."""

    def __init__(self, world: World, store: Store, done: Callable[[], None], slots: int = SLOTS) -> None:
        super().__init__(lambda sending: perform(world, store, sending), done, slots, "call")


def perform(world: World, store: Store, sending: Sending) -> Answer:
    """Make one call and sort what comes of it."""
    try:
        connector = world.connection(sending.connection)
        if sending.connection in BUILT_IN:
            call = LongCall(store, world.book, world.clock, sending.key, world.connection, partial(credential, world))
            return Answer(sending.effect, connector.call(sending.action, sending.arguments, key=sending.key, call=call))
        found = _asked(world, connector, sending) if sending.ask else None
        if found is None:
            found = connector.call(sending.action, sending.arguments, key=sending.key)
        return Answer(sending.effect, found)
    except ConnectorError as error:
        return Answer(sending.effect, error=error)
    except Exception as error:
        # One call's fault must not end the thread; whether anything happened is not known.
        log.exception("call %s.%s of effect %s failed", sending.connection, sending.action, sending.effect)
        return Answer(sending.effect, error=Uncertain(f"digilog itself failed: {type(error).__name__}"))


def _asked(world: World, connector: Connector, sending: Sending) -> object:
    """What the service knows of an earlier sending; none: it did not happen. Raises Unavailable if it cannot say."""
    read = world.action(f"{sending.connection}.{sending.action}").found_by or ""
    try:
        return connector.call(read, {}, key=sending.key)
    except (NotConnected, Unavailable):
        raise
    except ConnectorError as error:
        raise Unavailable(f"the service could not be asked whether it happened: {error.reason}") from None


def credential(world: World, session: Connection, connection: str, refused: NotConnected | None) -> None:
    """A credential that a pull found refused is told to the owner once; when it is taken again, that is over."""
    if refused is None:
        reconnect.works(session, connection, world.clock.now())
    else:
        reconnect.tell(session, connection, f"{refused.reason}; {refused.next_step}", world.clock.now())
