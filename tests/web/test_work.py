"""An assignment's page: whoever holds the link does that one piece of work, once."""

import logging
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.clock import OffsetClock, VirtualClock
from flows.ledger.alerts import told
from flows.ledger.alerts.judge import Finding
from flows.people.links import LIVES, Links
from flows.store import data
from flows.store import tables as t
from flows.store.write import add, open_assignment
from tests.web.conftest import GOOD, Door
from tests.web.test_form import FORM, key

TICKS = {"_ticked": ["0", "1"], "class_at": "2026-11-28T10:00"}


def arrive(door: Door, **more: str) -> str:
    """A customer's request becomes work; its link's path."""
    assert door.post(FORM, {**GOOD, "_key": key(door), **more}).status == 303
    door.work()
    return door.link(door.open_work())


def seal(door: Door, path: str) -> dict[str, str]:
    found = re.search(r'name="_seal" value="([0-9a-f]+)"', door.get(path).text)
    assert found
    return {"_seal": found[1]}


def test_the_page_says_what_for_whom_why_and_until_when(door: Door) -> None:
    path = arrive(door, name="Kim <b>Hana</b>", health="yes", pain="left knee")
    text = door.get(path).text
    for said in (
        "<h1>Agree on a time</h1>", "Kim &lt;b&gt;Hana&lt;/b&gt;", "010-1234-5678", "left knee", "Due ",
        "Whoever asks for a trial class hears from us the same day.", "<li>asks for a class</li>", "called back",
    ):  # fmt: skip
        assert said in text
    assert "overdue" not in text
    door.context.world.clock = OffsetClock(timedelta(hours=2))
    late = door.get(path).text
    assert "overdue" in late
    assert "simulated clock: " in late


def test_an_alerts_link_leads_to_its_numbers_and_speaks_of_no_customer(door: Door) -> None:
    now, book = door.context.world.clock.now(), door.context.world.book
    finding = Finding("trial_requests", "missing", (date(2026, 11, 23),))
    with door.context.store.write() as session:
        id = open_assignment(session, now, kind="alert", role="owner", reason=told.sentence(book, finding))
        add(session, t.alert, key=finding.key, since=now, told_at=now, evidence=told.dump(finding), assignment_id=id)
    links = door.context.world.links
    text = door.get(links.url(id, now).removeprefix(links.address)).text
    assert f'<a href="{links.address}/metrics' in text
    assert "customer" not in text
    assert "Only for the person it was sent to." in text
    assert "customer" in door.get(arrive(door)).text
    with door.context.store.write() as session:
        session.execute(t.assignment.update().where(t.assignment.c.id == id).values(state="withdrawn"))
    assert "/metrics" not in door.get(links.url(id, now).removeprefix(links.address)).text


def test_done_is_done_once_and_a_second_press_is_thanked(door: Door) -> None:
    path = arrive(door)
    answers = {**TICKS, **seal(door, path), "_minutes": "7", "_note": "likes mornings", "_press": "done"}
    first = door.post(path, answers)
    assert (first.status, first.headers["location"]) == (303, path)
    second = door.post(path, {**answers, "_minutes": "9"})
    assert second.status == 409
    assert "This is done. Thank you!" in second.text
    assert "Kim Hana" not in second.text  # nobody needs the customer's data any more
    assert "This is done. Thank you!" in door.get(path).text
    (row,) = door.rows(t.assignment.select())
    assert (row["state"], row["done_by"], row["minutes"], row["late"]) == ("done", "yoon", 7, False)
    (kept,) = door.rows(t.private_assignment.select())
    assert kept["note"] == "likes mornings"
    assert data.load(kept["answers"])["class_at"].isoformat() == "2026-11-28T10:00:00+09:00"
    door.work()
    assert "Greet by name" in door.get(door.link(door.open_work())).text


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"_ticked": ["0"]}, "checklist", "not ticked yet: told the way"),
        ({"_ticked": []}, "checklist", "not ticked yet: called back, told the way"),
        ({"class_at": ""}, "class_at", "is missing"),
        ({"_minutes": "1.5"}, "minutes", "whole minutes, 0 to 1440"),
        ({"_minutes": "-1"}, "minutes", "whole minutes, 0 to 1440"),
        ({"_minutes": "٣"}, "minutes", "whole minutes, 0 to 1440"),
        (
            {"ache": "knee"},
            "ache",
            "leave it empty: the customer has not agreed to “You may note where it hurts”",
        ),
    ],
)
def test_what_is_missing_or_not_agreed_is_told_beside_its_field(
    door: Door, change: dict[str, object], field: str, said: str
) -> None:
    path = arrive(door)
    reply = door.post(path, {**TICKS, **seal(door, path), "_note": "kept <i>", "_press": "done", **change})
    assert reply.status == 422
    assert f'<p class="error" id="e-{field}">{said}</p>' in reply.text
    assert "kept &lt;i&gt;</textarea>" in reply.text
    assert door.open_work()["state"] == "open"


def test_sensitive_answers_are_taken_with_consent(door: Door) -> None:
    path = arrive(door, health="yes")
    assert door.post(path, {**TICKS, **seal(door, path), "ache": "knee", "_press": "done"}).status == 303


def test_only_what_nobody_needs_later_can_be_skipped_and_with_a_reason(door: Door) -> None:
    path = arrive(door)
    assert "Skip this" not in door.get(path).text
    refused = door.post(path, {**seal(door, path), "_press": "skip", "_reason": "x"})
    assert refused.status == 409
    assert "cannot be skipped" in refused.text
    door.post(path, {**TICKS, **seal(door, path), "_press": "done"})
    door.work()
    greet = door.link(door.open_work())
    blank = door.post(greet, {**seal(door, greet), "_press": "skip", "_reason": " "})
    assert (blank.status, "say in a few words why" in blank.text) == (422, True)
    assert door.post(greet, {**seal(door, greet), "_press": "skip", "_reason": "came in by the back"}).status == 303
    assert "This was skipped." in door.get(greet).text


def test_a_doubt_is_settled_by_one_of_two_buttons(door: Door) -> None:
    arrive(door)
    (case,) = door.rows(t.case.select())
    with door.store.write() as session:
        told = {"kind": "doubt", "case_id": case["id"], "playbook": "trial", "step": "greet", "role": "manager"}
        id = open_assignment(session, datetime.now(UTC), reason="the answer was lost", **told)
    (row,) = door.rows(t.assignment.select().where(t.assignment.c.id == id))
    path = door.link(row)
    text = door.get(path).text
    assert "the answer was lost" in text
    assert text.count('name="happened"') == 2
    assert "Skip this" not in text
    assert door.post(path, {**seal(door, path), "_press": "done"}).status == 422
    assert door.post(path, {**seal(door, path), "happened": "no"}).status == 303
    (kept,) = door.rows(t.private_assignment.select().where(t.private_assignment.c.assignment_id == id))
    assert data.load(kept["answers"]) == {"happened": False}


def test_dead_links_say_so(door: Door) -> None:
    path = arrive(door)
    foreign = Links("", b"x" * 32).token("abc", datetime.now(UTC) + LIVES)
    for dead in (
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        f"/work/{foreign}",
        "/work/x",
        "/work/a.b.c",
        "/work/..",
    ):
        reply = door.get(dead)
        assert reply.status == 404
    assert "too old" in door.get(f"/work/{foreign}").text
    door.context.world.clock = VirtualClock(datetime.now(UTC) + LIVES + timedelta(minutes=1))
    assert door.get(path).status == 404
    assert door.post(path, TICKS).status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null", "seal": "0" * 32}, 403),
        ({"seal": "é"}, 403),
    ],
)
def test_only_the_page_itself_can_send_its_form(door: Door, headers: dict[str, str], status: int) -> None:
    path = arrive(door)
    own = seal(door, path)
    own["_seal"] = headers.pop("seal", own["_seal"])
    assert door.post(path, {**TICKS, **own, "_press": "done"}, headers).status == status


def test_links_and_notes_reach_no_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        path = arrive(door, name="canary-4410")
        door.post(path, {**TICKS, **seal(door, path), "_note": "canary-4410", "_minutes": "x"})
        door.post(path, {**TICKS, **seal(door, path), "_note": "canary-4410", "_press": "done"})
    assert "canary-4410" not in caplog.text
    assert path not in caplog.text
