"""The command `digilog`: one sentence for whatever goes wrong, and never a traceback."""

import sys

from connectors.errors import ConnectorError
from flows.cli import cases, doubts, files, keeping, running, work
from flows.cli.app import app
from flows.engine.books import BookError
from flows.engine.operate import OperateError
from flows.people.assignments import AssignmentError
from flows.screen import Refused, fail
from flows.settings import SettingsError
from flows.store.backup import BackupError
from flows.store.store import StoreError
from flows.supervisor import CannotStart

__all__ = ["app", "cases", "doubts", "files", "keeping", "main", "running", "work"]

_TOLD = (
    AssignmentError, BackupError, BookError, CannotStart, ConnectorError, OperateError, Refused, SettingsError,
    StoreError,
)  # fmt: skip


def main() -> None:
    """Run one command; exit 1 with a sentence on what we know can go wrong."""
    try:
        app()
    except _TOLD as error:
        fail(str(error))
    except BrokenPipeError:  # `digilog cases | head`
        sys.exit(0)
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}; check the disk and who may write there")
