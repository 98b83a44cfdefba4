"""Random kills under load: webhooks at a steady rate, some sent twice; a sink that loses answers; an audit."""

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tests.sweep import company
from tests.sweep.audit import Outcome, audit
from tests.sweep.house import House, Stuck

RATE = 50.0  # events a second
TWICE = 0.05  # of the events are sent again under their key, at once or within three seconds
LOST = 0.1  # of what the sink does is never answered
PAUSE = (0.5, 1.5)  # seconds from one kill to the next
SENDERS = 64
TRIES = 60.0  # seconds in which a sender is answered, however often it must come again
PATIENCE = 120.0  # seconds in which everything must have settled afterwards, and more the more events there were


@dataclass(frozen=True, slots=True)
class Played:
    """What was done, and what came out."""

    events: int
    sent_again: int
    seconds: float
    settled: float  # seconds that it took afterwards
    kills: Counter[str]
    outcome: Outcome


class Killer:
    """Kills one of the parts by chance again and again, and starts at once what it killed."""

    def __init__(self, house: House, parts: Sequence[str], chance: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self._house, self._parts, self._chance = house, parts, chance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="killer")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._chance.uniform(*PAUSE)):
            part = self._chance.choice(self._parts)
            process = self._house.running[part]
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                self.kills[part] += 1
            self._house.spawn(part)


def play(house: House, events: int, parts: Sequence[str], *, rate: float = RATE, seed: int = 1) -> Played:
    """Send so many events; every part of `parts` is running and dies again and again meanwhile."""
    chance = random.Random(seed)
    ids = [f"load-{number}" for number in range(events)]
    before = house.received()
    house.sink.lose(LOST)
    begun = time.monotonic()
    killer = Killer(house, parts, random.Random(seed))
    with ThreadPoolExecutor(SENDERS) as pool:
        try:
            sent = _send(house, ids, rate, chance, pool)
            answered = all(one.result() for one in sent)
        finally:
            killer.stop()
    over = time.monotonic()
    for part in parts:
        if house.dead(part):
            house.spawn(part)
    with contextlib.suppress(Stuck):
        house.wait(lambda: house.settled(before + events), "everything to settle", PATIENCE + events / 40)
    done = time.monotonic()
    outcome = audit(house, *ids, answered=answered)
    house.sink.lose(0)
    if not killer.kills:
        outcome.other.append("nothing was killed")
    return Played(events, len(sent) - events, over - begun, done - over, killer.kills, outcome)


def _send(
    house: House, ids: Sequence[str], rate: float, chance: random.Random, pool: ThreadPoolExecutor
) -> list[Future[bool]]:
    """Each at its own moment, however long the others take to be answered."""
    moments = [(number / rate, id) for number, id in enumerate(ids)]
    again = chance.sample(moments, round(len(ids) * TWICE))
    moments += [(at + chance.choice((0.0, chance.uniform(0, 3))), id) for at, id in again]
    begun, sent = time.monotonic(), []

    def one(id: str) -> bool:
        return house.send(id, time.monotonic() + TRIES)

    for number, (at, id) in enumerate(sorted(moments)):
        time.sleep(max(0.0, begun + at - time.monotonic()))
        sent.append(pool.submit(one, id))
        if number % 1_000 == 999:
            print(f"{number + 1} sent, {house.received()} kept", flush=True)
    return sent


def told(played: Played) -> list[str]:
    """What the report says of it."""
    out = played.outcome
    kinds = dict.fromkeys(kind for steps in company.STEPS.values() for kind in steps.values())
    again = ", ".join(f"{kind} {out.again[kind]}" for kind in kinds if out.again[kind])
    return [
        f"{played.events} events in {played.seconds:.0f} s, {played.sent_again} of them sent twice",
        f"settled {played.settled:.0f} s afterwards",
        f"killed: {', '.join(f'{part} {count}' for part, count in sorted(played.kills.items()))}",
        f"effects: {', '.join(f'{kind} {out.arrived[kind]}' for kind in kinds)}",
        f"repeated as their class may: {again or 'none'}; in doubt and shown to a person: {out.doubts}",
        f"lost {len(out.lost)}, twice {len(out.twice)}, otherwise wrong {len(out.other)}",
    ]
