"""`digilog user`: who may log in to the board."""

import getpass
import sys
from datetime import UTC, datetime

from cyclopts import App

from flows.cli.app import HERE, Where, app
from flows.cli.cases import me
from flows.people import users
from flows.people.users import Role
from flows.screen import Refused, say, table, when

user = App(name="user", help="Who may log in to the board: add, list, disable, password.")
app.command(user)


@user.command
def add(name: str, *, role: Role = "act", where: Where = HERE) -> None:
    """Let a person log in; asks for a password, or reads it from standard input.

    Parameters
    ----------
    name
        the person's id in company.yaml, so that what they do is theirs
    role
        view (look only), act (do work, settle, retry, hold, stop), admin (users too)

    """
    world, store = where.world()
    password = _password()
    with store.write() as session:
        users.add_user(session, name, role, password, me(), datetime.now(UTC))
    say(f"{name} can log in at {world.links.address}/login as {role}")
    if name not in world.book.company.people:
        say(f"{name} is no person of company.yaml ({', '.join(world.book.company.people)}): work is not theirs by name")


@user.command(name="list")
def list_(*, where: Where = HERE) -> None:
    """List who may log in, and what they may do."""
    world, store = where.world()
    zone, people = world.book.company.zone, world.book.company.people
    with store.read() as session:
        found = users.users(session)
    lines = [
        (row["name"], people[row["name"]].name if row["name"] in people else "", row["role"],
         "disabled" if row["disabled"] else "", when(row["made_at"], zone))
        for row in found
    ]  # fmt: skip
    table(("user", "person", "role", "", "since"), lines, "nobody yet; digilog user add NAME --role admin")


@user.command
def disable(name: str, *, where: Where = HERE) -> None:
    """Shut a user out at once, everywhere; a new password lets them in again."""
    _, store = where.open()
    with store.write() as session:
        users.disable(session, name, me(), datetime.now(UTC))
    say(f"{name} is shut out; let them in again with: digilog user password {name}")


@user.command
def password(name: str, *, where: Where = HERE) -> None:
    """Give a user a new password and sign them out everywhere."""
    _, store = where.open()
    typed = _password()
    with store.write() as session:
        users.set_password(session, name, typed, me(), datetime.now(UTC))
    say(f"{name} has a new password and is signed out everywhere")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != typed:
        raise Refused("the two are not the same; nothing was changed")
    return typed
