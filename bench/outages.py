"""The service called is away, forgets to answer, or all of digilog is killed: what is lost, and how soon it goes on."""

import time
from contextlib import closing
from pathlib import Path
from threading import Thread, Timer

from bench.figures import Rows, at_most, drain, goal
from bench.load import Load, arrived, keys, knock, send
from bench.systems import Digilog

RATE = 20
AWAY = 5.0  # seconds
BACKLOG = 1_000


def outages(folder: Path, *, quick: bool) -> Rows:
    """A: 503 for five seconds. B: 503, kill -9 of all, heal, start. Then answers that are lost."""
    with closing(Digilog(folder, "outages")) as ours:
        ours.start()
        yield from _away(ours)
        yield from _forgetful(ours)
        yield from _killed(ours)
        yield from _backlog(ours, 300 if quick else BACKLOG)


def _away(ours: Digilog) -> Rows:
    ours.sink.set(down=AWAY, after=2)
    heals = time.monotonic() + 2 + AWAY
    load = send(ours.port, RATE, 10)
    lost = drain(load, ours)
    again = max(arrived(ours.sink.file)[n] for n in load.answered) - heals if not lost else float("nan")
    said = f"{lost} lost of {len(load.due)}, {_twice(ours, load)} twice, all done {again:.1f} s after it was back"
    yield goal(f"outage A: 503 for {AWAY:g} s at {RATE}/s", "0 lost", said, reached=not lost)


def _forgetful(ours: Digilog) -> Rows:
    ours.sink.set(reset=AWAY, after=2)
    load = send(ours.port, RATE, 10)
    lost, under = drain(load, ours), keys(ours.sink.file)
    time.sleep(3)  # what is repeated comes later than what came first
    again = sum(len(under.get(n, [])) > 1 for n in load.due)
    twice = _twice(ours, load)
    said = f"{lost} lost of {len(load.due)}, {again} repeated under their key, {twice} under another"
    what = f"answers are lost for {AWAY:g} s"
    yield goal(what, "0 lost, 0 under another key", said, reached=not lost and not twice)


def _killed(ours: Digilog) -> Rows:
    ours.sink.set(down=3600)
    load = send(ours.port, RATE, 79 / RATE)
    ours.kill()
    ours.sink.set()
    ours.start(wait=False)
    lost, twice = drain(load, ours), _twice(ours, load)
    said = f"{lost} lost of {len(load.due)}, {twice} twice"
    yield goal("outage B: 503, kill -9, heal, start", "0 lost, 0 twice", said, reached=not lost and not twice)


def _backlog(ours: Digilog, count: int) -> Rows:
    """Accepted while the engine stood still, and then all was killed."""
    ours.until("ready")
    ours.freeze("engine")
    while not knock(ours.port, 0.1).answered:  # it was frozen within a transaction
        ours.thaw("engine")
        time.sleep(0.5)
        ours.freeze("engine")
    load = send(ours.port, 0, count)
    ours.kill()
    begin = time.monotonic()
    ours.start(wait=False)
    lost, came = drain(load, ours), arrived(ours.sink.file)
    found = sorted(came[n] - begin for n in load.answered if n in came) or [float("nan")]
    yield at_most(f"a backlog of {count:,} starts, from the command on", 5, found[0], " s")
    twice = _twice(ours, load)
    said = f"{lost} lost of {len(load.answered)}, {twice} twice, all done after {found[-1]:.1f} s"
    reached = len(load.answered) == count and not lost and not twice
    yield goal(f"a backlog of {count:,}, all killed", "0 lost, 0 twice", said, reached=reached)


def _twice(ours: Digilog, load: Load) -> int:
    """Events that came under two keys; a service that drops repeated keys would have done them twice."""
    under = keys(ours.sink.file)
    return sum(len(set(under.get(n, []))) > 1 for n in load.due)


def starts(folder: Path, *, quick: bool) -> Rows:
    """From the command to the first accepted webhook; and after kill -9 of web and of the engine, under load."""
    with closing(Digilog(folder, "starts")) as ours:
        yield at_most("from `up` to the first 202, new home", 1, _first(ours), " s")
        ours.stop()
        yield at_most("from `up` to the first 202, known home", 1, _first(ours), " s")
        time.sleep(3)
        yield from _web_killed(ours, 3 if quick else 6)
        yield from _engine_killed(ours)


def _first(ours: Digilog) -> float:
    """Seconds from the command to the first 202, asked for every 10 ms."""
    begin = time.monotonic()
    ours.start(wait=False)
    while ours.alive() and time.monotonic() < begin + 60:
        knocks = knock(ours.port, 0.01)
        if knocks.answered:
            return min(knocks.answered.values()) - begin
    ours.until("ready")  # says why there is none
    return float("nan")


def _web_killed(ours: Digilog, seconds: float) -> Rows:
    killed: list[float] = []

    def kill() -> None:
        killed.append(time.monotonic())
        ours.kill("web")

    Timer(1, kill).start()
    knocks = knock(ours.port, seconds)
    after = [at - killed[0] for n, at in knocks.answered.items() if at > killed[0]]
    said = f"{knocks.refused} refused of {len(knocks.sent)} knocks, {knocks.cut} cut"
    yield goal("kill -9 of web: connections refused", "0", said, reached=not knocks.refused)
    yield at_most("kill -9 of web: the first 202 after it", 1.5, min(after, default=float("nan")), " s")


def _engine_killed(ours: Digilog) -> Rows:
    found: list[Load] = []
    sender = Thread(target=lambda: found.append(send(ours.port, 100, 6)))
    sender.start()
    time.sleep(2)
    killed = time.monotonic()
    ours.kill("engine")
    sender.join()
    lost, came = drain(found[0], ours), arrived(ours.sink.file)
    later = [came[n] - killed for n, due in found[0].due.items() if due > killed and n in came]
    yield at_most("kill -9 of the engine at 100/s: working again", 3, min(later, default=float("nan")), " s")
    twice = _twice(ours, found[0])
    said = f"{lost} lost of {len(found[0].due)}, {twice} twice"
    yield goal("kill -9 of the engine at 100/s", "0 lost, 0 twice", said, reached=not lost and not twice)
