"""A pull keeps what sources answer, whole parts of it, and tells what is missing and why; nothing is ever erased."""

import json
import threading
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import ClassVar

import pytest
from pydantic import SecretStr

from connectors.analytics import Page
from connectors.clock import VirtualClock
from connectors.errors import NotConnected, Rejected, Unavailable
from flows.ledger import mirror
from flows.ledger.pull import asked, brought
from flows.ledger.pull.again import LAST, read_again
from flows.ledger.pull.planning import Wish
from flows.ledger.readings import Value, correct
from flows.ledger.series import series
from flows.store import tables as t
from tests.ledger.desk import DAY, Counter, Desk, page_of, row

METRICS = {
    "views": {"label": "조회", "on": "apply", "source": {"use": "numbers.readings"}, "settle_days": "3"},
    "cost": {"label": "비용", "on": "apply", "source": {"use": "numbers.readings"}, "settle_days": "3",
             "absent_day": "zero"},
    "reach": {"label": "도달", "on": "apply", "source": {"use": "other.readings"}},
}  # fmt: skip
NOW = "2026-11-23 06:30"
D = [date(2026, 11, day) for day in range(1, 23)]  # D[-1] is yesterday


@pytest.fixture
def desk(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    shop.connect("other", connector="csv", file="other.csv")
    shop.open(at=NOW)
    made = Desk(shop)
    made.source("numbers")
    made.source("other")
    return made


def fill(desk, name="numbers", metrics=("views", "cost"), days=D):
    desk.sources[name]._numbers |= {(day, one): str(day.day) for day in days for one in metrics}


def test_a_second_pull_changes_no_row(desk):
    fill(desk)
    desk.sources["numbers"]._numbers.pop((D[-1], "cost"))
    found = desk.pull()
    assert (found.kept, found.missing, found.state) == (3 + 2 + 1, 1, "done")  # cost of yesterday is zero, reach is not
    before = desk.shop.all(t.reading)
    assert (desk.pull().kept, desk.pull().restated) == (0, 0)
    assert desk.shop.all(t.reading) == before


def test_an_absent_day_means_what_its_metric_says(desk):
    fill(desk, days=D[-3:-1])
    desk.pull()
    assert desk.readings("views")["2026-11-22", 1] == ("missing", None)
    assert desk.readings("cost")["2026-11-22", 1] == ("zero", 0)


def test_an_answer_without_a_known_day_erases_nothing(desk):
    fill(desk)
    desk.pull()
    before = desk.shop.all(t.reading)
    desk.sources["numbers"]._numbers.clear()
    assert desk.pull().state == "done"
    assert desk.shop.all(t.reading) == before


def test_a_restated_number_is_a_revision_and_both_are_counted(desk):
    fill(desk)
    desk.pull()
    desk.sources["numbers"]._numbers[D[-2], "views"] = "99"
    assert (desk.pull().restated, desk.values()["2026-11-21"]) == (1, 99)
    assert desk.readings()["2026-11-21", 1] == ("ok", 21)
    (_, newest) = desk.shop.all(t.pull)
    assert (newest["restated"], newest["state"]) == (1, "done")


def away(*_):
    raise Unavailable("it does not answer")


def test_a_source_that_is_away_leaves_a_missing_day_and_the_next_pull_fills_it(desk):
    fill(desk)
    desk.sources["numbers"]._answers = away
    found = desk.pull()
    assert (found.state, desk.readings()["2026-11-22", 1]) == ("partial", ("missing", None))
    assert desk.readings("cost")["2026-11-22", 1] == ("missing", None)  # not zero: nobody answered
    assert "it does not answer" in "\n".join(brought.lines(desk.shop.world.book, found))
    desk.sources["numbers"]._answers = None
    desk.pull()
    assert desk.readings()["2026-11-22", 2] == ("ok", 22)
    assert [status for status, _ in desk.readings("cost").values()].count("ok") == 3


def test_one_source_that_fails_stops_no_other(desk):
    fill(desk)
    fill(desk, "other", ["reach"])
    desk.sources["other"]._answers = lambda *_: b"<html>sign in</html>"
    found = desk.pull()
    assert [one.part.source for one in found.failed] == ["other.readings"]
    assert desk.values()["2026-11-22"] == 22
    assert desk.shop.all(t.pull)[0]["state"] == "partial"


def half(asked, page):
    if page is None:
        return page_of([row(asked.until, 5)], "2")
    raise Rejected("the second page is none")


def endless(asked, page):
    return page_of([row(asked.until, 5)], str(int(page or 0) + 1))


def two_words(asked, page):
    return page_of([row(asked.until, 5), row(asked.until, 6)])


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (half, "the second page is none"),
        (endless, "more than 500 pages"),
        (lambda _, page: page_of([], "again"), "leads back"),
        (lambda *_: b"<html>", "no JSON"),
        (lambda *_: b'{"rows": [["2026-11-22", "views", "many", ""]], "more": []}', "failed unexpectedly"),
        (two_words, "two numbers of 2026-11-22"),
        (lambda asked, page: page_of([row(asked.until, 5)], *([] if page else ["2"])), "two numbers of 2026-11-22"),
    ],
)
def test_of_an_answer_that_is_wrong_somewhere_nothing_is_taken(desk, answers, reason):
    fill(desk)
    desk.pull()
    before = desk.shop.all(t.reading)
    desk.sources["numbers"]._answers = answers
    found = desk.pull()
    assert len(found.failed) == 1
    assert reason in found.failed[0].reason
    assert desk.shop.all(t.reading) == before


def test_of_an_answer_with_a_part_that_cannot_be_read_the_rest_is_kept_and_no_day_is_zero(desk):
    odd = {"rows": [row(D[-1], 5), row(D[-2], 4, "cost")], "more": [], "odd": ["june.csv: line 3: value is no number"]}
    desk.sources["numbers"]._answers = lambda *_: json.dumps(odd).encode()
    found = desk.pull("daily", "views", "cost")
    assert [one.reason for one in found.failed] == ["june.csv: line 3: value is no number"]
    assert desk.values() == {"2026-11-20": None, "2026-11-21": None, "2026-11-22": 5}
    assert desk.values("cost") == {"2026-11-20": None, "2026-11-21": 4, "2026-11-22": None}
    assert desk.parts()[0][2:] == ("done", "june.csv: line 3: value is no number")


def test_who_is_away_for_a_moment_is_asked_again(desk):
    fill(desk)
    left = [Unavailable("busy", retry_after=0.05), Unavailable("busy")]

    def answers(asked, _):
        if left:
            raise left.pop()
        return page_of(desk.sources["numbers"]._rows(asked))

    desk.sources["numbers"]._answers = answers
    found = desk.pull()
    assert (found.failed, desk.values()["2026-11-22"]) == ([], 22)


def test_a_service_that_wants_a_long_rest_is_left_alone(desk):
    def answers(*_):
        raise Unavailable("the day's calls are used up", retry_after=3600)

    desk.sources["numbers"]._answers = answers
    found = desk.pull("all", "views", since=D[0])
    assert len(found.failed) == 5
    assert len(desk.sources["numbers"]._calls) <= 5  # those that were side by side


def test_a_dead_source_is_not_asked_for_every_part(desk):
    desk.sources["numbers"]._answers = away
    found = desk.pull("all", "views", since=date(2025, 11, 1))
    assert len(found.failed) > 70
    assert len(desk.sources["numbers"]._calls) < 70  # each a few times for the first ones, then none


def test_a_refused_credential_is_told_once_and_ends_its_questions(desk):
    def answers(*_):
        raise NotConnected("the key is not valid")

    fill(desk, "other", ["reach"])
    desk.sources["numbers"]._answers = answers
    found = desk.pull("all", since=D[0])
    assert {one.part.source for one in found.failed} == {"numbers.readings"}
    assert sorted(desk.fared) == [("numbers", False), ("other", True)]
    assert len(desk.sources["numbers"]._calls) <= 8


class Keyed(Counter):
    """A source that wants a key."""

    service: ClassVar[str] = "keyed"
    key: SecretStr


def test_what_a_source_that_failed_is_said_to_need_helps_whoever_pulls(desk):
    def refuses(*_):
        raise NotConnected("the service refused the credentials (401)")

    desk.sources["other"] = keyed = Keyed(key="k")
    keyed._name, keyed._answers = "other", refuses
    desk.sources["numbers"]._answers = away
    reasons = {one.part.connection: one.reason for one in desk.pull().failed}
    assert "DIGILOG_CONNECTIONS__OTHER__KEY in .env" in reasons["other"]
    assert reasons["numbers"].endswith("; the next pull asks again")
    assert not any("by itself" in reason for reason in reasons.values())


def test_a_call_that_never_ends_is_given_up(desk):
    ever = threading.Event()

    def answers(*_):
        ever.wait(20)
        return page_of([])

    fill(desk, "other", ["reach"])
    desk.sources["numbers"]._answers = answers
    desk.patience = replace(desk.patience, call=1.5)
    try:
        found = desk.pull()
    finally:
        ever.set()
    assert "no answer within" in found.failed[0].reason
    assert desk.values("reach")["2026-11-22"] == 22


def test_parts_and_pages_are_asked_side_by_side(desk):
    together = threading.Barrier(4, timeout=10)

    def answers(asked, page):
        if page is not None:
            together.wait()
            return page_of([row(asked.until - DAY * int(page), 5)])
        return page_of([], "0", "1", "2", "3")

    desk.sources["numbers"]._answers = answers
    assert desk.pull("all", "views", since=D[-4]).kept == 4


def test_a_connection_is_called_no_oftener_than_its_rate(desk):
    calls = []

    def answers(*_):
        calls.append(time.monotonic())
        return page_of([])

    desk.source("numbers", rate="3/1s")._answers = answers
    desk.pull("all", "views", since=D[0])
    assert len(calls) == 5
    pace = sorted(calls)
    assert all(later - earlier > 0.9 for earlier, later in zip(pace, pace[3:], strict=False))


def test_only_the_service_s_own_names_are_asked_and_each_metric_gets_its_own(desk):
    shop = desk.shop
    shop.files["metrics"]["metrics"] |= {
        "clicks": METRICS["views"] | {"source": {"use": "numbers.readings", "of": "clkCnt", "where": {"ad": "1"}}}
    }
    shop.write_files()
    shop.load()
    desk.sources["numbers"]._numbers[D[-1], "clkCnt"] = "7"
    desk.pull("daily", "clicks")
    ((asked, _),) = desk.sources["numbers"]._calls
    assert (asked.of, asked.where) == (("clkCnt",), {"ad": "1"})
    assert desk.values("clicks")["2026-11-22"] == 7


def test_a_number_of_an_account_takes_the_place_of_a_missing_mark(desk):
    desk.pull()
    assert desk.readings()["2026-11-22", 1] == ("missing", None)
    desk.sources["numbers"]._answers = lambda asked, _: page_of([row(asked.until, 5, account="a")])
    desk.pull()
    with desk.shop.store.read() as session:
        found = series(session, desk.shop.world.book, ["views"], D[-1], D[-1], desk.shop.clock.now())
    assert (found["views"][D[-1]].value, found["views"][D[-1]].status) == (5, "ok")
    before = desk.shop.all(t.reading)
    desk.pull()
    assert desk.shop.all(t.reading) == before


def test_what_went_from_one_account_to_another_is_counted_once(desk):
    """Services leave out what is zero; where absence means zero it holds for a part of a day, too."""
    said = {"cost": [row(D[-1], 5, "cost", "A"), row(D[-1], 3, "cost", "B")], "views": [row(D[-1], 1, "views", "A")]}
    desk.sources["numbers"]._answers = lambda *_: page_of([*said["cost"], *said["views"]])
    desk.pull()
    said = {"cost": [row(D[-1], 8, "cost", "A")], "views": [row(D[-1], 2, "views", "B")]}
    found = desk.pull()
    book, now = desk.shop.world.book, desk.shop.clock.now()
    with desk.shop.store.read() as session:
        cells = series(session, book, ["cost", "views"], D[-1], D[-1], now)
    assert cells["cost"][D[-1]].value == 8
    assert cells["views"][D[-1]].value == 3  # its absence is unknown: what was there stays
    assert (found.restated, desk.pull().restated) == (2, 0)


def test_a_name_that_no_store_takes_fails_its_question_alone(desk):
    fill(desk, "other", ["reach"])
    desk.sources["numbers"]._answers = lambda *_: page_of([row(D[-1], 5, "cost", "A\0")])
    found = desk.pull()
    assert "cost on 2026-11-22 has a name that cannot be kept" in found.failed[0].reason
    assert desk.values("reach")["2026-11-22"] == 22


def test_what_a_person_corrected_stays_and_the_other_number_is_told(desk):
    fill(desk)
    shop = desk.shop
    with shop.store.write() as session:
        correct(session, shop.world.book, Value("views", D[-1], Decimal(7), "person", "yoon"), shop.clock.now(), "seen")
    found = desk.pull()
    assert found.beside == 1
    assert desk.readings()["2026-11-22", 1] == ("ok", 7)
    mine = shop.all(t.reading, t.reading.c.day == "2026-11-22", t.reading.c.metric == "views")
    assert [one["standing"] for one in mine] == ["pinned", "beside"]
    assert "사람이 고친 값" in "\n".join(brought.lines(shop.world.book, found))


def test_a_pull_that_was_stopped_goes_on_with_what_is_open(desk):
    fill(desk)
    source = desk.sources["numbers"]

    def slow(asked, _):
        if asked.until != D[-1]:
            desk.stop.wait(20)
        return page_of(source._rows(asked))

    source._answers, puller = slow, desk.puller()
    puller.watch = lambda now: desk.stop.set() if now.done == 1 else None
    stopped = puller.pull(Wish("all", ("views",), D[0]), key="case/step")
    assert (stopped.state, stopped.left) == ("partial", 4)
    desk.stop.clear()
    source._answers = None
    calls = len(desk.sources["numbers"]._calls)
    found = desk.pull("all", "views", since=D[0], key="case/step")
    assert (found.id, found.kept, found.left, found.state) == (stopped.id, 22, 0, "done")
    assert len(desk.sources["numbers"]._calls) == calls + 4
    assert len(desk.pull("all", "views", since=D[0], key="case/step").failed) == 0  # it is done: nobody is asked
    assert len(desk.sources["numbers"]._calls) == calls + 4


def test_two_pulls_at_once_the_second_says_so(desk):
    second = []

    def answers(*_):
        if not second:
            second.append(None)
            other = Desk(desk.shop)
            other.sources = desk.sources
            with pytest.raises(Unavailable, match="another pull is under way") as told:
                other.pull()
            second.append(told.value.retry_after)
        return page_of([])

    desk.sources["numbers"]._answers = answers
    assert desk.pull().failed == []
    assert second == [None, 20.0]
    assert desk.pull().failed == []


def test_answers_are_read_again_by_a_corrected_connector(desk):
    desk.sources["numbers"]._answers = lambda *_: b"22;5"
    assert desk.pull("daily", "views").failed
    calls = len(desk.sources["numbers"]._calls)

    class Better(type(desk.sources["numbers"])):
        def parse(self, asked, raw):
            return super().parse(asked, page_of([row(asked.until, raw.decode().partition(";")[2])]))

    desk.sources["numbers"] = Better()
    found = read_again(desk.puller(), LAST)
    assert (found.failed, desk.values()["2026-11-22"]) == ([], 5)
    assert len(desk.sources["numbers"]._calls) == 0
    assert calls == 1


def test_an_old_answer_stands_below_what_a_later_pull_was_told(desk):
    fill(desk)
    first = desk.pull("all", "views", since=D[-6]).id
    desk.sources["numbers"]._numbers[D[-1], "views"] = "99"
    desk.pull("daily", "views")
    found = read_again(desk.puller(), first)
    assert (found.restated, desk.values()["2026-11-22"]) == (0, 99)
    with pytest.raises(Rejected, match="no answers are kept"):
        read_again(desk.puller(), "nopull")


def test_what_was_read_wrong_is_put_right_whatever_was_asked_before_or_in_vain_after(desk):
    fill(desk)
    desk.pull("daily", "views")
    was = desk.sources["numbers"]
    wrong = desk.source("numbers")
    wrong._answers = lambda *_: page_of([row(D[-1], 2200)])
    read_wrong = desk.pull("daily", "views").id
    wrong._answers = lambda *_: b"<html>"
    assert desk.pull("daily", "views").failed

    class Better(type(was)):
        def parse(self, asked, raw):
            page = super().parse(asked, raw)
            return Page(readings=tuple(one.model_copy(update={"value": one.value / 100}) for one in page.readings))

    desk.sources["numbers"] = Better()
    read_again(desk.puller(), read_wrong)
    assert desk.values()["2026-11-22"] == 22


def test_a_pull_that_a_wrong_clock_dated_ahead_keeps_nothing_from_the_sheet(desk):
    now = desk.shop.clock.now()
    desk.shop.clock = VirtualClock(now + 300 * DAY)
    desk.pull(key="ahead")
    desk.shop.clock = VirtualClock(now)
    fill(desk)
    found = desk.pull(key="k")
    with desk.shop.store.read() as session:
        since = mirror.last_mirrored(session, "daily", found.id)
        told = mirror.changed(session, desk.shop.world.book, since).rows
    assert "views/2026-11-22" in {one["row_id"] for one in told}


def test_filling_holes_takes_nothing_of_a_day_that_is_known(desk):
    fill(desk)
    desk.pull("daily", "cost")
    desk.sources["numbers"]._numbers |= {(day, "cost"): "999" for day in D}
    desk.pull("holes", "views", "cost", since=D[-5])  # the two lack different days, and are asked together
    assert desk.values("views")["2026-11-22"] == 22
    assert desk.values("cost") == {"2026-11-18": 999, "2026-11-19": 999, "2026-11-20": 20, "2026-11-21": 21,
                                   "2026-11-22": 22}  # fmt: skip


def asks(desk, name, **source):
    """From now on the metric's numbers come from elsewhere."""
    known = desk.shop.world.book.metrics.metrics
    none = {"use": None, "exchanges": None}
    known[name] = known[name].model_copy(update={"source": known[name].source.model_copy(update=none | source)})


def test_answers_of_a_source_that_is_not_asked_any_more_are_not_read_again(desk):
    fill(desk)
    first = desk.pull().id
    asks(desk, "views", use="other.readings")
    fill(desk, "other", ["views"], days=[D[-1]])
    desk.sources["other"]._numbers[D[-1], "views"] = "99"
    desk.pull()
    read_again(desk.puller(), first)
    assert desk.values()["2026-11-22"] == 99


def test_an_unfinished_pull_asks_nobody_for_what_comes_from_elsewhere_now(desk):
    fill(desk)
    desk.stop.set()
    assert desk.pull(key="k").left
    desk.stop.clear()
    asks(desk, "views", exchanges="apply")
    found = desk.pull(key="k")
    assert (found.left, desk.values("views"), desk.values("cost")["2026-11-22"]) == (0, {}, 22)


def test_answers_too_large_to_be_kept_are_not_held_either():
    whole = asked.Question(1, None, None, open=2)
    for number in range(2):
        whole.take(asked.Answer(str(number), "", bytes(asked.MOST_KEPT // 2 + 1), Page(readings=())))
    assert [one.packed for one in whole.answers] == [b"", b""]
    assert whole.kept == []


def test_a_metric_that_is_not_there_is_named_with_the_nearest(desk):
    with pytest.raises(Rejected, match=r"no metric vews; did you mean views\?"):
        desk.pull("daily", "vews")
