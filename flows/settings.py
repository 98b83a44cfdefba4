"""Where this installation lies and how it is reached: environment, `.env`, and the secrets folder."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CONNECTIONS = "DIGILOG_CONNECTIONS__"


class SettingsError(Exception):
    """A setting that cannot be used; the sentence says which and what to do."""


class Settings(BaseSettings):
    """Every setting is `DIGILOG_<NAME>` in the environment or in `.env`; the command line goes before both."""

    model_config = SettingsConfigDict(env_prefix="DIGILOG_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".digilog/home")  # store, outbox, files, Prefect's own folder
    database_url: str = Field("", repr=False)  # PostgreSQL in place of the home's own file; may hold a password
    secret_key: str = Field("", repr=False)  # seals connections' tokens where the store is a database
    playbooks: Path = Path("playbooks")  # the company's folder of YAML
    port: int = 4080  # web: inbox, forms, assignment pages
    prefect_port: int = 4200
    public_url: str = ""  # where customers reach web; unset: loopback only
    board_public: bool = False  # the board, too, is served under the public name (it asks to log in)
    host: str = "127.0.0.1"  # the address that web listens at; beyond loopback only once there is an admin
    secrets_dir: Path | None = None  # one file a secret, named as its variable
    give_up_hours: float = 24  # an unreachable service is tried this long, then a person takes over
    retain_raw_days: int = Field(90, ge=1)  # customers' words, counted from the end of their case
    retain_cases_days: int = Field(730, ge=1)  # what is left of an ended case

    @property
    def address(self) -> str:
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    @property
    def board(self) -> str:
        """Where people find the board: under the public name only if it is opened there."""
        return self.address if self.board_public else f"http://127.0.0.1:{self.port}"


def secrets(settings: Settings) -> Mapping[str, str]:
    """All `DIGILOG_CONNECTIONS__*` values; the environment goes before `.env`, that before the folder.

    Raises SettingsError if the secrets folder can be read by others.
    """
    found = dict(_folder(settings.secrets_dir)) if settings.secrets_dir else {}
    found |= {name: value for name, value in dotenv_values(".env").items() if value is not None}
    found |= os.environ
    return {name: value for name, value in found.items() if name.startswith(CONNECTIONS)}


def _folder(folder: Path) -> list[tuple[str, str]]:
    if not folder.is_dir():
        raise SettingsError(f"DIGILOG_SECRETS_DIR: there is no folder {folder}; make it, or unset the variable")
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"DIGILOG_SECRETS_DIR: others can read {folder}; run: chmod 700 {folder}")
    return [(file.name, file.read_text("utf-8").strip()) for file in folder.iterdir() if file.is_file()]
