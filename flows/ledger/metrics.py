"""What playbooks do with the metrics ledger (지표장부): pull the numbers of the days, write one down."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, PrivateAttr
from sqlalchemy import select

from connectors.base import Connector, action
from connectors.errors import Rejected
from connectors.spreadsheets import Entry
from flows.ledger import mirror
from flows.ledger.alerts.evidence import gather
from flows.ledger.call import Call, LongCall
from flows.ledger.digest import digest
from flows.ledger.pictures.album import put
from flows.ledger.pictures.png import month_png
from flows.ledger.pull import brought
from flows.ledger.pull.planning import Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.pull.side_by_side import Pace
from flows.ledger.readings import Value, correct, current, current_of, keep, key_of
from flows.store import tables as t

TYPED = "typed"  # why a person's number stands above another one


class Pulled(BaseModel):
    """What `metrics.pull` gives back: counts, what is missing and why, and the changed numbers as rows of a sheet."""

    pull: str
    readings: int
    restated: int
    missing: int
    summary: str
    rows: list[Entry]


class Kept(BaseModel):
    """What `metrics.record` gives back."""

    metric: str
    day: date
    revision: int


class Morning(BaseModel):
    """What `metrics.digest` gives back: a subject, at most ten lines, and the name of a picture if one was drawn."""

    subject: str
    text: str
    picture: str


class MetricsLedger(Connector):
    """The metrics ledger: pull the day's numbers, or write one down."""

    service: ClassVar[str] = "metrics"
    _paces: dict[str, Pace] = PrivateAttr(default_factory=dict)

    @action(effect="inside")
    def record(self, metric: str, value: Decimal, day: date, *, call: Call) -> Kept:
        """Write down a metric's number of one day, as the person of the step before typed it.

        Above another number that is known already it stands as a correction, which later pulls leave alone.
        """
        if metric not in call.book.metrics.metrics:
            raise Rejected(f"there is no metric {metric}; add it to metrics.yaml")
        typed = Value(metric, day, value, "person", _typist(call))
        key = key_of(call.book, typed)
        known = current_of(current(call.session, [metric], day, day).get(key, []))
        if typed.by and known and known["status"] != "missing" and known["value"] != value:
            correct(call.session, call.book, typed, call.now, TYPED)
        else:
            keep(call.session, call.book, [typed], call.now)
        found = current_of(current(call.session, [metric], day, day)[key])
        return Kept(metric=metric, day=day, revision=found["revision"] if found else 0)

    @action(effect="read")
    def pull(
        self,
        metrics: list[str] | None = None,
        since: date | None = None,
        until: date | None = None,
        holes: bool = False,
        *,
        call: LongCall,
    ) -> Pulled:
        """Ask every source for the days that may still change, and keep what differs.

        `holes: yes` asks for days that have no number instead: those of the last 35 days, and up to 400 days back those
        that no source has answered; `since` and `until` narrow it. What a source does not answer is missing, and erases
        nothing.
        """
        wish = Wish("holes" if holes else "daily", tuple(metrics or ()), since, until)
        puller = Puller(call.store, call.book, call.connection, call.clock, self._paces, fared=call.fared)
        found = puller.pull(wish, key=call.key)
        with call.store.read() as session:
            told = mirror.changed(session, call.book, mirror.last_mirrored(session, wish.kind, found.id))
        return Pulled(
            pull=found.id,
            readings=found.kept + found.restated,
            restated=found.restated,
            missing=found.missing,
            summary="\n".join([*brought.lines(call.book, found), *brought.without_room(call.book, told.left)]),
            rows=[Entry(**row) for row in told.rows],
        )

    @action(effect="read")
    def digest(self, *, call: LongCall) -> Morning:
        """Say yesterday's numbers in at most ten lines, the worst news first, with a picture of the last four weeks.

        `team.notify` sends it: `subject`, `text` and `picture` of this step.
        """
        book, now = call.book, call.clock.now()
        with call.store.read() as session:
            said = digest(gather(session, book, now, whole=True))
            name = f"digest-{now.astimezone(book.company.zone):%Y-%m-%d}"
            drawn = self._home != Path() and put(  # a playbook's test has no home
                self.in_pictures(f"{name}.png"), lambda: month_png(session, book, now)
            )
        return Morning(subject=said.subject, text="\n".join(said.lines), picture=name if drawn else "")


def _typist(call: Call) -> str | None:
    done = (
        select(t.assignment.c.done_by)
        .where(t.assignment.c.case_id == call.case["id"], t.assignment.c.state == "done")
        .order_by(t.assignment.c.done_at.desc())
    )
    return call.session.execute(done).scalar()
