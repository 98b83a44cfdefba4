"""How Prefect is set up: on loopback, behind a password, keeping little. Imports nothing of Prefect."""

import os
import secrets
from datetime import timedelta
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.http import local
from flows.settings import Settings

USER = "digilog"
KEPT = timedelta(days=30)  # ended flow runs, about 20 kB each; the journal of a case stays in our own store
EVENTS_KEPT = timedelta(days=2)  # Prefect's own event feed, about 80 kB a run
_LOGGING = Path(__file__).with_name("logging.yml")


def prefect_env(settings: Settings) -> dict[str, str]:
    """What server, worker and Prefect's own command line get in their environment; holds the password."""
    folder = (settings.home / "prefect").absolute()
    address, login = prefect_url(settings), f"{USER}:{password(settings)}"
    kept = str(int(KEPT.total_seconds()))
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_API_AUTH_STRING": login,
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(settings.prefect_port),
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": address,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_SERVER_MEMO_STORE_PATH": str(folder / "memo_store.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_ENABLED": "true",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": kept,
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{EVENTS_KEPT.days}D",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_TASKS_DEFAULT_PERSIST_RESULT": "false",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_LOGGING_CONFIG_PATH": str(_LOGGING),
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_LOGGING_COLORS": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_WORKER_PREFETCH_SECONDS": "0",
        "PREFECT_CLI_PROMPT": "false",
    }


def prefect_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.prefect_port}"


def password(settings: Settings) -> str:
    """Prefect's password of this home: made once, readable by its owner only."""
    file = settings.home / "prefect-password"
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(18))
    except FileExistsError:
        pass
    return file.read_text("utf-8").strip()


def healthy(settings: Settings) -> bool:
    """Whether Prefect's server answers."""
    door = local(prefect_url(settings), deadline=2)
    try:
        return door.get("/api/health").status == 200
    except ConnectorError:
        return False
    finally:
        door.close()
