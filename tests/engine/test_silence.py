"""What does not happen is told, once and then daily, and so is its end; what fails is told to whom it may concern."""

import pytest

from connectors.errors import Rejected, Uncertain
from flows import overdue
from flows.engine import silence
from flows.store import tables as t
from flows.store.write import set_setting


def failures(shop):
    return [one for one in told(shop) if one.partition("subject: ")[2].startswith("[실패]")]


def told(shop):
    """Notices to the team, whole."""
    return [file.read_text() for file in sorted((shop.home / "outbox").glob("*.txt"))]


def begin(shop, answer, **head):
    shop.open([shop.machine("send", "sink.post", {"path": "/x", "body": {"a": "{{ name }}"}})],
              **{"on_failure": {"tell": "owner"}, **head})  # fmt: skip
    shop.calls.answers_to["sink.post"] = answer
    shop.asks()
    shop.turns()


def test_a_step_that_falls_back_is_told_once_without_the_customers_words(shop):
    begin(shop, Rejected("the service said no"))
    (said,) = failures(shop)
    case = shop.case()
    assert "send을 한다" in said
    assert f"digilog case {case['id']}" in said
    assert "the service said no" in said
    assert "to: han@onda.example" in said
    assert "김하나" not in said
    assert "5678" not in said


def test_a_doubt_is_told(shop):
    begin(shop, Uncertain("cut off"))
    assert ["cut off" in one for one in failures(shop)] == [True]


def test_nobody_is_told_where_the_playbook_names_nobody_or_nothing_failed(shop):
    begin(shop, Rejected("no"), on_failure=None)
    assert failures(shop) == []


def test_a_step_given_to_a_person_in_trial_is_no_failure(shop):
    begin(shop, Rejected("no"), state="trial", scenario=None)
    assert shop.asked(kind="fallback")
    assert failures(shop) == []


def sign(shop):
    """The engine's sign of life, which its process gives."""
    with shop.store.write() as session:
        set_setting(session, "engine_seen", shop.clock.now().isoformat())


def look(shop, at=None, *, alive=True):
    """What was told at a time, in short."""
    if at:
        shop.clock.set(shop.moment(at))
    if alive:
        shop.turns()
        sign(shop)
        with shop.store.write() as session:
            silence.keep(session, shop.world, shop.clock.now(), shop.clock.now())
    before = {file.name for file in (shop.home / "outbox").glob("*")}
    worth = overdue.anything(shop.home, shop.clock.now().timestamp(), shop.database)
    silence.look(shop.store, shop.world)
    new = [file for file in sorted((shop.home / "outbox").glob("*.txt")) if file.name not in before]
    assert worth or not new  # the small look each minute misses nothing
    return [file.read_text().partition("subject: ")[2].partition("\n")[0] for file in new]


def awaited(shop, **head):
    shop.open([shop.person("call")], silent_after="2d", **head)
    assert look(shop) == []
    return shop


def test_a_playbook_without_new_cases_is_told_once_then_daily_then_over(shop):
    awaited(shop)
    assert look(shop, "2026-11-25 09:59") == []
    assert look(shop, "2026-11-25 10:01") == ["[조용함] 방문 상담: 새 건이 없습니다"]
    assert look(shop, "2026-11-25 10:02") == []
    assert look(shop, "2026-11-26 10:00") == []
    assert look(shop, "2026-11-26 10:01") == ["[아직 조용함] 방문 상담: 새 건이 없습니다"]
    shop.asks()
    assert look(shop, "2026-11-26 11:00") == ["[다시 움직임] 방문 상담: 새 건이 다시 들어옵니다"]
    assert look(shop, "2026-11-28 10:59") == []
    assert look(shop, "2026-11-28 11:01") == ["[조용함] 방문 상담: 새 건이 없습니다"]


def test_a_playbook_that_opens_no_cases_is_not_awaited_until_it_does_again(shop):
    awaited(shop)
    shop.write([shop.person("call")], silent_after="2d", state="design")
    shop.load()
    assert look(shop, "2026-11-26 10:00") == []
    shop.write([shop.person("call")], silent_after="2d")
    shop.load()
    assert look(shop, "2026-11-27 10:00") == []
    assert look(shop, "2026-11-29 10:01") == ["[조용함] 방문 상담: 새 건이 없습니다"]


@pytest.mark.parametrize(
    ("after", "quiet", "late", "again"),
    [
        ("2d", "2026-11-25 09:59", "2026-11-25 10:01", "2026-11-26 10:01"),
        ("10 business hours", "2026-11-24 10:59", "2026-11-24 11:01", "2026-11-25 11:01"),  # closed from 18:00 to 09:00
    ],
)
def test_a_connection_by_which_nothing_comes_is_told_once_then_daily_then_over(shop, after, quiet, late, again):
    shop.connect("form", connector="own_form", silent_after=after)
    shop.open([shop.person("call")])
    assert look(shop) == []
    shop.asks("first")
    assert look(shop, quiet) == []
    assert look(shop, late) == ["[조용함] form: 들어오는 것이 없습니다"]
    assert look(shop, late) == []
    assert look(shop, again) == ["[아직 조용함] form: 들어오는 것이 없습니다"]
    shop.asks("second", phone="010-2222-3333")
    assert look(shop) == ["[다시 움직임] form: 다시 들어옵니다"]
    assert look(shop) == []


def test_a_period_that_did_not_start_is_told_and_is_over_when_it_starts(shop):
    shop.open([shop.person("count")], start={"schedule": "daily 06:30"}, case="period", fields=None, stage="circle")
    assert look(shop) == []
    late = "[조용함] 방문 상담: 예정된 일이 시작되지 않았습니다"
    with shop.store.write() as session:
        set_setting(session, "engine_seen", shop.moment("2026-11-25 00:00").isoformat())  # alive, and does nothing
    assert look(shop, "2026-11-24 06:34", alive=False) == []
    assert look(shop, "2026-11-24 06:36", alive=False) == [late]
    assert look(shop, "2026-11-24 06:37", alive=False) == []
    assert look(shop, "2026-11-24 06:38") == ["[다시 움직임] 방문 상담: 예정된 일이 다시 시작됩니다"]
    assert look(shop, "2026-11-25 06:32") == []  # started in time


def test_a_dead_engine_is_told_without_it_and_so_is_its_return(shop):
    shop.open([shop.person("call")])
    assert look(shop) == []
    assert look(shop, "2026-11-23 10:01", alive=False) == []
    assert look(shop, "2026-11-23 10:03", alive=False) == ["[조용함] digilog: engine이 일하지 않습니다"]
    assert look(shop, "2026-11-23 10:04", alive=False) == []
    assert look(shop, "2026-11-23 10:05") == ["[다시 움직임] digilog: engine이 다시 일합니다"]


def test_an_engine_that_never_worked_here_is_not_awaited(shop):
    shop.open([shop.person("call")])
    assert look(shop, "2026-11-30 10:00", alive=False) == []


def test_the_owner_of_the_playbook_is_told_with_the_time_and_what_to_do(shop):
    awaited(shop)
    look(shop, "2026-11-25 10:01")
    (said,) = told(shop)
    assert "to: yoon@onda.example" in said
    assert "기다린 시각: 2026-11-25 10:00" in said


@pytest.mark.parametrize(("kind", "left"), [("repeat", "done"), ("once", "in_doubt")])
def test_a_notice_that_was_cut_off_is_repeated_only_where_that_is_harmless(shop, kind, left):
    awaited(shop)
    look(shop, "2026-11-25 10:01", alive=False)
    with shop.store.write() as session:
        session.execute(t.effect.update().values(state="sending", effect_class=kind))
    look(shop, "2026-11-25 10:02", alive=False)
    look(shop, "2026-11-25 10:20", alive=False)
    assert [one["state"] for one in shop.all(t.effect)] == [left, left]  # of the playbook, of the engine


def test_a_notice_that_cannot_be_sent_is_sent_later_and_said(shop):
    awaited(shop)
    (shop.home / "outbox").write_text("in the way")
    shop.clock.set(shop.moment("2026-11-25 10:01"))
    found = silence.look(shop.store, shop.world)
    assert found.unsent
    (shop.home / "outbox").unlink()
    assert look(shop, "2026-11-25 10:10", alive=False)
    assert {one["state"] for one in shop.all(t.effect)} == {"done"}


def test_a_quiet_minute_costs_no_full_look(shop):
    awaited(shop)
    assert not overdue.anything(shop.home, shop.clock.now().timestamp(), shop.database)
    look(shop, "2026-11-25 10:01")
    assert not overdue.anything(shop.home, shop.clock.now().timestamp(), shop.database)  # told, until tomorrow


def test_the_small_look_goes_by_the_clock_of_the_home(shop):
    awaited(shop)
    with shop.store.write() as session:
        set_setting(session, "clock_offset", str(3 * 86400))
    assert overdue.anything(shop.home, shop.clock.now().timestamp(), shop.database)
