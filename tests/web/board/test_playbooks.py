"""Playbooks as people read them: who does what, where cases stand, what went wrong, their tests; and the blueprint."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from flows.engine import publishing
from flows.engine.books import open_book
from flows.playbook.model import Playbook
from flows.store import tables as t
from flows.store.write import journal
from flows.web.board import playbook as page
from flows.web.board import playbooks, words
from flows.web.board.words.playbooks import BLUEPRINT, PLAYBOOK
from tests.web.board.conftest import Board

TESTS = """
cases:
  - name: who asks is called
    clock: "2026-11-23 10:00"
    start: {name: Kim, phone: 010-1234-5678, kind: a, first: "yes", rules: "yes"}
    people: {assign: {at: "2026-11-23 10:20", answers: {class_at: "2026-11-25 19:00"}}}
    expect: {assignments: [{step: assign}, {step: greet}]}
  - name: nobody is ever late
    clock: "2026-11-23 10:00"
    start: {name: Kim, phone: 010-1234-5678, kind: a, first: "yes", rules: "yes"}
    expect: {outcome: done}
"""


def give_tests(board: Board) -> None:
    folder = Path(board.door.home).parent / "company"
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "trial.yaml").write_text(TESTS, "utf-8")
    board.door.context.world.book = open_book(folder)


def change(board: Board, name: str, **said: object) -> Playbook:
    world = board.door.context.world
    other = world.book.playbooks[name].model_copy(update=said)
    other.__dict__.pop("index", None)  # which is made of its steps once
    world.book = replace(world.book, playbooks={**world.book.playbooks, name: other})
    return other


def went_wrong(board: Board, state: str, reason: str) -> str:
    row = board.submit()
    case = board.door.rows(select(t.case).where(t.case.c.id == row["case_id"]))[0]
    with board.door.store.write() as session:
        journal(session, case, "greet", state, datetime.now(UTC), by="machine", reason=reason)
        session.execute(update(t.case).where(t.case.c.id == case["id"]).values(failed=state == "failed"))
    return str(case["id"])


def test_the_list_tells_how_each_playbook_stands(board: Board) -> None:
    text = board.viewer.get("/playbooks").text
    assert text.count("never began") == 2
    case = went_wrong(board, "failed", "the service cannot be reached")
    text = board.viewer.get("/playbooks").text
    trial = re.search(r'<li><a href="/playbooks/trial">.*?</li>', text, re.DOTALL)
    assert trial
    for said in ("Trial class", "customer / Apply", "owner Manager", "1 open", "1 failed", "last began today",
                 'chip trial">trial', "Greet by name: the service cannot be reached"):  # fmt: skip
        assert said in trial[0], said
    assert "2 playbooks, 1 open cases" in text
    assert case not in text


def test_a_playbook_says_who_does_what_and_by_when(board: Board) -> None:
    text = board.viewer.get("/playbooks/trial").text
    assert "Whoever asks for a trial class hears from us the same day." in text
    assert "Agree on a time" in text
    assert 'chip by">Manager' in text
    assert "By when: 1 hour" in text
    assert "☐ called back" in text
    assert "By hand one case takes 6 minutes; the machine takes 0 of them." in text
    assert "What comes in (9)" in text


def test_cases_are_counted_at_their_step_and_found_from_there(board: Board) -> None:
    first = board.submit()
    board.submit(phone="010-2222-3333", name="Lee Two")
    answers = {"_press": "done", "class_at": "2026-12-01T10:00", "_ticked": ["0", "1"]}
    board.actor.post(f"/assignments/{first['id']}", answers)
    board.door.work()
    visitor = board.viewer
    text = visitor.get("/playbooks/trial").text
    links = [one.replace("&amp;", "&") for one in re.findall(r'href="(/cases\?[^"]*step=[^"]*)"', text)]
    assert set(links) == {"/cases?playbook=trial&step=assign", "/cases?playbook=trial&step=greet"}
    assert text.count("1 here now") == 4  # beside the step, and in the list
    there = visitor.get("/cases?playbook=trial&step=greet").text
    assert "Only cases at the step “Greet by name”." in there
    assert "Kim Hana" in there
    assert "Lee Two" not in there
    assert "Kim Hana" in visitor.get("/cases?playbook=trial&step=nothing").text


def test_a_step_that_only_an_older_version_has_is_counted_too(board: Board) -> None:
    board.submit()
    playbook = board.door.context.world.book.playbooks["trial"]
    change(board, "trial", steps=playbook.steps[1:], version="0" * 64)
    text = board.viewer.get("/playbooks/trial").text
    assert "a step of an older version" in text
    assert "Agree on a time" in text
    assert "No case has begun with the file as it is now (00000000)." in text


@pytest.mark.parametrize(("state", "why"), [("failed", "the service cannot be reached"), ("dropped", "too late")])
def test_what_went_wrong_is_told_with_its_reason_and_its_case(board: Board, state: str, why: str) -> None:
    case = went_wrong(board, state, why)
    text = board.viewer.get("/playbooks/trial").text
    told = text[text.index("What went wrong lately") : text.index('id="tests"')]
    assert f'href="/cases/{case}"' in told
    assert "Greet by name" in told
    assert why in told
    assert "Kim Hana" in told


def test_a_step_left_to_a_person_on_purpose_did_not_go_wrong(board: Board) -> None:
    went_wrong(board, "handed", "the playbook is in state trial: by hand, so that both can be compared")
    assert "Nothing went wrong." in board.viewer.get("/playbooks/trial").text


def test_an_admin_plays_the_tests_and_everyone_reads_how_they_came_out(board: Board) -> None:
    assert "tests/trial.yaml" in board.viewer.get("/playbooks/trial").text
    give_tests(board)
    before = board.viewer.get("/playbooks/trial").text
    assert "Not played yet." in before
    assert 'value="test"' not in before
    assert board.actor.post("/playbooks/trial", {"_press": "test"}).status == 403
    reply = board.admin.post("/playbooks/trial", {"_press": "test"})
    assert (reply.status, reply.headers["location"]) == (303, "/playbooks/trial?told=tested#tests")
    text = board.viewer.get("/playbooks/trial").text
    assert "Of 2, 1 came out otherwise." in text
    assert re.search(r'class="green">.*who asks is called', text)
    assert re.search(r'class="red">.*nobody is ever late\s*<span class="sub">[^<]*outcome', text)
    audited = board.door.rows(select(t.audit).where(t.audit.c.what == "tested"))
    assert [(one["who"], one["subject"], one["after"]) for one in audited] == [("han", "trial", "red")]
    assert board.door.rows(select(t.case)) == []  # nothing real was begun
    change(board, "trial", version="1" * 64)
    assert "have changed since" in board.viewer.get("/playbooks/trial").text


def test_who_presses_while_others_are_played_is_told_so(board: Board) -> None:
    give_tests(board)
    with page._ONE:
        reply = board.admin.post("/playbooks/trial", {"_press": "test"})
    assert reply.headers["location"].startswith("/playbooks/trial?told=busy")
    assert "Other tests are being played." in board.admin.get("/playbooks/trial?told=busy").text
    assert board.door.rows(select(t.audit).where(t.audit.c.what == "tested")) == []


def test_tests_are_not_played_beyond_the_time_that_a_page_has(board: Board) -> None:
    give_tests(board)
    times = iter([0.0, 1.0, 99.0])
    book = board.door.context.world.book
    found = page.played.play(book, "trial", "han", datetime.now(UTC), clock=lambda: next(times))
    assert (len(found.outcomes), found.left) == (1, 1)
    with board.door.store.write() as session:
        page.played.keep(session, "trial", found)
    assert "digilog test trial" in board.viewer.get("/playbooks/trial").text


def test_versions_tell_since_when_by_whom_and_how_many_cases(board: Board) -> None:
    playbook = board.door.context.world.book.playbooks["trial"]
    assert "No version is kept yet." in board.viewer.get("/playbooks/trial").text
    with board.door.store.write() as session:
        publishing.publish(session, board.door.context.world, playbook, "yoon")
    board.submit()
    text = board.viewer.get("/playbooks/trial").text
    told = text[text.index("<h2>Versions") :]
    for said in (playbook.version[:8], "the file now", "published by Yoon", "1 open"):
        assert said in told


def test_runs_in_prefect_are_linked(board: Board) -> None:
    row = board.submit()
    with board.door.store.write() as session:
        session.execute(t.setting.insert().values(name="prefect_url", value="http://127.0.0.1:4200"))
        run = {"id": "r1", "playbook": "trial", "version": "v", "flow_run": "0f0f", "state": "ended"}
        session.execute(t.run.insert().values(**run, opened_at=datetime.now(UTC)))
        session.execute(t.run_case.insert().values(run_id="r1", case_id=row["case_id"], leg=1))
    assert 'href="http://127.0.0.1:4200/runs/flow-run/0f0f"' in board.viewer.get("/playbooks/trial").text


def test_words_in_a_playbook_stay_words(board: Board) -> None:
    hostile = "<script>alert(1)</script> [a](javascript:alert(1)) `<b>`"
    playbook = board.door.context.world.book.playbooks["trial"]
    steps = [
        one.model_copy(update={"do": hostile, "expect": hostile, "checklist": [hostile]}) for one in playbook.steps
    ]
    change(board, "trial", title=hostile, purpose=hostile, steps=steps, scenario={"s1": hostile})
    visitor = board.viewer
    for path in ("/playbooks", "/playbooks/trial", "/blueprint"):
        text = visitor.get(path).text
        assert "alert(1)" in text
        assert not re.search(r"<script|<b>|href=\"javascript", text)


def test_the_blueprint_goes_from_stage_to_line_to_step_to_who(board: Board) -> None:
    text = re.sub(r"\s+", " ", board.viewer.get("/blueprint").text)
    order = ["<h2>Apply</h2>", "Trial class", "<dt>asks for a class</dt>", "Agree on a time", ">Manager<"]
    assert re.search(".*".join(map(re.escape, order)), text)
    assert 'class="chip by person">Manager' in text
    assert "people 3 steps · machine 0 steps" in text


def test_the_blueprint_shows_its_holes(board: Board) -> None:
    assert "no holes" in board.viewer.get("/blueprint").text
    world = board.door.context.world
    change(board, "trial", scenario={"s1": "asks for a class", "s2": "is welcomed"})
    stages = {
        **world.book.canvas.stages,
        "regular": world.book.canvas.stages["apply"].model_copy(update={"label": "Regular"}),
    }
    world.book = replace(world.book, canvas=world.book.canvas.model_copy(update={"stages": stages}))
    text = re.sub(r"\s+", " ", board.viewer.get("/blueprint").text)
    assert "2 holes" in text
    assert re.search(r"<dt>is welcomed</dt> <dd> <p class=\"late\">no step serves it", text)
    assert re.search(r"<h2>Regular</h2> <div class=\"sheet hole\"><p class=\"late\">No playbook stands here yet", text)


def test_every_word_is_said_in_both_languages() -> None:
    for pairs in (PLAYBOOK, BLUEPRINT):
        korean, english = (words.of(language, pairs) for language in ("ko", "en"))  # type: ignore[arg-type]
        assert all(re.search("[가-힣]", one) or key == "wrong" for key, one in korean.items())
        assert {key: one.count("{}") for key, one in korean.items()} == {
            key: one.count("{}") for key, one in english.items()
        }


def test_an_unknown_playbook_is_said_kindly(board: Board) -> None:
    reply = board.viewer.get("/playbooks/nothing")
    assert reply.status == 404
    assert "There is no such playbook." in reply.text
    assert board.admin.post("/playbooks/trial", {"_press": "test"}).status == 404  # it has no tests
    assert playbooks.along(board.door.context.world.book)[0][0] == "later"
