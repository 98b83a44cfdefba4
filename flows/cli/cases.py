"""Commands on running work: cases, case, hold, resume, retry, stop, events, exchange."""

import getpass
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter
from sqlalchemy import Connection, select

from flows.cli.app import HERE, Where, app
from flows.engine import operate
from flows.engine.world import World
from flows.ledger.exchanges import Exchange
from flows.ledger.parties import party as read_party
from flows.playbook.model import FormField, Outcome
from flows.playbook.wording import plain, said_phone
from flows.screen import Refused, say, table, when
from flows.store import data
from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.wake import Wake


def me() -> str:
    """Who acts, for the audit: the name at this computer, until there are logins."""
    try:
        return getpass.getuser()
    except OSError:  # a user id without a name
        return "unknown"


@app.command
def cases(*, playbook: str | None = None, all: bool = False, limit: int = 50, where: Where = HERE) -> None:
    """List open cases, the newest first.

    Parameters
    ----------
    playbook
        only this one's
    all
        ended ones too

    """
    world, store = where.world()
    c = t.case.c
    asked = select(t.case).order_by(c.opened_at.desc()).limit(limit)
    if not all:
        asked = asked.where(c.status != "ended")
    if playbook:
        asked = asked.where(c.playbook == playbook)
    with store.read() as session:
        found = rows(session, asked)
        lines = [
            (row["id"], row["playbook"], _stands(row), _where(session, world, row),
             when(row["opened_at"], world.book.company.zone), when(row["wake_at"], world.book.company.zone))
            for row in found
        ]  # fmt: skip
    table(("case", "playbook", "state", "step", "opened", "wakes"), lines, "no open cases; see ended ones with --all")


@app.command
def case(id: str, *, where: Where = HERE) -> None:
    """Tell one case's whole story: what happened, when, by whom, and what it waits for."""
    world, store = where.world()
    zone = world.book.company.zone
    with store.read() as session:
        found = operate.find_case(session, id)
        playbook = world.pinned(session, found["version"])
        say(f"{playbook.title}", style="bold")
        say(f"case {id} · {_stands(found)} · opened {when(found['opened_at'], zone)}")
        if found["party_id"]:
            known = read_party(session, found["party_id"])
            say(f"{known.name or 'customer'} · stage {known.stage(world.book.canvas) or '-'}")
        kept = first(session, select(t.private_case.c.data).where(t.private_case.c.case_id == id))
        for name, value in (data.load(kept["data"])["fields"] if kept else {}).items():
            field = playbook.fields.get(name)
            say(f"  {field.label if field else name}: {_value(value, field, world)}", style="dim")
        say()
        _story(session, world, id, {step.id: step.do for step in playbook.steps}, zone)
        _asked(session, id, zone)


def _story(session: Connection, world: World, id: str, says: dict[str, str], zone: ZoneInfo) -> None:
    lines = rows(session, select(t.journal).where(t.journal.c.case_id == id).order_by(t.journal.c.id))
    table(
        ("when", "what", "step", "by", "why"),
        [
            (
                when(line["at"], zone),
                line["state"],
                says.get(line["step"] or "", ""),
                _by(world, line["by"]),
                line["reason"],
            )
            for line in lines
        ],
        "nothing has happened yet",
    )


def _asked(session: Connection, id: str, zone: ZoneInfo) -> None:
    a, e = t.assignment.c, t.effect.c
    waiting = select(t.assignment).where(a.case_id == id, a.state.in_(("open", "claimed")))
    for row in rows(session, waiting):
        due = when(row["due_at"], zone) or "any time"
        say(f"\nwaits for {row['person'] or row['role']}, due {due}: digilog work show {row['id']}")
    parked = select(t.effect, t.connection.c.paused).outerjoin(t.connection, t.connection.c.name == e.connection)
    for row in rows(session, parked.where(e.case_id == id, e.state.in_(("due", "sending")), e.attempt > 0)):
        if row["paused"]:
            say(f"\n{row['connection']}.{row['action']} waits for its connection: digilog connect {row['connection']}")
            continue
        say(f"\n{row['connection']}.{row['action']} is tried again at {when(row['next_at'], zone)}: {row['reason']}")


@app.command
def events(*, all: bool = False, limit: int = 50, where: Where = HERE) -> None:
    """List events in quarantine, and those that wait to be confirmed: what came in, when, and why nobody acted on it.

    Parameters
    ----------
    all
        every event

    """
    world, store = where.world()
    asked = select(t.event).order_by(t.event.c.id.desc()).limit(limit)
    if not all:
        asked = asked.where(t.event.c.state.in_(("quarantined", "unconfirmed")))
    with store.read() as session:
        away = {
            row["connection"]: row["reason"]
            for row in rows(session, select(t.asking).where(t.asking.c.what == "confirm"))
        }
        lines = [
            (
                row["id"],
                when(row["at"], world.book.company.zone),
                row["connection"],
                row["name"],
                row["state"],
                row["reason"] or (away.get(row["connection"]) if row["state"] == "unconfirmed" else None),
            )
            for row in rows(session, asked)
        ]
    table(("event", "when", "connection", "name", "state", "why"), lines, "nothing in quarantine")


@app.command
def hold(id: str, *, reason: str, where: Where = HERE) -> None:
    """Hold a case where it stands, until it is resumed."""
    world, store = where.world()
    with store.write() as session:
        operate.hold(session, id, me(), reason, world.clock.now())
    say(f"case {id} is held; let it go on with: digilog resume {id}")


@app.command
def resume(id: str, *, where: Where = HERE) -> None:
    """Let a held case go on."""
    _act(where, lambda session, world: operate.resume(session, id, me(), world.clock.now()))
    say(f"case {id} goes on")


@app.command
def retry(id: str, *, where: Where = HERE) -> None:
    """Let the machine try a failed step again; an unclaimed fallback is withdrawn."""
    _act(where, lambda session, world: operate.retry(session, id, me(), world.clock.now()))
    say(f"case {id} is tried again")


@app.command
def stop(id: str, *, reason: str, outcome: Outcome = "lost", where: Where = HERE) -> None:
    """End a case by hand, with a reason."""
    _act(where, lambda session, world: operate.stop(session, world, id, me(), reason, outcome))
    say(f"case {id} ended: {outcome}")


@app.command
def exchange(
    kind: str,
    *,
    party: Annotated[str, Parameter(help="phone number or e-mail")],
    amount: Decimal | None = None,
    until: Annotated[str | None, Parameter(help="end of a membership, like 2026-12-31")] = None,
    quantity: int | None = None,
    channel: str = "",
    note: str = "",
    where: Where = HERE,
) -> None:
    """Record what happened outside: a purchase at the desk, a call, a cancellation."""
    try:
        end = date.fromisoformat(until) if until else None
    except ValueError:
        raise Refused(f"--until {until}: write a day like 2026-12-31") from None
    if amount is not None and (
        not amount.is_finite() or amount.adjusted() > 15 or int(amount.as_tuple().exponent) < -6
    ):
        raise Refused(f"--amount {amount}: this is no amount of money")
    entry = Exchange(kind=kind, channel=channel, amount=amount, until=end, quantity=quantity, note=note)
    made = _act(where, lambda session, world: operate.record_by_hand(session, world, party, entry, me()))
    say(f"recorded {kind} as {made}")


def _act(where: Where, do: Callable[[Connection, World], object]) -> object:
    """One write transaction, then a wake for the engine."""
    world, store = where.world()
    with store.write() as session:
        made = do(session, world)
    wake = Wake(world.home)
    wake()
    wake.close()
    return made


def _stands(row: Row) -> str:
    if row["status"] == "ended":
        return f"ended: {row['outcome']}" + (f" ({row['reason']})" if row["reason"] else "")
    if row["held"]:
        return f"held: {row['held']}"
    return f"{row['status']} (failed)" if row["failed"] else str(row["status"])


def _where(session: Connection, world: World, row: Row) -> str:
    steps = world.pinned(session, row["version"]).steps
    done = row["status"] == "ended" or row["step"] >= len(steps)
    return "" if done else str(steps[row["step"]].do)


def _by(world: World, who: str | None) -> str:
    known = world.book.company.people.get(who or "")
    return str(known.name) if known else who or ""


def _value(value: object, field: FormField | None, world: World) -> str:
    """A field as people read it."""
    if value is None:
        return "-"
    if field and field.type == "choice":
        return field.choices.get(str(value), str(value))
    if field and field.type == "phone":
        return said_phone(value, world.format)
    return plain(value, world.format)
