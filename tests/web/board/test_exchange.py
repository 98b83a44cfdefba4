"""Record a dealing: the customer found or new, once however often it is pressed, and taken back when it was wrong."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from flows.store import tables as t
from tests.web.board.conftest import Board, Visitor

GOOD = {"who": "010-2222-3333", "name": "Lee Duri", "kind": "purchase", "amount": "330,000"}


def once(visitor: Visitor) -> str:
    found = re.search(r'name="once" value="([a-z0-9]+)"', visitor.get("/exchanges").text)
    assert found
    return found[1]


def ledger(board: Board) -> list[dict[str, object]]:
    return board.door.rows(t.exchange.select().order_by(t.exchange.c.at))


def test_a_purchase_of_a_new_customer_is_recorded_and_audited(board: Board) -> None:
    visitor = board.actor
    fields = {**GOOD, "once": once(visitor), "until": "2027-02-28", "quantity": "12", "note": "paid in cash"}
    reply = visitor.post("/exchanges", fields)
    assert (reply.status, reply.headers["location"]) == (303, "/exchanges?told=new")
    [row] = ledger(board)
    assert (row["kind"], row["amount"], row["quantity"], row["until"], row["recorded_by"]) == (
        "purchase", Decimal(330000), 12, "2027-02-28", "yoon",
    )  # fmt: skip
    assert board.door.rows(t.private_exchange.select())[0]["note"] == "paid in cash"
    audited = board.door.rows(t.audit.select().where(t.audit.c.what == "exchange"))
    assert [(one["who"], one["subject"]) for one in audited] == [("yoon", row["id"])]
    text = visitor.get("/exchanges").text
    for word in ("Lee Duri", "330,000", "12×", "paid in cash", "recorded by Yoon"):
        assert word in text, word


def test_a_second_press_records_nothing(board: Board) -> None:
    visitor = board.actor
    fields = {**GOOD, "once": once(visitor)}
    assert [visitor.post("/exchanges", fields).status for _ in range(3)] == [303] * 3
    assert len(ledger(board)) == 1
    assert len(board.door.rows(t.audit.select().where(t.audit.c.what == "exchange"))) == 1
    visitor.post("/exchanges", {**GOOD, "once": once(visitor)})
    assert len(ledger(board)) == 2  # another page is another purchase


def test_a_known_customer_is_found_by_name_or_last_digits_and_chosen_among_several(board: Board) -> None:
    visitor = board.actor
    for phone, name in (("010-1111-5678", "Kim Hana"), ("010-2222-5678", "Kim Duri")):
        visitor.post("/exchanges", {**GOOD, "who": phone, "name": name, "once": once(visitor)})
    parties = {row["id"] for row in board.door.rows(t.party.select())}
    for sought in ("kim", "5678", "KIM D"):
        asked = visitor.post("/exchanges", {**GOOD, "who": sought, "once": once(visitor)})
        assert asked.status == 422
        offered = re.findall(r'type="radio" name="party" value="(\w+)"', asked.text)
        assert 1 <= len(offered) <= 2
        assert set(offered) <= parties
    assert len(ledger(board)) == 2
    chosen = visitor.post("/exchanges", {"party": offered[0], "kind": "cancel", "once": once(visitor)})
    assert chosen.headers["location"] == "/exchanges?told=recorded"
    assert {row["id"] for row in board.door.rows(t.party.select())} == parties
    assert ledger(board)[-1]["party_id"] == offered[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"who": ""}, "say whose it is"),
        ({"who": "nobody at all"}, "Nobody fits"),
        ({"kind": ""}, "choose what happened"),
        ({"kind": "bribe"}, "choose what happened"),
        ({"amount": "a lot"}, "an amount above zero"),
        ({"amount": "-5"}, "an amount above zero"),
        ({"amount": "1e99"}, "an amount above zero"),
        ({"amount": "NaN"}, "an amount above zero"),
        ({"at": "2099-01-01T10:00"}, "not of the future"),
        ({"at": "1999-01-01T10:00"}, "not of the future"),
        ({"at": "yesterday"}, "not of the future"),
        ({"until": "soon"}, "write a day like"),
        ({"quantity": "0"}, "a whole number from 1"),
        ({"party": "nosuchparty"}, "Nobody fits"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_nothing_is_recorded(
    board: Board, fields: dict[str, str], said: str
) -> None:
    visitor = board.actor
    reply = visitor.post("/exchanges", {**GOOD, "once": once(visitor), **fields})
    assert reply.status == 422
    assert said in reply.text
    assert ledger(board) == []
    assert board.door.rows(t.party.select()) == []


def test_what_happened_yesterday_counts_for_yesterday(board: Board) -> None:
    visitor, world = board.actor, board.door.context.world
    yesterday = world.clock.now().astimezone(world.book.company.zone) - timedelta(days=1)
    visitor.post("/exchanges", {**GOOD, "at": yesterday.strftime("%Y-%m-%dT%H:%M"), "once": once(visitor)})
    assert ledger(board)[0]["day"] == yesterday.date().isoformat()


def test_a_mistake_is_taken_back_with_a_reason_and_no_line_is_lost(board: Board) -> None:
    visitor = board.actor
    visitor.post("/exchanges", {**GOOD, "once": once(visitor)})
    id = ledger(board)[0]["id"]
    assert visitor.post(f"/exchanges/{id}", {"_press": "void", "reason": " "}).status == 422
    fields = {"_press": "void", "reason": "wrong amount", "back": "//evil.example"}
    done = visitor.post(f"/exchanges/{id}", fields)
    assert (done.status, done.headers["location"]) == (303, "/exchanges?told=void")
    rows = ledger(board)
    assert [row["voids"] for row in rows] == [None, id]
    again = visitor.post(f"/exchanges/{id}", fields)
    assert again.status == 409
    assert "taken back already" in again.text
    assert visitor.post(f"/exchanges/{rows[1]['id']}", fields).status == 409  # a correction stays
    audited = board.door.rows(t.audit.select().where(t.audit.c.what == "void"))[0]
    assert [audited[name] for name in ("who", "subject", "before", "after")] == ["yoon", id, "counted", "voided"]
    assert "taken back, does not count" in visitor.get("/exchanges").text


def test_a_viewer_sees_the_ledger_and_records_nothing(board: Board) -> None:
    board.actor.post("/exchanges", {**GOOD, "once": "a" * 12})
    visitor = board.viewer
    text = visitor.get("/exchanges").text
    assert "Lee Duri" in text
    assert 'name="who"' not in text
    assert visitor.post("/exchanges", {**GOOD, "once": "b" * 12}).status == 403
    assert visitor.post(f"/exchanges/{ledger(board)[0]['id']}", {"_press": "void", "reason": "x"}).status == 403


def test_a_long_ledger_is_walked_without_loss(board: Board) -> None:
    visitor = board.actor
    visitor.post("/exchanges", {**GOOD, "once": once(visitor)})
    [row] = ledger(board)
    made = [{**row, "id": f"copy{number:06}", "reference": str(number)} for number in range(45)]  # all of one moment
    with board.door.store.write() as session:
        session.execute(t.exchange.insert(), made)
    path, seen = "/exchanges", []
    while path:
        text = visitor.get(path).text
        seen += re.findall(r'action="/exchanges/([a-z0-9]+)"', text)
        onward = re.search(r'rel="next" href="([^"]+)"', text)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert sorted(seen) == sorted([row["id"], *(one["id"] for one in made)])
