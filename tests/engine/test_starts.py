"""Events: what opens a case, what is noted, and what a person must look at."""

import json

import pytest

from flows.store import tables as t
from flows.store.write import emit


def test_the_same_event_three_times_is_one_case_one_assignment_and_one_message(shop):
    shop.open([shop.machine("greet", "message.send", {"message": "hello", "values": {"name": "{{ name }}"}}),
               shop.person("call")])  # fmt: skip
    assert [shop.asks("k1") is not None for _ in range(3)] == [True, False, False]
    shop.work()
    assert len(shop.all(t.case)) == 1
    assert len(shop.asked()) == 1
    assert shop.outbox() == [shop.outbox()[0]]
    assert "김하나님 안녕하세요" in shop.outbox()[0]


@pytest.mark.parametrize(("overlap", "cases", "noted"), [("single", 1, 1), ("parallel", 2, 0)])
def test_another_start_of_the_same_customer(shop, overlap, cases, noted):
    shop.open([shop.person("call")], overlap=overlap)
    shop.asks("k1")
    shop.work()
    shop.asks("k2", phone="+82 10 1234 5678")  # the same number, written otherwise
    shop.work()
    assert (len(shop.all(t.case)), shop.story().count("noted")) == (cases, noted)
    assert len(shop.asked()) == cases
    assert [event["state"] for event in shop.all(t.event)] == ["decided", "decided"]


def test_after_a_case_has_ended_the_same_customer_begins_anew(shop):
    shop.open([shop.person("call")])
    shop.asks("k1")
    shop.work()
    shop.does(shop.asked()[0])
    shop.asks("k2")
    shop.work()
    assert [case["status"] for case in shop.all(t.case)] == ["ended", "assigned"]
    assert len({case["party_id"] for case in shop.all(t.case)}) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"이름": "김하나", "연락처": "전화번호가 없어요"}, "phone: is no phone number; write it like 010-1234-5678"),
        ({"연락처": "010-1234-5678"}, "name: is missing"),
        ({"이름": ["김"], "연락처": "010-1234-5678"}, "name: is of a shape that cannot be read here"),
        ([1, 2], "the payload is no JSON object"),
        ("not json", "the payload is no JSON"),
    ],
)
def test_odd_fields_wait_for_a_person_and_others_go_on(shop, body, said):
    shop.open([shop.person("call")])
    raw = b"\xff{" if body == "not json" else json.dumps(body).encode()
    with shop.store.write() as session:
        emit(session, "form", "odd", "form.submitted", shop.clock.now(), raw)
    shop.asks("k1")
    shop.work()
    odd, good = shop.all(t.event)
    assert (odd["state"], odd["reason"]) == ("quarantined", said)
    assert good["state"] == "decided"
    assert len(shop.all(t.case)) == 1


def test_an_event_that_nobody_waits_for_is_shown(shop):
    shop.open([shop.person("call")])
    with shop.store.write() as session:
        emit(session, "form", "x", "order.paid", shop.clock.now())
    shop.work()
    assert "no playbook starts by this event" in shop.all(t.event)[0]["reason"]


@pytest.mark.parametrize(("branch", "cases"), [("서울", 1), ("부산", 0)])
def test_a_start_happens_only_where_its_condition_holds(shop, branch, cases):
    fields = {"name": {"type": "text", "label": "이름"}, "phone": {"type": "phone", "label": "연락처"},
              "town": {"type": "choice", "label": "도시", "choices": ["서울", "부산"]}}  # fmt: skip
    start = {"event": "form.submitted", "connection": "form", "where": "town == '서울'"}
    shop.open([shop.person("call")], start=start, fields=fields)
    shop.asks(도시=branch)
    shop.work()
    assert (len(shop.all(t.case)), shop.all(t.event)[0]["state"]) == (cases, "decided")


def test_a_running_case_keeps_its_version_and_new_ones_take_the_new(shop):
    shop.open([shop.person("call"), shop.person("old_way")])
    shop.asks("k1")
    shop.work()
    shop.write([shop.person("call"), shop.person("new_way", "owner")], owner="owner")
    shop.load()
    shop.asks("k2", phone="010-2222-3333")
    shop.work()
    for asked in shop.asked():
        shop.does(asked)
    assert sorted(one["step"] for one in shop.asked()) == ["new_way", "old_way"]
    with shop.store.read() as session:
        assert shop.world.pinned(session, shop.all(t.case)[0]["version"]).owner == "owner"  # who answers is live


def test_no_customer_text_stands_outside_private_tables(shop):
    """A canary in every place a customer can write to, and every way to fail."""
    canary = "카나리아"
    fields = {"name": {"type": "text", "label": "이름"}, "phone": {"type": "phone", "label": "연락처"},
              "what": {"type": "text", "label": "내용"}}  # fmt: skip
    shop.open(
        [shop.machine("note", "ledger.record", {"kind": "inquiry", "note": "{{ what }}"}),
         shop.machine("odd", "ledger.record", {"kind": "{{ what }}"}, fallback={"do": "적는다"}),
         shop.machine("row", "sheet.upsert_row", {"row_id": "{{ what }}", "row": {"내용": "{{ what }}"}}),
         shop.machine("greet", "message.send", {"message": "hello", "values": {"name": "{{ what }}"}}),
         shop.person("call", form={"said": {"type": "text", "label": "들은 말"}})],
        fields=fields,
    )  # fmt: skip
    shop.asks(내용=canary)
    shop.asks("k2", name=canary, phone=canary, 내용=canary)
    shop.work()
    shop.does(shop.asked(step="odd")[0])
    shop.does(shop.asked(step="call")[0], {"said": canary})
    assert shop.case()["status"] == "ended"
    found = {}
    for table in t.metadata.sorted_tables:
        with shop.store.read() as session:
            content = repr(session.execute(table.select()).all())
        found[table.name] = canary in content or "1012345678" in content or canary.encode().hex() in content
    assert {name for name, there in found.items() if there and not name.startswith("private_")} == set()
    assert found["private_case"]
