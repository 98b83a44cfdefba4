"""The commands for those who write: what they show, what they change, and how they end."""

import json
import shutil
from pathlib import Path

import pytest

from flows.cli import app
from flows.screen import Refused

EXAMPLE = Path(__file__).parents[2] / "playbooks"


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "playbooks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGILOG_PLAYBOOKS", "playbooks")
    monkeypatch.setenv("DIGILOG_HOME", "home")
    return tmp_path / "playbooks"


def run(*words: str) -> int:
    try:
        app(list(words))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_fmt_changes_a_file_once_and_check_changes_nothing(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = company / "trial-booking.yaml"
    good, bad = file.read_text(), file.read_text().replace("\n", "\r\n").replace("\r\nsteps:", "   \r\nsteps:")
    file.write_bytes(bad.encode())
    assert run("fmt", "--check") == 1
    assert file.read_bytes() == bad.encode()
    assert "trial-booking.yaml would be put in order" in capsys.readouterr().out
    assert run("fmt") == 0
    assert file.read_bytes() == good.encode()
    assert run("fmt", "--check") == 0
    assert "0 to put in order" in capsys.readouterr().out


def test_fmt_leaves_what_it_cannot_read(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = company / "canvas.yaml"
    file.write_text("stages: [\n")
    assert run("fmt", str(file)) == 1
    assert file.read_text() == "stages: [\n"
    assert "canvas.yaml:2:1" in capsys.readouterr().out
    with pytest.raises(Refused, match="there is no file nowhere"):
        run("fmt", "nowhere.yaml")


def test_check_tells_a_program_what_it_tells_people(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    file = company / "trial-booking.yaml"
    file.write_text(file.read_text().replace("owner: manager", "owner: manger"))
    assert run("check", "--json") == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert problem["file"].endswith("trial-booking.yaml")
    assert (problem["line"], problem["column"], problem["hint"]) == (6, 8, "did you mean manager?")


def test_doc_shows_one_playbook_one_stage_or_all(company: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doc", "trial-booking") == 0
    one = capsys.readouterr().out
    assert run("doc", "--stage", "apply") == 0
    stage = capsys.readouterr().out
    assert run("doc", "--all") == 0
    whole = capsys.readouterr().out
    assert one.startswith("# 체험수업 신청-확정-출석\n")
    assert stage.startswith("# 온다필라테스: 서비스 청사진\n")
    assert one in stage
    assert one in whole
    assert "# 매일 지표장부" in whole
    assert "# 매일 지표장부" not in stage
    assert run("doc", "--all", "--html") == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doc"], "name one: digilog doc PLAYBOOK"),
        (["doc", "trial-booking", "--all"], "name one"),
        (["doc", "--stage", "aply"], "there is no place aply in canvas.yaml; did you mean apply"),
        (["schema"], "name a kind"),
        (["schema", "playbook", "--to", "x"], "name a kind"),
    ],
)
def test_what_cannot_be_shown_is_said(company: Path, words: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        run(*words)


def test_schema_writes_all_kinds_and_says_which_file_is_which(
    company: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("schema", "--to", ".vscode/digilog") == 0
    told = json.loads(capsys.readouterr().out)["yaml.schemas"]
    apart = ("company.yaml", "canvas.yaml", "metrics.yaml", "messages.yaml")
    playbooks = sorted(f"playbooks/{path.name}" for path in EXAMPLE.glob("*.yaml") if path.name not in apart)
    assert told["./.vscode/digilog/playbook.json"] == playbooks
    assert all(json.loads(Path(schema).read_text())["title"] for schema in told)
    named = [path for paths in told.values() for path in paths if "*" not in path]
    assert all(Path(path).is_file() for path in named)
    assert run("schema", "playbook") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "digilog: playbook"
