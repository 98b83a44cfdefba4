"""The morning's digest: at most ten lines, the worst news first, in both languages, with a picture."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter
from rich.cells import cell_len

from flows.engine.books import open_book
from flows.engine.simulate import Simulation
from flows.ledger.alerts.judge import Change, Facts, Failure
from flows.ledger.digest import MOST_LINES, digest
from flows.ledger.pictures.album import KEPT, put
from flows.ledger.ratios import Pace
from flows.ledger.readings import Value, keep
from flows.ledger.series import Cell
from flows.playbook.metrics import Metrics
from flows.playbook.model import TestCase
from tests.conftest import ZONE, Shop

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=ZONE).astimezone(UTC)
YESTERDAY = date(2026, 11, 23)  # a Monday
METRICS = {
    "views": {"label": "조회", "on": "apply", "source": {"by": "manager", "due": "09:30"}},
    "cost": {"label": "비용", "on": "apply", "unit": "KRW", "source": {"use": "numbers.readings"}, "settle_days": "3"},
    "requests": {"label": "신청", "on": "apply", "source": {"exchanges": "apply"}, "absent_day": "zero"},
}
RULES = {
    "metrics": METRICS,
    "targets": {"requests": ">= 60 a month", "cost": "<= 900,000 a month"},
    "alerts": {"cost": {"unusual": "3", "restated": "20%"}, "requests": {"behind": "yes", "zero_for": "3d"}},
}
BAD = Failure("numbers.readings", (YESTERDAY,), "the service cannot be reached")


def cells(values: dict[int, object], *, provisional: bool = False) -> dict[date, Cell]:
    """Numbers by how many days before today they are of."""
    found = {}
    for back, value in values.items():
        number = None if value is None else Decimal(str(value))
        status = "missing" if number is None else "ok" if number else "zero"
        found[YESTERDAY - timedelta(days=back - 1)] = Cell(
            number, status, provisional=provisional and number is not None
        )
    return found


WEEKS = {1 + 7 * back: 30000 for back in range(1, 9)}
WELL = {
    "views": cells({1: 132, 8: 120}),
    "cost": cells({1: 30000, **WEEKS}, provisional=True),
    "requests": cells({1: 3, 8: 2}),
}


@pytest.fixture
def facts(tmp_path) -> Facts:
    shop = Shop(tmp_path)
    shop.files["metrics"] = RULES
    shop.write_files()
    return Facts(open_book(shop.folder), NOW, WELL)


def paces(facts: Facts, requests: int, cost: int) -> tuple:
    first, second = facts.book.metrics.targets
    share, days = Decimal("0.66"), (YESTERDAY, YESTERDAY)
    return (
        (first, Pace(Decimal(requests), Decimal(40), first.value, share, requests < 40, False, 0, *days)),
        (second, Pace(Decimal(cost), Decimal(600000), second.value, share, cost > 600000, False, 0, *days)),
    )


def test_a_quiet_morning_says_the_numbers_against_the_same_weekday(facts):
    found = digest(replace(facts, paces=paces(facts, 41, 500000)))
    assert found.subject == "온다 11월 23일(월) 숫자: 이상 없음"
    assert found.lines == (
        "모든 숫자가 들어왔습니다.",
        "11월 23일(월), 괄호는 지난주 같은 요일과 견줌, *는 아직 바뀔 수 있음:",
        "조회 132 (+10%) · 비용 30,000원* (±0%) · 신청 3 (+50%)",
        "목표: 신청 41 / 60 · 비용 500,000원 (한도 900,000원)",
    )


def test_the_worst_news_comes_first(facts):
    bad = {
        "views": cells({}),
        "cost": cells({1: 90000, 3: 40000, **WEEKS}),
        "requests": cells({1: 0, 4: 0, 5: 0, 6: 0, 20: 3}),
    }
    before = YESTERDAY - timedelta(days=2)
    changes = (Change("cost", YESTERDAY, Decimal(30000), Decimal(90000), NOW - timedelta(hours=2)),
               Change("cost", before, Decimal(1), Decimal(40000), NOW - timedelta(days=2)))  # fmt: skip
    late = NOW + timedelta(hours=2)
    found = digest(
        replace(facts, now=late, cells=bad, changes=changes, paces=paces(facts, 20, 700000), failures=(BAD,))
    )
    assert (
        found.subject == "온다 11월 23일(월) 숫자: 못 가져옴 1, 빠짐 1, 평소와 다름 1, 0이 이어짐 1, 뒤처짐 1, 바뀜 1"
    )
    assert [line.partition(":")[0] for line in found.lines] == [
        "가져오지 못함", "빠짐", "평소와 다름", "0이 이어짐", "그 밖에 2건",
        "11월 23일(월), 괄호는 지난주 같은 요일과 견줌", "비용 90,000원 (+200%) · 신청 0", "목표",
    ]  # fmt: skip
    assert found.lines[0] == "가져오지 못함: 비용 (numbers.readings: the service cannot be reached)"
    assert found.lines[1] == "빠짐: 조회"
    assert found.lines[-1] == "목표: 비용 700,000원 (한도 900,000원)"  # the other is among the news


def test_what_is_missing_since_its_source_failed_is_said_once(facts):
    found = digest(replace(facts, cells=WELL | {"cost": {}}, failures=(BAD,)))
    assert found.subject.endswith(": 못 가져옴 1")
    assert not [line for line in found.lines if line.startswith("빠짐")]


@pytest.mark.parametrize(
    ("hour", "missing", "line"),
    [(8, False, "아직 적지 않음: 조회"), (9, True, "빠짐: 조회")],
)
def test_what_may_still_be_typed_in_time_is_not_missing(facts, hour, missing, line):
    at = NOW.astimezone(ZONE).replace(hour=hour, minute=30).astimezone(UTC)
    found = digest(replace(facts, now=at, cells=WELL | {"views": {}}))
    assert found.lines[0] == line
    assert ("빠짐 1" in found.subject) is missing


def test_news_of_another_morning_is_not_said_again(facts):
    old = {"cost": cells({1: 30000, 2: 90000, **WEEKS, **{day + 1: 30000 for day in WEEKS}})}
    changes = (Change("cost", YESTERDAY, Decimal(3), Decimal(30000), NOW - timedelta(days=2)),)
    found = digest(replace(facts, cells=WELL | old, changes=changes))
    assert found.subject.endswith("이상 없음")
    low = {"cost": cells({4: 10, **{day + 3: 30000 for day in WEEKS}, 1: 30000})}  # it became final today
    assert digest(replace(facts, cells=WELL | low)).subject.endswith("평소와 다름 1")


def test_a_hundred_metrics_and_all_bad_news_are_ten_lines_that_say_what_is_left_out(facts):
    many = {f"m{number}": METRICS["cost"] | {"label": f"{number}번째 광고 비용"} for number in range(100)}
    alerts = {name: {"unusual": "3"} for name in many}
    book = replace(facts.book, metrics=Metrics.model_validate({"metrics": many | METRICS, "alerts": alerts}))
    all_ = {name: cells({1: 90000, **WEEKS}) for name in many}
    found = digest(replace(facts, book=book, cells=all_))
    assert len(found.lines) == MOST_LINES
    assert found.lines[0] == "빠짐: 비용, 신청"
    assert found.lines[4] == "그 밖에 97건"
    assert "외 " in found.lines[-1]
    assert max(map(cell_len, found.lines[6:])) < 90
    gone = digest(replace(facts, book=book, cells={}))
    assert gone.lines[0] == "빠짐: 0번째 광고 비용, 1번째 광고 비용, 2번째 광고 비용, 3번째 광고 비용 외 98개"


def test_it_speaks_english_and_of_no_metrics_at_all(facts):
    company = facts.book.company.model_copy(update={"language": "en"})
    english = replace(facts, book=replace(facts.book, company=company))
    found = digest(replace(english, failures=(BAD,), paces=paces(facts, 41, 500000)))
    assert found.subject == "온다, numbers of Mon 23 Nov: 1 not brought"
    assert found.lines == (
        "Not brought: 비용 (numbers.readings: the service cannot be reached)",
        "Mon 23 Nov, compared with the same day a week before, * may still change:",
        "조회 132 (+10%) · 비용 ₩30,000* (±0%) · 신청 3 (+50%)",
        "Targets: 신청 41 / 60 · 비용 ₩500,000 (at most ₩900,000)",
    )
    none = replace(facts.book, metrics=Metrics())
    assert digest(replace(facts, book=none)).lines == ("metrics.yaml에 지표가 없습니다.",)


def test_pictures_are_the_owners_alone_and_the_oldest_go(tmp_path):
    for number in range(KEPT + 5):
        assert put(tmp_path / "pictures" / f"digest-2026-11-{number:02}.png", lambda: b"png")
    kept = sorted(file.name for file in (tmp_path / "pictures").iterdir())
    assert (kept[0], len(kept)) == ("digest-2026-11-05.png", KEPT)
    assert (tmp_path / "pictures").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "pictures" / kept[0]).stat().st_mode & 0o777 == 0o600


def broken() -> bytes:
    raise ValueError("no font")


def test_a_picture_that_cannot_be_drawn_stops_no_words(tmp_path):
    assert not put(tmp_path / "digest-2026-11-01.png", broken)
    assert list(tmp_path.iterdir()) == []


MORNING = [
    Shop.machine("digest", "metrics.digest"),
    Shop.machine("tell", "team.notify", {name: "{{ digest." + name + " }}" for name in ("subject", "text", "picture")}),
]
DAILY = {"start": {"schedule": "daily 08:30"}, "case": "period", "fields": None, "stage": "circle"}


def test_a_playbook_tells_it_to_the_team_with_its_picture(shop):
    from flows.engine import scheduler

    shop.files["metrics"] = RULES
    shop.open(MORNING, at="2026-11-24 08:30", **DAILY)
    with shop.store.write() as session:
        keep(session, shop.world.book, [Value("cost", YESTERDAY, Decimal(30000), "test")], shop.clock.now())
    shop.act(scheduler.start, "visit", "2026-11-24", shop.clock.now())
    assert shop.case()["outcome"] == "done"
    (text,) = [file.read_text() for file in sorted((shop.home / "outbox").glob("*.txt"))]
    assert "subject: 온다 11월 23일(월) 숫자: 이상 없음" in text  # whose exchanges begin today
    assert "빠짐" not in text
    assert "아직 적지 않음: 조회" in text
    picture = shop.home / "pictures" / "digest-2026-11-24.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert list((shop.home / "outbox").glob("*.png"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("아직 적지 않음: 조회", []),
        ("숫자: 빠짐 1", []),  # the subject
        ("모든 숫자", ["told tell: expected '모든 숫자' in it, came out '온다 11월 23일(월) 숫자: 빠짐 1"]),
    ],
)
def test_a_playbooks_test_sees_the_notice(shop, words, said):
    shop.files["metrics"] = RULES
    shop.open(MORNING, at="2026-11-24 08:30", **DAILY)
    test = {"name": "아침", "clock": "2026-11-24 08:30", "expect": {"outcome": "done", "told": {"tell": words}}}
    case = TypeAdapter(TestCase).validate_python(test)
    found = Simulation(shop.world.book, shop.world.book.playbooks["visit"], case).play()
    assert [one[: len(before)] for one, before in zip(found, said, strict=True)] == said
