"""The canvas: the circle as a picture and as a list, and what is missing on it."""

import re
from xml.etree import ElementTree as ET

from flows.web.board.canvas import HEIGHT, WIDTH, missing


def picture(text):
    found = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert found
    return ET.fromstring(found[0])


def test_the_circle_shows_each_stage_pool_and_arrow_within_its_frame(board):
    canvas = board.door.context.world.book.canvas
    page = board.viewer.get("/canvas")
    svg = picture(page.text)
    said = [one.text for one in svg.iter("text")]
    for group in (canvas.stages, canvas.pools, canvas.arrows):
        assert {place.label for place in group.values()} <= set(said)
    for one in svg.iter("rect"):
        x, y, width, height = (float(one.get(name, "0")) for name in ("x", "y", "width", "height"))
        assert x >= 0 <= y
        assert x + width <= WIDTH
        assert y + height <= HEIGHT
    assert len(page.text.encode()) < 60_000


def test_what_is_missing_is_drawn_and_said(board):
    book = board.door.context.world.book
    lacking = {one.of for one in missing(book) if one.key in {"no_playbook", "no_metric"}}
    text = board.viewer.get("/canvas").text
    assert lacking  # else this test proves nothing
    assert text.count('class="stage bare"') == len(lacking)
    assert all(f"{label}: " in text for label in lacking)


def test_a_role_of_one_without_a_backup_is_named(board):
    book = board.door.context.world.book
    roles = {name: one.model_copy(update={"backup": None}) for name, one in book.company.roles.items()}
    company = book.company.model_copy(update={"roles": roles})
    alone = {one.detail for one in missing(type(book)(**{**vars_of(book), "company": company}))}
    assert alone >= {
        step.do for one in book.playbooks.values() for step in one.steps if step.by and step.by.role == "manager"
    }


def vars_of(book):
    return {name: getattr(book, name) for name in book.__dataclass_fields__ if book.__dataclass_fields__[name].init}
