"""A real case as a test without personal data: what came, what people answered, what failed, and what came out."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from sqlalchemy import Connection, Select, select

from flows.engine.operate import OperateError, find_case
from flows.engine.world import World
from flows.people.assignments import HAPPENED, fields_of
from flows.playbook.expression import Expression
from flows.playbook.model import FormField, Playbook, TestCase
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, first, rows

STAND_IN = {"phone": "010-0000-0001", "email": "guest@example.com"}


def pin(session: Connection, world: World, id: str, name: str | None) -> tuple[str, dict[str, Any], list[str]]:
    """The case's playbook, the test as it is written, and what a test cannot hold.

    Raises OperateError for a case that has not ended, or whose words were erased after their time.
    """
    case = find_case(session, id)
    if case["status"] != "ended":
        raise OperateError(f"case {id} has not ended; a test says what came out, so pin it when it has")
    kept = first(session, select(t.private_case.c.data).where(t.private_case.c.case_id == id))
    if kept is None:
        raise OperateError(f"what case {id} knew was erased after its time; nothing is left to pin")
    playbook = world.pinned(session, case["version"])
    pinned = _Pinned(session, world, case, playbook)
    written = {
        "name": name or f"{playbook.title} ({id})",
        "clock": pinned.at(case["opened_at"]),
        "start": pinned.values(playbook.fields, data.load(kept["data"])["fields"]),
        "people": pinned.people(),
        "events": pinned.events(),
        "connections": pinned.connections(),
        "expect": pinned.expect(),
    }
    return playbook.playbook, {key: value for key, value in written.items() if value}, list(pinned.left())


def test_of(written: Mapping[str, Any]) -> TestCase:
    """The test as `digilog test` plays it. Raises OperateError if it is none."""
    try:
        return TestCase.model_validate(written)
    except ValidationError as error:
        raise OperateError(f"this case cannot be written as a test: {error.errors()[0]['loc']}") from None


def as_yaml(written: Mapping[str, Any]) -> str:
    """One entry of `cases`, as it stands in a file."""
    out, yaml = io.StringIO(), YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width, yaml.allow_unicode = 110, True
    yaml.dump({"cases": [dict(written)]}, out)
    return out.getvalue().partition("\n")[2]


def append(file: Path, text: str) -> None:
    """Write an entry at the end of a file of tests, or begin one."""
    file.parent.mkdir(exist_ok=True)
    before = f"{file.read_text('utf-8').rstrip()}\n\n" if file.exists() else "cases:\n"
    file.write_text(before + text, "utf-8")


class _Pinned:
    """One case, looked at in the company's time."""

    def __init__(self, session: Connection, world: World, case: Row, playbook: Playbook) -> None:
        self._session, self._world, self._case, self._playbook = session, world, case, playbook
        self._zone = world.book.company.zone
        a, e = t.assignment.c, t.effect.c
        mine = select(t.assignment, t.private_assignment.c.answers).join(t.private_assignment)
        self._asked = rows(session, mine.where(a.case_id == case["id"]).order_by(a.opened_at))
        self._effects = rows(session, select(t.effect).where(e.case_id == case["id"]).order_by(e.id))
        j = t.journal.c
        self._journal = rows(session, select(t.journal).where(j.case_id == case["id"]).order_by(j.id))

    def at(self, moment: datetime) -> str:
        """Company time to the second, since people answer within the minute."""
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")

    def values(self, fields: Mapping[str, FormField], found: Mapping[str, object], step: str = "") -> dict[str, str]:
        """Answers by name, personal ones replaced; what was left empty is left out."""
        return {
            name: self._value(field, found[name], f"{step}.{name}" if step else name)
            for name, field in fields.items()
            if found.get(name) is not None
        }

    def _value(self, field: FormField, value: object, path: str) -> str:
        if field.type in STAND_IN:
            return STAND_IN[field.type]
        if field.type == "text":
            words = {word for one in _conditions(self._playbook) if path in one.names for word in _quoted(one)}
            return str(value) if value in words else field.label or path
        if field.type in {"date", "integer", "number", "money"} and not self._hangs_on(path):
            return _other(field, self._case["opened_at"].astimezone(self._zone).date())
        return _said(value, self._zone)

    def _hangs_on(self, path: str) -> bool:
        """Whether a condition or time asks for this value."""
        steps = self._playbook.steps
        times = [one for step in steps for one in (step.wait, step.due, step.valid_for) if one]
        return any(path in one.names for one in _conditions(self._playbook)) or any(one.path == path for one in times)

    def people(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for row in self._done():
            if row["state"] == "skipped":
                found.setdefault(row["step"], {"at": self.at(row["done_at"]), "skipped": "as it was"})
                continue
            said = data.load(row["answers"])
            answers = self.values(fields_of(row, self._playbook), said, row["step"])
            done = {"at": self.at(row["done_at"]), "by": self._who(row), "answers": answers}
            found.setdefault(row["step"], {key: value for key, value in done.items() if value})
        for row in self._doubts():
            settled: dict[str, Any] = {"at": self.at(row["done_at"]), "by": self._who(row)}
            one = found.setdefault(row["step"], settled)
            one["answers"] = self.values(HAPPENED, data.load(row["answers"])) | one.get("answers", {})
        return found

    def _who(self, row: Row) -> str | None:
        found: str | None = row["done_by"] if row["done_by"] in self._world.book.company.people else row["person"]
        return found

    def _done(self) -> list[Row]:
        ended = [one for one in self._asked if one["state"] in {"done", "skipped"}]
        return [one for one in ended if one["kind"] in {"step", "fallback"}]

    def _doubts(self) -> list[Row]:
        """The doubts that somebody settled, of steps that call once: what a test can tell."""
        every = [one for one in self._asked if one["kind"] == "doubt"]
        steps = [one["step"] for one in every]
        once = [one for one in every if steps.count(one["step"]) == 1 and one["state"] == "done"]
        return [one for one in once if not self._playbook.steps[self._playbook.index[one["step"]]].for_each]

    def events(self) -> list[dict[str, str]]:
        """What others recorded about the customer while the case was open."""
        if not self._case["party_id"]:
            return []
        x = t.exchange.c
        others = self._of_customer().where(x.at >= self._case["opened_at"], x.at <= self._case["ended_at"])
        found = [one for one in rows(self._session, others.order_by(x.at)) if one["case_id"] != self._case["id"]]
        happened = [(one["at"], "exchange", one["kind"]) for one in found]
        happened += [(one["at"], "withdraws", one["purpose"]) for one in self._taken_back()]
        return [{"at": self.at(at), what: which} for at, what, which in sorted(happened)]

    def _of_customer(self) -> Select[Any]:
        return select(t.exchange).where(t.exchange.c.party_id == self._case["party_id"])

    def _taken_back(self) -> list[Row]:
        """Consents that the customer took back meanwhile, by another form or by hand."""
        c = t.consent.c
        mine = select(t.consent).where(c.party_id == self._case["party_id"], c.given.is_(False))
        later = mine.where(c.at > self._case["opened_at"], c.at <= self._case["ended_at"])
        return rows(self._session, later.order_by(c.id))

    def connections(self) -> dict[str, str]:
        """Calls that were refused for good, and those that may or may not have happened."""
        unclear = {row["step"] for row in self._doubts()}
        failed = {_use(one): "rejected" for one in self._effects if one["state"] == "failed"}
        return failed | {_use(one): "uncertain" for one in self._effects if one["step"] in unclear}

    def expect(self) -> dict[str, Any]:
        passed = {"done", "skipped", "dropped", "blocked"}
        states = {line["step"]: line["state"] for line in self._journal if line["step"] and line["state"] in passed}
        x = t.exchange.c
        mine = select(x.kind).where(x.party_id == self._case["party_id"], x.at >= self._case["opened_at"])
        kinds = mine.where(x.at <= self._case["ended_at"]).order_by(x.at)
        sent = [one["message"] for one in self._effects if one["state"] == "done" and one["message"]]
        steps = [one for one in self._asked if one["kind"] == "step"]
        due = [{"step": one["step"], "due": self.at(one["due_at"])[:16]} for one in steps if one["due_at"]]
        found = {
            "outcome": self._case["outcome"],
            "steps": states,
            "exchanges": list(self._session.execute(kinds).scalars()) if self._case["party_id"] else [],
            "assignments": due,
        }
        return {key: value for key, value in found.items() if value} | {"sent": sent}

    def left(self) -> Iterator[str]:
        if len(self._doubts()) < sum(one["kind"] == "doubt" for one in self._asked):
            yield "a call was in doubt: of several calls of a step, or nobody settled it"
        if any(line["state"] in {"held", "retried"} for line in self._journal):
            yield "somebody held the case or let a step be tried again"
        before = self._of_customer().where(t.exchange.c.at < self._case["opened_at"])
        if self._case["party_id"] and rows(self._session, before.limit(1)):
            yield "what the customer did before the case; where it matters, write it under parties:"
        if len({one["step"] for one in self._done()}) < len(self._done()):
            yield "a step was asked more than once; the first answer stands"


def _use(effect: Row) -> str:
    return f"{effect['connection']}.{effect['action']}"


def _conditions(playbook: Playbook) -> list[Expression]:
    found: list[Expression | None] = [stop.when for stop in playbook.stop]
    for step in playbook.steps:
        found += [step.when, step.check, *(end.when for end in step.ends)]
    return [one for one in [*found, playbook.start.where] if one]


def _quoted(condition: Expression) -> Sequence[str]:
    """The texts that a condition quotes: the owner's words, not a customer's."""
    return [*condition.source.split("'")[1::2], *condition.source.split('"')[1::2]]


def _other(field: FormField, day: date) -> str:
    if field.type == "date":
        return day.isoformat()
    return str(field.min if field.min is not None else min(Decimal(1), field.max or Decimal(1)))


def _said(value: object, zone: Any) -> str:
    """A typed value as a person would type it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        case date() | time():
            return value.isoformat()
    return str(value)
