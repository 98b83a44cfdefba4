"""The exchange ledger: append-only, once by reference, and a customer is found again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Rejected
from flows.ledger.exchanges import Exchange, record
from flows.ledger.parties import contacts, find_or_make, party, stage
from flows.playbook import contact
from flows.playbook.model import Canvas, KindRule, Place
from flows.store import tables as t

CANVAS = Canvas(
    stages={name: Place(label=name) for name in ("apply", "experience", "decide", "regular")},
    kinds={"apply": KindRule(stage="apply"), "visit": KindRule(stage="experience"), "inquiry": KindRule(),
           "purchase_card": KindRule(stage="decide"), "visit_class": KindRule(stage="regular")},
)  # fmt: skip


@pytest.fixture
def book(shop):
    return shop.open([shop.person("call")]).world.book


def add(shop, book, reference, kind="apply", phone="+821012345678", **more):
    facts = {name: more.pop(name) for name in ("voids",) if name in more}
    with shop.store.write() as session:
        who = find_or_make(session, "person", "phone", phone, shop.clock.now())
        exchange = Exchange(kind=kind, **more)
        return record(session, book, who, exchange, shop.clock.now(), by="x", system="s", reference=reference, **facts)


def test_the_same_reference_is_recorded_once(shop, book):
    assert add(shop, book, "r1") == add(shop, book, "r1")
    assert add(shop, book, "r2") != add(shop, book, "r1")
    assert len(shop.all(t.exchange)) == 2
    assert [one["name"] for one in shop.all(t.event)] == ["exchange.recorded"] * 2


def test_an_unknown_kind_is_refused_and_nothing_is_written(shop, book):
    with pytest.raises(Rejected, match=r"unknown; add it to kinds in canvas\.yaml"):
        add(shop, book, "r1", "buy")
    assert shop.all(t.exchange) == []


def test_a_first_sale_is_new_and_a_further_one_repeats(shop, book):
    first = add(shop, book, "r1", "purchase_card", amount="10000")
    add(shop, book, "r2", "purchase")
    add(shop, book, "r3", "payment")
    add(shop, book, "r4", "purchase", phone="+821099998888")
    add(shop, book, "r5")
    assert [one["sale"] for one in shop.all(t.exchange)] == ["new", "repeat", "new", "new", None]
    row = shop.all(t.exchange, t.exchange.c.id == first)[0]
    assert (row["amount"], row["currency"], row["day"]) == (Decimal(10000), "KRW", "2026-11-23")


def test_a_voided_exchange_and_what_voids_it_count_no_more(shop, book):
    add(shop, book, "r0", "apply")
    wrong = add(shop, book, "r1", "purchase_card", quantity=10, until="2027-01-31")
    with shop.store.read() as session:
        known = party(session, shop.all(t.party)[0]["id"])
    found = known.has("purchase"), known.left("purchase_card"), str(known.ends("purchase")), known.stage(book.canvas)
    assert found == (1, 10, "2027-01-31", "decide")
    add(shop, book, "r2", "purchase_card", voids=wrong)
    with shop.store.read() as session:
        known = party(session, shop.all(t.party)[0]["id"])
    assert (known.has("purchase"), known.left("purchase"), known.ends("purchase")) == (0, None, None)
    assert known.stage(book.canvas) == "apply"
    add(shop, book, "r3", "purchase_card")
    assert shop.all(t.exchange)[-1]["sale"] == "new"
    assert len(shop.all(t.exchange)) == 4  # nothing is ever taken out


def test_the_note_is_private(shop, book):
    add(shop, book, "r1", note="허리가 아프다")
    assert "허리" not in repr(shop.all(t.exchange))
    assert shop.all(t.private_exchange)[0]["note"] == "허리가 아프다"


@given(kinds=st.lists(st.sampled_from([*CANVAS.kinds, "visit_trial", "call", "odd"])), chance=st.randoms())
def test_the_stage_hangs_on_what_happened_not_on_its_order(kinds, chance):
    other = list(kinds)
    chance.shuffle(other)
    assert stage(kinds, CANVAS) == stage(other, CANVAS) == stage([*kinds, *kinds], CANVAS)


@given(kinds=st.lists(st.sampled_from(list(CANVAS.kinds))), more=st.sampled_from(list(CANVAS.kinds)))
def test_one_more_exchange_never_moves_a_customer_back(kinds, more):
    order = [None, *CANVAS.stages]
    assert order.index(stage([*kinds, more], CANVAS)) >= order.index(stage(kinds, CANVAS))


@pytest.mark.parametrize("written", ["010-1234-5678", "01012345678", "+82 10 1234 5678", "０１０－１２３４－５６７８"])
def test_a_customer_is_found_again_by_another_writing_of_the_number(shop, book, written):
    with shop.store.write() as session:
        first = find_or_make(session, "person", "phone", contact.phone("010 1234 5678"), shop.clock.now())
        again = find_or_make(session, "person", "phone", contact.phone(written), shop.clock.now())
        other = find_or_make(session, "candidate", "phone", contact.phone(written), shop.clock.now())
        assert contacts(session, first, "phone") == ["+821012345678"]
    assert first == again != other
