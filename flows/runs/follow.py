"""The follower: opens gathered runs in Prefect, shows them in threads, and ends those that a stop left open."""

import logging
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, ObjectNotFound, Pause
from prefect.flow_engine import run_flow
from prefect.states import Completed, Pending
from sqlalchemy import select, update

from flows.engine.__main__ import clock, offset
from flows.engine.books import Files
from flows.playbook.model import Playbook
from flows.runs import pages
from flows.runs.deploy import kept_pool, register_book
from flows.runs.environment import healthy, prefect_url
from flows.runs.flow import ended, flow_of
from flows.runs.gather import due, gather
from flows.runs.house import House, StoppedError
from flows.runs.names import plain
from flows.runs.progress import Progress
from flows.store import tables as t
from flows.store.read import rows
from flows.store.write import set_setting

AT_ONCE = 4  # runs in threads: Prefect's server on SQLite gets slower, not faster, with more
LOOK = 0.25  # seconds between two looks at the journal
_FIRST, _LONGEST = 1.0, 30.0  # seconds of back-off
log = logging.getLogger(__name__)


class Follower:
    """`look` is one pass over the journal; only one thread calls it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._threads: dict[str, threading.Thread] = {}
        self._pause, self._not_before = _FIRST, 0.0
        house.cut_off |= self._open()  # by an earlier process

    def look(self, *, opens: bool = True) -> int:
        """Gather, and show what is due. Returns how many runs are being shown."""
        while gather(self._house):
            pass
        self._threads = {run: thread for run, thread in self._threads.items() if thread.is_alive()}
        if opens and time.monotonic() >= self._not_before:
            free = AT_ONCE - len(self._threads)
            cut_off = [run for run in self._house.cut_off if run not in self._threads]
            with self._house.lock:
                for run in [*cut_off, *due(self._house)][: max(free, 0)]:
                    self._begin(run)
        return len(self._threads)

    def join(self, timeout: float) -> None:
        """Give threads that stop a moment."""
        until = time.monotonic() + timeout
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))

    def _open(self) -> set[str]:
        r = t.run.c
        with self._house.store.read() as session:
            return {row["id"] for row in rows(session, select(r.id).where(r.state == "open", r.flow_run.is_not(None)))}

    def _begin(self, run: str) -> None:
        thread = threading.Thread(target=self._show, args=(run,), name=f"run-{run}", daemon=True)
        self._threads[run] = thread
        self._house.opening.add(run)
        thread.start()

    def _show(self, run: str) -> None:
        try:
            show(self._house, run)
        except (Abort, Pause):  # cancelled in Prefect's pages, and has ended; or suspended: it ends from the journal
            if self._house.run(run)[0]["state"] != "ended":
                self._house.cut_off.add(run)
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - see below
            # Prefect away or broken: the run stays open here and is shown later; nothing else waits for it.
            log.warning("run %s is not shown yet (%s); next try in %.0f s", run, type(error).__name__, self._pause)
            if self._house.run(run)[0]["flow_run"]:
                self._house.cut_off.add(run)
            self._not_before, self._pause = time.monotonic() + self._pause, min(self._pause * 2, _LONGEST)
        else:
            self._house.cut_off.discard(run)
            self._pause = _FIRST
        finally:
            self._house.opening.discard(run)


def show(house: House, run: str) -> None:
    """Show a gathered run in a flow run of its own; end one that was cut off. Raises what Prefect's client raises."""
    row, playbook = house.run(run)
    if row["state"] == "ended":
        return
    if row["flow_run"]:
        _end(house, run, UUID(row["flow_run"]), playbook)
        return
    flow_run = _create(house, run, playbook)
    with house.store.write() as session:
        session.execute(update(t.run).where(t.run.c.id == run).values(flow_run=str(flow_run.id)))
    run_flow(flow_of(playbook), flow_run=flow_run, parameters={"run": run}, return_type="state")
    if house.run(run)[0]["state"] != "ended" and not house.stop.is_set():
        raise RuntimeError("Prefect was lost on the way")


def _create(house: House, run: str, playbook: Playbook) -> FlowRun:
    """Pending from the start, so that the worker's own poll does not take it."""
    progress = house.progress(run, playbook)
    facts: dict[str, Any] = {"parameters": {"run": run}, "state": Pending(), "name": _name(playbook, progress)}
    with get_client(sync_client=True) as client:
        deployment = house.deployments.get(playbook.playbook)
        if deployment is None:  # its playbook is gone from the files
            return client.create_flow_run(flow_of(playbook), **facts)
        try:
            made = client.create_flow_run_from_deployment(deployment, idempotency_key=run, **facts)
        except ObjectNotFound:
            house.deployments.pop(playbook.playbook, None)
            raise
        if made.name != facts["name"]:  # made by a try that was cut off, and cases came since
            client.set_flow_run_name(made.id, facts["name"])
        return made


def _name(playbook: Playbook, progress: Progress) -> str:
    count = len(progress.traces)
    return plain(f"{playbook.title} · {count} {'case' if count == 1 else 'cases'}")


def _end(house: House, run: str, flow_run: UUID, playbook: Playbook) -> None:
    """Wait until the cases of a run that was cut off have left it, then end it in Prefect as the journal says."""
    house.settle(run, playbook, lambda progress: progress.over)
    with get_client(sync_client=True) as client:
        try:
            client.read_flow_run(flow_run)
        except ObjectNotFound:  # Prefect's folder was emptied: the run gets a new one
            with house.store.write() as session:
                session.execute(update(t.run).where(t.run.c.id == run).values(flow_run=None))
            return
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
        for task_run in client.read_task_runs(flow_run_filter=mine):
            if task_run.state is None or not task_run.state.is_final():
                client.set_task_run_state(task_run.id, Completed(message="see the run"), force=True)
        client.set_flow_run_state(flow_run, ended(house, run, playbook), force=True)


class Attendance:
    """What is looked at beside the journal: the company's files, the clock, and Prefect itself."""

    def __init__(self, house: House) -> None:
        self._house, self._files = house, Files(house.settings.playbooks)
        self._registered: tuple[int, bool, str] | None = None
        self._next, self._pause = 0.0, _FIRST
        self._answers = False

    def look(self) -> bool:
        """Whether Prefect answers and holds the deployments as the files say; asked once a second, or less."""
        if time.monotonic() < self._next:
            return self._answers
        house = self._house
        house.book = self._files.changed() or house.book
        house.clock = clock(house.store)
        try:
            self._answers = self._attend(shifted=offset(house.store) != timedelta())
        except Exception as error:  # noqa: BLE001 - see below
            # Whatever Prefect's client raises: the journal is gathered all the same.
            log.warning("Prefect is asked again in %.0f s (%s)", self._pause, type(error).__name__)
            self._answers = False
        self._pause = _FIRST if self._answers else min(self._pause * 2, _LONGEST)
        self._next = time.monotonic() + self._pause
        return self._answers

    def _attend(self, *, shifted: bool) -> bool:
        if not healthy(self._house.settings):
            return False
        wanted = (id(self._house.book), shifted, kept_pool(self._house.store))
        if self._registered != wanted:
            self._house.deployments = register_book(self._house.book, wanted[2], paused=shifted)
            with self._house.store.write() as session:
                set_setting(session, "prefect_url", prefect_url(self._house.settings))
            self._registered = wanted
        pages.cancel(self._house)
        return True


def follow(house: House) -> None:
    """Follow the journal until told to stop; survives Prefect's absence and its own faults."""
    follower, attendance = Follower(house), Attendance(house)
    pause = LOOK
    while not house.stop.wait(pause):
        try:
            follower.look(opens=attendance.look())
            pause = LOOK
        except Exception as error:  # noqa: BLE001 - see below
            # A fault here must not end the process that shows all others; the cursor stands where it stood.
            log.warning("the journal is looked at again in a while (%s)", type(error).__name__)
            pause = min(max(pause, _FIRST) * 2, _LONGEST)
    follower.join(5)
