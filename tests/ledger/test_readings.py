"""Readings: what makes a revision, whose word counts, and what was known when; the laws stand in `test_laws.py`."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from connectors.errors import Rejected
from flows.ledger.readings import Key, Value, conflict_of, correct, current, current_of, keep, key_of, release
from flows.store import tables as t

DAY = date(2026, 11, 20)
METRICS = {
    "views": {
        "label": "조회",
        "on": "apply",
        "channel": "web",
        "settle_days": 3,
        "source": {"use": "numbers.readings"},
    },
    "reach": {"label": "도달", "on": "apply", "source": {"use": "numbers.readings"}},
}
MISSING, NONE = "missing", "n/a"


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    return shop.open([shop.person("call")])


def word(number, metric="views", **more):
    value = None if number in {MISSING, NONE} else Decimal(number)
    return Value(metric, DAY, value, more.pop("source", "numbers.readings"), applies=number != NONE, **more)


def keeps(ledger, *numbers, **more):
    """Each in a pull of its own, a minute after the one before. Returns what became of the last."""
    for number in numbers:
        ledger.later(minutes=1)
        with ledger.store.write() as session:
            done = keep(session, ledger.world.book, [word(number, **more)], ledger.clock.now(), pull="p1")
    return done


def says(ledger, number, why="counted by hand", **more):
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        return correct(
            session, ledger.world.book, word(number, source="person", by="yoon", **more), ledger.clock.now(), why
        )


def lets_go(ledger, **more):
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        book = ledger.world.book
        return release(session, book, key_of(book, word("0", **more)), "han", ledger.clock.now(), "theirs is right")


def history(ledger, metric="views"):
    with ledger.store.read() as session:
        (found,) = current(session, [metric], DAY, DAY).values()
    return found


def stood(ledger, metric="views"):
    return [(row["standing"], None if row["value"] is None else f"{row['value']}") for row in history(ledger, metric)]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["5", "5"], ["5"]),
        (["5", "7", "7", "5"], ["5", "7", "5"]),
        (["1.10", "1.1", "1.100"], ["1.10"]),
        (["5", MISSING], ["5"]),
        ([MISSING, MISSING, "0", MISSING], [None, "0"]),
        (["0", "-0", "0.00", "0E+5"], ["0"]),
        (["-0"], ["0"]),
        (["-3", "3"], ["-3", "3"]),
        (["5", NONE, NONE, MISSING, "5"], ["5", None, "5"]),
        (["1E+3", "1000"], ["1000"]),
        ([f"{'9' * 18}.999999", f"{'9' * 18}.999998"], [f"{'9' * 18}.999999", f"{'9' * 18}.999998"]),
    ],
)  # fmt: skip
def test_the_same_value_again_makes_no_row_and_another_is_a_revision(ledger, said, kept):
    keeps(ledger, *said)
    found = history(ledger)
    assert [None if row["value"] is None else f"{row['value']}" for row in found] == kept
    assert [row["revision"] for row in found] == list(range(1, len(kept) + 1))


def test_missing_zero_and_not_applicable_are_three_things(ledger):
    keeps(ledger, MISSING, "0", NONE, "5")
    assert [row["status"] for row in history(ledger)] == ["missing", "zero", "not_applicable", "ok"]


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+18", "-1E+400", "1E-9999999"])
def test_what_is_no_number_of_a_day_is_not_kept(number):
    with pytest.raises(Rejected, match="the number of views on 2026-11-20"):
        word(number)


@pytest.mark.parametrize(
    "names",
    [{"account": "a\0"}, {"channel": "\ud800"}, {"dimensions": {"page": "가" * 700}}, {"dimensions": {"\0": ""}}],
)
def test_a_name_that_a_store_cannot_hold_is_refused_before_it_is_kept(names):
    with pytest.raises(Rejected, match="has a name that cannot be kept"):
        word(3, **names)


def test_a_number_that_does_not_apply_has_no_value_and_is_kept_once(ledger):
    for _ in range(2):
        with ledger.store.write() as session:
            odd = Value("views", DAY, Decimal(3), "x", applies=False)
            keep(session, ledger.world.book, [odd, odd], ledger.clock.now())
    assert stood(ledger) == [("pulled", None)]


def test_the_same_number_of_another_source_is_no_revision_and_another_number_names_it(ledger):
    keeps(ledger, "5")
    keeps(ledger, "5", "6", source="sheet.readings")
    assert [(row["source"], row["pull"]) for row in history(ledger)] == [
        ("numbers.readings", "p1"),
        ("sheet.readings", "p1"),
    ]


def test_a_channel_that_is_renamed_begins_no_second_history(ledger):
    keeps(ledger, "5", channel="web")
    ledger.files["company"]["channels"] = {"home": "홈페이지"}
    ledger.files["metrics"] = {"metrics": METRICS | {"views": METRICS["views"] | {"channel": "home"}}}
    ledger.write_files(), ledger.load()
    keeps(ledger, "7", channel="home")
    assert stood(ledger) == [("pulled", "5"), ("pulled", "7")]


def test_accounts_channels_and_dimensions_are_numbers_of_their_own(ledger):
    with ledger.store.write() as session:
        for more in ({}, {"account": "1"}, {"channel": "a"}, {"dimensions": {"ad": "b", "to": "c"}}):
            keep(session, ledger.world.book, [word("5", "reach", **more)], ledger.clock.now())
        turned = word("6", "reach", dimensions={"to": "c", "ad": "b"})  # in another order the same
        assert keep(session, ledger.world.book, [turned], ledger.clock.now()).restated == 1
        found = current(session, ["reach"], DAY, DAY)
    assert [len(rows_) for rows_ in found.values()].count(2) == 1
    assert {key[2:] for key in found} == {
        ("", "", ""), ("", "1", ""), ("a", "", ""), ("", "", '{"ad": "b", "to": "c"}'),
    }  # fmt: skip


def test_a_number_twice_in_one_pull_is_kept_as_if_it_came_twice(ledger):
    with ledger.store.write() as session:
        values = [word("5"), word("5"), word("6"), word(MISSING)]
        done = keep(session, ledger.world.book, values, ledger.clock.now())
    assert stood(ledger) == [("pulled", "5"), ("pulled", "6")]
    assert (done.new, done.same, done.restated, done.missing) == (1, 1, 1, 1)


def test_a_persons_word_stands_above_later_pulls_which_are_kept_beside_it(ledger):
    keeps(ledger, "5")
    assert says(ledger, "9") == 2
    done = keeps(ledger, "6", "6", "7", MISSING)
    assert stood(ledger) == [("pulled", "5"), ("pinned", "9"), ("beside", "6"), ("beside", "7")]
    assert done.restated == 0
    found = history(ledger)
    assert (current_of(found)["value"], conflict_of(found)["value"]) == (9, 7)
    assert (found[1]["by"], found[1]["why"], found[1]["source"]) == ("yoon", "counted by hand", "person")


def test_a_source_that_says_the_same_as_the_person_is_no_conflict(ledger):
    keeps(ledger, "5"), says(ledger, "9"), keeps(ledger, "6")
    assert conflict_of(history(ledger))
    done = keeps(ledger, "9", "9")
    assert (conflict_of(history(ledger)), done.beside) == (None, 0)
    lets_go(ledger)
    assert stood(ledger)[-2:] == [("beside", "9"), ("released", "9")]


def test_a_conflict_that_a_person_settled_is_none_until_the_source_says_something_new(ledger):
    keeps(ledger, "5"), says(ledger, "9"), keeps(ledger, "6"), says(ledger, "9", "theirs is without the phone orders")
    keeps(ledger, "6", "6")
    assert conflict_of(history(ledger)) is None
    assert len(history(ledger)) == 4
    keeps(ledger, "8")
    assert conflict_of(history(ledger))["value"] == 8


def test_the_same_correction_twice_is_one(ledger):
    assert [says(ledger, "9"), says(ledger, "9"), says(ledger, "9", "another reason"), says(ledger, "8")] == [
        1,
        1,
        2,
        3,
    ]


def test_a_release_gives_the_sources_last_word(ledger):
    keeps(ledger, "5"), says(ledger, "9"), keeps(ledger, "6")
    assert lets_go(ledger) == 4
    newest = history(ledger)[-1]
    assert (newest["standing"], newest["value"], newest["source"]) == ("released", 6, "numbers.readings")
    assert (newest["by"], newest["why"]) == ("han", "theirs is right")
    assert conflict_of(history(ledger)) is None
    keeps(ledger, "6", "7")
    assert stood(ledger)[-2:] == [("released", "6"), ("pulled", "7")]


def test_without_a_correction_there_is_nothing_to_release(ledger):
    assert lets_go(ledger) is None
    keeps(ledger, "5")
    assert lets_go(ledger) is None
    says(ledger, "9")
    assert [lets_go(ledger), lets_go(ledger)] == [3, None]
    assert says(ledger, "3", metric="reach") == 1
    lets_go(ledger, metric="reach")  # no source ever spoke
    assert stood(ledger, "reach") == [("pinned", "3"), ("released", None)]


def test_what_was_known_then_is_told_also_after_a_clock_was_set_back(ledger):
    keeps(ledger, "5")
    then = ledger.clock.now()
    ledger.later(minutes=1)
    with ledger.store.write() as session:
        keep(session, ledger.world.book, [word("7")], then - timedelta(hours=2))
        known = current(session, ["views"], DAY, DAY, then - timedelta(hours=1))
        assert known == {}
    assert [row["at"] for row in history(ledger)] == [then, then]


def test_a_day_is_final_when_it_is_older_than_its_source_settles(ledger):
    ledger.clock.set(ledger.moment("2026-11-23 23:58"))
    keeps(ledger, "5")  # 23:59
    keeps(ledger, "6")  # 00:00 of the fourth day after
    assert [row["finality"] for row in history(ledger)] == ["provisional", "final"]


def test_readings_of_before_are_of_the_same_history(ledger):
    row = {
        "metric": "reach", "channel": "", "account": "", "day": DAY.isoformat(), "revision": 1, "value": Decimal(5),
        "status": "ok", "finality": "final", "source": "numbers.readings", "at": ledger.clock.now(),
    }  # fmt: skip
    with ledger.store.write() as session:
        session.execute(insert(t.reading).values(**row))
    keeps(ledger, "5", "6", metric="reach")
    assert stood(ledger, "reach") == [("pulled", "5"), ("pulled", "6")]
    assert Key("reach", DAY.isoformat(), "", "", "") == key_of(ledger.world.book, word("1", "reach"))
