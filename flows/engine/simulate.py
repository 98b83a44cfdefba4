"""Plays a playbook's tests on a virtual clock: the real engine, a store in memory, and no service reached."""

import contextlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select, text, update

from connectors.clock import VirtualClock
from flows.engine.alone import ERRORS, Alone
from flows.engine.beginnings import BEFORE, STRANGER, Scene, begin, meet
from flows.engine.calls import perform
from flows.engine.coverage import Branch, taken
from flows.engine.effects import Answer, Sending
from flows.engine.engine import Engine
from flows.engine.world import BUILT_IN, World
from flows.ledger.exchanges import Exchange, record
from flows.ledger.series import Cell, series
from flows.people.assignments import CHECKED, AssignmentError, finish, skip, step_of
from flows.people.links import Links
from flows.playbook import starts
from flows.playbook.model import Answered, Book, Expected, Playbook, TestCase, TestEvent
from flows.playbook.schedule import Schedule
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.store import Store, memory_store
from flows.store.write import add, emit

LONGEST = timedelta(days=400)


class Scripted:
    """A caller that reaches nothing: pinned answers, else an empty one; the built-ins really work."""

    free = 1_000

    def __init__(self, world: World, store: Store, pinned: Mapping[str, Any]) -> None:
        self._world, self._store, self._pinned = world, store, pinned
        self._alone = Alone(world.book, world.clock, world.links, world.home, simulated=True)
        self._alone.said = pinned
        self._back: list[Answer] = []
        self.sent: list[Sending] = []

    def submit(self, sending: Sending) -> None:
        self._back.append(self._answer(sending))

    def answers(self) -> list[Answer]:
        back, self._back = self._back, []
        return back

    def _answer(self, sending: Sending) -> Answer:
        pinned = self._pinned.get(f"{sending.connection}.{sending.action}", [] if sending.action == "readings" else {})
        if isinstance(pinned, str) and pinned in ERRORS:
            return Answer(sending.effect, error=ERRORS[pinned]("as the test says"))
        if sending.connection in BUILT_IN:
            return perform(self._alone, self._store, sending)
        self.sent.append(sending)
        result = self._world.action(f"{sending.connection}.{sending.action}").result
        with contextlib.suppress(ValidationError):  # a pinned answer of another shape is the test's own business
            adapter = TypeAdapter(result)
            pinned = adapter.dump_python(adapter.validate_python(pinned))
        return Answer(sending.effect, pinned)


class Simulation:
    """One test of one playbook, played to its end."""

    def __init__(self, book: Book, playbook: Playbook, test: TestCase) -> None:
        self.whole = book
        # the playbook alone: what its cases begin elsewhere is the business of other tests
        self.book, self.playbook, self.test = replace(book, playbooks={playbook.playbook: playbook}), playbook, test
        self.store = memory_store()
        self.clock = VirtualClock(self._moment(test.clock))
        self.world = World(
            self.book,
            self.clock,
            Links("http://127.0.0.1", b"test"),
            Path(),
            chance=random.Random(1),
            simulated=True,
            judged=set(),
        )
        self.calls = Scripted(self.world, self.store, test.connections)
        self.engine = Engine(self.store, self.world, self.calls, fires_at_once=True)
        self.people = dict(test.people)
        self.events = sorted(test.events, key=lambda event: self._moment(event.at))
        self.refused: list[str] = []
        self.taken: set[Branch] = set()
        self.parties: dict[str, str] = {}

    def play(self) -> list[str]:
        """What came out otherwise than expected, one sentence each."""
        self._known_before()
        self._start(self.test.start, 0)
        until = self.clock.now() + LONGEST
        while True:
            while self.engine.turn():
                pass
            then = min((at for at in self._ahead() if at <= until), default=None)
            if then is None:
                break
            self.clock.set(max(then, self.clock.now()))
            self._happen()
        found = list(self._differences(self.test.expect))
        self.taken = taken(self.playbook, self.store, self.world.judged or set())
        self.store.close()
        return found

    def _moment(self, at: datetime) -> datetime:
        return (at if at.tzinfo else at.replace(tzinfo=self.book.company.zone)).astimezone(UTC)

    def _known_before(self) -> None:
        """The parties of the test and what they did, which starts nothing any more."""
        parties = self.test.parties or ({"somebody": STRANGER} if starts.about_its_party(self.playbook) else {})
        with self.store.write() as session:
            for name, known in parties.items():
                self.parties[name] = meet(session, self.book, known, self.clock.now())
                for number, one in enumerate(known.exchanges):
                    exchange = Exchange(kind=one.kind, until=one.until, quantity=one.quantity)
                    reference, at = f"{name}/{number}", self._moment(one.at)
                    record(
                        session, self.book, self.parties[name], exchange, at,
                        by="test", system=BEFORE, reference=reference,
                    )  # fmt: skip
            session.execute(update(t.event).values(state="decided"))

    def _start(self, answers: Mapping[str, Any], number: int) -> None:
        with self.store.write() as session:
            scene = Scene(session, self.whole, self.playbook, self.clock.now(), next(iter(self.parties.values()), ""))
            self.refused += [one.field for one in begin(scene, answers, number)]

    def _ahead(self) -> Iterator[datetime]:
        with self.store.read() as session:
            running = session.execute(select(t.case.c.id).where(t.case.c.status != "ended").limit(1)).first()
        if running and (wake := self.engine.next_wake()):
            yield wake
        if running and self.playbook.start.each:  # each day may bring others
            yield Schedule.parse(self.playbook.start.schedule or "").after(self.clock.now(), self.book.company.zone)[1]
        if self.events:
            yield self._moment(self.events[0].at)
        for asked in self._open():
            if answered := self.people.get(asked["step"]):
                yield max(self._moment(answered.at), self.clock.now())

    def _open(self) -> list[Row]:
        a = t.assignment.c
        with self.store.read() as session:
            return rows(session, select(t.assignment).where(a.state.in_(("open", "claimed")), a.step.is_not(None)))

    def _happen(self) -> None:
        now = self.clock.now()
        while self.events and self._moment(self.events[0].at) <= now:
            self._event(self.events.pop(0))
        for asked in self._open():
            answered = self.people.get(asked["step"])
            if answered and self._moment(answered.at) <= now:
                self._answer(asked, self.people.pop(asked["step"]))

    def _event(self, event: TestEvent) -> None:
        number, now = len(self.events) + 1, self.clock.now()
        if event.start is not None:
            self._start(event.start, number)
            return
        with self.store.write() as session:
            if event.exchange:
                party = self._party(session, event.party)
                exchange = Exchange(kind=event.exchange)
                record(session, self.book, party, exchange, now, by="test", system="test", reference=f"{number}")
            elif event.withdraws:
                for given in (True, False):  # one that was given before, and is not any more
                    facts = {"purpose": event.withdraws, "given": given, "wording": "as the test says"}
                    add(session, t.consent, party_id=self._party(session, event.party), at=now, **facts)
            elif event.event:
                body = json.dumps(event.body, ensure_ascii=False).encode()
                emit(session, event.connection or "", f"event-{number}", event.event, now, body)

    def _party(self, session: Connection, name: str | None) -> str:
        if self.parties:
            return self.parties[name] if name else next(iter(self.parties.values()))
        return session.execute(select(t.case.c.party_id).where(t.case.c.party_id.is_not(None))).scalar() or ""

    def _answer(self, asked: Row, answered: Answered) -> None:
        if asked["kind"] == "doubt" and "happened" in answered.answers:
            happened, rest = {"happened": answered.answers["happened"]}, dict(answered.answers)
            del rest["happened"]  # the other answers are of who does it instead
            self.people[asked["step"]] = answered.model_copy(update={"answers": rest})
            answered = answered.model_copy(update={"answers": happened, "skipped": None})
        ticks = [str(number) for number in range(len(step_of(asked, self.playbook).checklist))]
        who = answered.by or asked["person"] or asked["role"]
        with self.store.write() as session:
            if answered.skipped:
                try:
                    skip(session, self.playbook, asked["id"], who, answered.skipped, self.clock.now())
                except AssignmentError:  # later steps need its answers
                    self.refused.append(asked["step"])
                return
            refused = finish(
                session, self.book, self.playbook, asked["id"], who, {**answered.answers, CHECKED: ticks},
                self.clock.now(),
            )  # fmt: skip
        self.refused += [one.field for one in refused]

    def _differences(self, expect: Expected) -> Iterator[str]:
        with self.store.read() as session:
            of_it = select(t.case).where(t.case.c.playbook == self.playbook.playbook)
            cases = rows(session, of_it.order_by(text("rowid")))
            journal = rows(session, select(t.journal).order_by(t.journal.c.id))
            effects = rows(session, select(t.effect).where(t.effect.c.state == "done").order_by(t.effect.c.id))
            x = t.exchange.c
            kinds = list(session.execute(select(x.kind).where(x.system != BEFORE).order_by(x.at)).scalars())
            asked = rows(session, select(t.assignment).order_by(t.assignment.c.opened_at))
        states = {line["step"]: line["state"] for line in journal if line["step"]}
        sent = [effect["message"] for effect in effects if effect["message"]]
        blocked = [line["step"] for line in journal if line["state"] == "blocked"]
        outcome = cases[-1]["outcome"] if cases else None
        yield from _differs("outcome", expect.outcome, outcome)
        yield from _differs("sent", expect.sent, sent)
        yield from _differs("blocked", expect.blocked, blocked)
        yield from _differs("exchanges", expect.exchanges, kinds)
        yield from _differs("cases", expect.cases, len(cases))
        names = {id: name for name, id in self.parties.items()}
        yield from _differs("parties", expect.parties, [names.get(case["party_id"]) for case in cases])
        for step, state in (expect.steps or {}).items():
            yield from _differs(f"step {step}", state, states.get(step))
        yield from self._assigned(expect, asked)
        yield from self._readings(expect)
        yield from self._told(expect)
        if expect.refused is not None:
            yield from _differs("refused", expect.refused, self.refused[0] if self.refused else None)
        elif self.refused:
            yield f"the form refused {', '.join(self.refused)}, which the test does not expect"

    def _assigned(self, expect: Expected, asked: list[Row]) -> Iterator[str]:
        for due in expect.assignments or ():
            found = next((one for one in asked if one["step"] == due.step), None)
            if found is None:
                yield f"assignment {due.step}: expected, but none was opened"
                continue
            if due.due:
                at = found["due_at"].astimezone(self.book.company.zone) if found["due_at"] else None
                yield from _differs(
                    f"assignment {due.step} due", f"{due.due:%Y-%m-%d %H:%M}", at and f"{at:%Y-%m-%d %H:%M}"
                )
            yield from _differs(f"assignment {due.step} person", due.person, found["person"])

    def _readings(self, expect: Expected) -> Iterator[str]:
        day = self._moment(self.test.clock).astimezone(self.book.company.zone).date() - timedelta(days=1)
        for metric, value in (expect.readings or {}).items():
            with self.store.read() as session:
                cell = series(session, self.book, [metric], day, day, self.clock.now())[metric].get(day, Cell())
            said = "missing" if cell.value is None else f"{cell.value:f}"
            yield from _differs(f"reading {metric}", str(value), said)

    def _told(self, expect: Expected) -> Iterator[str]:
        e = t.effect.c
        for step, words in (expect.told or {}).items():
            sent = select(t.private_effect.c.arguments).join(t.effect).where(e.step == step, e.state == "done")
            with self.store.read() as session:
                found = [data.load(one) for one in session.execute(sent.order_by(e.id)).scalars()]
            notices = ["\n".join(str(one.get(part) or "") for part in ("subject", "text")) for one in found]
            if not any(words in notice for notice in notices):
                yield f"told {step}: expected {words!r} in it, came out {notices[-1] if notices else 'nothing'!r}"


def _differs(what: str, expected: object, found: object) -> Iterator[str]:
    if expected is not None and expected != found:
        yield f"{what}: expected {_said(expected)}, came out {_said(found)}"


def _said(value: object) -> str:
    return (
        ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value) if value is not None else "none"
    )
