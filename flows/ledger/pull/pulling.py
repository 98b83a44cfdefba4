"""A pull: ask every source for the days that are wanted, and keep what differs. Safe twice, and after a kill.

A part is kept whole or not at all, in one short transaction: a day that is absent from half an answer is not zero.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connectors.base import Connector
from connectors.clock import Clock
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable
from flows.ledger.derived import derived
from flows.ledger.pull import parts
from flows.ledger.pull.asked import Question, question
from flows.ledger.pull.failing import clearer
from flows.ledger.pull.planning import PERSON, Part, Wish, plan, typed, window
from flows.ledger.pull.side_by_side import Pace, Patience, SideBySide
from flows.ledger.pull.summary import Failed, Progress, Summary
from flows.ledger.readings import Kept, Value, keep
from flows.ledger.series import days
from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.store import Store
from flows.store.write import change, new_id

BUSY = 20.0  # seconds until somebody who met another pull asks again
Ask = Callable[[Iterable[Question]], Iterator[list[Question]]]  # gives them back as they are answered, or have failed
_p, _q = t.pull.c, t.pull_part.c


def _nobody(*_: object) -> None:
    pass


@dataclass(slots=True)
class Puller:
    """Who pulls, from where and into what. `stop`: ends it after the part that is being kept."""

    store: Store
    book: Book
    connection: Callable[[str], Connector]
    clock: Clock
    paces: dict[str, Pace] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    patience: Patience = field(default_factory=Patience)
    watch: Callable[[Progress], None] = _nobody
    fared: Callable[[Connection, str, NotConnected | None], None] = _nobody

    def pull(self, wish: Wish, *, key: str | None = None, by: str | None = None) -> Summary:
        """Pull what is wished; with the key of an unfinished pull, what is open of that one.

        Raises Unavailable while another pull is under way, Rejected for a metric that is not there.
        """
        with self.store.read() as session:
            known = first(session, select(t.pull).where(_p.key == key)) if key else None
            wanted = [] if known else plan(session, self.book, self.connection, wish, self.clock.now())
        side = SideBySide(self.connection, self.paces, self.stop, self.patience)
        return self.run(wish, wanted, side.ask, known, key=key, by=by)

    def run(
        self,
        wish: Wish,
        wanted: list[Part],
        ask: Ask,
        known: Row | None = None,
        *,
        key: str | None = None,
        by: str | None = None,
    ) -> Summary:
        """Ask these parts of `ask` as one pull, or go on with a `known` one."""
        claim = self.store.claim()
        try:
            with self.store.write() as session:
                self._alone(session, claim)
                if known is None:
                    known = self._make(session, wish, wanted, key, by)
                number = str(known["id"])
                change(session, t.pull, number, state="running", claimer=claim.id)
                open_ = rows(session, select(t.pull_part).where(_q.pull_id == number).order_by(_q.id))
            return _Run(self, wish, known, open_, ask).run()
        finally:
            claim.close()

    def _alone(self, session: Connection, claim: Any) -> None:
        """One pull at a time; those whose process is gone are over."""
        running = rows(session, select(_p.id, _p.claimer).where(_p.state == "running"))
        dead = claim.dead(session, {row["claimer"] for row in running})
        if any(row["claimer"] not in dead for row in running):
            raise Unavailable(
                "another pull is under way",
                retry_after=BUSY,
                next_step="try again when it is done; it asks for the same",
            )
        for row in running:
            change(session, t.pull, row["id"], state="partial", claimer=None, ended_at=self.clock.now())

    def _make(self, session: Connection, wish: Wish, wanted: list[Part], key: str | None, by: str | None) -> Row:
        now = self.clock.now()
        today = now.astimezone(self.book.company.zone).date()
        since = min((part.since for part in wanted), default=wish.since or today)
        until = max((part.until for part in wanted), default=wish.until or today)
        made: Row = {
            "id": new_id(), "key": key, "state": "running", "kind": wish.kind, "by": by, "begun_at": now,
            "since": since.isoformat(), "until": until.isoformat(), "kept": 0, "restated": 0, "missing": 0,
        }  # fmt: skip
        session.execute(insert(t.pull).values(**made))
        if wanted:
            session.execute(insert(t.pull_part), [parts.row_of(part, made["id"]) for part in wanted])
        return made


@dataclass(slots=True)
class _Run:
    """One pull while it lasts."""

    puller: Puller
    wish: Wish
    pull: Row
    parts: list[Row]
    ask: Ask
    summary: Summary = field(init=False)
    told: set[str] = field(default_factory=set)  # connections of which it is said how they fared

    def run(self) -> Summary:
        pull = self.pull
        self.summary = Summary(pull["id"], pull["kept"], pull["restated"], missing=pull["missing"])
        book, open_ = self.puller.book, list[tuple[int, Part]]()
        for row in self.parts:
            part = parts.part_of(row, book)
            if row["state"] == "open" and part.metrics:
                open_.append((row["id"], part))
            elif row["reason"]:
                self.summary.failed.append(Failed(part, row["reason"]))
        if pull["kind"] == "daily" and len(open_) == len(self.parts):  # not one that goes on
            self._await_typed()
        done = len(self.parts) - len(open_)
        self._said(done)
        asked = [question(number, part, book) for number, part in open_ if part.connection]
        for number, part in open_:
            if not part.connection and not self.puller.stop.is_set():
                self._count(number, part)
                self._said(done := done + 1)
        for some in self.ask(asked):
            self._take(some)
            self._said(done := done + len(some))
        self.summary.left = len(self.parts) - done
        self._end()
        return self.summary

    def _said(self, done: int) -> None:
        found = self.summary
        self.puller.watch(Progress(done, len(self.parts), found.kept + found.restated, len(found.failed)))

    def _await_typed(self) -> None:
        """A day that nobody has typed yet is missing, and stands in the ledger as such."""
        now, book = self.puller.clock.now(), self.puller.book
        today = now.astimezone(book.company.zone).date()
        with self.puller.store.write() as session:
            for name in typed(book, self.wish):
                first_, last = window(book.metrics.metrics[name], today)
                known = parts.known(session, [name], first_, last)
                lacking = [day for day in days(first_, last) if (name, day) not in known]
                keep(session, book, [Value(name, day, None, PERSON) for day in lacking], now, self.pull["id"])
                self.summary.missing += len(lacking)
                self.summary.typed += [name] if lacking else []
            change(session, t.pull, self.pull["id"], missing=self.summary.missing)

    def _count(self, number: int, part: Part) -> None:
        """Count what is ours already."""
        puller = self.puller
        with puller.store.read() as session:
            found = {name: derived(session, puller.book, name, part.since, part.until) for name in part.metrics}
        values = [Value(name, day, value, part.source) for name in found for day, value in found[name].items()]
        with puller.store.write() as session:
            self._keep(session, part, values, number)

    def _take(self, some: list[Question]) -> None:
        """Keep what sources answered, or that they did not."""
        values = [self._values(asked) for asked in some]
        with self.puller.store.write() as session:
            for asked, found in zip(some, values, strict=True):
                self._told(session, asked, found)
                asked.answers.clear()  # of a year of a thousand metrics they would fill the memory

    def _values(self, asked: Question) -> list[Value]:
        if asked.error is None:
            try:
                return parts.values_of(self.puller.book, asked)
            except Rejected as error:
                asked.error = error
        return []

    def _told(self, session: Connection, asked: Question, values: list[Value]) -> None:
        if asked.error:
            asked.error = clearer(asked.error, asked.part.connection, self.puller.connection)
        if self.pull["kind"] != "again":  # else nobody was asked
            self._fared(session, asked.part.connection, asked.error)
            parts.keep_answers(session, asked, self.puller.clock.now())
        if asked.error is None:
            self._answered(session, asked, values)
        else:
            self._failed(session, asked, asked.error)

    def _answered(self, session: Connection, asked: Question, values: list[Value]) -> None:
        odd = [sentence for answer in asked.answers for sentence in answer.found.odd]
        part, book = asked.part, self.puller.book
        came = {(value.metric, value.day) for value in values}
        raw = None if odd else asked.answers[-1].hash
        for name, day in parts.lacking(session, part, came):
            zero = book.metrics.metrics[name].absent_day == "zero" and not odd and parts.told(book, asked, name, day)
            if not zero:
                self.summary.absent.setdefault(name, []).append(day)
            self.summary.missing += not zero
            values.append(parts.absent(part, name, day, raw, zero=zero))
        if raw:
            values += parts.left_out(session, book, part, values, raw)
        self._keep(session, part, values, asked.number, len(asked.answers), "; ".join(odd))

    def _keep(
        self, session: Connection, part: Part, values: list[Value], number: int, pages: int = 1, odd: str = ""
    ) -> None:
        now, book = self.puller.clock.now(), self.puller.book
        if self.pull["kind"] == "holes":
            values = parts.only_holes(session, part, values)
        self._add(session, keep(session, book, values, now, self.pull["id"]))
        state = {"state": "done", "pages": pages, "reason": odd or None, "ended_at": now}
        change(session, t.pull_part, number, **state)
        if odd:
            self.summary.failed.append(Failed(part, odd))

    def _failed(self, session: Connection, asked: Question, error: ConnectorError) -> None:
        """Nothing of it is taken. The days of a daily pull are marked as missing; others stay holes."""
        part, now = asked.part, self.puller.clock.now()
        reason = f"{error.reason}; {error.next_step}" if error.next_step else error.reason
        missing = parts.lacking(session, part, set())
        self.summary.missing += len(missing)
        self.summary.failed.append(Failed(part, reason))
        if self.pull["kind"] == "daily":
            values = [Value(name, day, None, part.source) for name, day in missing]
            self._add(session, keep(session, self.puller.book, values, now, self.pull["id"]))
        state = {"state": "failed", "pages": len(asked.answers), "reason": reason, "ended_at": now}
        change(session, t.pull_part, asked.number, **state)

    def _add(self, session: Connection, found: Kept) -> None:
        summary = self.summary
        summary.kept += found.new
        summary.restated += found.restated
        summary.beside += found.beside
        counts = {"kept": summary.kept, "restated": summary.restated, "missing": summary.missing}
        change(session, t.pull, self.pull["id"], **counts)

    def _fared(self, session: Connection, connection: str, error: ConnectorError | None) -> None:
        refused = error if isinstance(error, NotConnected) else None
        if (error is None or refused) and connection not in self.told:
            self.told.add(connection)
            self.puller.fared(session, connection, refused)

    def _end(self) -> None:
        summary = self.summary
        brought = any(row["state"] == "done" for row in self._rows())
        state = "failed" if summary.failed and not brought else summary.state
        with self.puller.store.write() as session:
            counts = {"kept": summary.kept, "restated": summary.restated, "missing": summary.missing}
            session.execute(
                update(t.pull)
                .where(_p.id == summary.id)
                .values(state=state, claimer=None, ended_at=self.puller.clock.now(), **counts)
            )

    def _rows(self) -> list[Row]:
        with self.puller.store.read() as session:
            return rows(session, select(_q.state).where(_q.pull_id == self.pull["id"]).distinct())
