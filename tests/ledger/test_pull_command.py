"""`digilog pull`: what was brought, what is missing and why, and what cannot be pulled, in sentences."""

import pytest

from connectors.errors import Rejected
from flows.cli import main
from flows.cli.app import app
from flows.screen import Misused, Refused, console
from flows.store import tables as t

METRICS = {
    "views": {"label": "조회", "on": "apply", "source": {"use": "numbers.readings"}, "settle_days": "2"},
    "cost": {"label": "비용", "on": "apply", "source": {"use": "numbers.readings"}, "absent_day": "zero"},
    "typed": {"label": "손으로", "on": "apply", "source": {"by": "manager"}},
}


@pytest.fixture
def shop(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    return shop.open(at="2025-07-01 10:00")


@pytest.fixture
def said(shop, capsys, monkeypatch):
    monkeypatch.setattr(console, "width", 200)

    def say(*words):
        app(["pull", *words, "--home", str(shop.home), "--playbooks", str(shop.folder)], exit_on_error=False)
        return capsys.readouterr().out

    return say


def drop(shop, *lines):
    (shop.home / "files" / "numbers.csv").write_text("\n".join(["day,metric,value", *lines]))


def test_what_is_missing_and_why_is_told_and_a_failed_source_ends_with_one(shop, said, capsys):
    with pytest.raises(SystemExit) as ended:
        said()
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "0 new numbers, 0 restated, 4 missing" in out
    assert "not brought: numbers.readings (조회, " in out
    assert "numbers.csv is not there; put it into the home's files folder" in out
    assert "not typed yet: 손으로" in out
    assert {row["status"] for row in shop.all(t.reading)} == {"missing"}


def test_days_of_a_range_are_asked_once_and_all_of_them_when_told_so(shop, said):
    drop(shop, "2025-06-01,views,5", "2025-06-02,views,6")
    assert "2 new numbers" in said("views", "--from", "2025-06-01", "--to", "2025-06-02")
    drop(shop, "2025-06-01,views,5", "2025-06-02,views,7")
    assert "0 new numbers, 0 restated" in said("views", "--from", "2025-06-01", "--to", "2025-06-02")
    assert "1 restated" in said("views", "--from", "2025-06-01", "--to", "2025-06-02", "--all")
    assert [row["kind"] for row in shop.all(t.pull)] == ["holes", "holes", "all"]
    assert {row["by"] for row in shop.all(t.pull)} == {"digilog pull"}


def test_a_file_of_long_ago_that_comes_late_is_asked_for_by_hand_and_what_is_left_is_named(shop, said):
    drop(shop, "2025-03-01,views,1", "2025-03-06,views,6")
    assert "no number at the source: 조회 03-02 ~ 03-05" in said("views", "--from", "2025-03-01", "--to", "2025-03-06")
    drop(shop, *(f"2025-03-0{day},views,{day}" for day in (1, 2, 4, 6)))
    out = said("views", "--from", "2025-03-01", "--to", "2025-03-06")
    assert "2 new numbers, 0 restated, 2 missing" in out
    assert "no number at the source: 조회 03-05, 03-03" in out
    drop(shop, *(f"2025-03-0{day},views,{day}" for day in (1, 2, 3, 4, 6)))
    assert "1 new number, 0 restated, 1 missing" in said("views", "--from", "2025-03-01", "--to", "2025-03-06")
    assert "0 new numbers, 0 restated, 1 missing" in said("views", "--from", "2025-03-01", "--to", "2025-03-06")


def test_kept_answers_are_read_again_by_the_pull_s_name(shop, said):
    drop(shop, "2025-06-01,views,5")
    name = said("views", "--from", "2025-06-01", "--to", "2025-06-01").rpartition("pull ")[2].strip()
    (shop.home / "files" / "numbers.csv").unlink()
    assert "0 new numbers, 0 restated, 0 missing" in said("--again", name)
    assert [row["kind"] for row in shop.all(t.pull)] == ["holes", "again"]


@pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens")
def test_words_that_ask_for_nothing_end_with_two(shop, capsys, monkeypatch):
    words = ["pull", "typed", "--home", str(shop.home), "--playbooks", str(shop.folder)]
    monkeypatch.setattr("sys.argv", ["digilog", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (2, "digilog: typed is typed by a person; nothing to ask\n")
    assert shop.all(t.pull) == []


def test_before_there_is_a_home_a_pull_says_what_makes_one(shop, tmp_path):
    with pytest.raises(Refused, match=r"there is no home at .* yet; digilog up makes it"):
        app(["pull", "--home", str(tmp_path / "none"), "--playbooks", str(shop.folder)], exit_on_error=False)


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("vews",), Rejected, r"there is no metric vews; did you mean views\?"),
        (("--holes", "--all"), Misused, "name one of them"),
        (("--from", "1990-01-01"), Misused, "more than ten years"),
        (("--from", "2025-06-02", "--to", "2025-06-01"), Misused, "--from 2025-06-02 is after --to 2025-06-01"),
        (("--from", "2999-01-01"), Misused, r"not over yet; the newest day that can be asked for is \d{4}-\d\d-\d\d"),
        (("--from", "11/01"), Misused, "11/01 is no day; write it as 2026-11-01"),
        (("typed",), Misused, "typed is typed by a person; nothing to ask"),
        (("--again", "nosuch"), Rejected, "no answers are kept"),
    ],
)
def test_what_cannot_be_pulled_is_said_in_a_sentence(said, words, error, says):
    with pytest.raises(error, match=says):
        said(*words)


def test_a_file_says_nothing_of_days_behind_its_last_line(shop, said):
    drop(shop, "2025-06-25,cost,5", "2025-06-28,cost,6")
    told = said("cost", "--from", "2025-06-24", "--to", "2025-06-30")
    assert "no number at the source: 비용 06-29 ~ 06-30, 06-24" in told
    found = {row["day"][-2:]: row["status"] for row in shop.all(t.reading)}
    assert found == {"24": "missing", "25": "ok", "26": "zero", "27": "zero", "28": "ok", "29": "missing",
                     "30": "missing"}  # fmt: skip
    drop(shop, "2025-06-25,cost,5", "2025-06-28,cost,6", "2025-06-29,cost,7", "2025-06-30,cost,8")
    assert "2 new numbers, 0 restated, 1 missing" in said("cost", "--from", "2025-06-24", "--to", "2025-06-30")


def test_a_number_of_a_channel_that_nobody_knows_is_not_taken_for_the_metrics_own(shop, said, capsys):
    shop.files["metrics"] = {"metrics": {"views": METRICS["views"] | {"channel": "web"}}}
    shop.write_files()
    file = shop.home / "files" / "numbers.csv"
    words = ("--from", "2025-06-30", "--to", "2025-06-30", "--all")
    for channel, well in (("web", True), ("웹", True), ("", True), ("blog", False)):
        file.write_text(f"day,metric,value,channel\n2025-06-30,views,{7 if well else 9},{channel}\n")
        if well:
            assert "a channel that" not in said(*words)
            continue
        with pytest.raises(SystemExit):
            said(*words)
        assert "a channel that the company does not have; name channels as" in capsys.readouterr().out
    assert [row["value"] for row in shop.all(t.reading) if row["value"] is not None] == [7]


@pytest.mark.parametrize("words", [("--again", "last", "views"), ("--again", "last", "--from", "2025-06-01"),
                                   ("--to", "2020-01-01")])  # fmt: skip
def test_words_that_would_be_passed_over_are_refused(shop, said, words):
    with pytest.raises(Misused):
        said(*words)
    assert shop.all(t.pull) == []
