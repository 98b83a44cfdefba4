"""The engine's work as people see it in Prefect's pages; against a real server."""

import json
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.states import Cancelling, Pending, Running, Suspended
from sqlalchemy import insert

from connectors.errors import Rejected
from flows.runs.flow import flow_of
from flows.runs.follow import Follower, follow
from flows.runs.pages import HELD_BECAUSE, again, cancel
from flows.store import tables as t
from flows.store.write import journal
from tests.runs.conftest import CANARY, SERVER, Prefect, flow_run, task_runs, until

pytestmark = pytest.mark.usefixtures("prefect")


def _steps(shop: Any) -> list[dict[str, Any]]:
    return [
        shop.machine("log", "ledger.record", {"kind": "apply"}, do="거래장부에 신청을 적는다"),
        shop.person("confirm", do="시간을 확정한다 / 알린다"),
    ]


def test_a_quiet_event_has_a_run_of_its_own_in_the_companys_words(shop: Any, shown: Any) -> None:
    seen = shown(_steps(shop))
    seen.register()
    shop.asks(name=CANARY)
    shop.work()
    (run,) = seen.follow()
    found = flow_run(run["flow_run"])
    assert (found.name, found.state.name, found.state.message) == ("방문 상담 · 1 case", "Completed", "1 assigned")
    assert found.parameters == {"run": run["id"]}
    assert task_runs(run["flow_run"], 2) == [
        ("거래장부에 신청을 적는다 · 1 done", "Completed"),
        ("시간을 확정한다 알린다 · 1 assigned", "Completed"),
    ]
    (((row,), said),) = _tables(run["flow_run"]).values()
    assert (row["state"], row["step"]) == ("assigned", "시간을 확정한다 알린다")
    assert row["case"] == shop.case()["id"]
    assert row["its story"] == f"digilog case {row['case']}"
    assert f"({SERVER.board}/cases/{row['case']})" in said


def _tables(run: str) -> dict[str, Any]:
    """The tables of a run by name: rows, and what stands above them."""
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(run)]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=wanted)
    return {str(one.key): (json.loads(str(one.data)), str(one.description)) for one in found}


def test_a_pull_has_a_table_of_what_was_asked_and_came_without_what_a_service_said(shop: Any, shown: Any) -> None:
    shop.connect("gone", connector="csv", file=f"{CANARY}.csv")
    shop.files["metrics"] = {"metrics": {
        "clicks": {"label": "클릭", "on": "apply", "settle_days": 2, "source": {"use": "numbers.readings"}},
        "cost": {"label": "비용", "on": "apply", "source": {"use": "gone.readings"}},
    }}  # fmt: skip
    seen = shown([shop.machine("pull", "metrics.pull", do="숫자를 모은다")])
    yesterday = shop.clock.now().astimezone(shop.world.book.company.zone).date() - timedelta(days=1)
    (shop.home / "files" / "numbers.csv").write_text(f"day,metric,value\n{yesterday},clicks,7\n")
    seen.register()
    shop.asks(name=CANARY)
    shop.work()
    (run,) = seen.follow()
    table, said = _tables(run["flow_run"])["numbers-visit"]
    assert [(row["source"], row["metrics"], row["state"]) for row in table] == [
        ("gone.readings", "cost", "failed"), ("numbers.readings", "clicks", "done"),
    ]  # fmt: skip
    assert said == "daily: 1 new, 0 restated, 2 missing"
    assert CANARY not in json.dumps(table, ensure_ascii=False)


def test_a_later_leg_is_a_new_run_from_the_step_it_goes_on_with(shop: Any, shown: Any) -> None:
    seen = shown(_steps(shop))
    seen.register()
    shop.asks(name=CANARY)
    shop.work()
    seen.follow()
    shop.does(shop.asked()[0])
    shop.work()
    _, later = seen.follow()
    assert task_runs(later["flow_run"], 1) == [("시간을 확정한다 알린다 · 1 done", "Completed")]
    assert flow_run(later["flow_run"]).state.message == "1 ended"


def test_an_error_nobody_has_taken_fails_the_run_and_one_that_is_taken_does_not(shop: Any, shown: Any) -> None:
    fields = {"name": {"type": "text", "label": "이름"}, "phone": {"type": "phone", "label": "연락처"},
              "kind": {"type": "text", "label": "종류"}}  # fmt: skip
    steps = [shop.machine("log", "ledger.record", {"kind": "{{ kind }}"}, do="적는다")]
    seen = shown(steps, fields=fields)
    seen.register()
    shop.asks(name=CANARY, 종류=CANARY)
    shop.work()
    (run,) = seen.follow()
    state = flow_run(run["flow_run"]).state
    assert state.name == "Failed"
    assert state.message == "1 failed. this kind of exchange is unknown; add it to kinds in canvas.yaml"
    assert task_runs(run["flow_run"], 1) == [("적는다 · 1 failed", "Failed")]

    shop.asks("k2", CANARY, "010-1234-9999", 종류=CANARY)
    shop.work()
    for asked in shop.asked():
        shop.does(asked)
    shop.work()
    states = {flow_run(run["flow_run"]).state.name for run in seen.follow()[1:]}
    assert states == {"Taken over", "Completed"}


def test_a_thousand_cases_share_few_runs_and_at_most_two_are_open(shop: Any, shown: Any) -> None:
    seen = shown([shop.machine("log", "ledger.record", {"kind": "apply"}, do="적는다")])
    seen.register()
    waves, most = [range(start, start + 50) for start in range(0, 1_000, 50)], 0

    def settled() -> bool:
        nonlocal most
        if waves:
            _happened(shop, waves.pop(0))
        busy = seen.follower.look()
        most = max(most, busy)
        return not waves and not busy and not seen.open()

    until(settled, 60)
    runs = shop.all(t.run)
    assert 2 <= len(runs) <= 60
    assert most <= 2
    assert sum(len(shop.all(t.run_case, t.run_case.c.run_id == run["id"])) for run in runs) == 1_000
    assert {flow_run(run["flow_run"]).state.name for run in runs} == {"Completed"}


def _happened(shop: Any, numbers: range) -> None:
    """What the engine writes of cases with one step; the engine itself would take longer than the test may."""
    now, playbook = shop.clock.now(), shop.world.book.playbooks["visit"]
    with shop.store.write() as session:
        shop.world.keep_version(session, playbook)
        for number in numbers:
            case = {"id": f"c{number}", "playbook": "visit", "version": playbook.version, "leg": 1}
            facts = {"opened_at": now, "status": "ended", "step": 1, "failed": False, "outcome": "done"}
            session.execute(insert(t.case).values(**case, **facts))
            for step, state in ((None, "opened"), ("log", "done"), (None, "ended")):
                journal(session, case, step, state, now)


def test_cancelled_in_prefect_a_run_holds_its_unfinished_cases(shop: Any, shown: Any) -> None:
    seen = shown([shop.machine("call", "sink.put", {"path": "x", "body": {}}, do="보낸다")])
    seen.register()
    shop.calls.dead = True
    shop.asks(name=CANARY)
    shop.turns()
    (run,) = until(lambda: seen.follower.look() and [one for one in seen.open() if one["flow_run"]])
    until(lambda: flow_run(run["flow_run"]).state.name == "Running")
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run["flow_run"]), Cancelling(), force=True)
    assert cancel(seen.house) == 1
    assert [one["id"] for one in seen.follow()] == [run["id"]]
    assert shop.case()["held"] == HELD_BECAUSE
    assert flow_run(run["flow_run"]).state.name == "Cancelled"


def test_suspended_in_prefect_a_run_ends_as_its_cases_do_and_makes_room_for_others(shop: Any, shown: Any) -> None:
    seen = shown([shop.machine("call", "sink.put", {"path": "x", "body": {}}, do="보낸다"), shop.person("talk")])
    seen.register()
    shop.calls.dead, shop.calls.answers_to = True, {"sink.put": {}}
    shop.asks(name=CANARY)
    shop.turns()
    (run,) = until(lambda: seen.follower.look() and [one for one in seen.open() if one["flow_run"]])
    until(lambda: flow_run(run["flow_run"]).state.name == "Running")
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run["flow_run"]), Suspended(timeout_seconds=3600))
    assert flow_run(run["flow_run"]).state.is_paused()
    shop.calls.dead = False
    for sending in tuple(shop.calls.sent):
        shop.calls.submit(sending)
    shop.turns()
    assert [one["state"] for one in seen.follow()] == ["ended"]
    until(lambda: flow_run(run["flow_run"]).state.name == "Completed")


def test_retried_in_prefect_failed_cases_are_tried_again_unless_somebody_has_them(shop: Any, shown: Any) -> None:
    seen = shown([shop.machine("call", "sink.put", {"path": "x", "body": {}}, do="보낸다")])
    shop.calls.answers_to["sink.put"] = [Rejected("the service refused (400)"), {}]
    shop.asks(name=CANARY)
    shop.turns()
    (run,) = seen.follow()
    assert flow_run(run["flow_run"]).state.name == "Failed"
    assert again(seen.house, run["id"]).message == "1 tried again, shown in a new run"
    shop.turns()
    _, later = seen.follow()
    assert flow_run(later["flow_run"]).state.message == "1 ended"


def test_a_run_that_was_cut_off_is_ended_from_the_journal(shop: Any, shown: Any) -> None:
    seen = shown(_steps(shop))
    shop.asks(name=CANARY)
    shop.work()
    playbook, case = seen.house.book.playbooks["visit"], shop.case()
    with get_client(sync_client=True) as client:
        made = client.create_flow_run(flow_of(playbook), parameters={"run": "cut"}, state=Pending())
        client.set_flow_run_state(made.id, Running(), force=True)
    with shop.store.write() as session:
        session.execute(insert(t.run).values(
            id="cut", playbook="visit", version=playbook.version, flow_run=str(made.id), state="open",
            opened_at=shop.clock.now(),
        ))  # fmt: skip
        session.execute(insert(t.run_case).values(run_id="cut", case_id=case["id"], leg=1))
    seen.follower = Follower(seen.house)
    assert [run["id"] for run in seen.follow()] == ["cut"]
    assert flow_run(str(made.id)).state.name == "Completed"


def test_what_happens_while_prefect_is_away_is_shown_when_it_is_back(shop: Any, shown: Any, prefect: Prefect) -> None:
    seen = shown(_steps(shop))
    prefect.stop()
    thread = threading.Thread(target=follow, args=(seen.house,))
    thread.start()
    try:
        shop.asks(name=CANARY)
        shop.work()
        assert shop.asked()  # the engine did not wait
        until(seen.open)
        prefect.start()
        until(lambda: not seen.open(), 40)
    finally:
        seen.house.stop.set()
        thread.join(20)
    (run,) = shop.all(t.run)
    assert flow_run(run["flow_run"]).state.message == "1 assigned"


def test_a_period_runs_once_however_often_prefect_starts_it(shop: Any, shown: Any) -> None:
    steps = [shop.machine("tell", "team.notify", {"subject": "어제", "text": "숫자"}, do="숫자를 알린다")]
    seen = shown(steps, start={"schedule": "daily 00:01"}, fields=None, case="period")
    seen.register()
    engine = threading.Thread(target=lambda: until(lambda: not shop.engine.turn() and seen.house.stop.is_set(), 60))
    engine.start()
    with seen.worker(), get_client(sync_client=True) as client:
        asked = [client.create_flow_run_from_deployment(seen.house.deployments["visit"]).id for _ in range(2)]
        found = [until(partial(_final, str(id)), 40) for id in asked]
    seen.house.stop.set()
    engine.join(20)
    assert {one.state.message for one in found} == {"1 ended"}
    assert {one.name for one in found} == {f"방문 상담 · {shop.case()['period']}"}
    assert len(shop.all(t.case)) == 1
    assert not [run for run in seen.follow() if run["flow_run"] not in set(map(str, asked))]


def test_started_by_hand_with_nothing_ready_a_run_says_so(shop: Any, shown: Any) -> None:
    seen = shown(_steps(shop))
    seen.register()
    with seen.worker(), get_client(sync_client=True) as client:
        asked = client.create_flow_run_from_deployment(seen.house.deployments["visit"]).id
        found = until(lambda: _final(str(asked)), 40)
    assert (found.state.name, found.state.message) == ("Completed", "nothing was ready")


def test_no_customers_text_passes_through_prefect(shop: Any, shown: Any) -> None:
    """Last in the file: looks at all that the tests above left in Prefect's folder and in the logs."""
    seen = shown(_steps(shop))
    seen.register()
    shop.asks(name=CANARY)
    shop.work()
    seen.follow()
    files = [file for file in Path(SERVER.home).rglob("*") if file.is_file()]
    assert any(file.name == "prefect.db" for file in files)
    forms = (CANARY.encode(), json.dumps(CANARY).strip('"').encode())
    assert not [file for file in files if any(form in file.read_bytes() for form in forms)]


def _final(id: str) -> Any:
    found = flow_run(id)
    return found if found.state and found.state.is_final() else None
