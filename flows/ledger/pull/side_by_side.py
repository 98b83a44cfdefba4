"""Questions side by side, within each connection's pace; who is away is asked again a few times, then left alone."""

import heapq
import itertools
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.base import Connector
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable
from flows.ledger.pull.asked import Answer, Question, ask

AT_ONCE, EACH = 32, 8  # calls in all, and of one connection
TRIES = 4  # of one page that finds nobody
AWAY = 3  # questions in a row that found nobody: then the others of its connection are not asked
TOGETHER = 10  # answers that are taken at once
_IDLE = 60.0
_LOOK = 0.2  # seconds until somebody who wants it stopped is heard


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: before the second try (then twice as long each time), that a service may ask us to rest, and so on."""

    pause: float = 0.5
    rest: float = 60.0  # who wants more is asked by the next pull
    call: float = 120.0
    question: float = 900.0  # of its calls together


class Pace:
    """So many calls in any such length of time."""

    def __init__(self, rate: tuple[int, timedelta] | None) -> None:
        self.rate = rate
        self._calls: deque[float] = deque(maxlen=rate[0] if rate else 0)

    def wait(self, now: float) -> float:
        """Seconds until one more may leave."""
        if self.rate is None or len(self._calls) < self.rate[0]:
            return 0.0
        return max(0.0, self._calls[0] + self.rate[1].total_seconds() - now)

    def take(self, now: float) -> None:
        self._calls.append(now)


@dataclass(order=True, slots=True)
class _Call:
    due: float
    order: int
    question: Question = field(compare=False)
    page: str | None = field(compare=False)
    tries: int = field(compare=False, default=0)
    begun: float = field(compare=False, default=0.0)


class _Line:
    """One connection: its questions that wait, its calls that are ready or under way."""

    def __init__(self, connector: Connector, pace: Pace) -> None:
        self.connector, self.pace = connector, pace
        self.waiting: deque[Question] = deque()
        self.ready: list[_Call] = []
        self.flying: dict[int, _Call] = {}
        self.active: list[Question] = []
        self.rest = 0.0
        self.away = 0

    def next(self, now: float) -> tuple[_Call | None, float]:
        """A call that may leave now, or when one may."""
        if len(self.flying) >= EACH:
            return None, now + _IDLE
        while self.ready and self.ready[0].question.done:
            heapq.heappop(self.ready)
        idle = not self.ready or self.ready[0].due > now
        if idle and self.waiting and len(self.active) < EACH:
            begun = self.waiting.popleft()
            self.active.append(begun)
            heapq.heappush(self.ready, _Call(0.0, begun.number, begun, None))
        if not self.ready:
            return None, now + _IDLE
        free = max(self.ready[0].due, self.rest, now + self.pace.wait(now))
        return (heapq.heappop(self.ready), free) if free <= now else (None, free)

    def end(self, question: Question) -> None:
        if question in self.active:
            self.active.remove(question)

    @property
    def over(self) -> bool:
        return not self.waiting and not self.active


class SideBySide:
    """Asks questions; `paces` remembers the calls of each connection from one pull to the next."""

    def __init__(
        self,
        connection: Callable[[str], Connector],
        paces: dict[str, Pace],
        stop: threading.Event,
        patience: Patience | None = None,
    ) -> None:
        self._connection, self._paces, self._stop = connection, paces, stop
        self._patience = patience or Patience()
        self._lines: dict[str, _Line] = {}
        self._back: queue.SimpleQueue[tuple[_Line, int, Answer | ConnectorError]] = queue.SimpleQueue()
        self._number = itertools.count()

    def ask(self, questions: Iterable[Question]) -> Iterator[list[Question]]:
        """Questions as they are answered whole, or have failed, a few at a time; ends early when it is stopped."""
        for one in questions:
            if failed := self._queue(one):
                yield [failed]
        while any(not line.over for line in self._lines.values()) and not self._stop.is_set():
            wait = self._leave()
            if done := list(self._came(min(max(wait, 0.001), _LOOK))) or list(self._silent()):
                yield done

    def _came(self, wait: float) -> Iterator[Question]:
        """What is done by the answers that are there, once there is one."""
        with suppress(queue.Empty):
            for place in range(TOGETHER):
                line, number, found = self._back.get_nowait() if place else self._back.get(timeout=wait)
                call = line.flying.pop(number, None)
                if call is not None and not call.question.done:  # else it was given up meanwhile
                    yield from self._take(line, call, found)

    def _queue(self, question: Question) -> Question | None:
        name = question.part.connection
        line = self._lines.get(name)
        if line is None:
            try:
                connector = self._connection(name)
            except ConnectorError as error:
                question.error = error
                return question
            pace = self._paces.get(name)
            if pace is None or pace.rate != connector.pace:
                pace = self._paces[name] = Pace(connector.pace)
            line = self._lines[name] = _Line(connector, pace)
        line.waiting.append(question)
        return None

    def _leave(self) -> float:
        """Let all calls leave that may. Returns in how many seconds others may."""
        now = time.monotonic()
        soonest = now + _IDLE
        for line in self._lines.values():
            while sum(len(one.flying) for one in self._lines.values()) < AT_ONCE:
                call, free = line.next(now)
                if call is None:
                    soonest = min(soonest, free)
                    break
                line.pace.take(now)
                number, call.begun = next(self._number), now
                line.flying[number] = call
                threading.Thread(
                    target=self._call, args=(line, number, call), name=f"pull-{number}", daemon=True
                ).start()
        return soonest - now

    def _call(self, line: _Line, number: int, call: _Call) -> None:
        found: Answer | ConnectorError
        try:
            found = ask(line.connector, call.question, call.page)
        except ConnectorError as error:
            found = error
        except Exception as error:  # noqa: BLE001 - one question's fault must not end the others
            found = Rejected(f"digilog itself failed to read its answer ({type(error).__name__})")
        self._back.put((line, number, found))

    def _take(self, line: _Line, call: _Call, found: Answer | ConnectorError) -> Iterator[Question]:
        question, now = call.question, time.monotonic()
        question.took += now - call.begun
        if isinstance(found, ConnectorError):
            yield from self._failed(line, call, found, now)
            return
        line.away = 0
        try:
            more = question.take(found)
        except Rejected as error:
            question.error = error
            more = []
        for page in more:
            heapq.heappush(line.ready, _Call(0.0, question.number, question, page))
        longest = self._patience.question
        if question.took > longest and not question.done:
            question.error = Rejected(f"it took longer than {longest:.0f} seconds", next_step="ask for fewer days")
        if question.done:
            line.end(question)
            yield question

    def _failed(self, line: _Line, call: _Call, error: ConnectorError, now: float) -> Iterator[Question]:
        if isinstance(error, Unavailable):
            pause = self._patience.pause * 2**call.tries * random.uniform(0.75, 1.25)
            if error.retry_after is not None:
                line.rest = max(line.rest, now + min(error.retry_after, self._patience.rest))
                pause = error.retry_after
            call.tries += 1
            if call.tries < TRIES and pause <= self._patience.rest:
                call.due = now + pause
                heapq.heappush(line.ready, call)
                return
            line.away = AWAY if pause > self._patience.rest else line.away + 1
        call.question.error = error
        line.end(call.question)
        yield call.question
        if isinstance(error, NotConnected) or line.away >= AWAY:
            yield from self._rest(line, error)

    def _rest(self, line: _Line, error: ConnectorError) -> Iterator[Question]:
        """Nobody is there: what else is to be asked of this connection is not asked any more."""
        left = [*line.active, *line.waiting]
        line.active.clear()
        line.waiting.clear()
        for question in left:
            question.error = error
            yield question

    def _silent(self) -> Iterator[Question]:
        """Calls that nobody answers: they are given up, and their threads left behind."""
        now = time.monotonic()
        for line in self._lines.values():
            for number, call in list(line.flying.items()):
                if now - call.begun > self._patience.call:
                    del line.flying[number]
                    if not call.question.done:
                        said = f"no answer within {self._patience.call:.0f} seconds"
                        error = Unavailable(said, connection=line.connector.name)
                        call.tries = TRIES
                        yield from self._failed(line, call, error, now)
