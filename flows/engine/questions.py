"""Questions to services, asked in threads: what is to be asked, and what came back. Nothing here touches the store."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Connector, Incoming, Polled
from connectors.errors import ConnectorError, NotConnected, Rejected
from flows.engine.askable import CONFIRM, POLL, Use
from flows.engine.calls import Threads
from flows.engine.world import World

SLOTS = 8  # questions side by side
_IN_A_ROW = 2  # events that cannot be confirmed one after another: then the service is away, and the rest can wait
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """One event that is to be confirmed: its number, its name, and its body as it came."""

    id: int
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What a connection is asked: to poll from a cursor, to list since a time (UTC), or whether events are so."""

    use: Use
    cursor: str | None = None
    since: datetime | None = None
    events: tuple[Unconfirmed, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What came back. `outcomes` of a confirmation, by event: a body, none (nobody knows it), or an error."""

    question: Question
    found: Polled | tuple[Incoming, ...] = ()
    outcomes: tuple[tuple[int, bytes | ConnectorError | None], ...] = ()
    error: ConnectorError | None = None


class Asker(Threads[Question, Told]):
    """Asks side by side."""

    def __init__(self, world: World, done: Callable[[], None], slots: int = SLOTS) -> None:
        super().__init__(lambda question: ask(world, question), done, slots, "ask")


def ask(world: World, question: Question) -> Told:
    """Ask one question and sort what comes of it."""
    name, what = question.use
    try:
        connector = world.connection(name)
        if what == CONFIRM:
            return _confirm(world, connector, question)
        if what == POLL:
            return Told(question, _placed(connector.poll(question.cursor)))
        return Told(question, tuple(connector.reconcile(question.since))) if question.since else Told(question)
    except ConnectorError as error:
        return Told(question, error=error)
    except Exception as error:  # noqa: BLE001 - another's fault must not end the thread; its text may be a customer's
        return Told(question, error=_own(name, what, error))


def _placed(found: object) -> Polled:
    """What a poll brought. Without a place to go on from, the next one would begin anew and pass over what is new."""
    if not isinstance(found, Polled) or not isinstance(found.cursor, str):
        raise TypeError("no place to go on from")
    return found


def _confirm(world: World, connector: Connector, question: Question) -> Told:
    """Ask of one event after another, until the service is away or takes no credential.

    After the first one fails, any other is tried: it may be the oldest alone that the service fails on.
    """
    outcomes: list[tuple[int, bytes | ConnectorError | None]] = []
    waiting, lost = list(question.events), 0
    while waiting and lost < _IN_A_ROW:
        event = waiting.pop(world.chance.randrange(len(waiting)) if lost and len(outcomes) == 1 else 0)
        try:
            outcome = _body(connector.confirm(event.name, event.body))
        except NotConnected as error:
            return Told(question, outcomes=tuple(outcomes), error=error)
        except ConnectorError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001 - as above: this event is set aside, the others go on
            outcome = _own(connector.name, question.use[1], error)
        lost = lost + 1 if isinstance(outcome, ConnectorError) and not isinstance(outcome, Rejected) else 0
        outcomes.append((event.id, outcome))
    return Told(question, outcomes=tuple(outcomes))


def _body(found: object) -> bytes | ConnectorError | None:
    """What a confirmation brought."""
    if found is not None and not isinstance(found, bytes):
        raise TypeError("no body")
    return found


def _own(name: str, what: str, error: Exception) -> Rejected:
    log.error("%s: the connector failed at a %s (%s)", name, what, type(error).__name__)
    return Rejected(f"the connector failed on it ({type(error).__name__})")
