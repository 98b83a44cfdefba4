"""`digilog connections` and `digilog connect`: how the ways out and in are, and putting one in order."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from connectors.base import Connector
from connectors.errors import ConnectorError, Unavailable
from connectors.oauth import OAuth
from connectors.registry import find
from flows.cli.app import HERE, Where, app
from flows.cli.consent import ask
from flows.engine.connections import Known, connections, known
from flows.engine.entrances import entrance, steps
from flows.engine.world import World
from flows.people import reconnect
from flows.playbook.problem import nearest
from flows.screen import Refused, say, table, when
from flows.store.store import Store
from flows.store.wake import Wake


@app.command(name="connections")
def list_(
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="for programs")] = False,
    where: Where = HERE,
) -> None:
    """List all connections: what each is used for, how it fared, and what it lacks."""
    world, store = where.world()
    with store.read() as session:
        found = connections(session, world)
    if as_json:
        told = [{**asdict(one), "health": one.health, "last_good": one.last_good} for one in found]
        say(json.dumps(told, ensure_ascii=False, default=datetime.isoformat))
        return
    zone = world.book.company.zone
    table(
        ("connection", "connector", "health", "last good", "last bad"),
        [(one.name, one.connector, one.health, when(one.last_good, zone), when(one.fared.bad, zone)) for one in found],
        "no connections yet; write one under connections in company.yaml",
    )
    if found:
        say()
        uses = [(one.name, "\n".join(one.used_for) or "nothing yet") for one in found]
        table(("connection", "used for"), uses, "")
    for one in found:
        for line in _troubles(one):
            say(f"\n{one.name}: {line}", style="yellow")
    if any(one.health not in {"well", "not tried yet"} for one in found):
        say("\ntry one, and be told what to do: digilog connect NAME", style="dim")


def _troubles(one: Known) -> Iterator[str]:
    if one.wrong:
        yield one.wrong
    for lack in one.missing:
        yield f"{lack.variable} is not set; {lack.where}"
    if one.unconsented:
        yield f"nobody has given consent yet; run: digilog connect {one.name}"
    if one.fared.paused:
        yield f"paused: {one.fared.paused}; {one.fared.waiting} calls wait"
    elif one.health == "failing":
        yield f"{one.fared.reason}; {one.fared.waiting} calls wait"


@app.command
def connect(
    name: str,
    *,
    again: Annotated[bool, Parameter(negative="", help="ask for consent anew, though there is one")] = False,
    port: Annotated[int, Parameter(help="where consent comes back to on this computer; 0: any free one")] = 0,
    where: Where = HERE,
) -> None:
    """Try a connection with one harmless read, and say what to click if something is missing.

    Where the service wants a person's consent, it is asked for; where the service sends events, the address to enter
    there is shown.

    Parameters
    ----------
    name
        the connection, as in company.yaml

    """
    world, store = where.world()
    entry = world.book.company.connections.get(name)
    if entry is None:
        raise Refused(f"{name} is no connection of company.yaml{nearest(name, world.book.company.connections)}")
    with store.read() as session:
        found = known(session, world, name)
    if found.missing or found.wrong:
        raise Refused(_to_do(found, _steps(world, name, find(entry.connector)) if found.missing else []))
    made = world.connection(name)
    try:
        if isinstance(made, OAuth) and made.by_consent and (again or not made.consented_before):
            ask(made, port)
        say(f"{name}: {made.probe()}", style="green")
    except Unavailable as error:  # nothing to click: it is away
        raise Refused(f"{name}: {error.reason}; is this computer online? try again: digilog connect {name}") from None
    except ConnectorError as error:
        error.connection = name
        clicks = _numbered(_steps(world, name, type(made)))
        raise Refused("\n".join([f"digilog: {error}", *clicks]) if clicks else str(error)) from None
    finally:
        made.close()
    for line in _entrance(world, made):
        say(line)
    if made.secrets() and (world.home / "up.json").exists():
        say("digilog is up, and reads secrets when it starts: if you have just set one, stop and start it", style="dim")
    _goes_on(world, store, name)


def _to_do(found: Known, steps: list[str]) -> str:
    said = [f"digilog: {found.name} is not connected yet"]
    said += [f"  {found.wrong}"] if found.wrong else []
    said += [f"  {one.variable} is not set; {one.where}" for one in found.missing]
    return "\n".join([*said, *_numbered(steps), "set what is missing in .env, then run this command again"])


def _steps(world: World, name: str, kind: type[Connector]) -> list[str]:
    """What to click at the vendor's with the address to enter there, and which permissions to ask for."""
    told = entrance(world, name)
    clicks = steps(kind)
    if told is not None and told.address:
        for written in ("https://your-name/in/CONNECTION", "the address that `digilog connect NAME` shows"):
            clicks = [line.replace(written, told.address) for line in clicks]
    return clicks + ([f"permissions to ask for: {', '.join(kind.scopes)}"] if kind.scopes else [])


def _numbered(steps: list[str]) -> list[str]:
    return [f"  {number}. {step}" for number, step in enumerate(steps, 1)]


def _entrance(world: World, made: Connector) -> Iterator[str]:
    """Where the service sends its events, or how often it is asked for them."""
    told = entrance(world, made.name)
    if told is None:
        return
    if told.asked:
        yield f"it is asked for what is new every {told.asked}, as soon as something is used for it"
    elif told.form:
        yield f"the form stands at {told.address}"
    else:
        yield f"enter this address at the service, to be told of events: {told.address}"
        if not told.signed:
            yield "keep it to yourself: the service does not sign, and each event is asked again before it is believed"
        for field, where in told.secrets:
            yield f"the service signs with the secret in {field}: {where}"
        if told.only_here:
            yield "only this computer reaches that address: set DIGILOG_PUBLIC_URL to the one that the world knows"


def _goes_on(world: World, store: Store, name: str) -> None:
    """A connection that was paused is at work again, and nobody needs to be asked to see to it."""
    with store.write() as session:
        paused = reconnect.works(session, name, world.clock.now())
    if paused:
        wake = Wake(world.home)
        wake()
        wake.close()
        say(f"{name} was paused; what waited for it goes on")
