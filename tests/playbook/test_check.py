"""One thing made wrong in a company that checks clean: what is said, and exactly where."""

import re
import shutil
from pathlib import Path

import pytest

from flows.playbook.check import check, parse_version
from flows.playbook.model import Playbook
from flows.playbook.problem import Problem

HERE = Path(__file__).parent
EXAMPLE = Path(__file__).parents[2] / "playbooks"
OPTIONAL = ("daily-metrics.yaml", "tests/daily-metrics.yaml", "tests/trial-booking.yaml")
# words of the machinery below us, which no reader of a playbook knows
MACHINERY = ("scalar", "mapping", "token", "NoneType", "pydantic", "Input should", "validat", "Traceback", "literal")

# four lines each: the file, what stands there, what is put there instead, the sentence with its place
_MISTAKE = re.compile(r"^in (.+)\n- (.*)\|\n\+ (.*)\|\n= (.+)$", re.MULTILINE)
MISTAKES = _MISTAKE.findall((HERE / "mistakes.txt").read_text())


def company(folder: Path, *kept: str) -> Path:
    """A copy of the company in this directory; of the optional files only those named."""
    place = folder / "playbooks"
    shutil.copytree(HERE / "company", place)
    for other in OPTIONAL:
        if other not in kept and f"tests/{other}" not in kept:
            (place / other).unlink()
    return place


def change(place: Path, file: str, old: str, new: str) -> None:
    text = (place / file).read_text()
    assert old in text
    (place / file).write_text(text.replace(old, new, 1))


def said(place: Path) -> list[str]:
    return [str(problem).removeprefix(f"{place}/") for problem in check(place).problems]


@pytest.mark.parametrize(("file", "old", "new", "sentence"), MISTAKES)
def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path, file: str, old: str, new: str, sentence: str) -> None:
    place = company(tmp_path, file)
    change(place, file, old.replace("\\n", "\n"), new.replace("\\n", "\n").replace("\\t", "\t"))
    found = said(place)
    assert sentence in found
    assert not [word for word in MACHINERY for line in found if word in line]


def test_there_are_enough_mistakes() -> None:
    assert len(MISTAKES) > 150


@pytest.mark.parametrize("folder", [EXAMPLE, HERE / "company"])
def test_the_example_company_checks_clean(folder: Path) -> None:
    checked = check(folder)
    assert [str(problem) for problem in checked.problems] == []
    assert checked.book is not None
    assert {"trial-booking", "daily-metrics"} <= set(checked.book.playbooks)
    assert {"trial-booking", "daily-metrics"} <= set(checked.book.tests)
    assert all("not yet" in notice for notice in checked.book.notices)


def test_what_is_not_yet_active_is_a_notice_and_no_error(tmp_path: Path) -> None:
    place = company(tmp_path)
    change(place, "trial-booking.yaml", "state: operate ", "state: expand ")
    change(place, "trial-booking.yaml", "    checklist: [", "    evidence: photo\n    checklist: [")
    checked = check(place)
    said = [notice.message for notice in checked.notices]
    assert (checked.problems, checked.book is not None) == ([], True)
    for words in (
        "expand works as operate",
        "a photo is given as a link",
        "measures is read",
        "is an advert",
    ):
        assert [line for line in said if words in line and "not yet" in line], words


def test_a_name_that_a_service_does_not_usually_know_is_told(tmp_path: Path) -> None:
    place = company(tmp_path)
    change(
        place, "company.yaml", "connections:\n", 'connections:\n  ads: {connector: naver_searchad, customer: "12"}\n'
    )
    wrong = "metrics:\n  shown: {label: 노출, on: inflow, source: {use: ads.readings, of: impCn}}\n"
    change(place, "metrics.yaml", "metrics:\n", wrong)
    checked = check(place)
    assert checked.problems == []
    assert "did you mean impCnt?" in next(one.message for one in checked.notices if "impCn " in one.message)


@pytest.mark.parametrize(("settles", "told"), [("", True), (", settle_days: 1", False)])
def test_a_source_whose_day_may_end_later_than_ours_is_asked_for_longer(
    tmp_path: Path, settles: str, told: bool
) -> None:
    place = company(tmp_path)
    west = f"metrics:\n  reach: {{label: 도달, on: inflow, source: {{by: manager}}, day_basis: source{settles}}}\n"
    change(place, "metrics.yaml", "metrics:\n", west)
    checked = check(place)
    assert checked.problems == []
    assert any("before it is over" in one.message for one in checked.notices) is told


BOOKING = (
    "connections:\n  booking:\n    connector: web_json\n    base_url: {}\n    path: /v1/{{since}}\n"
    "    values: {{visits: n, sales: amount}}\n    dimensions: {{branch: b}}\n"
)
ASKS = [
    ("of: visist", "visist is none of the values of booking; did you mean visits?"),
    ("of: visits, where: {brnch: a}", "brnch is none of the dimensions of booking; did you mean branch?"),
    ("of: visits, split: [city]", "city is none of the dimensions of booking; known: branch"),
    ("split: [branch], where: {branch: a}", "reach is none of the values of booking; known: sales, visits"),
    ("of: visits, split: [branch]", None),
]


@pytest.mark.parametrize(("asks", "wanted"), ASKS)
def test_what_a_connection_does_not_declare_is_no_number_to_ask_for(
    tmp_path: Path, asks: str, wanted: str | None
) -> None:
    place = company(tmp_path)
    change(place, "company.yaml", "connections:\n", BOOKING.format("https://booking.example.com"))
    one = f"metrics:\n  reach: {{label: 도달, on: inflow, source: {{use: booking.readings, {asks}}}}}\n"
    change(place, "metrics.yaml", "metrics:\n", one)
    assert [line.partition(" ")[2] for line in said(place)] == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("krw", "did you mean KRW?"), ("minute", "did you mean minutes?"), ("won", "known: KRW, count, minutes, ratio"),
        ("USD", None), ("ratio", None),
    ],
)  # fmt: skip
def test_a_unit_that_is_neither_known_nor_a_currency_is_told(tmp_path: Path, unit: str, told: str | None) -> None:
    place = company(tmp_path)
    one = f"metrics:\n  reach: {{label: 도달, on: inflow, unit: {unit}, source: {{by: manager}}}}\n"
    change(place, "metrics.yaml", "metrics:\n", one)
    checked = check(place)
    assert checked.problems == []
    assert [told in one.message for one in checked.notices if " is no unit" in one.message] == ([True] if told else [])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:8080", True), ("http://localhost", True), ('"http://127.0.0.1", allow_loopback: yes', False),
        ("https://booking.example.com", False), ('"http://[::1"', False),
    ],
)  # fmt: skip
def test_a_service_on_this_computer_is_called_only_where_that_is_said(tmp_path: Path, address: str, told: bool) -> None:
    place = company(tmp_path)
    one = f"connections:\n  booking: {{connector: web, base_url: {address}}}\n"
    change(place, "company.yaml", "connections:\n", one)
    assert any("add allow_loopback: yes" in one.message for one in check(place).notices) is told


def test_a_thousand_metrics_are_read(tmp_path: Path) -> None:
    place = company(tmp_path)
    one = "  m_{}: {{label: 지표, on: inflow, unit: KRW, source: {{use: numbers.readings, of: x}}, settle_days: 3}}\n"
    change(place, "company.yaml", "connections:\n", "connections:\n  numbers: {connector: csv, file: n.csv}\n")
    change(place, "metrics.yaml", "metrics:\n", "metrics:\n" + "".join(one.format(number) for number in range(1_000)))
    assert check(place).problems == []


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    place = company(tmp_path)
    change(place, "trial-booking.yaml", "stage: apply", "stage: aply")
    change(place, "trial-booking.yaml", "to: owner", "to: boss")
    change(place, "company.yaml", "people: [yoon]", "people: [yun]")
    change(place, "metrics.yaml", "of: ad_cost", "of: ad_costs")
    files = [line.partition(":")[0] for line in said(place)]
    assert files == ["company.yaml", "metrics.yaml", "trial-booking.yaml", "trial-booking.yaml"]


def test_of_many_mistakes_in_a_file_the_first_hundred_are_told(tmp_path: Path) -> None:
    place = company(tmp_path)
    text = (place / "trial-booking.yaml").read_text()
    (place / "trial-booking.yaml").write_text("".join(f"zz{number}: x\n" for number in range(150)) + text)
    lines = said(place)
    assert len(lines) == 101
    assert lines[0].startswith("trial-booking.yaml:1:1 50 more stand in this file")


def test_a_word_without_an_end_is_not_told_to_its_end() -> None:
    said = Problem("messages.yaml", 1, 1, f"a blank #{{{'9' * 700}}} that needs a value; add it").message
    assert len(said) < 200
    assert said.startswith("a blank #{999")
    assert said.endswith("… that needs a value; add it")


def test_two_playbooks_cannot_share_a_form(tmp_path: Path) -> None:
    place = company(tmp_path)
    text = (place / "trial-booking.yaml").read_text()
    (place / "second.yaml").write_text(text.replace("playbook: trial-booking", "playbook: second"))
    [line] = said(place)
    assert "the form trial-form starts second already" in line


def test_a_playbook_too_much_like_another_is_refused(tmp_path: Path) -> None:
    place = company(tmp_path, "daily-metrics.yaml")
    text = (place / "daily-metrics.yaml").read_text()
    (place / "daily_metrics.yaml").write_text(text.replace("playbook: daily-metrics", "playbook: daily_metrics"))
    [line] = said(place)
    assert "daily_metrics is too much like daily-metrics" in line


@pytest.mark.parametrize("file", ["company.yaml", "canvas.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    place = company(tmp_path)
    (place / file).unlink()
    assert said(place) == [f"{file}:1:1 {file} is missing; each company has one"]


def test_tests_need_their_playbook(tmp_path: Path) -> None:
    place = company(tmp_path, "tests/trial-booking.yaml")
    (place / "tests/trial-booking.yaml").rename(place / "tests/trial-bookings.yaml")
    [line] = said(place)
    assert "there is no playbook trial-bookings; did you mean trial-booking?" in line


def _playbook(text: str) -> Playbook:
    return parse_version(text)


TRIAL = (HERE / "company" / "trial-booking.yaml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("state: operate ", "state: trial ", True),
        ("owner: manager", "owner: owner", True),
        ("silent_after: 7d", "silent_after: 8d", True),
        ("change: 확정 안내에 준비물을 적었다", "change: 다른 말", True),
        ('target: "<= 60"', 'target: "<= 50"', True),
        ("# the file's name", "# a comment", True),
        ("remind: 15m\n", "remind:   15m\n", True),
        ("remind: 15m\n", "remind: 16m\n", False),
        ("label: 강사}", "label: 선생님}", False),
        ("- 20h", "- 21h", False),
        ("overlap: single", "overlap: parallel", False),
    ],
)
def test_a_version_is_what_a_running_case_is_pinned_to(old: str, new: str, same: bool) -> None:
    assert old in TRIAL
    assert (_playbook(TRIAL).version == _playbook(TRIAL.replace(old, new, 1)).version) is same


def test_a_stored_version_loads_alone_and_keeps_its_text() -> None:
    stored = _playbook(TRIAL)
    assert stored.text == TRIAL
    assert len(stored.version) == 64
    assert stored.index["confirm"] == 2
    with pytest.raises(ValueError, match="stored version:3:8"):
        _playbook(TRIAL.replace("state: operate", "state: operating"))
