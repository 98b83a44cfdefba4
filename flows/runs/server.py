"""Prefect's server as a process of `up`: `python -m flows.runs.server`."""

import os

from flows.process import begin
from flows.runs.environment import prefect_env
from flows.settings import Settings


def main() -> None:
    settings = Settings()
    begin("prefect-server", settings.home)
    os.environ.update(prefect_env(settings))
    import uvicorn  # after the environment is set: Prefect reads it when it is imported
    from prefect.server.api.server import create_app

    uvicorn.run(
        create_app(final=True),
        host="127.0.0.1",
        port=settings.prefect_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    main()
