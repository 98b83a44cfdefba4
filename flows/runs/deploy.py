"""One deployment a playbook: in prefect.yaml for everybody to read, and registered by the API at each start."""

from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists
from ruamel.yaml import YAML

from flows.engine.scheduler import RUNNING
from flows.playbook.model import Book, Playbook
from flows.playbook.schedule import Schedule
from flows.runs.flow import flow_of
from flows.settings import Settings
from flows.store.store import Store, open_store
from flows.store.write import set_setting, setting

POOL = TYPE = TAG = "digilog"
FILE = "prefect.yaml"
_POOL = "prefect_pool"
_HEAD = "# Written by `digilog deploy` from the playbooks; change those, not this.\n"


def deployments(book: Book, pool: str = POOL) -> dict[str, Any]:
    """The content of prefect.yaml."""
    return {
        "name": "digilog",
        "pull": None,
        "deployments": [_entry(playbook, book, pool) for playbook in book.playbooks.values()],
    }


def prefect_yaml(book: Book, pool: str = POOL) -> str:
    text, yaml = StringIO(), YAML()
    yaml.default_flow_style, yaml.allow_unicode, yaml.width = False, True, 120
    yaml.dump(deployments(book, pool), text)
    return _HEAD + text.getvalue()


def write_prefect_yaml(folder: Path, book: Book, pool: str = POOL) -> Path:
    """Write the folder's prefect.yaml, so that `prefect deploy --all` takes it."""
    file = folder / FILE
    file.write_text(prefect_yaml(book, pool), "utf-8")
    return file


def keep_pool(settings: Settings, pool: str) -> None:
    """Remember which pool carries this home's starts and schedules; a running `up` registers it within seconds."""
    store = open_store(settings.home, settings.database_url)
    with store.write() as session:
        set_setting(session, _POOL, pool)
    store.close()


def kept_pool(store: Store) -> str:
    with store.read() as session:
        return setting(session, _POOL) or POOL


def drift(folder: Path, book: Book, pool: str = POOL) -> bool:
    """Whether the folder's prefect.yaml says something else than the playbooks."""
    try:
        return (folder / FILE).read_text("utf-8") != prefect_yaml(book, pool)
    except FileNotFoundError:
        return True


def register_book(book: Book, pool: str = POOL, *, paused: bool = False) -> dict[str, UUID]:
    """Register the flows and deployments of a book; changing nothing when called again. Returns Prefect's ids.

    `paused` while only the engine's own scheduler may fire. Raises what Prefect's client raises.
    """
    with get_client(sync_client=True) as client:
        for name, kind in {(POOL, TYPE), (pool, TYPE if pool == POOL else "process")}:
            with suppress(ObjectAlreadyExists):
                client.create_work_pool(WorkPoolCreate(name=name, type=kind, description="carries digilog's playbooks"))
        made = {
            playbook.playbook: _register(client, playbook, book, pool, paused) for playbook in book.playbooks.values()
        }
        _forget(client, set(made.values()))
    return made


def entrypoint(playbook: str) -> str:
    return f"flows.deployed.{variable(playbook)}"


def variable(playbook: str) -> str:
    """A playbook's id as a name in Python."""
    return playbook.replace("-", "_")


def _entry(playbook: Playbook, book: Book, pool: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": playbook.playbook,
        "description": f"{playbook.title}: {playbook.purpose}",
        "tags": [TAG],
        "entrypoint": entrypoint(playbook.playbook),
        "work_pool": {"name": pool},
    }
    if playbook.start.schedule:
        cron, zone = Schedule.parse(playbook.start.schedule).cron, book.company.zone.key
        entry["schedules"] = [{"cron": cron, "timezone": zone, "active": playbook.state in RUNNING}]
    return entry


def _register(client: SyncPrefectClient, playbook: Playbook, book: Book, pool: str, paused: bool) -> UUID:
    entry, flow = _entry(playbook, book, pool), flow_of(playbook)
    return client.create_deployment(
        flow_id=client.create_flow(flow),
        name=entry["name"],
        description=entry["description"],
        tags=entry["tags"],
        entrypoint=entry["entrypoint"],
        path="",
        work_pool_name=pool,
        schedules=[
            DeploymentScheduleCreate(
                schedule=CronSchedule(cron=one["cron"], timezone=one["timezone"]), active=one["active"] and not paused
            )
            for one in entry.get("schedules", ())
        ],
        parameter_openapi_schema=flow.parameters.model_dump(),
        enforce_parameter_schema=True,
        paused=paused and bool(playbook.start.schedule),
    )


def _forget(client: SyncPrefectClient, kept: set[UUID]) -> None:
    """Deployments of playbooks that are gone."""
    for deployment in client.read_deployments():
        if TAG in deployment.tags and deployment.id not in kept:
            client.delete_deployment(deployment.id)
