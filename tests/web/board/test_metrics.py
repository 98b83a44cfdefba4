"""The pages Metrics: what stands there and where it came from, and how a person types, corrects and decides."""

import csv
import gzip
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.clock import Clock
from flows.ledger.readings import Value, correct, keep
from flows.playbook.metrics import Metrics, Source
from flows.store import tables as t
from tests.web.board.conftest import Board, Visitor

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 10:00 in Seoul
YESTERDAY = date(2026, 11, 21)
WRITTEN = {
    "metrics": {
        "views": {"label": "Place views", "on": "apply", "channel": "web", "source": {"by": "manager"}},
        "cost": {"label": "Advert cost", "on": "apply", "unit": "KRW", "source": {"use": "ads.readings"},
                 "settle_days": 7, "day_basis": "source"},
        "asked": {"label": "=Requests", "on": "apply", "source": {"exchanges": "apply"}, "absent_day": "zero"},
    },
    "ratios": {"each": {"label": "Cost of one", "of": "cost", "by": "asked"}},
    "targets": {"asked": ">= 60 a month", "each": "<= 9000"},
}  # fmt: skip


class Fixed(Clock):
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def shop(board: Board) -> Board:
    world = board.door.context.world
    world.clock = Fixed()
    world.book = replace(world.book, metrics=Metrics.model_validate(WRITTEN))
    return board


def pulls(board: Board, metric: str, number: str | None, back: int = 1, **more: str) -> None:
    """A source says a number of so many days ago."""
    day = NOW.date() - timedelta(days=back)
    value = Value(metric, day, None if number is None else Decimal(number), "ads.readings", **more)
    with board.door.store.write() as session:
        keep(session, board.door.context.world.book, [value], NOW, "p1")


def cell(text: str, metric: str, day: date = YESTERDAY) -> tuple[str, str]:
    """Class and content of a cell of the month."""
    found = re.search(rf'<td(?: class="([^"]*)")?><a href=/metrics/{metric}/{day}[^>]*>([^<]*)</a>', text)
    assert found, metric
    return found[1] or "", found[2]


def page(metric: str, day: date = YESTERDAY) -> str:
    return f"/metrics/{metric}/{day}"


def types(visitor: Visitor, metric: str, **fields: str) -> tuple[int, str]:
    """Fill in the form as it stands there now."""
    text = visitor.get(page(metric)).text
    seen = re.findall(r'name="seen" value="([\d.]*)"', text)[-1]
    reply = visitor.post(page(metric), {"_press": "save", "seen": seen, **fields})
    return reply.status, reply.headers.get("location", reply.text)


def readings(board: Board, metric: str) -> list[tuple[object, ...]]:
    rows = board.door.rows(t.reading.select().where(t.reading.c.metric == metric).order_by(t.reading.c.revision))
    return [(row["value"], row["status"], row["standing"], row["by"]) for row in rows]


def test_a_company_without_metrics_is_told_how_to_begin(board: Board) -> None:
    text = board.viewer.get("/metrics").text
    assert "There are no metrics yet." in text
    assert "source: {exchanges: apply}" in text


def test_missing_zero_and_not_applicable_look_and_read_apart(shop: Board) -> None:
    pulls(shop, "cost", "5000", 20)  # since then it is a metric
    pulls(shop, "cost", "0", 10)
    with shop.door.store.write() as session:
        value = Value("cost", NOW.date() - timedelta(days=11), None, "ads.readings", applies=False)
        keep(session, shop.door.context.world.book, [value], NOW)
    text = shop.viewer.get("/metrics").text
    assert cell(text, "cost") == ("m", "?")
    assert cell(text, "cost", NOW.date() - timedelta(days=10)) == ("", "0")
    assert cell(text, "cost", NOW.date() - timedelta(days=11)) == ("n", "–")
    assert cell(text, "cost", NOW.date() - timedelta(days=21)) == ("n", "–")  # before its first day nothing lacks
    assert "17 days missing" in text
    assert "Without a number of Sat 21 Nov" in text


def test_marks_say_provisional_restated_corrected_and_in_conflict(shop: Board) -> None:
    for back, numbers in ((1, ["100"]), (2, ["100", "120"]), (9, ["100", "130"])):
        for number in numbers:
            pulls(shop, "cost", number, back)
    book = shop.door.context.world.book
    with shop.door.store.write() as session:
        correct(session, book, Value("cost", NOW.date() - timedelta(days=9), Decimal(90), "person"), NOW, "typo")
    pulls(shop, "cost", "131", 9)
    text = shop.viewer.get("/metrics").text
    assert cell(text, "cost") == ("p", "100")
    assert cell(text, "cost", NOW.date() - timedelta(days=2)) == ("p r", "120")
    assert cell(text, "cost", NOW.date() - timedelta(days=9)) == ("r k c", "90")
    assert 'title="restated, corrected by a person, differs from the source"' in text
    assert "the source’s own day" in text


def test_the_page_says_what_the_last_pull_brought_and_why_a_source_failed(shop: Board) -> None:
    assert "Nothing was pulled yet" in shop.viewer.get("/metrics").text
    day = YESTERDAY.isoformat()
    pull = {"id": "p1", "state": "partial", "since": day, "until": day, "kind": "daily", "begun_at": NOW, "kept": 4}
    part = {"pull_id": "p1", "source": "ads.readings", "asked": "{}", "since": day, "until": day, "state": "failed",
            "reason": "the service asks to come later (429)"}  # fmt: skip
    with shop.door.store.write() as session:
        session.execute(t.pull.insert().values(**pull))
        session.execute(t.pull_part.insert().values(**part))
    text = shop.viewer.get("/metrics").text
    assert "ads: could not be pulled (the service asks to come later (429))" in text
    assert "4 new, 0 restated, 0 missing" in text
    with shop.door.store.write() as session:  # the source answered, and something in it is wrong
        session.execute(t.pull_part.update().values(state="done", reason="b.csv: line 2: value is no number"))
    assert "b.csv: line 2: value is no number" in shop.viewer.get("/metrics").text


def test_a_pull_of_one_source_does_not_hide_that_another_failed(shop: Board) -> None:
    metrics = shop.door.context.world.book.metrics.metrics
    metrics["seen"] = metrics["cost"].model_copy(update={"source": Source(use="site.readings")})
    day = YESTERDAY.isoformat()
    pull = {"since": day, "until": day, "kind": "daily"}
    part = {"asked": "{}", "since": day, "until": day}
    with shop.door.store.write() as session:
        for hours, id, source, state in ((3, "p1", "ads.readings", "failed"), (2, "p2", "site.readings", "done")):
            at = NOW - timedelta(hours=hours)
            session.execute(t.pull.insert().values(id=id, state=state, begun_at=at, **pull))
            reason = "no answer" if state == "failed" else None
            session.execute(t.pull_part.insert().values(pull_id=id, source=source, state=state, reason=reason, **part))
    assert "ads: could not be pulled (no answer)" in shop.viewer.get("/metrics").text
    with shop.door.store.write() as session:
        session.execute(t.pull.insert().values(id="p3", state="done", begun_at=NOW, **pull))
        session.execute(t.pull_part.insert().values(pull_id="p3", source="ads.readings", state="done", **part))
    assert "could not be pulled" not in shop.viewer.get("/metrics").text


def test_targets_and_ratios_stand_with_their_pace_or_with_why_there_is_none(shop: Board) -> None:
    text = shop.viewer.get("/metrics").text
    assert "no day has both numbers" in text
    for back in range(1, 22):
        pulls(shop, "asked", "1", back)
        pulls(shop, "cost", "10000", back)
    text = shop.viewer.get("/metrics").text
    assert re.search(r"21 <span[^>]*>/ at least 60 a month", text)
    assert "behind: 42 by now" in text  # 21 of the 30 days on which the shop is open
    assert "₩10,000" in text
    assert "above the target" in text


def test_four_weeks_with_too_few_numbers_are_not_compared_and_the_page_says_where_they_lack(shop: Board) -> None:
    for back in [*range(1, 29), 40, 56]:
        pulls(shop, "views", "10", back)
    text = shop.viewer.get("/metrics").text
    assert "26 days missing in the 4 before · too few days to compare" in text
    assert "+1300%" not in text


def test_a_month_is_shown_alone_and_taken_along_as_csv(shop: Board) -> None:
    pulls(shop, "views", "1234.50", 1)
    pulls(shop, "asked", "0", 2)
    text = shop.viewer.get("/metrics?month=2026-11").text
    assert "November 2026" in text
    assert cell(text, "views") == ("", "1,234.5")
    assert "October 2026" in text
    for odd in ("2026-13", "2027-01", "x", "9999-99"):
        assert "last 4 weeks" in shop.viewer.get(f"/metrics?month={odd}").text
    assert shop.viewer.get("/metrics?month=2001-01").status == 200
    reply = shop.viewer.get("/metrics?month=2026-11&as=csv")
    assert reply.headers["content-type"].startswith("text/csv")
    assert "attachment" in reply.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))
    assert len(lines) == 3 * 21
    found = {(one["metric"], one["day"]): one for one in lines}
    assert found["views", "2026-11-21"]["value"] == "1234.50"
    assert [found["asked", f"2026-11-{day}"]["status"] for day in (20, 21)] == ["zero", "missing"]
    assert found["asked", "2026-11-21"]["label"] == "'=Requests"  # no spreadsheet carries it out


def test_a_number_is_typed_and_then_corrected_with_a_reason(shop: Board) -> None:
    visitor = shop.actor
    assert types(visitor, "views", value="1,204") == (303, f"{page('views')}?told=saved")
    assert readings(shop, "views") == [(Decimal(1204), "ok", "pulled", "yoon")]
    status, text = types(visitor, "views", value="1240")
    assert status == 422
    assert "say in a few words why" in text
    assert types(visitor, "views", value="1240", reason="two digits changed places")[0] == 303
    assert readings(shop, "views")[1:] == [(Decimal(1240), "ok", "pinned", "yoon")]
    text = shop.viewer.get(page("views")).text
    assert text.index("1,240") < text.index("two digits changed places") < text.rindex("1,204")
    assert "before: 1,204" in text
    audited = shop.door.rows(t.audit.select().where(t.audit.c.what == "reading").order_by(t.audit.c.id))
    assert [(one["who"], one["subject"], one["before"], one["after"], one["reason"]) for one in audited] == [
        ("yoon", "views/2026-11-21", "missing", "1204", None),
        ("yoon", "views/2026-11-21", "1204", "1240", "two digits changed places"),
    ]


def test_a_day_can_be_none_of_a_metrics_days(shop: Board) -> None:
    assert types(shop.actor, "views", none="yes")[0] == 303
    assert readings(shop, "views") == [(None, "not_applicable", "pulled", "yoon")]
    assert cell(shop.viewer.get("/metrics").text, "views") == ("n", "–")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": ""}, "write a number, or choose"),
        ({"value": "many"}, "write a number like"),
        ({"value": "NaN"}, "write a number like"),
        ({"value": "1,5"}, "write a number like"),  # fifteen to some, one and a half to others
        ({"value": "1 2"}, "write a number like"),
        ({"value": "1_000"}, "write a number like"),
        ({"value": "1e5"}, "write a number like"),
        ({"value": "1e400"}, "write a number like"),
        ({"value": "1e9999999"}, "write a number like"),
        ({"value": "1.1234567"}, "write a number like"),
        ({"value": "-1"}, "it cannot be below zero"),
        ({"value": "1", "none": "yes"}, "not both"),
    ],
)
def test_what_is_no_number_is_said_beside_the_field_and_nothing_is_kept(
    shop: Board, fields: dict[str, str], said: str
) -> None:
    status, text = types(shop.actor, "views", **fields)
    assert status == 422
    assert said in text
    assert readings(shop, "views") == []


def test_a_second_press_keeps_nothing_and_who_comes_late_is_told(shop: Board) -> None:
    visitor = shop.actor
    first = {"_press": "save", "seen": "0", "value": "12"}
    replies = [visitor.post(page("views"), first) for _ in range(3)]
    told = [reply.headers["location"].partition("told=")[2] for reply in replies]
    assert told == ["saved", "same", "same"]
    late = shop.admin.post(page("views"), {**first, "value": "13"})
    assert late.status == 409
    assert "The number changed meanwhile" in late.text
    assert len(readings(shop, "views")) == 1


@pytest.mark.parametrize(("press", "counts"), [("ours", Decimal(90)), ("theirs", Decimal(131))])
def test_a_conflict_is_settled_by_one_of_two_buttons(shop: Board, press: str, counts: Decimal) -> None:
    visitor = shop.actor
    pulls(shop, "cost", "130")
    assert types(visitor, "cost", value="90", reason="as the invoice says")[0] == 303
    pulls(shop, "cost", "131")
    text = visitor.get(page("cost")).text
    assert "The source said ₩131 later. What a person corrected counts: ₩90." in text
    seen = re.findall(r'name="seen" value="([\d.]*)"', text)[0]
    done = visitor.post(page("cost"), {"_press": press, "part": "0", "seen": seen})
    assert done.headers["location"].endswith(f"told={press}")
    after = visitor.get(page("cost")).text
    assert "The source said" not in after
    assert cell(visitor.get("/metrics").text, "cost")[1] == str(counts)
    again = visitor.post(page("cost"), {"_press": press, "part": "0", "seen": seen})
    assert again.status == 409
    audited = shop.door.rows(t.audit.select().where(t.audit.c.what.in_(("kept ours", "took source"))))
    assert [(one["who"], one["before"], one["after"]) for one in audited] == [("yoon", "90", str(counts))]


def test_parts_of_a_number_are_corrected_one_by_one_or_as_a_whole(shop: Board) -> None:
    visitor = shop.actor
    for account, number in (("north", "10"), ("south", "20")):
        pulls(shop, "cost", number, account=account)
    assert types(visitor, "cost", value="12", reason="x")[0] == 409  # which one is not said
    assert types(visitor, "cost", value="12", reason="x", part="0")[0] == 303
    assert cell(visitor.get("/metrics").text, "cost")[1] == "32"
    assert types(visitor, "cost", value="50", reason="x", part="2")[0] == 303
    assert cell(visitor.get("/metrics").text, "cost")[1] == "50"


def test_a_whole_that_nobody_knew_leaves_the_history_when_its_parts_come(shop: Board) -> None:
    pulls(shop, "cost", None)
    assert "no number" in shop.actor.get(page("cost")).text.partition("<h2>What it was</h2>")[2]
    for account, number in (("north", "10"), ("south", "20")):
        pulls(shop, "cost", number, account=account)
    history = shop.actor.get(page("cost")).text.partition("<h2>What it was</h2>")[2].partition("</section>")[0]
    assert re.findall("<h3>(.*?)</h3>", history) == ["north", "south"]
    assert "no number" not in history
    assert types(shop.actor, "cost", value="50", reason="x", part="0")[0] == 303  # it can still be typed


def test_a_line_of_the_history_has_no_empty_place(shop: Board) -> None:
    with shop.door.store.write() as session:
        keep(session, shop.door.context.world.book, [Value("views", YESTERDAY, None, "person")], NOW)
    text = shop.viewer.get(page("views")).text
    assert re.search(r'<p class="sub">pulled · <time', text)
    assert "· ·" not in re.sub(r"\s+", " ", text)


def test_a_correction_is_never_of_another_part_than_the_one_that_was_shown(shop: Board) -> None:
    pulls(shop, "cost", "10", account="north")
    seen = re.findall(r'name="seen" value="([\d.]*)"', shop.actor.get(page("cost")).text)[-1]
    pulls(shop, "cost", "7", account="east")  # stands first from now on
    late = shop.actor.post(page("cost"), {"_press": "save", "seen": seen, "part": "0", "value": "12", "reason": "x"})
    assert late.status == 409
    assert "pinned" not in {standing for _, _, standing, _ in readings(shop, "cost")}


def test_what_is_counted_from_exchanges_is_corrected_there(shop: Board) -> None:
    text = shop.actor.get(page("asked")).text
    assert "record or take back an exchange" in text
    assert 'name="value"' not in text
    refused = shop.actor.post(page("asked"), {"_press": "save", "value": "3", "seen": "0"})
    assert refused.status == 409
    assert readings(shop, "asked") == []


def test_a_viewer_sees_every_number_and_changes_none(shop: Board) -> None:
    pulls(shop, "cost", "130")
    text = shop.viewer.get(page("cost")).text
    assert "₩130" in text
    assert 'name="value"' not in text
    assert shop.viewer.post(page("cost"), {"_press": "save", "value": "3", "seen": "1"}).status == 403


@pytest.mark.parametrize("path", ["/metrics/nothing", "/metrics/views/2026-11-23", "/metrics/views/20261121",
                                  "/metrics/views/x", "/metrics/nothing/2026-11-21"])  # fmt: skip
def test_what_is_no_metric_or_no_day_is_not_there(shop: Board, path: str) -> None:
    assert shop.viewer.get(path).status == 404


def test_one_metric_is_a_line_of_ninety_days_with_its_numbers_beside(shop: Board) -> None:
    for back in range(1, 60):
        if back != 30:
            pulls(shop, "cost", str(back * 100), back)
    text = shop.viewer.get("/metrics/cost").text
    assert "Smallest ₩100, largest ₩5,900, last ₩100. 1 days without a number." in text
    assert text.count('class="gap"') == 1
    assert text.count(f'href="/metrics/cost/{YESTERDAY}"') == 1
    assert "pulled by the connection ads" in text


def test_a_month_of_fifty_metrics_is_one_read_and_a_small_page(shop: Board) -> None:
    made = {
        f"metric_{at:02}": {"label": f"Metric {at}", "on": "apply", "source": {"by": "manager"}} for at in range(50)
    }
    world = shop.door.context.world
    world.book = replace(world.book, metrics=Metrics.model_validate({"metrics": made}))
    days = [NOW.date() - timedelta(days=back) for back in range(1, 60)]
    values = [Value(id, day, Decimal(at), "person") for at, id in enumerate(made) for day in days]
    with shop.door.store.write() as session:
        keep(session, world.book, values, NOW)
    reply = shop.viewer.get("/metrics?month=2026-10")
    assert reply.text.count("<td") > 50 * 31
    assert len(reply.text.encode()) < 140_000
    assert len(gzip.compress(reply.text.encode())) < 20_000


def test_a_number_may_have_commas_between_its_thousands(shop: Board) -> None:
    assert types(shop.actor, "cost", value=" 1,234,567.5 ", reason="as the invoice says")[0] == 303
    assert readings(shop, "cost")[-1][0] == Decimal("1234567.5")
