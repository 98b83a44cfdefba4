"""The Prefect flow of a playbook: one task a step, each returning when every case of the run has passed it or left."""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from prefect import Flow, Task, get_client
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.states import Cancelled, Completed, Failed

from flows.playbook.model import Playbook
from flows.runs import pages, start
from flows.runs.house import House, StoppedError, house
from flows.runs.names import plain
from flows.runs.progress import TAKEN, Progress, say
from flows.runs.pulled import pulled

log = logging.getLogger(__name__)
NOTHING_READY = "nothing was ready"
_LINKED = 20  # cases of a run that its table links


def flow_of(playbook: Playbook) -> Flow[..., Any]:
    """The flow of a playbook, as it stands now; a run shows the steps of its own pinned version."""

    def flow(run: str | None = None, period: str | None = None) -> State[Any]:
        return _safely(playbook.playbook, run, period)

    return Flow(
        flow,
        name=playbook.playbook,
        description=f"{playbook.title}\n\n{playbook.purpose}",
        persist_result=False,
        log_prints=False,
    )


def _safely(playbook: str, run: str | None, period: str | None) -> State[Any]:
    at_home = house()
    try:
        if run is not None and at_home.run(run)[0]["state"] == "ended":
            return pages.again(at_home, run)
        run = run or start.begin(at_home, playbook, period)
        return NOTHING if run is None else show(at_home, run)
    except StoppedError:
        return Failed(message="digilog was stopped while it showed this run; the next start ends it as it is")
    except Exception:
        # What went wrong stays in our own log: Prefect keeps exceptions in clear.
        log.exception("run %s cannot be shown", run)
        if run:
            at_home.cut_off.add(run)
        raise RuntimeError("digilog could not show this run; the log of `runs` has the details") from None
    finally:
        if at_home.stand_in:
            at_home.stand_in.rest()


NOTHING: State[Any] = Completed(message=NOTHING_READY)


def show(house: House, run: str) -> State[Any]:
    """Show one run, step by step, as the engine does its work. Ends the run."""
    _, playbook = house.run(run)
    step, progress = 0, house.progress(run, playbook)
    while (found := progress.next(step)) is not None:
        _task(house, run, playbook, found)
        step, progress = found + 1, house.progress(run, playbook)
    return ended(house, run, playbook)


def ended(house: House, run: str, playbook: Playbook) -> State[Any]:
    """End a run in our store, list its cases, and say what became of them."""
    until = house.now()
    progress = house.progress(run, playbook)
    flow_run = start.end(house, run, until)
    if flow_run:
        _list(house, flow_run, playbook, progress)
        _list_pulls(house, flow_run, playbook, run)
    counts = say(progress.counts())
    if run in house.cancelled:
        return Cancelled(message=f"{counts}; held cases wait until someone resumes them")
    if progress.failed:
        return Failed(message=f"{counts}. {progress.failures()}")
    return Completed(name="Taken over" if progress.counts()[TAKEN] else None, message=counts or NOTHING_READY)


def _task(house: House, run: str, playbook: Playbook, step: int) -> None:
    words = plain(playbook.steps[step].do)
    work = partial(_wait, house, run, playbook, step)

    def passed() -> State[Any]:
        return work()

    task = Task(passed, name=words, task_run_name=words, cache_policy=NO_CACHE, persist_result=False)
    task(return_state=True)


def _wait(house: House, run: str, playbook: Playbook, step: int) -> State[Any]:
    progress = house.settle(run, playbook, lambda now: now.settled(step))
    counts = say(progress.counts(step))
    if context := TaskRunContext.get():
        # The event of the final state carries the name; a call of the API would be overwritten by it.
        context.task_run.name = f"{plain(playbook.steps[step].do)} · {counts}"
    failures = progress.failures(step)
    return Failed(message=f"{counts}. {failures}") if failures else Completed(message=counts)


def _list(house: House, flow_run: str, playbook: Playbook, progress: Progress) -> None:
    """The table of the run's cases: ids, states and steps only; above it the first ones' pages on the board."""
    steps = [plain(step.do) for step in playbook.steps]
    table = [
        {
            "case": trace.case,
            "state": trace.stood or "at work",
            "step": steps[trace.at] if 0 <= trace.at < len(steps) else "",
            "its story": f"digilog case {trace.case}",
        }
        for trace in progress.traces
    ]
    board = house.settings.board
    pages = [f"[{trace.case}]({board}/cases/{trace.case})" for trace in progress.traces[:_LINKED]]
    _keep(f"cases-{playbook.playbook}", table, " · ".join([f"{len(table)} cases", *pages]), flow_run)


def _list_pulls(house: House, flow_run: str, playbook: Playbook, run: str) -> None:
    """The table of what the run pulled into the metrics ledger, if it did."""
    with house.store.read() as session:
        found = pulled(session, run)
    if found:
        _keep(f"numbers-{playbook.playbook}", found.table, found.said, flow_run)


def _keep(key: str, table: Sequence[Mapping[str, str]], description: str, flow_run: str) -> None:
    artifact = ArtifactCreate(
        key=key, type="table", data=json.dumps(table, ensure_ascii=False),
        description=description, flow_run_id=UUID(flow_run),
    )  # fmt: skip
    with get_client(sync_client=True) as client:
        client.create_artifact(artifact)
