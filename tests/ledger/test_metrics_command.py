"""`digilog metrics`: a month on the terminal, as CSV, and as it was known earlier."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from flows.cli.app import app
from flows.ledger.readings import Value, keep
from flows.screen import Refused, console

DAY = date(2025, 6, 30)


@pytest.fixture
def shop(shop):
    shop.files["metrics"] = {
        "metrics": {
            "views": {"label": "조회수", "on": "apply", "source": {"by": "manager", "due": "09:30"}},
            "cost": {"label": "비용", "on": "apply", "unit": "KRW", "settle_days": 7,
                     "source": {"use": "numbers.readings"}},
        },
        "ratios": {"per_view": {"label": "조회당 비용", "of": "cost", "by": "views"}},
        "targets": {"views": ">= 300 a month"},
    }  # fmt: skip
    return shop.open(at="2025-07-01 10:00")


@pytest.fixture
def said(shop, capsys, monkeypatch):
    monkeypatch.setattr(console, "width", 200)

    def say(*words):
        app(["metrics", *words, "--home", str(shop.home), "--playbooks", str(shop.folder)], exit_on_error=False)
        return capsys.readouterr().out

    return say


def kept(shop, metric, number, back=0):
    with shop.store.write() as session:
        value = Value(metric, DAY - timedelta(days=back), Decimal(number), "person")
        keep(session, shop.world.book, [value], shop.clock.now())


def row(text, label):
    return next(line for line in text.splitlines() if line.startswith(label)).removeprefix(label).split()


def test_a_month_is_its_sums_its_last_days_and_its_ratios(shop, said):
    for back, number in enumerate((132, 0, 100)):
        kept(shop, "views", number, back)
    kept(shop, "cost", 1000, 4)  # the first: of days before it nothing is missing
    kept(shop, "cost", 23200)
    kept(shop, "cost", 30000)
    text = said("--month", "2025-06", "--as-of", "2025-07-01 12:00")
    assert row(text, "조회수") == ["232", "100", "0", "132"]
    assert row(text, "비용") == ["31,000*", "3", "1,000*", "-", "-", "-", "30,000*+"]
    assert row(text, "조회당 비용")[0] == "227.3*"
    assert row(said("--month", "2025-06"), "비용")[0] == "31,000"  # settled long ago


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_number_is_broken_in_a_narrow_terminal_and_the_newest_days_are_shown(shop, said, monkeypatch, width):
    for back in range(9):
        kept(shop, "cost", 1_234_567 + back, back)
    kept(shop, "cost", 1, 29)
    monkeypatch.setattr(console, "width", width)
    text = said("--month", "2025-06")
    head, *_ = text.splitlines()
    cells = row(text, "비용")
    assert head.split()[:4] == ["2025-06", "in", "all", "missing"]
    assert max(len(line) for line in text.splitlines()[:3]) <= width
    assert cells[:2] == ["11,111,140", "20"]
    assert cells[-1] == "1,234,567"
    assert all(cell.replace(",", "").isdecimal() and len(cell) == 9 for cell in cells[2:])
    assert head.split()[-1] == "06-30"
    assert len(head.split()) - 4 == len(cells) - 2 < 7
    assert "only the newest days have room here" in text


def test_this_month_comes_with_its_targets(shop, said):
    assert "조회수 a month" in said()


def test_what_was_known_then_is_told_without_what_came_later(shop, said):
    kept(shop, "views", 132)
    shop.at("2025-07-02 12:00")
    kept(shop, "views", 140)
    assert row(said("--month", "2025-06"), "조회수")[0] == "140"
    assert row(said("--month", "2025-06", "--as-of", "2025-07-02 11:00"), "조회수")[0] == "132"
    assert row(said("--month", "2025-06", "--as-of", "2025-07-01T00:00+00:00"), "조회수")[0] == "-"


def test_a_month_goes_into_a_file_whole(shop, said, tmp_path):
    kept(shop, "views", 132)
    kept(shop, "views", 90, back=40)
    file = tmp_path / "june.csv"
    assert "1 number of 2025-06" in said("--csv", str(file), "--month", "2025-06")
    assert "132" in file.read_text("utf-8-sig")
    assert "1 number of 2025-05" in said("--csv", str(file), "--month", "2025-05")
    assert file.read_text("utf-8-sig").splitlines()[1].startswith("2025-05-21,views,조회수")


@pytest.mark.parametrize(
    "words", [("--month", "2026-13"), ("--month", "November"), ("--month", "0000-01"), ("--as-of", "yesterday")]
)
def test_a_month_or_moment_that_is_none_is_told_with_the_right_form(said, words):
    with pytest.raises(Refused, match="write it as"):
        said(*words)


@pytest.mark.parametrize("words", [("--month", "9999-12"), ("--as-of", "0001-01-01"), ("--as-of", "9999-12-31 23:59")])
def test_the_edge_of_all_time_is_refused_in_a_sentence(shop, said, words):
    with pytest.raises(Refused, match="write it as"):
        said(*words)
