"""The worker that takes what Prefect itself starts: schedules that fire, and runs started in its pages."""

import asyncio
import logging
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from flows.runs.environment import healthy
from flows.runs.flow import flow_of
from flows.runs.house import House, house

POOL = "digilog"
_FIRST, _LONGEST = 1.0, 30.0  # seconds of back-off
log = logging.getLogger(__name__)


class Digilog(BaseWorker[BaseJobConfiguration, BaseVariables, BaseWorkerResult]):
    """Carries flow runs in threads of this process."""

    type = "digilog"
    job_configuration = BaseJobConfiguration
    _description = "Carries the playbooks of digilog."

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,  # noqa: ARG002 - the worker's interface
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> BaseWorkerResult:
        if task_status:
            task_status.started(1)
        flow = await self.client.read_flow(flow_run.flow_id)
        await anyio.to_thread.run_sync(_carry, flow.name, flow_run, abandon_on_cancel=True)
        return BaseWorkerResult(status_code=0, identifier=str(flow_run.id))


def _carry(name: str, flow_run: FlowRun) -> None:
    playbook = house().book.playbooks.get(name)
    if playbook is None:
        raise LookupError("the playbook of this deployment is gone from the company's files")
    state: Any = run_flow(flow_of(playbook), flow_run=flow_run, return_type="state")
    log.info("flow run %s was carried: %s", UUID(str(flow_run.id)), state.type.value)


async def serve(at_home: House, pool: str = POOL) -> None:
    """Work until cancelled; begins again when Prefect's server was away."""
    pause = _FIRST
    while True:
        try:
            if await anyio.to_thread.run_sync(healthy, at_home.settings):
                await Digilog(work_pool_name=pool, limit=4).start(printer=log.info)
                pause = _FIRST
        except Exception as error:  # noqa: BLE001 - see below
            # The loops of a worker raise after some tries; a dead server must not end this process.
            log.warning("the worker begins again (%s)", type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)
