"""Customers' words go when their time is over, ended cases after years; never what an open case needs."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from flows.engine.retention import BATCH, Kept, Sweep
from flows.store import tables as t
from flows.store.write import emit

PRIVATE = [table for table in t.metadata.sorted_tables if table.name.startswith("private_")]
KEPT = Kept(timedelta(days=90), timedelta(days=730))


def begin(shop, **more):
    """A case that a form opened, with a record, a file, and then a person's work."""
    shop.open([
        shop.machine("note", "ledger.record", {"kind": "apply", "note": "{{ name }}"}),
        shop.machine("row", "sheet.upsert_row", {"row_id": "{{ phone }}", "row": {"name": "{{ name }}"}}),
        shop.person("call"),
    ], **more)  # fmt: skip
    shop.asks()
    shop.turns()
    return shop


def sweep(shop, kept=KEPT):
    """Sweep until nothing is left to do now. Returns the number of batches."""
    made, count = Sweep(shop.store, kept), 0
    while made.turn(shop.clock.now()):
        count += 1
    return count


def left(shop):
    """How many rows each private table has, contact points and answers of sources apart."""
    apart = (t.private_contact, t.private_answer)
    return {table.name: len(shop.all(table)) for table in PRIVATE if table not in apart}


def done(shop):
    (asked,) = shop.asked()
    shop.does(asked)
    assert shop.case()["status"] == "ended"


def test_words_are_kept_while_the_case_is_open(shop):
    begin(shop)
    before = left(shop)
    assert all(before.values())
    shop.later(days=800)
    sweep(shop)
    assert left(shop) | {"private_effect": 2} == before  # a notice of its own may go
    done(shop)


@pytest.mark.parametrize(("days", "words"), [(89, True), (91, False)])
def test_words_go_ninety_days_after_the_end_of_their_case(shop, days, words):
    begin(shop)
    shop.later(days=50)
    done(shop)
    shop.later(days=days)
    sweep(shop)
    kept = left(shop)
    assert bool(kept["private_case"] and kept["private_event"] and kept["private_exchange"]) == words
    assert any(kept.values()) == words
    assert shop.story()[0] == "opened"  # the story stays
    assert len(shop.all(t.private_contact)) == 2  # and so do contact points


def test_events_that_opened_nothing_go_by_their_own_time(shop):
    begin(shop)
    with shop.store.write() as session:
        emit(session, "form", "odd", "form.submitted", shop.clock.now(), b"[]")
    shop.turns()
    shop.later(days=91)
    with shop.store.write() as session:
        emit(session, "form", "late", "form.submitted", shop.clock.now() - timedelta(days=100), b"[]")
    sweep(shop)
    words = {one["event_id"] for one in shop.all(t.private_event)}
    keys = {one["key"]: one["id"] in words for one in shop.all(t.event) if one["connection"] == "form"}
    assert keys == {"k1": True, "odd": False, "late": True}  # the open case's; nobody's; not decided yet


@pytest.mark.parametrize(("days", "whole"), [(729, True), (731, False)])
def test_a_case_goes_with_its_story_after_two_years_and_the_ledger_stays(shop, days, whole):
    begin(shop)
    done(shop)
    shop.later(days=days)
    sweep(shop)
    for table in (t.case, t.journal, t.assignment, t.event):
        assert bool(shop.all(table)) == whole, table.name
    (exchange,) = shop.all(t.exchange)
    assert (exchange["kind"], bool(exchange["case_id"])) == ("apply", whole)
    assert len(shop.all(t.party)) == 1


def test_many_go_in_small_batches_and_all_of_them_go(shop):
    row = {"row_id": "{{ case.id }}", "row": {"name": "{{ name }}"}}  # all in few calls, each an effect of its own
    steps = [shop.machine("note", "ledger.record", {"kind": "apply"}), shop.machine("row", "sheet.upsert_row", row)]
    shop.open(steps, overlap="parallel")
    with shop.store.write() as session:
        for number in range(2 * BATCH + 1):
            body = f'{{"이름": "김하나", "연락처": "010-1234-{number:04}"}}'.encode()
            emit(session, "form", f"k{number}", "form.submitted", shop.clock.now(), body)
    shop.until_rest()  # many end at one moment
    assert {one["status"] for one in shop.all(t.case)} == {"ended"}
    assert any(one["bulk_id"] for one in shop.effects())
    shop.later(days=91)
    assert sweep(shop) >= 3
    assert not any(left(shop).values())
    shop.later(days=700)
    sweep(shop)
    assert not shop.all(t.case) + shop.all(t.event) + shop.all(t.journal) + shop.all(t.effect)


def test_it_is_done_once_an_hour(shop):
    begin(shop)
    done(shop)
    sweep(shop)
    shop.later(days=91)
    sweep(shop)
    made, asked = Sweep(shop.store, Kept(timedelta(days=1), timedelta(days=2))), []
    event.listen(shop.store._writer, "begin", asked.append)
    shop.later(minutes=59)
    asked.clear()
    assert not made.turn(shop.clock.now())
    assert asked == []
    shop.later(minutes=2)
    assert made.turn(shop.clock.now())


def test_a_shorter_time_holds_for_what_is_there_already(shop):
    begin(shop)
    done(shop)
    shop.later(days=10)
    sweep(shop, Kept(timedelta(days=9), timedelta(days=730)))
    assert not any(left(shop).values())
