"""What every page is handed: the company's world, the store, the writer, and the settings of the door."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flows.engine.world import World
from flows.store.store import Store
from flows.store.wake import Wake
from flows.web.rate import Rate
from flows.web.words import Words, words
from flows.web.writer import Writer


@dataclass
class Context:
    """`world.book` and `world.clock` are replaced as files and clock change."""

    world: World
    store: Store
    writer: Writer
    wake: Wake  # the engine
    public_host: str | None = None  # the host name of DIGILOG_PUBLIC_URL
    board_public: bool = False  # the board is served under that name too
    look: Callable[[], None] | None = None  # asked each second, in a thread: have files or clock changed?
    patience: float = 10.0  # seconds in which a body must have come
    rate: Rate = field(default_factory=lambda: Rate(30))
    logins: Rate = field(default_factory=lambda: Rate(10))  # tries a minute of an address
    names: Rate = field(default_factory=lambda: Rate(30))  # for a name: more, so that no single address shuts it out
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "reader"))  # of the board

    @property
    def words(self) -> Words:
        return words(self.world.book.company.language)

    def simulated(self) -> datetime | None:
        """Company time, if it is not the machine's."""
        now = self.world.clock.now()
        moved = abs(now - datetime.now(UTC)) > timedelta(seconds=5)
        return now.astimezone(self.world.book.company.zone) if moved else None

    def close(self) -> None:
        """Finish what is being written, and let go; the store stays open."""
        self.readers.shutdown()
        self.writer.close()
        self.wake.close()
