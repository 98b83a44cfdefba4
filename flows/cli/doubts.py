"""`digilog doubt`: what may or may not have happened, and saying which."""

from typing import Annotated

from cyclopts import Parameter

from flows.cli.app import HERE, Where, app
from flows.cli.work import As, person
from flows.engine import doubts
from flows.engine.doubts import Doubt
from flows.engine.world import World
from flows.screen import Refused, say, table, when
from flows.store.store import Store
from flows.store.wake import Wake


@app.command
def doubt(
    id: str | None = None,
    *,
    happened: Annotated[
        bool | None, Parameter(negative="--did-not-happen", help="what you found at the service")
    ] = None,
    as_: As = None,
    reason: str | None = None,
    where: Where = HERE,
) -> None:
    """List calls that may or may not have happened; with ID tell what is known; say what you found to settle it.

    Parameters
    ----------
    reason
        how you found out

    """
    world, store = where.world()
    if id is None:
        if happened is not None:
            raise Refused("which one? digilog doubt ID --happened; see them with: digilog doubt")
        _list(world, store)
    elif not (id.isascii() and id.isdecimal()):
        raise Refused(f"{id} is no number of a doubt; see them with: digilog doubt")
    elif happened is None:
        with store.read() as session:
            _show(world, doubts.find(session, world, int(id)))
    else:
        _settle(world, store, int(id), happened, as_, reason)


def _list(world: World, store: Store) -> None:
    with store.read() as session:
        found = doubts.doubts(session, world)
    table(
        ("doubt", "sent", "call", "what", "case", "for", "why"),
        [
            (one.effect, when(one.sent, world.book.company.zone), one.use, one.what, one.case, one.person, one.reason)
            for one in found
        ],
        "nothing is in doubt",
    )
    if found:
        say("\ntell all of one with: digilog doubt ID", style="dim")


def _show(world: World, found: Doubt) -> None:
    say(found.what, style="bold")
    say(f"{found.use}, sent {when(found.sent, world.book.company.zone)}; then: {found.reason}")
    for name, value in found.arguments.items():
        say(f"  {name}: {value}", style="dim")
    if found.case:
        say(f"case {found.case}: digilog case {found.case}")
    good, bad = "the case goes on", "the step goes to a person, to do by hand"
    if not found.case:
        good, bad = "all is well", "it is closed; tell them yourself"
    say(f"\nLook at {found.use.partition('.')[0]} whether it happened. Nothing is ever sent again by this.")
    say(f"  digilog doubt {found.effect} --happened         it did: {good}")
    say(f"  digilog doubt {found.effect} --did-not-happen   it did not: {bad}")


def _settle(world: World, store: Store, id: int, happened: bool, as_: str | None, reason: str | None) -> None:
    with store.write() as session:
        doubts.settle(session, world, id, happened, person(world, as_), reason)
    wake = Wake(world.home)
    wake()
    wake.close()
    say(f"doubt {id} is settled: it {'happened' if happened else 'did not happen'}")
