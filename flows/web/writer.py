"""One thread that writes for all requests: what falls together is one commit, and nobody is answered before it."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from flows.store.store import Store

PATIENCE = 6.0  # seconds that a request waits for its commit; the store itself waits 5 for its lock
_TOGETHER = 200  # requests in one commit
_WAITING = 2_000  # requests in the queue; more are refused at once
log = logging.getLogger(__name__)
T = TypeVar("T")


class StoreBusy(Exception):  # noqa: N818 - what it says to the sender: come again
    """The store is locked, full or damaged; nothing was kept."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: Future[Any]


class Writer:
    """Does pieces of work in the order they came, each in a savepoint of its own."""

    def __init__(self, store: Store, after: Callable[[], None] = lambda: None) -> None:
        self._store, self._after = store, after
        self._waiting: queue.Queue[_Job | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T], patience: float = PATIENCE) -> T:
        """What `work` returns, once it is on disk. Raises StoreBusy, or what `work` raised (nothing is kept then)."""
        done: Future[T] = Future()
        try:
            self._waiting.put_nowait(_Job(work, done))
        except queue.Full:
            raise StoreBusy from None
        try:
            return await asyncio.wait_for(asyncio.wrap_future(done), patience)
        except TimeoutError:
            raise StoreBusy from None

    def close(self) -> None:
        """Finish what waits, then end."""
        self._waiting.put(None)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            jobs, last = self._gathered(first)
            self._commit([job for job in jobs if job.done.set_running_or_notify_cancel()])
            if last:
                return

    def _gathered(self, first: _Job) -> tuple[list[_Job], bool]:
        jobs = [first]
        while len(jobs) < _TOGETHER:
            try:
                job = self._waiting.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _commit(self, jobs: list[_Job]) -> None:
        answers: list[tuple[_Job, Any, Exception | None]] = []
        try:
            answers = self._together(jobs) or self._one_by_one(jobs)
        except Exception as error:  # noqa: BLE001 - the thread outlives a store that refuses
            log.warning("the store refused %s writes (%s)", len(jobs), type(error).__name__)
            answers = [(job, None, StoreBusy()) for job in jobs]
        for job, answer, fault in answers:
            if fault is None:
                job.done.set_result(answer)
            else:
                job.done.set_exception(fault)
        self._after()

    def _together(self, jobs: list[_Job]) -> list[tuple[_Job, Any, Exception | None]]:
        """All without savepoints, which cost more than the work; nothing if one of them fails."""
        try:
            with self._store.write() as session:
                return [(job, job.work(session), None) for job in jobs]
        except DatabaseError:
            raise  # a full disk is no fault of one job
        except Exception:  # noqa: BLE001 - who it was is found one by one
            return []

    def _one_by_one(self, jobs: list[_Job]) -> list[tuple[_Job, Any, Exception | None]]:
        with self._store.write() as session:
            return [(job, *_tried(session, job.work)) for job in jobs]


def _tried(session: Connection, work: Callable[[Connection], Any]) -> tuple[Any, Exception | None]:
    """One piece of work in its savepoint: its fault takes back its own rows only."""
    try:
        with session.begin_nested():
            return work(session), None
    except DatabaseError:
        raise  # a full disk ends the whole transaction
    except Exception as error:  # noqa: BLE001 - told to the one who asked
        return None, error
