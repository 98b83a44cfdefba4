"""The command `digilog`: one sentence for whatever goes wrong, and never a traceback."""

import sys

from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError

from connectors.errors import ConnectorError
from flows.cli import (
    cases,
    connecting,
    doubts,
    files,
    keeping,
    metrics,
    publishing,
    pulling,
    running,
    trying,
    users,
    work,
    writing,
)
from flows.cli.app import app
from flows.engine.books import BookError
from flows.engine.operate import OperateError
from flows.people.assignments import AssignmentError
from flows.people.users import UserError
from flows.screen import Misused, Refused, fail
from flows.settings import SettingsError
from flows.store.backup import BackupError
from flows.store.store import StoreError, cause
from flows.supervisor import CannotStart

__all__ = [
    "app", "cases", "connecting", "doubts", "files", "keeping", "main", "metrics", "publishing", "pulling", "running",
    "trying", "users", "work", "writing",
]  # fmt: skip

_TOLD = (
    AssignmentError, BackupError, BookError, CannotStart, ConnectorError, OperateError, Refused, SettingsError,
    StoreError, UserError,
)  # fmt: skip


def main() -> None:
    """Run one command; exit 1 with a sentence on what we know can go wrong, 2 on words that ask for nothing."""
    try:
        app()
    except Misused as error:
        fail(str(error), 2)
    except _TOLD as error:
        fail(str(error))
    except DatabaseError as error:
        fail(f"the store cannot be used just now: {cause(error)}")
    except ValidationError as error:  # its own words show what stands in the setting
        named = ", ".join(f"DIGILOG_{one['loc'][0]}".upper() for one in error.errors(include_input=False) if one["loc"])
        fail(f"{named or 'a setting'}: this value cannot be used; correct it in the environment or in .env")
    except UnicodeDecodeError:
        fail("a file of settings (.env, or one in DIGILOG_SECRETS_DIR) is not UTF-8; save it as UTF-8")
    except BrokenPipeError:  # `digilog cases | head`
        sys.exit(0)
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}; check the disk and who may write there")
