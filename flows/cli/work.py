"""`digilog work`: what people are asked to do, and doing it from a terminal."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter
from sqlalchemy import Connection, select

from flows.cli.app import HERE, Where, app
from flows.cli.cases import me
from flows.engine.letter import letter_of
from flows.engine.world import World
from flows.ledger.alerts import told
from flows.people import assignments
from flows.playbook.model import Playbook
from flows.screen import Refused, say, table, when
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.store.wake import Wake
from flows.web.letter import facts, trouble
from flows.web.piece import finding_of
from flows.web.words import words

work = App(name="work", help="What people are asked to do: list, show, claim, done, skip.")
app.command(work)
As = Annotated[str | None, Parameter(name="--as", help="the person who acts, as in company.yaml")]


@work.command(name="list")
def list_(*, as_: As = None, where: Where = HERE) -> None:
    """List open assignments by due time; `--as PERSON` shows that person's."""
    world, store = where.world()
    a = t.assignment.c
    asked = select(t.assignment).where(a.state.in_(assignments.OPEN)).order_by(a.due_at)
    with store.read() as session:
        lines = [
            (row["id"], _due(world, row), row["person"] or row["role"], row["kind"], _sentence(session, world, row))
            for row in rows(session, asked)
            if as_ is None or row["person"] == as_ or (row["person"] is None and as_ in _people(world, row["role"]))
        ]
    table(("assignment", "due", "for", "kind", "what"), lines, "nothing to do")


@work.command
def show(id: str, *, where: Where = HERE) -> None:
    """Show one assignment: what to do, by when, the message to send if it is one, and which answers it asks."""
    world, store = where.world()
    labels = words(world.book.company.language)
    with store.read() as session:
        row = assignments.find(session, id)
        playbook = _playbook(session, world, row)
        say(assignments.sentence(row, playbook), style="bold")
        if playbook:
            say(f"{playbook.title}: {playbook.purpose}", style="dim")
        state, whose = labels[f"is_{row['state']}"], f"{labels['whose']}: {row['person'] or row['role']}"
        say(f"{state} · {whose} · {labels['due']}: {_due(world, row) or '-'}")
        if finding := finding_of(session, row):
            for label, value in told.facts(world.book, finding):
                say(f"{label}: {value}")
        elif row["reason"]:
            say(f"{labels['because']}: {row['reason']}")
        if row["state"] in assignments.OPEN:
            _letter(session, world, row, playbook)
        if playbook and row["kind"] == "step":
            for number, line in enumerate(assignments.step_of(row, playbook).checklist):
                say(f"  [ ] {number} {line}")
        asks = assignments.fields_of(row, playbook)
    for name, field in asks.items():
        more = f" ({', '.join(field.choices)})" if field.choices else "" if field.required else " (optional)"
        say(f"  {name}: {field.label} · {field.type}{more}")
    answers = " ".join(f"{name}=..." for name in asks)
    say(f"\ndigilog work done {id} {answers} --as PERSON".replace("  ", " "), style="dim")


def _letter(session: Connection, world: World, row: Row, playbook: Playbook | None) -> None:
    """The message that is to be sent by hand, or let go."""
    letter = letter_of(session, world, row, playbook)
    if letter is None:
        return
    labels, leaves = words(world.book.company.language), row["kind"] == assignments.CONFIRM
    say(f"\n{labels['will_leave' if leaves else 'to_send']}", style="bold")
    for label, value in facts(letter, labels):
        say(f"{label}: {value}")
    for line in trouble(letter, labels, leaves=leaves):
        say(f"! {line}")
    if letter.text:
        say(f"\n{letter.text}\n")


@work.command
def claim(id: str, *, as_: As = None, where: Where = HERE) -> None:
    """Take an assignment."""
    world, store = where.world()
    with store.write() as session:
        assignments.claim(session, id, person(world, as_), world.clock.now())
    say(f"{id} is yours")


@work.command
def done(
    id: str,
    *answers: Annotated[str, Parameter(help="name=value for each field it asks")],
    as_: As = None,
    minutes: int | None = None,
    note: str | None = None,
    ticked: Annotated[bool, Parameter(help="every line of the checklist is done")] = False,
    where: Where = HERE,
) -> None:
    """Do an assignment: `digilog work done ID name=value ... --ticked --as PERSON`."""
    world, store = where.world()
    given: dict[str, Any] = dict(_pair(one) for one in answers)
    with store.write() as session:
        row = assignments.find(session, id)
        playbook = _playbook(session, world, row)
        if ticked:
            given[assignments.CHECKED] = [str(number) for number in range(100)]
        who = person(world, as_ or row["person"])
        refused = assignments.finish(
            session, world.book, playbook, id, who, given, world.clock.now(), minutes=minutes, note=note
        )
    if refused:
        raise Refused("nothing was changed: " + "; ".join(one.sentence for one in refused))
    _wake(world)
    say("done, thank you")


@work.command
def skip(id: str, *, reason: str, as_: As = None, where: Where = HERE) -> None:
    """Pass an assignment over, with a reason."""
    world, store = where.world()
    with store.write() as session:
        row = assignments.find(session, id)
        playbook = _playbook(session, world, row)
        assignments.skip(session, playbook, id, person(world, as_ or row["person"]), reason, world.clock.now())
    _wake(world)
    say("skipped")


def _pair(written: str) -> tuple[str, str]:
    name, sign, value = written.partition("=")
    if not sign:
        raise Refused(f"{written}: write an answer as name=value")
    return name, value


def person(world: World, who: str | None) -> str:
    if who is None:
        return me()
    if who not in world.book.company.people:
        raise Refused(f"--as {who}: no such person; there are {', '.join(world.book.company.people)}")
    return who


def _people(world: World, role: str) -> list[str]:
    known = world.book.company.roles.get(role)
    return list(known.people) if known else [role]


def _playbook(session: Connection, world: World, row: Mapping[str, Any]) -> Playbook | None:
    if not row["case_id"]:
        return None
    version = session.execute(select(t.case.c.version).where(t.case.c.id == row["case_id"])).scalar_one()
    return world.pinned(session, version)


def _sentence(session: Connection, world: World, row: Row) -> str:
    return assignments.sentence(row, _playbook(session, world, row))


def _due(world: World, row: Row) -> str:
    late = " late" if row["due_at"] and row["due_at"] < world.clock.now() else ""
    return when(row["due_at"], world.book.company.zone) + late


def _wake(world: World) -> None:
    wake = Wake(world.home)
    wake()
    wake.close()
