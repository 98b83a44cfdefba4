"""The metrics ledger: revisions, and the difference of missing, zero and not yet settled."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.errors import Rejected
from flows.ledger.derived import derived
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import find_or_make
from flows.ledger.readings import Value, keep
from flows.ledger.series import series
from flows.store import tables as t
from tests.ledger.desk import begin

DAY = date(2026, 11, 22)
METRICS = {
    "views": {
        "label": "조회",
        "on": "apply",
        "channel": "web",
        "source": {"use": "numbers.readings"},
        "settle_days": "3",
    },
    "cost": {"label": "비용", "on": "apply", "source": {"use": "numbers.readings"}, "absent_day": "zero"},
    "requests": {"label": "신청", "on": "apply", "source": {"exchanges": "apply"}, "absent_day": "zero"},
    "typed": {"label": "손으로", "on": "apply", "source": {"by": "manager"}},
}
CSV = "day,metric,value\n2026-11-20,views,5\n2026-11-22,views,0\n2026-11-22,cost,700.50\n2026-11-19,views,9\n"


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    pull = shop.machine("pull", "metrics.pull")
    shop.open([pull], start={"schedule": "daily 06:30"}, case="period", fields=None, stage="circle")
    shop.turns()
    begin(shop, date(2026, 11, 1))
    (shop.home / "files" / "numbers.csv").write_text(CSV)
    return shop


def put(shop, value, metric="views", day=DAY):
    with shop.store.write() as session:
        number = None if value is None else Decimal(value)
        return keep(session, shop.world.book, [Value(metric, day, number, "test")], shop.clock.now())


def pull(shop, period):
    from flows.engine import scheduler

    shop.act(scheduler.start, "visit", period, shop.clock.now())
    assert shop.case()["outcome"] == "done"


def readings(shop, metric):
    found = shop.all(t.reading, t.reading.c.metric == metric)
    return {(row["day"], row["revision"]): (row["status"], row["value"]) for row in found}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([5, 5, 5], [("ok", 5)]),
        ([5, 7, 7, 5], [("ok", 5), ("ok", 7), ("ok", 5)]),
        ([5, None], [("ok", 5)]),  # missing never erases
        ([None, None, 0, None], [("missing", None), ("zero", 0)]),
        ([0, None, 5], [("zero", 0), ("ok", 5)]),
        (["1.10", "1.1"], [("ok", Decimal("1.10"))]),
    ],
)
def test_the_same_value_again_makes_no_row_and_another_is_a_revision(ledger, values, kept):
    for value in values:
        put(ledger, value)
    assert list(readings(ledger, "views").values()) == kept
    assert [revision for _, revision in readings(ledger, "views")] == list(range(1, len(kept) + 1))


def test_a_pull_keeps_what_came_and_says_what_is_missing(ledger):
    pull(ledger, "2026-11-23")
    assert readings(ledger, "views") == {
        ("2026-11-20", 1): ("ok", 5), ("2026-11-22", 1): ("zero", 0), ("2026-11-21", 1): ("missing", None),
    }  # fmt: skip
    assert readings(ledger, "cost") == {("2026-11-22", 1): ("ok", Decimal("700.50"))}
    assert readings(ledger, "requests")["2026-11-22", 1] == ("zero", 0)
    assert readings(ledger, "typed") == {("2026-11-22", 1): ("missing", None)}


def test_a_home_made_today_has_no_zeros_of_days_before(shop):
    shop.files["metrics"] = {"metrics": {"requests": METRICS["requests"]}}
    step = shop.machine("pull", "metrics.pull")
    shop.open([step], start={"schedule": "daily 06:30"}, case="period", fields=None, stage="circle")
    pull(shop, "2026-11-23")
    assert readings(shop, "requests") == {}
    shop.clock.set(shop.moment("2026-11-25 06:30"))
    began = shop.all(t.journal)[0]["at"].astimezone(shop.world.book.company.zone).date()
    pull(shop, "2026-11-25")
    assert {day: told[1] for (day, _), told in readings(shop, "requests").items()} == {
        day: 0 for day in ("2026-11-23", "2026-11-24") if day >= began.isoformat()
    }


def test_a_second_pull_changes_no_row(ledger):
    pull(ledger, "2026-11-23")
    before = ledger.all(t.reading)
    pull(ledger, "2026-11-24")
    assert ledger.all(t.reading) == before


def test_a_restated_number_is_a_revision_and_a_lost_file_erases_nothing(ledger):
    pull(ledger, "2026-11-23")
    file = ledger.home / "files" / "numbers.csv"
    file.write_text(CSV.replace("2026-11-20,views,5", "2026-11-20,views,6"))
    pull(ledger, "2026-11-24")
    assert readings(ledger, "views")["2026-11-20", 2] == ("ok", 6)
    before = ledger.all(t.reading)
    file.unlink()
    pull(ledger, "2026-11-25")
    assert ledger.all(t.reading) == before


def test_numbers_from_exchanges_count_customers_and_no_voided_ones(ledger):
    book, made = ledger.world.book, []
    with ledger.store.write() as session:
        for number, kind in enumerate(["person", "person", "person", "employee", "company"]):
            who = find_or_make(session, kind, "phone", f"+8210123400{number:02}", ledger.clock.now())
            made.append((who, record(session, book, who, Exchange(kind="apply"), ledger.clock.now(),
                                     by="x", system="s", reference=str(number))))  # fmt: skip
        who, first = made[0]
        record(session, book, who, Exchange(kind="apply"), ledger.clock.now(),
               by="x", system="s", reference="void", voids=first)  # fmt: skip
    with ledger.store.read() as session:
        today = ledger.clock.now().date()
        assert derived(session, book, "requests", today - timedelta(days=1), today) == {
            today - timedelta(days=1): 0, today: 3,
        }  # fmt: skip


def test_a_day_is_settled_when_it_is_older_than_its_days(ledger):
    put(ledger, 5, day=date(2026, 11, 19))
    put(ledger, 5, day=date(2026, 11, 20))
    assert [row["finality"] for row in ledger.all(t.reading)] == ["final", "provisional"]

    def open_days():
        with ledger.store.read() as session:
            found = series(session, ledger.world.book, ["views"], date(2026, 11, 16), DAY, ledger.clock.now())
        return [day.day for day, cell in found["views"].items() if cell.provisional]

    assert open_days() == [20]
    ledger.at("2026-11-24 00:00")  # the same number, and now it is settled
    assert open_days() == []


def test_a_persons_number_is_kept_with_who_typed_it(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    steps = [shop.person("ask", form={"count": {"type": "integer", "label": "몇"}}),
             shop.machine("note", "metrics.record",
                          {"metric": "typed", "value": "{{ ask.count }}", "day": "{{ period.previous }}"})]  # fmt: skip
    shop.open(steps, start={"schedule": "daily 06:30"}, case="period", fields=None, stage="circle")
    shop.turns()
    shop.at("2026-11-24 06:31")
    shop.does(shop.asked()[0], {"count": "0"})
    (row,) = shop.all(t.reading)
    assert (row["day"], row["status"], row["by"]) == ("2026-11-23", "zero", "yoon")
    with shop.store.read() as session:
        day = date(2026, 11, 23)
        assert series(session, shop.world.book, ["typed"], day, day, shop.clock.now())["typed"].keys() == {day}


def test_a_number_of_no_metric_is_refused(ledger):
    connector = ledger.world.connection("metrics")
    call = type("Call", (), {"book": ledger.world.book})()
    with pytest.raises(Rejected, match=r"add it to metrics\.yaml"):
        connector.call("record", {"metric": "no", "value": 1, "day": DAY}, call=call)
