"""Versions of playbooks: the text of each that stood is kept, whether a case began with it or not."""

from flows.engine.__main__ import write_down
from flows.store import tables as t
from tests.conftest import Shop


def _kept(shop: Shop) -> list[str]:
    return [row["text"] for row in shop.all(t.version)]


def test_each_text_that_stood_is_kept_once_though_no_case_began_with_it(shop: Shop) -> None:
    texts = []
    shop.open([shop.person("call")], state="design")
    for more in ("again", "call"):
        write_down(shop.store, shop.world)
        write_down(shop.store, shop.world)
        texts.append(shop.world.book.playbooks["visit"].text)
        shop.write([shop.person(more)], state="design")
        shop.load()
    assert _kept(shop) == texts
    write_down(shop.store, shop.world)  # what was put back is the same version again
    assert _kept(shop) == texts


def test_a_text_whose_keeping_failed_is_kept_at_the_next_look(shop: Shop) -> None:
    shop.write([shop.person("call")], "zoo", start={"hand": "manager"})
    shop.open([shop.person("call")])
    whole = dict(shop.world.book.playbooks)
    shop.world.book.playbooks["zoo"] = whole["zoo"].model_copy(update={"text": None})  # no row may hold this
    write_down(shop.store, shop.world)
    assert _kept(shop) == []
    shop.world.book.playbooks["zoo"] = whole["zoo"]
    write_down(shop.store, shop.world)
    assert sorted(_kept(shop)) == sorted(one.text for one in whole.values())
