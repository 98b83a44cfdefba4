"""Pictures of the metrics: what lacks is hatched, what may change is light, and nothing leaves its frame."""

import struct
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len

from flows.engine.books import open_book
from flows.ledger.pictures.beside import Beside, beside
from flows.ledger.pictures.funnel import funnel, funnel_svg
from flows.ledger.pictures.grid import grid, places
from flows.ledger.pictures.line import line_svg, pace_svg, spark_svg
from flows.ledger.pictures.month import DAYS, WIDTH, month_svg, weeks
from flows.ledger.pictures.numbers import brief, change, exact
from flows.ledger.pictures.png import NoFontError, month_png, need_font, png
from flows.ledger.readings import Value, keep
from flows.ledger.series import Cell, begun, days
from flows.playbook.metrics import Metric
from flows.playbook.wording import Format
from flows.store.store import open_store

EXAMPLE = Path(__file__).parents[2] / "playbooks"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
THESE, THOSE = weeks(date(2026, 11, 22))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def book():
    return open_book(EXAMPLE)


def number(said, **marks):
    return Cell(Decimal(said), "zero" if said == "0" else "ok", **marks)


def cells_of(book, **metrics):
    """Cells of the newest days, the last one yesterday's; all other metrics have a number a day."""
    plain = dict.fromkeys(THOSE + THESE, number("5"))
    found = {name: dict(plain) for name in book.metrics.metrics}
    for name, cells in metrics.items():
        found[name] |= dict(zip(THESE[-len(cells) :], cells, strict=True))
    return found


def measuring(book, metrics):
    """The book with other metrics beside its own."""
    return replace(book, metrics=book.metrics.model_copy(update={"metrics": {**book.metrics.metrics, **metrics}}))


def labelled(metric, label):
    return metric.model_copy(update={"label": label})


def shapes(svg, tag, kind):
    """Elements of a class, wherever the legend is not."""
    tree = ET.fromstring(svg)
    legend = {id(one) for group in tree.iter(f"{SVG}g") for one in group.iter()}
    return [one for one in tree.iter(SVG + tag) if kind in one.get("class", "").split() and id(one) not in legend]


def test_the_morning_tells_missing_zero_none_provisional_and_restated_apart(book):
    cells = cells_of(
        book,
        ad_cost=[Cell(), number("0"), Cell(status="not_applicable"), number("7", provisional=True, restated=True)],
        place_views=[Cell()],
    )
    svg = month_svg(book, grid(book, cells, THESE, THOSE))
    assert [len(shapes(svg, *what)) for what in (
        ("rect", "missing"), ("text", "nought"), ("path", "none"), ("rect", "light"), ("circle", "dot"),
    )] == [2, 1, 1, 1, 1]  # fmt: skip
    said = [one.text for one in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "어제 숫자가 없는 것: 플레이스 조회수" in said
    assert said.count("?") == 1
    assert "빈 날 1" in said


def test_nothing_leaves_the_frame_however_long_the_words_and_large_the_numbers(book):
    wild = measuring(
        book, {name: labelled(one, "가나다라마바사아자차카타파하" * 3) for name, one in book.metrics.metrics.items()}
    )
    lacks = {name: [Cell()] for name in ("place_views", "ig_reach", "ad_clicks", "trial_requests")}
    cells = cells_of(wild, ad_cost=[number("-98765432109876.54"), number("98765432109876.54")], **lacks)
    svg = month_svg(wild, grid(wild, cells, THESE, THOSE))
    tree = ET.fromstring(svg)
    high = float(tree.get("height", 0))
    for one in tree.iter(f"{SVG}rect"):
        x, y, wide, tall = (float(one.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= WIDTH
        assert 0 <= y <= y + tall <= high
    assert max(cell_len(one.text or "") for one in shapes(svg, "text", "label")) in {23, 24}
    assert max(cell_len(one.text or "") for one in tree.iter(f"{SVG}text")) <= 84  # of 26 px, 1,092 px


def test_words_of_the_company_stay_words(book):
    wild = measuring(book, {"ad_cost": labelled(book.metrics.metrics["ad_cost"], '<script>&"')})
    whole = grid(wild, cells_of(wild), THESE, THOSE)
    line = next(one for one in whole.lines if one.id == "ad_cost")
    for svg in (month_svg(wild, whole), line_svg(wild, line, THESE), funnel_svg(wild, funnel(wild, whole))):
        assert "<script" not in svg
        assert "&lt;script" in svg


def test_a_company_of_many_metrics_sees_how_many_are_left_out(book):
    many = measuring(book, {f"more_{at}": book.metrics.metrics["place_views"] for at in range(40)})
    bare = {name: {} for name in many.metrics.metrics}
    whole = grid(many, bare, THESE, THOSE)
    svg = month_svg(many, whole)
    assert len(shapes(svg, "text", "label")) == 24
    assert f"지표 {len(whole.lines) - 24}개는 보드에 더 있습니다" in svg
    with pytest.raises(ValueError, match=f"{DAYS} days"):
        month_svg(many, grid(many, bare, THESE[1:], ()))


def test_metrics_come_in_the_order_in_which_customers_pass_their_places(book):
    assert [place for place, _ in places(book)][:8] == [
        "inflow", "apply", "try_out", "experience", "conversion", "decide", "regular", "activation",
    ]  # fmt: skip
    assert [one.place for one in grid(book, cells_of(book), THESE).groups][:5] == [
        "inflow", "apply", "experience", "decide", "regular",
    ]  # fmt: skip


def test_the_morning_is_a_png_in_korean_that_a_phone_can_show(book, tmp_path):
    store = open_store(tmp_path)
    with store.write() as session:
        values = [Value(name, day, Decimal(at), "x") for name in book.metrics.metrics for at, day in enumerate(THESE)]
        keep(session, book, values, NOW)
    with store.read() as session:
        drawn = month_png(session, book, NOW)
        with pytest.raises(NoFontError):
            month_png(session, book, NOW, fonts=False)
        cells = {name: {day: number("1") for day in THESE[5:]} for name in book.metrics.metrics} | {"ad_cost": {}}
        assert begun(session, book, cells, THESE[0], THESE[-1]) == {  # days before a metric's first one lack nothing
            name: THESE[-1 if name == "ad_cost" else 5] for name in book.metrics.metrics
        }
        late = {name: {day: number("1") for day in THESE[5:]} for name in book.metrics.metrics}
        nothing = {"owner_minutes": {}, "trial_requests": {}}  # counted from what is ours, and nothing has happened
        today, early = THESE[-1] + timedelta(days=1), THESE[0] - timedelta(days=9)
        assert begun(session, book, nothing, early, THESE[-1]) == dict.fromkeys(nothing, today)
        assert begun(session, book, late, THESE[5] - timedelta(days=1), THESE[-1]) == {}  # there are older ones
    store.close()
    assert drawn.startswith(b"\x89PNG")
    assert struct.unpack(">I", drawn[16:20]) == (WIDTH,)
    assert 20_000 < len(drawn) < 200_000


def test_where_no_font_has_the_letters_the_picture_is_refused_by_a_sentence():
    need_font("ko")
    with pytest.raises(NoFontError, match="fonts-noto-cjk"):
        need_font("ko", fonts=False)


def test_a_line_breaks_where_a_number_is_missing_and_is_dashed_where_it_may_change(book):
    light = number("8", provisional=True)
    cells = [number("3"), number("4"), Cell(), number("5", restated=True), number("6"), light, Cell(), number("2")]
    whole = grid(book, cells_of(book, ad_cost=cells), THESE[-8:])
    line = next(one for one in whole.lines if one.id == "ad_cost")
    svg = line_svg(book, line, whole.days, Decimal(7))
    assert len(shapes(svg, "path", "way")) == 3
    assert len(shapes(svg, "path", "light")) == 1
    assert [len(shapes(svg, *what)) for what in (("rect", "gap"), ("circle", "dot"), ("path", "wanted"))] == [2, 1, 1]
    assert len(shapes(svg, "circle", "point")) == 1  # a day alone
    assert "가장 작은 값 2원, 가장 큰 값 8원, 마지막 값 2원. 숫자가 없는 날 2일." in svg
    assert "aria-hidden" in spark_svg(line)


@pytest.mark.parametrize("said", [[], ["0"], ["-5", "3"], ["0.001"], ["123456789012345"], ["-4", "-9"]])
def test_any_numbers_make_a_picture_within_its_frame(book, said):
    cells = [number(one) for one in said] + [Cell()] * (28 - len(said))
    line = next(one for one in grid(book, cells_of(book, ad_cost=cells), THESE).lines if one.id == "ad_cost")
    for svg in (line_svg(book, line, THESE), spark_svg(line)):
        for one in shapes(svg, "circle", "point"):
            assert -1 <= float(one.get("cy", -9)) <= 230
        assert "nan" not in svg.lower()
    assert png(line_svg(book, line, THESE))


def test_a_bar_of_a_target_has_its_mark_where_it_should_be_by_now():
    svg = pace_svg(Decimal(30), Decimal(45), Decimal(60))
    assert float(shapes(svg, "rect", "reached")[0].get("width", 0)) == 100
    assert shapes(svg, "path", "mark")[0].get("d") == "M150.0 0V16"
    assert float(shapes(pace_svg(Decimal(90), Decimal(45), Decimal(60)), "rect", "track")[0].get("width", 0)) == 133.3


def test_the_way_of_customers_says_what_is_measured_by_channel_and_what_is_not(book):
    days_ = days(THESE[0], THESE[-1])
    found = funnel(book, grid(book, cells_of(book, trial_attended=[number("1")] * 28), days_))
    assert [step.label for step in found.steps] == ["비용", "유입", "신청", "경험", "결정", "단골"]
    assert [one.channel for one in found.steps[1].entries] == ["네이버 플레이스", "네이버 검색광고", "인스타그램"]
    assert found.steps[3].entries[0].share == "신청의 20%"
    assert found.whole == ["신청", "경험", "결정", "단골"]
    assert found.bare == []
    drawn = str(funnel_svg(book, found))
    for label in ("플레이스 조회수", "체험 신청", "신규 등록"):  # also where all channels are one
        assert f">{label}</tspan>" in drawn
    nothing = funnel(book, grid(book, {name: {} for name in book.metrics.metrics}, days_))
    assert (nothing.steps, nothing.bare) == ([], ["신청", "경험", "결정", "단골"])


@pytest.mark.parametrize(
    ("value", "unit", "language", "short", "whole"),
    [
        ("0", "count", "ko", "0", "0"),
        ("1204", "count", "ko", "1,204", "1,204"),
        ("1.10", "count", "en", "1.1", "1.1"),
        ("31250", "KRW", "ko", "3.1만", "31,250원"),
        ("868280", "KRW", "ko", "86.8만", "868,280원"),
        ("12340000", "KRW", "ko", "1,234만", "12,340,000원"),
        ("250000000", "KRW", "ko", "2.5억", "250,000,000원"),
        ("-31250", "count", "ko", "-3.1만", "-31,250"),
        ("98765432109876", "count", "ko", "98.8조", "98,765,432,109,876"),
        ("31250", "count", "en", "31.2k", "31,250"),
        ("2500000", "count", "en", "2.5m", "2,500,000"),
        ("12.5", "USD", "en", "12.5", "$12.50"),
        ("0.634", "ratio", "ko", "63%", "63.4%"),
        ("1", "ratio", "ko", "100%", "100%"),
        ("35", "minutes", "ko", "35", "35분"),
        ("35", "minutes", "en", "35", "35 min"),
    ],
)
def test_a_number_is_said_briefly_in_a_cell_and_whole_beside_it(value, unit, language, short, whole):
    form = Format(UTC, language)
    assert brief(Decimal(value), unit, form) == short
    assert exact(Decimal(value), unit, form) == whole


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [("110", "100", "+10%"), ("90", "100", "−10%"), ("100", "100", "±0%"), ("5", "0", ""), (None, "5", "")],
)
def test_a_change_is_said_only_where_there_is_something_to_compare_with(now, before, said):
    assert change(Decimal(now) if now else None, Decimal(before)) == said


def test_a_metric_of_numbers_that_do_not_add_up_has_no_sum(book):
    said = {"label": "x", "on": "inflow", "sum": "none", "source": {}}
    whole = grid(measuring(book, {"ad_cost": Metric.model_validate(said)}), cells_of(book), THESE, THOSE)
    assert next(one for one in whole.lines if one.id == "ad_cost").total.value is None


CLOSED = Cell(status="not_applicable")
COMPARED = [
    ([], {}, Beside("±0%", 0, 0)),
    ([Cell()] * 2, {}, Beside("±0%", 2, 0, 26)),  # two days less are no loss
    ([Cell()] * 3, {}, Beside("", 3, 0, too_few=True)),
    ([], dict.fromkeys(THOSE[:3], Cell()), Beside("", 0, 3, too_few=True)),
    ([], dict.fromkeys(THOSE[:2], Cell()), Beside("±0%", 0, 2, 26)),
    ([CLOSED] * 7, {}, Beside("−25%", 0, 0)),  # a week off is a loss
    ([number("10")] * 28, {}, Beside("+100%", 0, 0)),
]


@pytest.mark.parametrize(("newest", "then", "found"), COMPARED)
def test_four_weeks_are_compared_only_by_days_that_both_have(book, newest, then, found):
    cells = cells_of(book, ad_cost=newest or [number("5")])
    cells["ad_cost"] |= then
    whole = grid(book, cells, THESE, THOSE)
    assert beside(next(one for one in whole.lines if one.id == "ad_cost")) == found


def test_a_metric_that_began_within_the_four_weeks_before_has_no_change(book):
    cells = cells_of(book)
    cells["ad_cost"] = {day: number("5") for day in [*THOSE[20:], *THESE]}
    whole = grid(book, cells, THESE, THOSE, {"ad_cost": THOSE[20]})
    assert beside(next(one for one in whole.lines if one.id == "ad_cost")) == Beside("", 0, 0, too_few=True)
    assert "+250%" not in month_svg(book, whole)
