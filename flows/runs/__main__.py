"""Shows the work in Prefect: `python -m flows.runs`, started by the supervisor."""

import asyncio
import logging
import os
import signal
import threading
import time

from flows.engine.books import BookError
from flows.process import begin
from flows.runs.environment import prefect_env
from flows.runs.house import House, open_house, use
from flows.settings import Settings

log = logging.getLogger(__name__)


def main() -> None:
    settings = Settings()
    begin("runs", settings.home)
    os.environ.update(prefect_env(settings))
    from flows.runs.follow import follow  # after the environment: Prefect reads it when it is imported

    house = _house(settings)
    use(house)
    follower = threading.Thread(target=follow, args=(house,), name="follower", daemon=True)
    follower.start()
    asyncio.run(_work(house))
    follower.join(6)
    house.store.close()
    logging.shutdown()
    os._exit(0)  # threads that wait for Prefect are not waited for: their runs are ended after the next start


def _house(settings: Settings) -> House:
    while True:
        try:
            return open_house(settings)
        except BookError as error:
            log.warning("the playbooks do not check; looked at again in 5 s:\n%s", error)
            time.sleep(5)


async def _work(house: House) -> None:
    """Be Prefect's worker until SIGTERM."""
    from flows.runs.worker import serve

    task = asyncio.ensure_future(serve(house))

    def told() -> None:
        house.stop.set()
        task.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, told)
    await asyncio.wait([task])


if __name__ == "__main__":
    main()
