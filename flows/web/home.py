"""Whether this home is alive and ready."""

import shutil
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from flows.store.write import setting
from flows.web.context import Context
from flows.web.page import data
from flows.web.writer import StoreBusy

_SILENT = timedelta(seconds=30)  # the engine says about every 5 s that it is there
_SPACE = 0.05  # of the disk
_PATIENCE = 2.0  # seconds


async def alive(request: Request) -> Response:
    del request
    return data({"alive": True})


async def ready(request: Request) -> Response:
    """503, with what is wrong, unless events can be kept and are worked on."""
    context: Context = request.app.state.context
    wrong = []
    try:
        seen = await context.writer.write(lambda session: setting(session, "engine_seen"), _PATIENCE)
    except StoreBusy:
        wrong.append("the store cannot be written: it is locked, full or damaged")
    else:
        if not _recent(seen):
            wrong.append("the engine is not at work")
    disk = shutil.disk_usage(context.world.home)
    if disk.free < disk.total * _SPACE:
        wrong.append("the disk is almost full: less than 5 % is free")
    return data({"ready": not wrong, "wrong": wrong}, 503 if wrong else 200)


def _recent(seen: str | None) -> bool:
    """Whether the engine's last sign of life, an ISO time of the real clock, is fresh."""
    try:
        at = datetime.fromisoformat(seen or "")
    except ValueError:
        return False
    return at.tzinfo is not None and datetime.now(UTC) - at < _SILENT
