"""What people do to runs in Prefect's pages: try failed cases again, or cancel, which holds what is unfinished."""

from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed
from sqlalchemy import select

from flows.engine.operate import OperateError, hold, retry
from flows.runs.house import House
from flows.store import tables as t
from flows.store.read import rows

WHO = "prefect"  # whoever holds Prefect's one password
HELD_BECAUSE = "its run was cancelled in Prefect; resume it when it may go on"


def again(house: House, run: str) -> State:
    """Let the failed cases of an ended run be tried again; they are shown in a new run.

    A fallback that nobody claimed is withdrawn, a claimed one refuses.
    """
    tried = refused = 0
    progress = house.progress(run, house.run(run)[1])
    for trace in progress.traces:
        if trace.failed:
            try:
                with house.store.write() as session:
                    retry(session, trace.case, WHO, house.now())
                tried += 1
            except OperateError:
                refused += 1
    house.wake()
    said = f"{tried} tried again, shown in a new run"
    return Completed(message=f"{said}; {refused} taken over by a person or in doubt" if refused else said)


def cancel(house: House) -> int:
    """Hold the unfinished cases of open runs that were cancelled in Prefect. Returns how many cases were held."""
    with house.store.read() as session:
        r = t.run.c
        found = rows(session, select(t.run).where(r.state == "open", r.flow_run.is_not(None)))
    count = 0
    if found:
        with get_client(sync_client=True) as client:
            for row in found:
                try:
                    state = client.read_flow_run(UUID(row["flow_run"])).state
                except ObjectNotFound:
                    continue
                if state and (state.is_cancelling() or state.is_cancelled()):
                    house.cancelled.add(row["id"])
                    count += _hold(house, row["id"])
    return count


def _hold(house: House, run: str) -> int:
    count = 0
    for trace in house.progress(run, house.run(run)[1]).traces:
        if trace.stood is None:
            try:
                with house.store.write() as session:
                    hold(session, trace.case, WHO, HELD_BECAUSE, house.now())
                count += 1
            except OperateError:  # it has ended meanwhile, or is held already
                continue
    return count
