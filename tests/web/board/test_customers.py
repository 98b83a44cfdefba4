"""One box finds customers and cases; a customer's page holds all that is known of them."""

import re

import pytest

from flows.store import tables as t
from tests.web.board.conftest import Board


def found(board: Board, sought: str) -> set[str]:
    from urllib.parse import urlencode

    text = board.viewer.get(f"/search?{urlencode({'q': sought})}").text
    return set(re.findall(r'href="/(?:customers|cases)/([a-z0-9]+)"', text))


@pytest.mark.parametrize(
    "sought",
    ["Kim", "kim hana", "KIMHANA", "5678", "3-4567", "010-3456-7890", "01034567890", "+8210345", "7890", "hana", "m h"],
)
def test_a_customer_is_found_by_what_people_type(board: Board, sought: str) -> None:
    row = board.submit(phone="010-3456-7890" if sought != "5678" else "010-1234-5678", name="Kim Hana")
    board.submit(phone="010-9999-0000", name="Lee Duri")
    [case] = board.door.rows(t.case.select().where(t.case.c.id == row["case_id"]))
    assert found(board, sought) == ({case["id"], case["party_id"]} if sought != "3-4567" else set())


def test_one_letter_finds_names_that_begin_with_it_and_two_find_names_that_hold_them(board: Board) -> None:
    board.submit(phone="010-3456-7890", name="김하나")
    board.submit(phone="010-9999-0000", name="하서준")
    assert len(found(board, "하")) == 2  # a customer and a case
    assert len(found(board, "하나")) == len(found(board, "서준")) == 2
    assert len(found(board, "준하")) == 0


def test_a_case_is_found_by_its_number_and_nothing_by_nothing(board: Board) -> None:
    id = board.submit()["case_id"]
    assert found(board, str(id)) == {id}
    assert (
        found(board, "")
        == found(board, "%")
        == found(board, "_")
        == found(board, "%%")
        == found(board, "_n")
        == found(board, "' OR 1=1")
        == set()
    )
    assert "No customer and no case fits" in board.viewer.get("/search?q=nobody").text
    assert 'action="/search"' in board.viewer.get("/").text


def test_a_customers_page_holds_what_is_known_of_them(board: Board) -> None:
    row, visitor = board.submit(health="yes"), board.actor
    [case] = board.door.rows(t.case.select())
    party = case["party_id"]
    fields = {"party": party, "kind": "payment", "amount": "50000", "once": "a" * 12}
    assert visitor.post("/exchanges", fields).status == 303
    text = visitor.get(f"/customers/{party}").text
    for word in ("Kim Hana", "010-1234-5678", "payment", "₩50,000", "I agree to the rules", ">given<", "Trial class"):
        assert word in text, word
    assert f'href="/cases/{row["case_id"]}"' in text
    assert f'href="/exchanges?party={party}"' in text
    assert f'href="/customers/{party}"' in visitor.get(f"/cases/{row['case_id']}").text
    chosen = visitor.get(f"/exchanges?party={party}").text
    assert f'name="party" value="{party}"' in chosen
    [exchange] = board.door.rows(t.exchange.select())
    back = {"_press": "void", "reason": "x", "back": f"/customers/{party}"}
    assert visitor.post(f"/exchanges/{exchange['id']}", back).headers["location"] == f"/customers/{party}?told=void"
    assert "counts no more" in visitor.get(f"/customers/{party}?told=void").text


def test_what_a_customer_is_called_stays_text_wherever_they_are_found(board: Board) -> None:
    hostile = '"><img src=x onerror=alert(1)><script>x</script>'
    board.submit(name=hostile)
    party = board.door.rows(t.party.select())[0]["id"]
    for path in (f"/customers/{party}", "/search?q=5678", "/search?q=%3Cscript%3E", "/exchanges", "/outbox"):
        text = board.actor.get(path).text
        assert not re.search(r"<script|<img", text), path
        assert len(text.encode()) <= 60_000


def test_there_is_no_page_of_a_customer_that_is_not_there(town: Board) -> None:
    assert town.viewer.get("/customers/nobody").status == 404
