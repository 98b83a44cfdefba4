"""Search: one box for customers and cases."""

from sqlalchemy import Connection
from starlette.responses import Response

from flows.web.board.ask import Ask
from flows.web.board.cases import of_parties
from flows.web.board.finding import LONGEST, customers, people
from flows.web.board.words.customers import SEARCH

PEOPLE, CASES = 20, 20


def get(ask: Ask, session: Connection) -> Response:
    sought = ask.said("q")[:LONGEST]
    parties = customers(session, sought, ask.context.world.book.company.country)[: PEOPLE + 1] if sought else []
    found = people(session, ask, parties[:PEOPLE])
    return ask.page(
        "search.html",
        SEARCH,
        sought=sought,
        people=found,
        more=len(parties) > PEOPLE,
        shown=PEOPLE,
        lines=of_parties(session, ask, sought, parties[:PEOPLE], CASES) if sought else [],
    )
