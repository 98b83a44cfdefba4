"""One that cannot be read is set aside with a reason; the others of the same turn go on."""

import pytest

from flows.people.assignments import finish
from flows.store import tables as t


def begin(shop):
    shop.open([shop.person("call"), shop.machine("note", "ledger.record", {"kind": "apply"})])
    shop.asks("k1")
    shop.asks("k2", phone="010-2222-3333")
    return shop


def test_an_event_without_its_body_is_set_aside(shop):
    begin(shop)
    with shop.store.write() as session:
        session.execute(t.private_event.delete().where(t.private_event.c.event_id == 1))
    shop.engine.turn()
    assert [one["state"] for one in shop.all(t.event)] == ["quarantined", "decided"]
    assert "digilog itself failed here (LookupError)" in shop.all(t.event)[0]["reason"]


@pytest.mark.parametrize(
    ("table", "broken"), [(t.private_case, {"data": "{"}), (t.version, {"text": "playbook: ["}), (t.case, {"step": -9})]
)
def test_a_case_that_cannot_be_read_is_held(shop, table, broken):
    begin(shop)
    shop.turns()
    good, bad = shop.all(t.case)
    with shop.store.write() as session:
        for asked in shop.asked():
            finish(session, shop.world.book, None, asked["id"], "yoon", {}, shop.clock.now())
        if table is t.version:
            session.execute(t.version.insert().values(hash="old", playbook="visit", at=shop.clock.now(), **broken))
            session.execute(t.case.update().where(t.case.c.id == bad["id"]).values(version="old"))
        else:
            key = table.c.id if table is t.case else table.c.case_id
            session.execute(table.update().where(key == bad["id"]).values(**broken))
    shop.engine.turn()
    good, bad = shop.all(t.case)
    assert (good["outcome"], bad["outcome"], bad["failed"]) == ("done", None, True)
    assert bad["held"].startswith("digilog itself failed here (")
    assert [line["case_id"] for line in shop.all(t.journal) if line["state"] == "held"] == [bad["id"]]
    shop.turns()
    assert shop.case(bad["id"])["held"] == bad["held"]  # tried once, not in a loop


def test_an_assignment_that_cannot_be_told_harms_no_other(shop):
    begin(shop)
    shop.turns()
    bad, good = shop.asked()
    with shop.store.write() as session:
        now = shop.clock.now()
        session.execute(t.assignment.update().values(remind_at=now, next_at=now))
        session.execute(t.assignment.update().where(t.assignment.c.id == bad["id"]).values(step="gone"))
    shop.engine.turn()
    assert {one["id"]: one["reminded_at"] for one in shop.asked()} == {bad["id"]: None, good["id"]: now}
