"""Commands that run the system: up, clock, demo."""

import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from connectors.errors import NotConnected
from flows.cli.app import HERE, POSTGRESQL, Where, app, refuse_without_database
from flows.engine import __main__ as engine
from flows.engine.__main__ import make_world, offset
from flows.engine.books import keep_good, open_book
from flows.engine.connections import lacks
from flows.engine.world import World
from flows.people.users import make_code
from flows.runs.environment import prefect_env
from flows.screen import Refused, say
from flows.settings import Settings
from flows.store.store import Store, open_store
from flows.store.wake import Wake
from flows.store.write import set_setting
from flows.supervisor import Supervisor, take_home
from flows.web import __main__ as web

_LONGEST = timedelta(days=3650)  # the demonstration is over by then, and dates end somewhere
_SPAN = re.compile(r"\+?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")


@app.command
def up(
    *,
    port: int | None = None,
    host: Annotated[
        str | None, Parameter(help="address to listen at; beyond this computer once there is an admin")
    ] = None,
    prefect_port: int | None = None,
    prefect: Annotated[bool, Parameter(help="Prefect's server and pictures of runs")] = True,
    clock_offset: Annotated[str | None, Parameter(help="run on another day, like +33h")] = None,
    where: Where = HERE,
) -> None:
    """Start digilog and stay: the web, the engine, and Prefect to watch it. Stop with Ctrl+C.

    Until somebody can log in, everything listens on this computer only (127.0.0.1): the first admin is made at /setup
    with the one-time code that stands here.
    """
    settings = where.settings(port=port, host=host, prefect_port=prefect_port)
    if not settings.playbooks.is_dir():
        raise Refused(f"there is no folder {settings.playbooks}; name the company's folder with --playbooks")
    refuse_without_database(settings)
    book = open_book(settings.playbooks)
    os.umask(0o077)  # customers' words lie in the home: nobody else on this computer reads them
    os.close(take_home(settings.home))  # a home that is up already keeps its company and its clock
    store = open_store(settings.home, settings.database_url)
    keep_good(settings.playbooks, settings.home)
    known = {"playbooks": str(settings.playbooks)} | ({"store": POSTGRESQL} if settings.database_url else {})
    (settings.home / "home.json").write_text(json.dumps(known), "utf-8")
    if clock_offset is not None:
        with store.write() as session:
            set_setting(session, "clock_offset", str(span(clock_offset).total_seconds()))
    world = make_world(settings, store, book)
    for sentence in _unconnected(world):
        say(sentence, style="yellow")
    if ahead := offset(store):
        say(f"simulated clock: {world.clock.now().astimezone(book.company.zone):%Y-%m-%d %H:%M} ({ahead} ahead)")
    code = _first_admin(settings, store)
    store.close()
    _stay(settings, code, prefect=prefect)


def _unconnected(world: World) -> Iterator[str]:
    """Each connection that cannot be made, with all that it lacks."""
    for name, entry in world.book.company.connections.items():
        try:
            world.connection(name)
        except NotConnected as error:
            missing, wrong = lacks(world, name, entry)
            if missing:
                yield f"{name} is not connected; set in .env:"
                yield from (f"  {one.variable}: {one.where}" for one in missing)
                yield from [f"  and {wrong}"] if wrong else []
            else:
                yield f"{name} is not connected: {error.reason}; {error.next_step}"


def _first_admin(settings: Settings, store: Store) -> str | None:
    """The code that makes the first admin; none if there is one. Raises Refused beyond this computer."""
    with store.write() as session:
        code = make_code(session)
    if code and not _is_here(settings.host):
        raise Refused(
            f"DIGILOG_HOST: {settings.host} can be reached by others, and nobody can log in yet;"
            " make an admin first: digilog user add NAME --role admin"
        )
    return code


def _is_here(host: str) -> bool:
    """Whether only this computer reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _stay(settings: Settings, code: str | None, *, prefect: bool) -> None:
    """Be the supervisor until stopped; its parts find what they need in the environment."""
    os.environ |= {"DIGILOG_HOME": str(settings.home), "DIGILOG_PLAYBOOKS": str(settings.playbooks)}
    os.environ |= {"DIGILOG_DATABASE_URL": settings.database_url}
    os.environ |= {"DIGILOG_PORT": str(settings.port), "DIGILOG_PREFECT_PORT": str(settings.prefect_port)}
    shown = None
    if prefect:
        made = prefect_env(settings)
        auth = made["PREFECT_SERVER_API_AUTH_STRING"]
        say(f"Prefect asks to log in; type  {auth}  (the password is kept in {settings.home / 'prefect-password'})")
        shown = {"port": str(settings.prefect_port), "auth": auth, "env": json.dumps(made)}
    supervisor = Supervisor(settings.home, settings.port, web.main, engine.main, shown, settings.host)
    if code:
        say(f"nobody can log in yet; make the first admin at http://127.0.0.1:{supervisor.port}/setup with  {code}")
    supervisor.run()


@app.command
def clock(move: str, *, where: Where = HERE) -> None:
    """Move a simulated clock on, like +33h; only in a home that was started with --clock-offset."""
    _, store = where.open()
    ahead = offset(store)
    if not ahead:
        raise Refused("this home runs on the real clock, which is not moved; start a home with --clock-offset")
    with store.write() as session:
        set_setting(session, "clock_offset", str((ahead + span(move)).total_seconds()))
    settings = where.settings()
    wake = Wake(settings.home)
    wake()
    wake.close()
    store = open_store(settings.home, settings.database_url)
    world = make_world(settings, store)
    say(f"it is now {world.clock.now().astimezone(world.book.company.zone):%Y-%m-%d %H:%M}")


def span(written: str) -> timedelta:
    """`+33h`, `+1d2h30m`: forward only."""
    match = _SPAN.fullmatch(written.strip())
    if not match or not any(match.groups()):
        raise Refused(f"{written}: write a time to move on like +33h, +2d or +1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        found = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        found = timedelta.max
    if found > _LONGEST:
        raise Refused(f"{written}: that is too far; a simulated clock moves at most {_LONGEST.days} days")
    return found


@app.command
def demo(
    *,
    throw_away: Annotated[bool, Parameter(help="in a new home that is removed afterwards")] = False,
    stay: Annotated[bool, Parameter(help="keep it running afterwards, until stopped")] = False,
    prefect: bool = True,
    where: Where = HERE,
) -> None:
    """Play the example company's Saturday night to its class day, through the front doors, and judge the outcome."""
    from flows.demo import play

    sys.exit(play(where.home, Path("playbooks"), throw_away=throw_away, stay=stay, prefect=prefect))
