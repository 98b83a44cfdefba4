"""What is wrong with the numbers is told once, to whom it concerns, and taken back when it is over."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from flows.cli import app
from flows.engine.__main__ import _Work, watch
from flows.engine.alerts import PULLING, Watch
from flows.engine.books import Files
from flows.engine.retention import Sweep, kept_for
from flows.ledger.alerts.told import load
from flows.ledger.readings import Value, correct, keep
from flows.people import reconnect
from flows.settings import Settings
from flows.store import tables as t
from flows.store.locks import WATCHING, try_alone
from flows.store.write import add, change

TYPED = {"label": "플레이스 조회수", "on": "apply", "source": {"by": "manager", "due": "09:30"}}
COST = {"label": "광고비", "on": "apply", "unit": "KRW", "source": {"use": "numbers.readings"}}
METRICS = {
    "metrics": {"place_views": TYPED, "ad_cost": COST},
    "alerts": {"place_views": {"missing_by": "09:30", "zero_for": "9d"},
               "ad_cost": {"unusual": "3", "restated": "20%"}},
}  # fmt: skip


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = METRICS
    shop.open([shop.person("call")], at="2026-11-24 09:00")  # a Tuesday
    shop.watch = Watch()
    put(shop, "ad_cost", "2026-11-23", 30000)
    return shop


def put(shop, metric, day, value, **more):
    with shop.store.write() as session:
        number = None if value is None else Decimal(value)
        return keep(session, shop.world.book, [Value(metric, date.fromisoformat(day), number, "test", **more)],
                    shop.clock.now())  # fmt: skip


def look(shop, at=None):
    """A look at a time; what was told by it."""
    if at:
        shop.clock.set(shop.moment(at))
    before = set(notices(shop))
    shop.watch.turn(shop.store, shop.world)
    shop.turns()
    return [one for one in notices(shop) if one not in before]


def notices(shop):
    return [file.read_text() for file in sorted((shop.home / "outbox").glob("*.txt"))]


def alerts(shop):
    return shop.all(t.assignment, t.assignment.c.kind == "alert")


def test_an_alert_is_never_due_before_the_day_it_is_about(ledger):
    look(ledger, "2026-11-24 09:31")
    (asked,) = ledger.asked(kind="alert")
    for at, days, due in (
        ("2026-11-25 09:31", "11월 24일(화)", "2026-11-25 09:31"),  # never typed: the newest day alone
        ("2026-11-26 09:31", "11월 25일(수)", "2026-11-27 09:31"),
    ):
        assert look(ledger, at) == []
        (row,) = ledger.all(t.assignment, t.assignment.c.id == asked["id"])
        assert days in row["reason"]
        assert row["due_at"] == ledger.moment(due)


def test_a_number_not_typed_in_time_is_told_once_and_over_when_it_is(ledger):
    assert look(ledger, "2026-11-24 09:29") == []
    (told,) = look(ledger, "2026-11-24 09:31")
    (asked,) = ledger.asked(kind="alert")
    assert "subject: [숫자] 플레이스 조회수: 11월 23일(월) 숫자가 없습니다" in told
    assert "to: yoon@onda.example" in told
    assert f"http://127.0.0.1/work/{asked['id']}." in told
    assert (asked["role"], asked["person"]) == ("manager", "yoon")
    assert asked["due_at"] == ledger.moment("2026-11-25 09:31")  # among the work of today and tomorrow
    (kept,) = ledger.all(t.alert)
    assert (kept["key"], kept["assignment_id"]) == ("place_views/missing", asked["id"])
    assert load(kept["evidence"]).days == (date(2026, 11, 23),)
    ledger.watch = Watch()  # as after a kill
    assert look(ledger, "2026-11-24 09:40") == []
    put(ledger, "place_views", "2026-11-23", 0, by="yoon")
    assert look(ledger, "2026-11-24 09:45") == []
    (ended,) = alerts(ledger)
    assert ended["state"] == "withdrawn"
    assert ended["reason"] == "플레이스 조회수: 11월 23일(월) 숫자가 없습니다 (끝남: 지난 한 주에 빠진 숫자가 없습니다)"
    assert ledger.asked() == []
    (over,) = ledger.all(t.alert)
    look(ledger, "2026-11-25 00:00")
    assert ledger.all(t.alert) == [over]  # when it was over stays


def test_its_evidence_is_shown_on_a_terminal_too(ledger, capsys):
    look(ledger, "2026-11-24 10:00")
    (asked,) = ledger.asked(kind="alert")
    app(["work", "show", asked["id"], "--home", str(ledger.home), "--playbooks", str(ledger.folder)])
    said = capsys.readouterr().out
    assert said.startswith("플레이스 조회수: 11월 23일(월) 숫자가 없습니다\n")
    assert "\n날짜: 11월 23일(월)\n" in said
    app(["work", "list", "--home", str(ledger.home), "--playbooks", str(ledger.folder)])
    assert "alert" in capsys.readouterr().out


def test_many_alerts_of_one_look_are_one_notice_to_each_person(ledger):
    for back in range(1, 9):
        put(ledger, "ad_cost", (date(2026, 11, 23) - timedelta(weeks=back)).isoformat(), 10000)
    told = look(ledger, "2026-11-24 10:00")
    to = {one.partition("to: ")[2].partition("\n")[0] for one in told}
    assert (to, len(told)) == ({"han@onda.example", "yoon@onda.example"}, 2)
    ledger.files["metrics"] = METRICS | {
        "metrics": {f"m{number}": COST | {"label": f"수{number}"} for number in range(20)},
        "alerts": {f"m{number}": {"missing_by": "09:30"} for number in range(20)},
    }
    ledger.write_files()
    ledger.load()
    (told,) = look(ledger, "2026-11-24 10:01")
    assert "[숫자] 살펴볼 것 20건" in told
    assert told.count("/work/") == 5
    assert "외 15건은 할 일에 있습니다" in told
    assert len(ledger.asked(kind="alert", person="han")) == 20
    gone = [one["reason"] for one in alerts(ledger) if one["state"] == "withdrawn"]
    assert len(gone) == 2
    assert all("(끝남: metrics.yaml에서 더는 묻지 않습니다)" in one for one in gone)


def test_what_a_person_did_rests_for_its_cool_down_and_is_told_again(ledger):
    look(ledger, "2026-11-24 10:00")
    (asked,) = ledger.asked(kind="alert")
    ledger.clock.set(ledger.moment("2026-11-25 11:30"))
    assert ledger.does(asked) == []
    assert look(ledger, "2026-12-01 10:00") == []  # a week with holes
    assert look(ledger, "2026-12-02 11:29") == []
    assert len(look(ledger, "2026-12-02 11:30")) == 1
    assert [one["state"] for one in alerts(ledger)] == ["done", "open"]
    assert alerts(ledger)[0]["reason"] == "플레이스 조회수: 11월 23일(월) 숫자가 없습니다"  # as it was done


def test_what_was_over_by_itself_rests_from_when_it_was_told(ledger):
    look(ledger, "2026-11-24 10:00")
    put(ledger, "place_views", "2026-11-23", 12)
    look(ledger, "2026-11-24 11:00")
    assert [one["state"] for one in alerts(ledger)] == ["withdrawn"]
    assert look(ledger, "2026-11-25 10:00") == []  # yesterday's is missing again
    assert look(ledger, "2026-12-01 09:59") == []
    assert len(look(ledger, "2026-12-01 10:00")) == 1


def test_what_stands_keeps_its_newest_evidence_and_tells_nobody_again(ledger):
    put(ledger, "place_views", "2026-11-20", 5)
    put(ledger, "place_views", "2026-11-21", 5)
    put(ledger, "place_views", "2026-11-22", 5)
    look(ledger, "2026-11-24 10:00")
    assert look(ledger, "2026-11-25 10:00") == []
    (asked,) = ledger.asked(kind="alert")
    assert asked["reason"] == "플레이스 조회수: 11월 23일(월), 11월 24일(화) 숫자가 없습니다"


def test_nothing_is_judged_where_nothing_happened(ledger):
    def turned(at):
        ledger.clock.set(ledger.moment(at))
        return ledger.watch.turn(ledger.store, ledger.world)

    assert turned("2026-11-24 09:00")
    assert not turned("2026-11-24 09:29")
    assert turned("2026-11-24 09:30")  # a due time passed
    assert turned("2026-11-24 09:31")  # an alert opened
    assert not turned("2026-11-24 09:32")
    ledger.does(ledger.asked(kind="alert")[0])
    assert turned("2026-11-24 09:33")  # somebody did it
    assert not turned("2026-11-24 23:59")
    put(ledger, "place_views", "2026-11-23", 1)
    assert turned("2026-11-24 23:59")
    assert turned("2026-11-25 00:00")  # a day began
    put(ledger, "ad_cost", "2026-11-24", 5)
    assert turned("2026-11-25 00:01")
    put(ledger, "ad_cost", "2026-11-24", 5)  # the same again
    assert not turned("2026-11-25 00:02")
    pulled(ledger, "2026-11-25 06:30", "running")
    assert not turned("2026-11-25 06:31")  # what it brings is waited for
    with ledger.store.write() as session:
        change(session, t.pull, "2026-11-25 06:30", state="done")
    assert turned("2026-11-25 06:32")
    pulled(ledger, "2026-11-25 07:00", "running")
    assert not turned("2026-11-25 07:59")
    assert turned("2026-11-25 08:01")  # it hangs, or was killed
    assert not turned("2026-11-25 08:02")
    assert timedelta(hours=1) == PULLING
    ledger.files["metrics"] = METRICS | {"alerts": {}}
    ledger.write_files()
    ledger.load()
    assert turned("2026-11-25 08:03")


def pulled(shop, at, state, *parts, kind="daily"):
    """A pull that ran at a time; a part's state, and its reason if it failed."""
    moment = shop.moment(at)
    with shop.store.write() as session:
        facts = {"since": "2026-11-17", "until": "2026-11-23", "kind": kind, "begun_at": moment}
        add(session, t.pull, id=at, state=state, kept=0, restated=0, missing=0, **facts)
        for source, reason in parts:
            facts = {"since": "2026-11-17", "until": "2026-11-23", "pages": 1, "asked": "{}", "ended_at": moment}
            ended = "failed" if reason else "done"
            add(session, t.pull_part, pull_id=at, source=source, state=ended, reason=reason, **facts)


def test_a_file_that_is_wrong_on_two_days_is_told_although_the_others_were_read(ledger):
    ledger.files["metrics"] = METRICS | {"alerts": {}}
    ledger.write_files()
    ledger.load()
    for day in ("24", "25"):
        pulled(ledger, f"2026-11-{day} 06:30", "partial", ("numbers.readings", "b.csv: line 2: value is no number"))
    with ledger.store.write() as session:
        session.execute(t.pull_part.update().values(state="done"))
    assert len(look(ledger, "2026-11-25 06:31")) == 1
    assert "b.csv: line 2" in failing(ledger)[0]


def failing(shop):
    return [one["reason"] for one in shop.asked(kind="alert", role="owner") if "가져오지" in one["reason"]]


def test_a_source_that_fails_for_a_day_is_told_without_any_alert_written(ledger):
    ledger.files["metrics"] = METRICS | {"alerts": {}}
    ledger.write_files()
    ledger.load()
    bad, good = ("numbers.readings", "the service cannot be reached"), ("numbers.readings", None)
    pulled(ledger, "2026-11-24 06:30", "failed", bad)
    pulled(ledger, "2026-11-24 08:00", "failed", bad)
    assert look(ledger, "2026-11-24 09:00") == []
    pulled(ledger, "2026-11-25 06:30", "partial", good, bad)  # a part that failed is enough
    assert len(look(ledger, "2026-11-25 06:31")) == 1
    assert failing(ledger) == ["numbers.readings: 2일째 숫자를 가져오지 못합니다 (the service cannot be reached)"]
    pulled(ledger, "2026-11-25 07:30", "done", good, kind="holes")  # says nothing of today's numbers
    look(ledger, "2026-11-25 07:31")
    assert len(failing(ledger)) == 1
    pulled(ledger, "2026-11-26 06:30", "done", good)
    assert look(ledger, "2026-11-26 06:31") == []
    assert failing(ledger) == []
    pulled(ledger, "2026-11-27 06:30", "failed", bad, ("gone.readings", "no"))
    pulled(ledger, "2026-11-28 06:30", "failed", bad, ("gone.readings", "no"))
    assert len(look(ledger, "2026-11-28 06:31")) == 1
    assert len(failing(ledger)) == 1


def test_a_failure_that_a_wrong_clock_dated_ahead_is_over_when_the_source_answers(ledger):
    ledger.files["metrics"] = METRICS | {"alerts": {}}
    ledger.write_files()
    ledger.load()
    bad, good = ("numbers.readings", "the service cannot be reached"), ("numbers.readings", None)
    pulled(ledger, "2026-11-24 06:30", "failed", bad)
    for day in ("2027-11-24", "2027-11-25"):
        pulled(ledger, f"{day} 06:30", "failed", bad)
    pulled(ledger, "2026-11-25 06:30", "done", good)
    look(ledger, "2026-11-25 06:31")
    assert failing(ledger) == []


def test_a_source_whose_connection_waits_for_its_credential_is_told_of_once(ledger):
    with ledger.store.write() as session:
        reconnect.tell(session, "numbers", "the credential is missing", ledger.clock.now())
    for day in (24, 25):
        pulled(ledger, f"2026-11-{day} 06:30", "failed", ("numbers.readings", "the credential is missing"))
    look(ledger, "2026-11-25 06:31")
    assert failing(ledger) == []


def restated(shop):
    return [one["reason"] for one in shop.asked(kind="alert") if "바뀌었습니다" in one["reason"]]


def test_a_number_that_its_source_restated_is_told_until_a_person_corrects_it(ledger):
    put(ledger, "ad_cost", "2026-11-23", 33000)
    look(ledger, "2026-11-24 09:05")
    assert restated(ledger) == []
    put(ledger, "ad_cost", "2026-11-23", 40000)
    look(ledger, "2026-11-24 09:06")
    assert restated(ledger) == ["광고비: 11월 23일(월) 숫자가 30,000원에서 40,000원(으)로 바뀌었습니다"]
    with ledger.store.write() as session:
        value = Value("ad_cost", date(2026, 11, 23), Decimal(30000), "person", "han")
        correct(session, ledger.world.book, value, ledger.clock.now(), "the invoice says so")
    look(ledger, "2026-11-24 09:07")
    assert restated(ledger) == []


def test_what_a_person_corrected_is_not_called_restated(ledger):
    with ledger.store.write() as session:
        value = Value("ad_cost", date(2026, 11, 23), Decimal(90000), "person", "han")
        correct(session, ledger.world.book, value, ledger.clock.now(), "typed wrong")
    look(ledger, "2026-11-24 09:08")
    assert restated(ledger) == []


def test_a_target_behind_its_pace_is_told(ledger):
    ledger.files["metrics"] = METRICS | {"targets": {"ad_cost": ">= 2,100,000 a month"},
                                         "alerts": {"ad_cost": {"behind": "yes", "to": "instructor"}}}  # fmt: skip
    ledger.write_files()
    ledger.load()
    for day in range(1, 23):
        put(ledger, "ad_cost", f"2026-11-{day:02}", 50000)
    (told,) = look(ledger, "2026-11-24 10:00")
    assert "광고비: 1,130,000원, 오늘까지 1,600,000원, 목표 2,100,000원" in told
    assert "to: ji@onda.example" in told


def test_of_several_engines_one_tells(ledger):
    ledger.clock.set(ledger.moment("2026-11-24 10:00"))
    other = Watch()
    if ledger.database:
        with ledger.store.write(beside=True) as session:
            assert try_alone(session, WATCHING)
            _elsewhere(ledger, other)
            assert alerts(ledger) == []
    _elsewhere(ledger, other)
    _elsewhere(ledger, Watch())
    assert len(alerts(ledger)) == 1


def test_what_another_engine_told_a_moment_ago_is_not_told_again(ledger):
    ledger.clock.set(ledger.moment("2026-11-24 10:00"))
    store = ledger.store

    class Late:
        """A store to whose writer another engine comes first."""

        read = staticmethod(store.read)

        @staticmethod
        def write(**how):
            _elsewhere(ledger, Watch())
            return store.write(**how)

    assert ledger.watch.turn(Late(), ledger.world)
    assert len(alerts(ledger)) == 1


def _elsewhere(shop, watch):
    """A look of another process: on a connection of its own."""
    from flows.store.store import open_store

    store = open_store(shop.home, shop.database)
    watch.turn(store, shop.world)
    store.close()


def test_the_engines_process_looks_by_itself(ledger):
    settings = Settings(home=ledger.home, playbooks=ledger.folder)
    sweep = Sweep(ledger.store, kept_for(settings))
    work = _Work(settings, ledger.store, ledger.world, ledger.engine, Files(ledger.folder), sweep)
    now = datetime.now(UTC)  # the process has no other clock
    for back in (2, 1):
        at = (now - timedelta(days=back)).astimezone(ledger.world.book.company.zone)
        pulled(ledger, f"{at:%Y-%m-%d %H:%M}", "failed", ("numbers.readings", "no answer"))
    work.once()
    assert failing(ledger) == []  # in the first minute a pull may begin
    work._watched = float("-inf")
    work.once()
    assert failing(ledger) == ["numbers.readings: 2일째 숫자를 가져오지 못합니다 (no answer)"]


def test_numbers_that_cannot_be_judged_stop_no_case(ledger, caplog):
    ledger.world.book = None
    watch(ledger.watch, ledger.store, ledger.world)
    assert "tried again in a minute" in caplog.text


def test_an_alert_can_be_skipped_with_a_reason_and_handed_over(ledger):
    from flows.people.assignments import skip
    from flows.people.notices import hand_over

    look(ledger, "2026-11-24 10:00")
    (asked,) = ledger.asked(kind="alert")
    ledger.act(hand_over, ledger.world.book, None, asked["id"], "yoon", "so", "not mine", ledger.clock.now(),
               ledger.world.links)  # fmt: skip
    assert "[넘겨받은 일] 플레이스 조회수" in "".join(notices(ledger))
    ledger.act(skip, None, asked["id"], "so", "a holiday", ledger.clock.now())
    assert look(ledger, "2026-11-25 10:00") == []
