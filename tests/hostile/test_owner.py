"""A careless owner at the command line: settings, times and amounts that cannot be are told, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.store.store import open_store
from tests.hostile import company


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company and a home of it."""
    found = tmp_path_factory.mktemp("owner")
    company.write(found / "playbooks")
    open_store(found / "home").close()
    for name in ("home.json", "up.json"):
        (found / "damaged" / name).parent.mkdir(exist_ok=True)
        (found / "damaged" / name).write_text("{")
    (found / "shared").mkdir()
    (found / "shared" / "home.json").write_text('{"playbooks": "playbooks", "store": "postgresql"}')
    (found / "odd").mkdir()
    (found / "odd" / ".env").write_bytes(b"\xff\xfe=1")
    return found


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        ("cases --home home", {"DIGILOG_PORT": "secret words"}, "DIGILOG_PORT: "),
        ("cases --home home", {"DIGILOG_GIVE_UP_HOURS": "x"}, "DIGILOG_GIVE_UP_HOURS"),
        ("cases --home damaged", {}, "home.json is damaged; delete it"),
        ("up --no-prefect --playbooks playbooks --home new --clock-offset +999999999d", {}, "that is too far"),
        ("up --no-prefect --playbooks playbooks --home new --clock-offset +9999h9d", {}, "write a time to move on"),
        ("clock +1h --home home --playbooks playbooks", {}, "runs on the real clock"),
        ("exchange inquiry --party 010-1234-5678 --amount 1e999999 --home home", {}, "no amount of money"),
        ("exchange inquiry --party 010-1234-5678 --amount=-1e-99 --home home", {}, "no amount of money"),
        ("exchange inquiry --party =cmd --home home --playbooks playbooks", {}, "is no phone number"),
        ("case ../../x --home home --playbooks playbooks", {}, "there is no case"),
        ("replay abc --home home --playbooks playbooks", {}, "abc is not the number of an event; see the numbers with"),
        ("replay 9999999999999999999 --home home --playbooks playbooks", {}, "is not the number of an event"),
        ("cases --home shared", {}, "is a PostgreSQL database; set DIGILOG_DATABASE_URL as it was"),
        (
            "up --no-prefect --home shared --playbooks playbooks",
            {},
            "is a PostgreSQL database; set DIGILOG_DATABASE_URL",
        ),
        ("doc __class__ --playbooks playbooks", {}, "there is no playbook"),
    ],
)
def test_what_cannot_be_is_one_sentence(place: Path, words: str, env: dict[str, str], said: str) -> None:
    _told(place, words, env, said)


def test_settings_that_are_no_text_are_told(place: Path) -> None:
    _told(place / "odd", "cases", {}, "is not UTF-8")


def _told(place: Path, words: str, env: dict[str, str], said: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DIGILOG_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words.split()], env=clean | env, cwd=place, capture_output=True,
        text=True, check=False, timeout=30,
    )  # fmt: skip
    whole = done.stdout + done.stderr
    assert done.returncode == 1, whole
    assert said in whole
    assert "Traceback" not in whole
    assert "secret words" not in whole
