"""What every command shares: the app, and where the company's files and its home lie."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError

from flows.engine.__main__ import make_world
from flows.engine.world import World
from flows.screen import Refused
from flows.settings import Settings
from flows.store.store import Store, open_store

POSTGRESQL = "postgresql"  # the mark of a home whose store is a database; never its address

app = App(
    name="digilog",
    help="Turns the documented processes of a small company into running work.",
    version=version("digilog"),
    version_flags=["--version"],
    result_action="return_value",
)


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which company, and which home."""

    home: Annotated[Path | None, Parameter(help="Folder of store, outbox and files [DIGILOG_HOME]")] = None
    playbooks: Annotated[Path | None, Parameter(help="Folder of the company's YAML [DIGILOG_PLAYBOOKS]")] = None

    def settings(self, **more: object) -> Settings:
        """Settings with what the command line says before all else; a home remembers its company."""
        given = {"home": self.home, "playbooks": self.playbooks, **more}
        try:
            found = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            wrong = (f"DIGILOG_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors(include_input=False))
            raise Refused("; ".join(wrong) + "; correct it in the environment or in .env") from None
        home = found.home.absolute()
        playbooks = found.playbooks
        known = home / "home.json"
        if self.playbooks is None and "playbooks" not in _said(found) and known.exists():
            playbooks = Path(kept(known)["playbooks"])
        return found.model_copy(update={"home": home, "playbooks": playbooks.absolute()})

    def open(self) -> tuple[Settings, Store]:
        """The store of a home that exists. Raises Refused if there is none."""
        settings = self.settings()
        refuse_without_database(settings)
        if not settings.database_url and not (settings.home / "digilog.db").exists():
            raise Refused(f"there is no home at {settings.home} yet; digilog up makes it, or name another: --home")
        return settings, open_store(settings.home, settings.database_url)

    def world(self) -> tuple[World, Store]:
        settings, store = self.open()
        running = settings.home / "up.json"
        if running.exists():
            port = int(kept(running)["ready"].rpartition(":")[2])
            settings = settings.model_copy(update={"port": port})
        return make_world(settings, store), store


def refuse_without_database(settings: Settings) -> None:
    """Raises Refused for a home on PostgreSQL where no address is set: its cases would seem to be gone."""
    known = settings.home / "home.json"
    if not settings.database_url and known.exists() and kept(known).get("store") == POSTGRESQL:
        raise Refused(
            f"the store of {settings.home} is a PostgreSQL database;"
            " set DIGILOG_DATABASE_URL as it was when this home was started"
        )


def kept(file: Path) -> dict[str, str]:
    """What `up` wrote down. Raises Refused if it is damaged."""
    try:
        found: dict[str, str] = json.loads(file.read_text("utf-8"))
    except ValueError:
        raise Refused(f"{file} is damaged; delete it, and start this home again with digilog up --playbooks") from None
    return found


def _said(settings: Settings) -> set[str]:
    """Settings that the environment or `.env` names."""
    return set(settings.model_fields_set)


HERE = Where()
