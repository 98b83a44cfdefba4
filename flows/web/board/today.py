"""Today: what people are to do, what is to be confirmed, what machines did, and what needs a hand."""

from sqlalchemy import Connection
from starlette.responses import Response

from flows.engine.doubts import Doubt, doubts
from flows.web.board.ask import Ask
from flows.web.board.cases import Line, lines
from flows.web.board.doubt import Facts, facts
from flows.web.board.machines import counted, since_yesterday, troubles
from flows.web.board.states import FAILED
from flows.web.board.todo import SHOWN, has_work, open_ones, todos
from flows.web.board.words.today import TODAY
from flows.web.form import starts

_DOUBTS, _FAILURES = 10, 5
_TOLD = frozenset({"settled", "done", "skipped", "handed"})


def get(ask: Ask, session: Connection) -> Response:
    world, now = ask.context.world, ask.now
    person, all_wanted = ask.user.name, ask.said("who")
    mine = person in world.book.company.people
    everyone = not mine or all_wanted == "all" or (all_wanted != "me" and not has_work(session, person))
    found = todos(session, world, None if everyone else person)
    doubted = doubts(session, world, _DOUBTS + 1)
    told = ask.said("told")
    return ask.page(
        "today.html",
        TODAY,
        day=ask.say.day(now),
        mine=mine,
        everyone=everyone,
        todos=found,
        count=len(found) if len(found) < SHOWN else open_ones(session, None if everyone else person),
        late=sum(one.late for one in found),
        doubts=_shown(doubted[:_DOUBTS], ask),
        more_doubts=len(doubted) > _DOUBTS,
        machines=counted(session, world, since_yesterday(now, world)),
        failures=_failures(session, ask),
        troubles=troubles(session, world),
        forms=[
            (name, playbook.title, world.state(playbook.playbook) != "design")
            for name, playbook in starts(world.book).items()
        ],
        told=told if told in _TOLD else None,
    )


def _shown(found: list[Doubt], ask: Ask) -> list[tuple[Doubt, Facts]]:
    return [(one, facts(one, ask)) for one in found]


def _failures(session: Connection, ask: Ask) -> list[Line]:
    return lines(session, ask, FAILED, shown=_FAILURES)[0]
