"""Assignments: who gets them, by when, what they ask, and what is refused with a sentence."""

import pytest
from sqlalchemy import update

from flows.people.assignments import AssignmentError, claim, finish, skip
from flows.store import tables as t


def begin(shop, *steps, at="2026-11-23 10:00", **head):
    shop.open(list(steps), at=at, **head)
    shop.asks()
    shop.turns()
    return shop.asked()[0]


def notices(shop):
    return [one["key"].rsplit("/", 1)[1] for one in shop.all(t.effect, t.effect.c.case_id.is_(None))]


@pytest.mark.parametrize(
    ("at", "due", "by"),
    [
        ("2026-11-23 10:00", "1 business hour", "2026-11-23 11:00"),
        ("2026-11-20 17:30", "1 business hour", "2026-11-23 09:30"),  # over a weekend
        ("2026-12-24 17:30", "1 business hour", "2026-12-28 09:30"),  # Christmas and a weekend
        ("2026-09-23 12:00", "1 business day", "2026-09-28 12:00"),  # Chuseok
        ("2026-11-21 12:00", "2 business hours", "2026-11-23 11:00"),  # a Saturday, closed
        ("2026-11-23 10:00", "next business day 12:00", "2026-11-24 12:00"),
        ("2026-11-23 10:00", "30m", "2026-11-23 10:30"),
    ],
)
def test_due_in_the_companys_open_hours(shop, at, due, by):
    assert begin(shop, shop.person("call", due=due), at=at)["due_at"] == shop.moment(by)


def test_a_person_is_told_reminded_and_the_next_one_told_each_once(shop):
    asked = begin(shop, shop.person("call", due="1h", remind="15m", escalate={"after": "30m", "to": "owner"}))
    assert (asked["person"], notices(shop)) == ("yoon", ["open"])
    shop.at("2026-11-23 10:45")
    assert notices(shop) == ["open", "remind"]
    shop.at("2026-11-23 11:29")
    shop.restart()
    shop.at("2026-11-23 11:30")
    shop.later(days=5)
    assert notices(shop) == ["open", "remind", "escalate"]
    told = [one.arguments["to"] for one in shop.calls.sent]
    assert told == ["han@onda.example"]  # the caller before the restart heard of the others
    shop.does(shop.asked()[0])
    assert shop.all(t.assignment)[0]["late"] is True


def test_what_was_done_in_time_is_not_late_and_nobody_else_is_told(shop):
    asked = begin(shop, shop.person("call", due="1h", escalate={"after": "30m", "to": "owner"}))
    shop.at("2026-11-23 11:00")
    shop.does(asked)
    shop.later(days=1)
    assert (shop.all(t.assignment)[0]["late"], notices(shop)) == (False, ["open"])


@pytest.mark.parametrize(
    ("by", "person"),
    [("manager", "yoon"), ("so", "so"), ({"role": "instructor", "who": "pick.teacher"}, "so"), ("instructor", "ji")],
)
def test_who_gets_it(shop, by, person):
    teacher = {"teacher": {"type": "person", "role": "instructor", "label": "강사"}}
    pick = begin(shop, shop.person("pick", form=teacher), shop.person("teach", by))
    shop.does(pick, {"teacher": "so"})
    assert shop.asked()[0]["person"] == person


def test_done_twice_is_told_kindly_and_changes_nothing(shop):
    asked = begin(shop, shop.person("call"))
    shop.does(asked, who="yoon")
    with pytest.raises(AssignmentError, match="already done by yoon; thank you all the same"):
        shop.does(asked, who="han")
    assert shop.all(t.assignment)[0]["done_by"] == "yoon"


def test_what_was_taken_back_says_why(shop):
    asked = begin(shop, shop.person("call"), stop=[{"exchange": ["cancel"]}])
    shop.act(lambda session: session.execute(update(t.assignment).values(state="withdrawn", reason="stop: cancel")))
    with pytest.raises(AssignmentError, match=r"no longer needed: it was withdrawn \(stop: cancel\)"):
        shop.does(asked)
    with pytest.raises(AssignmentError, match="there is no assignment nothing"):
        shop.act(claim, "nothing", "yoon", shop.clock.now())


@pytest.mark.parametrize("required", ["yes", "no"])
def test_what_later_steps_need_cannot_be_skipped(shop, required):
    form = {"memo": {"type": "text", "label": "메모", "required": required}}
    asked = begin(shop, shop.person("call", form=form))
    skips = (skip, shop.world.book.playbooks["visit"], asked["id"], "yoon", "not today", shop.clock.now())
    if required == "yes":
        with pytest.raises(AssignmentError, match=f"digilog stop {asked['case_id']} --reason"):
            shop.act(*skips)
        assert shop.case()["status"] == "assigned"
    else:
        shop.act(*skips)
        assert "call skipped" in shop.story()
        assert shop.case()["outcome"] == "done"


def test_a_doubt_and_a_reconnect_are_never_skipped(shop):
    begin(shop, shop.person("call"))
    for kind, said in (("doubt", "cannot be skipped"), ("reconnect", "the connection stays paused")):
        with shop.store.write() as session:
            session.execute(update(t.assignment).values(kind=kind))
        with pytest.raises(AssignmentError, match=said):
            shop.act(skip, None, shop.asked()[0]["id"], "yoon", "no", shop.clock.now())


@pytest.mark.parametrize(("ticks", "left"), [([], "가, 나"), (["0"], "나"), ("1", "가"), (["0", "1"], None)])
def test_every_line_of_a_checklist_is_ticked(shop, ticks, left):
    asked = begin(shop, shop.person("call", checklist=["가", "나"]))
    refused = [one.sentence for one in shop.does(asked, {"checklist": ticks})]
    assert refused == ([f"not ticked yet: {left}"] if left else [])
    assert shop.case()["status"] == ("assigned" if left else "ended")


@pytest.mark.parametrize("where", ["form", "fallback"])
@pytest.mark.parametrize(("agreed", "pain", "taken"), [("no", "무릎", False), ("yes", "무릎", True), ("no", "", True)])
def test_sensitive_answers_need_consent_and_its_wording_is_shown(shop, where, agreed, pain, taken):
    fields = {"name": {"type": "text", "label": "이름"}, "phone": {"type": "phone", "label": "연락처"},
              "agree": {"type": "consent", "label": "적는 데 동의", "purpose": "sensitive",
                        "required": "no"}}  # fmt: skip
    form = {"pain": {"type": "text", "label": "아픈 곳", "sensitive": "yes", "required": "no"}}
    step = shop.person("call", form=form)
    if where == "fallback":
        step = shop.machine("call", "sink.get", {"path": "/"}, check="call.status == 1", fallback={"form": form})
    shop.open([step], fields=fields)
    shop.calls.answers_to["sink.get"] = {"status": 2}
    shop.asks(**{"적는 데 동의": agreed})
    shop.turns()
    refused = shop.does(shop.asked()[0], {"pain": pain})
    assert [one.field for one in refused] == ([] if taken else ["pain"])
    assert all("적는 데 동의" in one.sentence for one in refused)
    assert "무릎" not in "".join(one.sentence for one in refused)


def test_answers_of_a_fallback_are_the_steps_result(shop):
    form = {"status": {"type": "integer", "label": "상태"}}
    shop.open([shop.machine("call", "sink.get", {"path": "/"}, check="call.status == 1", fallback={"form": form}),
               shop.machine("tell", "team.notify", {"text": "{{ call.status }}"})])  # fmt: skip
    shop.calls.answers_to["sink.get"] = {"status": 2}
    shop.asks()
    shop.turns()
    shop.does(shop.asked()[0], {"상태": "7"})
    assert [one.arguments["text"] for one in shop.calls.sent if one.connection == "outbox" and one.case] == ["7"]


def test_an_unreadable_answer_is_refused_and_nothing_is_kept(shop):
    asked = begin(shop, shop.person("call", form={"count": {"type": "integer", "label": "몇", "min": "1"}}))
    for wrong, said in (("많이", "몇: is no number"), ("0", "몇: must be at least 1"), ("", "몇: is missing")):
        assert [one.sentence for one in shop.does(asked, {"count": wrong})] == [said]
    assert (shop.all(t.private_assignment)[0]["answers"], shop.case()["status"]) == ("{}", "assigned")


def test_claimed_work_counts_as_taken_and_keeps_its_person(shop):
    shop.open([shop.machine("tell", "team.notify", {"text": "왔다"})], state="trial")
    shop.asks()
    shop.turns()
    with shop.store.write() as session:
        session.execute(update(t.case).values(failed=True))
    shop.act(claim, shop.asked()[0]["id"], "ji", shop.clock.now())
    assert (shop.case()["failed"], shop.asked()[0]["person"], shop.asked()[0]["state"]) == (False, "ji", "claimed")
    assert [(line["who"], line["what"]) for line in shop.all(t.audit)] == [("ji", "claim")]


def test_minutes_and_note_are_kept_with_the_result(shop):
    asked = begin(shop, shop.person("call"))
    book = shop.world.book
    shop.act(finish, book, book.playbooks["visit"], asked["id"], "yoon", {}, shop.clock.now(), minutes=7, note="잘 됨")
    assert shop.all(t.assignment)[0]["minutes"] == 7
    assert shop.all(t.private_assignment)[0]["note"] == "잘 됨"
