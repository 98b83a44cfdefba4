"""The daily pull in the engine: what is missing is filled, what is restated or typed late is a revision, once a day."""

from datetime import date, timedelta

import pytest

from flows.engine import connections, scheduler
from flows.engine.retention import Kept, Sweep
from flows.ledger.pull import brought
from flows.ledger.pull.planning import Wish
from flows.ledger.pull.pulling import Puller
from flows.ledger.series import Cell, history, series
from flows.store import tables as t

METRICS = {
    "views": {"label": "조회", "on": "apply", "source": {"use": "numbers.readings"}, "settle_days": "2"},
    "typed": {"label": "손으로", "on": "apply", "source": {"by": "manager", "due": "09:30"}},
}
FIRST = date(2026, 11, 23)


class Daily:
    """A shop that pulls each morning at 06:30: the window, then the holes."""

    def __init__(self, shop, steps=None):
        self.shop = shop
        shop.files["metrics"] = {"metrics": METRICS}
        steps = steps or [shop.machine("pull", "metrics.pull"), shop.machine("fill", "metrics.pull", {"holes": "yes"})]
        shop.open(steps, start={"schedule": "daily 06:30", "missed": "newest"}, case="period", fields=None,
                  stage="circle", at="2026-11-23 06:00")  # fmt: skip
        shop.turns()

    def said(self, **days):
        """What the source says now; without days it is gone."""
        file = self.shop.home / "files" / "numbers.csv"
        file.unlink(missing_ok=True)
        if days:
            lines = [f"2026-11-{day.removeprefix('d')},views,{value}" for day, value in days.items()]
            file.write_text("\n".join(["day,metric,value", *lines]))

    def morning(self, day):
        self.shop.at(f"2026-11-{day} 06:32")
        assert self.shop.case()["outcome"] == "done"

    def puller(self):
        world = self.shop.world
        return Puller(self.shop.store, world.book, world.connection, self.shop.clock)

    def cell(self, day, metric="views", as_of=None):
        on, shop = date(2026, 11, day), self.shop
        with shop.store.read() as session:
            found = series(session, shop.world.book, [metric], on, on, shop.clock.now(), as_of)[metric]
        return found.get(on, Cell())

    def story(self, day, metric="views"):
        """The revisions of a day: number, typist or source, standing."""
        with self.shop.store.read() as session:
            (rows,) = history(session, metric, date(2026, 11, day)).values()
        return [(row["value"], row["by"] or row["source"], row["standing"]) for row in rows]


@pytest.fixture
def daily(shop):
    return Daily(shop)


def test_a_source_that_is_away_for_a_day_leaves_it_missing_and_the_next_day_fills_it(daily):
    daily.said(d21=1, d22=2)
    daily.morning(23)
    daily.said()
    daily.morning(24)
    assert (daily.cell(23).status, daily.cell(22).value) == ("missing", 2)
    assert (
        "numbers.csv is not there" in daily.shop.effects()[2]["reason"] if daily.shop.effects()[2]["reason"] else True
    )
    daily.said(d21=1, d22=2, d23=3, d24=4)
    daily.morning(25)
    assert (daily.cell(23).value, daily.cell(23).restated) == (3, False)
    assert daily.story(23) == [(None, "numbers.readings", "pulled"), (3, "numbers.readings", "pulled")]


def test_a_file_that_comes_days_late_fills_its_days_and_a_second_run_changes_nothing(daily):
    daily.said(d21=1, d22=2)
    for day in (23, 24, 25, 26):  # the file knows nothing of the week yet
        daily.morning(day)
    assert {daily.cell(day).status for day in (23, 24, 25)} == {"missing"}
    daily.said(d21=1, d22=2, d23=3, d24=4, d25=5)
    daily.morning(27)
    assert [daily.cell(day).value for day in (23, 24, 25)] == [3, 4, 5]
    before = daily.shop.all(t.reading)
    found = daily.puller().pull(Wish("holes"))
    assert (found.kept, found.missing, brought.lines(daily.shop.world.book, found, "en")) == (
        0, 1, ["0 new numbers, 0 restated, 1 missing", "no number at the source: 조회 11-26"],
    )  # fmt: skip
    assert daily.shop.all(t.reading) == before


def test_a_restated_day_is_a_revision_and_what_was_known_then_stays(daily):
    daily.said(d22=2)
    daily.morning(23)
    then = daily.shop.clock.now()
    daily.said(d22=5, d23=3)
    daily.morning(24)
    assert (daily.cell(22).value, daily.cell(22).restated) == (5, True)
    assert daily.cell(22, as_of=then).value == 2


def test_the_same_morning_twice_changes_no_row(daily):
    daily.said(d21=1, d22=2)
    daily.morning(23)
    before = daily.shop.all(t.reading)
    daily.shop.act(scheduler.start, "visit", "2026-11-24", daily.shop.clock.now())
    assert daily.shop.case()["outcome"] == "done"
    assert daily.shop.all(t.reading) == before
    keys = [row["key"] for row in daily.shop.all(t.pull)]
    assert keys == [row["key"] for row in daily.shop.effects()]  # a repeated effect goes on with its own pull
    assert len(set(keys)) == 4


def test_after_days_off_one_period_fills_them_all(daily):
    daily.said(d20=9, d21=1, d22=2)
    daily.morning(23)
    daily.said(**{f"d{day}": day for day in range(20, 29)})
    daily.morning(29)  # digilog was off for five days
    assert [daily.cell(day).value for day in range(23, 29)] == [23, 24, 25, 26, 27, 28]
    assert len(daily.shop.all(t.case)) == 2
    window, fill = daily.shop.all(t.pull)[-2:]
    assert (window["kind"], window["kept"], fill["kind"], fill["kept"]) == ("daily", 2, "holes", 4)


def typing(shop):
    form = {"count": {"type": "integer", "label": "몇"}}
    record = {"metric": "typed", "value": "{{ ask.count }}", "day": "{{ period.previous }}"}
    return [shop.machine("pull", "metrics.pull"), shop.person("ask", form=form),
            shop.machine("note", "metrics.record", record)]  # fmt: skip


def test_a_number_that_is_typed_late_is_a_revision_with_its_typist(shop):
    daily = Daily(shop, typing(shop))
    daily.said(d22=2)
    shop.at("2026-11-23 06:32")
    assert daily.cell(22, "typed").status == "missing"
    shop.at("2026-11-24 15:00")
    shop.does(shop.asked()[0], {"count": "0"})
    assert daily.cell(22, "typed").status == "zero"
    assert daily.story(22, "typed") == [(None, "person", "pulled"), (0, "yoon", "pulled")]


def test_a_person_s_number_above_another_one_is_pinned_with_who_typed_it(shop):
    daily = Daily(shop, typing(shop))
    daily.said(d22=2)
    shop.at("2026-11-23 06:32")
    shop.does(shop.asked()[0], {"count": "4"})
    shop.act(scheduler.start, "visit", "2026-11-23 again", shop.clock.now())
    again = shop.asked()[0]
    shop.does(again, {"count": "6"}, who="han")
    assert daily.story(22, "typed")[1:] == [(4, "yoon", "pulled"), (6, "han", "pinned")]


def test_a_source_whose_credential_is_refused_is_told_to_the_owner_once(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    shop.connect("numbers", connector="instagram", account="17841400000000000")
    daily = Daily(shop)
    assert shop.asked(kind="reconnect") == []
    daily.morning(23)
    daily.morning(24)
    (asked,) = shop.asked(kind="reconnect")
    assert (asked["connection"], asked["role"]) == ("numbers", "owner")
    assert daily.cell(22).status == "missing"


def test_rows_for_a_sheet_are_those_that_changed(shop):
    steps = [shop.machine("pull", "metrics.pull"),
             shop.machine("mirror", "sheet.upsert_rows", {"rows": "{{ pull.rows }}"})]  # fmt: skip
    daily = Daily(shop, steps)
    daily.said(d21=1, d22=2)
    daily.morning(23)
    daily.said(d21=1, d22=5, d23=3)
    daily.morning(24)
    sent = [one.arguments["rows"] for one in shop.calls.sent if one.action == "upsert_rows"]
    first, second = [{row["row_id"]: row["row"]["값"] for row in rows} for rows in sent]
    assert (first["views/2026-11-22"], second["views/2026-11-22"], second["views/2026-11-23"]) == (2, 5, 3)


def test_a_day_has_one_period_across_restarts(daily):
    daily.said(d22=2)
    daily.morning(23)
    daily.shop.restart()
    daily.shop.clock.set(daily.shop.clock.now() + timedelta(hours=1))
    daily.shop.turns()
    assert len(daily.shop.all(t.case)) == 1


def test_a_connection_that_only_pulls_ask_is_known_by_how_they_fared(daily):
    def numbers():
        with daily.shop.store.read() as session:
            return connections.known(session, daily.shop.world, "numbers")

    assert numbers().health == "not tried yet"
    daily.said(d22=2)
    daily.morning(23)
    assert (numbers().health, numbers().fared.bad) == ("well", None)
    daily.said()
    daily.morning(24)
    assert (numbers().health, "numbers.csv is not there" in numbers().fared.reason) == ("failing", True)


def test_answers_are_kept_for_thirty_days_and_numbers_for_good(daily):
    daily.said(d21=1, d22=2)
    daily.morning(23)
    numbers, kept = daily.shop.all(t.reading), Kept(timedelta(days=90), timedelta(days=730))
    for days, left in ((29, 1), (2, 0)):
        daily.shop.clock.set(daily.shop.clock.now() + timedelta(days=days))
        sweep = Sweep(daily.shop.store, kept)
        while sweep.turn(daily.shop.clock.now()):
            pass
        assert len(daily.shop.all(t.private_answer)) == left
    assert daily.shop.all(t.reading) == numbers
