"""Outbox: what went to whom and with which outcome, what was kept back and why, and who may read its words."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from connectors.errors import NotConnected
from flows.people import reconnect
from flows.store import tables as t
from flows.store.write import journal, make_effect
from flows.web.board.outbox import SHOWN
from tests.web.board.conftest import Board


def message(board: Board, row: dict[str, object], key: str, state: str = "done", reason: str | None = None) -> int:
    now = board.door.context.world.clock.now()
    sent = {"medium": "sms", "to": "+821012345678", "text": f"Dear Hana, {key}\nsee you", "subject": ""}
    with board.door.store.write() as session:
        id = make_effect(
            session, now, sent, key=key, case_id=row["case_id"], step="greet", connection="outbox", action="send",
            effect_class="once", message="hello",
        )  # fmt: skip
        session.execute(update(t.effect).where(t.effect.c.id == id).values(state=state, reason=reason, ended_at=now))
    return id


def test_a_case_whose_connection_is_paused_names_it_and_promises_no_time(board: Board) -> None:
    row = board.submit()
    sent = message(board, row, "k/1", "due")
    page = f"/cases/{row['case_id']}"
    with board.door.store.write() as session:
        session.execute(update(t.effect).where(t.effect.c.id == sent).values(attempt=1, reason="the key is not set"))
        (name,) = session.execute(select(t.effect.c.connection).where(t.effect.c.id == sent)).one()
    assert "Tried again" in board.viewer.get(page).text
    with board.door.store.write() as session:
        reconnect.pause(session, name, NotConnected("the key is not set", next_step="set it"), datetime.now(UTC))
    text = board.viewer.get(page).text
    assert f"Waits for the connection {name}" in text
    assert "Tried again" not in text


def test_what_went_to_whom_is_listed_with_its_outcome(board: Board) -> None:
    row, visitor = board.submit(), board.actor
    sent = message(board, row, "k/1")
    message(board, row, "k/2", "failed", "the service refused (400)")
    text = visitor.get("/outbox").text
    for word in ("Dear Hana, k/1", "010-1234-5678", "text message · outbox", ">sent<", "the service refused (400)"):
        assert word in text, word
    assert f'href="/outbox/{sent}"' in text
    team = visitor.get("/outbox?view=team").text
    assert "Dear Hana" not in team


def test_what_was_kept_back_stands_with_its_reason_in_the_order_of_time(board: Board) -> None:
    row, visitor = board.submit(), board.viewer
    now = board.door.context.world.clock.now()
    message(board, row, "k/1", "failed", "the service refused (400)")
    with board.door.store.write() as session:
        case = session.execute(t.case.select()).first()._asdict()  # type: ignore[union-attr]
        for hours, state, reason in ((1, "blocked", "adverts wait"), (2, "handed", "in a trial"), (3, "done", "x")):
            journal(session, case, "greet", state, now - timedelta(hours=hours), by="machine", reason=reason)
        late = "too late: not sent after its time"  # its message is in the list itself
        journal(session, case, "greet", "dropped", now, reason=late)
    text = visitor.get("/outbox?view=unsent").text
    shown = re.findall(r'class="chip \w+">([^<]+)<', text)
    assert shown == ["not sent", "blocked", "left to a person"]
    assert "adverts wait" in text
    assert "Kim Hana" in text


def test_the_words_of_a_message_are_for_who_may_act_and_erased_ones_are_said_kindly(board: Board) -> None:
    row = board.submit()
    id = message(board, row, "k/1")
    assert board.viewer.get(f"/outbox/{id}").status == 403
    assert f"/outbox/{id}" not in board.viewer.get("/outbox").text
    assert "see you" in board.actor.get(f"/outbox/{id}").text
    with board.door.store.write() as session:
        session.execute(delete(t.private_effect).where(t.private_effect.c.effect_id == id))
    gone = board.actor.get(f"/outbox/{id}")
    assert gone.status == 200
    assert "Its words were erased" in gone.text
    assert board.actor.get("/outbox").status == board.actor.get("/outbox?view=unsent").status == 200


@pytest.mark.parametrize("path", ["/outbox/0", "/outbox/99999999999999999999", "/outbox/x", "/outbox/-1"])
def test_there_is_no_page_of_a_message_that_is_not_there(town: Board, path: str) -> None:
    assert town.actor.get(path).status == 404


@pytest.mark.parametrize("view", ["customers", "unsent"])
def test_a_long_outbox_is_walked_without_loss(board: Board, view: str) -> None:
    row, visitor = board.submit(), board.actor
    made = {message(board, row, f"k/{number}", "failed", "no") for number in range(SHOWN + 5)}
    path, seen = f"/outbox?view={view}", []
    while path:
        text = visitor.get(path).text
        seen += [int(one) for one in re.findall(r'href="/outbox/(\d+)"', text)]
        onward = re.search(r'rel="next" href="([^"]+)"', text)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("many", [SHOWN - 3, SHOWN])
def test_steps_and_messages_of_one_moment_are_walked_without_loss(board: Board, many: int) -> None:
    row, visitor = board.submit(), board.actor
    now = board.door.context.world.clock.now()
    messages = [message(board, row, f"k/{number}", "failed", "no") for number in range(many)]
    with board.door.store.write() as session:
        session.execute(update(t.effect).where(t.effect.c.id.in_(messages)).values(made_at=now))
        case = session.execute(t.case.select()).first()._asdict()  # type: ignore[union-attr]
        for number in range(SHOWN):
            journal(session, case, "greet", "blocked", now, reason=f"why{number}.")
    path, seen, kept = "/outbox?view=unsent", [], []
    while path:
        text = visitor.get(path).text
        seen += re.findall(r'href="/outbox/(\d+)"', text)
        kept += re.findall(r"why(\d+)\.", text)
        onward = re.search(r'rel="next" href="([^"]+)"', text)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert (len(seen), len(set(seen)), len(kept), len(set(kept))) == (many, many, SHOWN, SHOWN)


def test_an_empty_outbox_says_what_will_appear(town: Board) -> None:
    assert "What a machine" in town.viewer.get("/outbox").text
    assert "One appears when there is work" in town.viewer.get("/outbox?view=team").text
    assert "too late, or left to a person" in town.viewer.get("/outbox?view=unsent").text
