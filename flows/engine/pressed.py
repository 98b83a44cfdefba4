"""A button that somebody of the team pressed under a notice: the assignment is done, if it asks nothing."""

from datetime import datetime

from sqlalchemy import Connection, select

from connectors.messaging import PRESSED
from flows.engine.decide import Event
from flows.engine.world import World
from flows.people.assignments import AssignmentError, find, finish
from flows.people.links import DONE
from flows.store import tables as t


def is_ours(event: Event) -> bool:
    """Whether it is a button that digilog put there, and not one that a playbook may begin by."""
    return event.name == PRESSED and str(event.body.get("value") or "").startswith(DONE)


def take(session: Connection, world: World, event: Event, now: datetime) -> str:
    """Do what the button says, in the engine's turn. Returns what came of it."""
    id = world.links.assignment(str(event.body["value"]).removeprefix(DONE), now)
    if id is None:
        return "the button is too old, or was not made here; open the assignment's page"
    pressed_by = event.body.get("by")
    who = next((id for id, one in world.book.company.people.items() if one.slack and one.slack == pressed_by), None)
    if who is None:
        return "nobody of company.yaml has the Slack id of who pressed the button; add slack: to the person"
    try:
        row = find(session, id)
        playbook = None
        if row["case_id"]:
            version = session.execute(select(t.case.c.version).where(t.case.c.id == row["case_id"])).scalar_one()
            playbook = world.pinned(session, version)
        refused = finish(session, world.book, playbook, id, who, {}, now)
    except AssignmentError as error:
        return str(error)
    if refused:
        return "the assignment asks for answers, so a button does not do it; open its page"
    return f"assignment {id} was done by {who}"
