"""What goes wrong at the command line: one sentence, the right exit code, no traceback, nothing half-written."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.cli import app
from flows.store.store import open_store
from tests.system.conftest import ORDER, Said, Up

Run = Callable[..., Said]


def _told(said: Said, *parts: str) -> None:
    """It ended with 1 and a sentence."""
    whole = said.out + said.errors
    assert said.code == 1, whole
    assert "Traceback" not in whole
    assert sum(line.startswith("digilog: ") for line in whole.splitlines()) <= 1, whole
    assert len(whole.splitlines()) <= 4, whole
    for part in parts:
        assert part in whole


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("use: ledger.record", "use: ledger.recrod"), ("order.yaml:16:", "did you mean ledger.record?")),
        (("purpose:", "purpose"), ("order.yaml:",)),
    ],
)
def test_up_ends_on_files_that_do_not_check(
    digilog: Run, tea: Path, tmp_path: Path, wrong: tuple[str, str], says: tuple[str, ...]
) -> None:
    (tea / "order.yaml").write_text(ORDER.replace(*wrong), "utf-8")
    _told(digilog("up", "--no-prefect", "--playbooks", tea, "--home", tmp_path / "home"), *says)
    assert not (tmp_path / "home").exists()


def test_check_shows_the_same_problem(digilog: Run, tea: Path) -> None:
    (tea / "order.yaml").write_text(ORDER.replace("ledger.record", "ledger.recrod"), "utf-8")
    _told(digilog("check", tea), "order.yaml:16:", "did you mean ledger.record?", "1 to correct")


def test_without_its_secret_a_connection_answers_503_and_the_rest_works(shop: Up, digilog: Run) -> None:
    shop.env = {}
    company = shop.playbooks / "company.yaml"
    more = "connections:\n  texts: {connector: solapi, sender: 02-555-0101}\n"
    company.write_text(company.read_text("utf-8").replace("connections:\n", more), "utf-8")
    shop.start()
    assert "orders is not connected" in shop.said()
    lacking = ("ORDERS__SIGNING_SECRETS", "TEXTS__API_KEY", "TEXTS__API_SECRET")
    assert [one for one in lacking if f"DIGILOG_CONNECTIONS__{one}: " not in shop.said()] == []
    assert shop.order("o1") == 503
    assert shop.count("event") == 0

    again = ("up", "--no-prefect", "--port", "0", "--home", shop.home, "--clock-offset", "+33h")
    _told(digilog(*again), "is already up", "--home")
    assert not shop.count("setting WHERE name = 'clock_offset'")
    _told(digilog("case", "zzzz", "--home", shop.home), "there is no case zzzz", "digilog cases")
    _told(digilog("work", "show", "zzzz", "--home", shop.home), "zzzz")
    _told(digilog("doubt", "abc", "--home", shop.home), "abc is no number of a doubt", "digilog doubt")
    _told(digilog("clock", "+1h", "--home", shop.home), "real clock", "--clock-offset")
    assert shop.parts().keys() == {"web", "engine"}  # all that left it as it was


def test_a_port_in_use_is_said(digilog: Run, tea: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = digilog("up", "--no-prefect", "--playbooks", tea, "--home", tmp_path / "home", "--port", port)
    assert said.code == 1
    assert f"port {port} is in use by another program; choose another with --port" in said.out + said.errors
    assert "Traceback" not in said.out + said.errors


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("cases",), "there is no home at"),
        (("check", "nowhere"), "there is no folder nowhere"),
        (("doc", "order", "--playbooks", "tea"), ""),
        (("doc", "ordr", "--playbooks", "tea"), "did you mean order?"),
        (("test", "--playbooks", "tea"), "there are no tests"),
    ],
)
def test_what_is_not_there_is_said(digilog: Run, tea: Path, words: tuple[str, ...], says: str) -> None:
    said = digilog(*words)
    if says:
        _told(said, says)
    else:
        assert said.code == 0


def test_that_nothing_is_overdue_is_said(digilog: Run, tea: Path, tmp_path: Path) -> None:
    open_store(tmp_path / "home").close()
    said = digilog("silence", "--home", tmp_path / "home", "--playbooks", tea)
    assert (said.code, said.out, said.errors) == (0, "nothing is overdue\n", "")


@pytest.mark.parametrize(("words", "says"), [(("cass",), "cases"), (("hold", "x"), "--reason")])
def test_a_wrong_command_line_ends_with_2_and_the_nearest_word(digilog: Run, words: tuple[str, ...], says: str) -> None:
    said = digilog(*words)
    assert said.code == 2
    assert says in said.errors
    assert "Traceback" not in said.errors


def test_a_home_that_cannot_be_a_folder_is_said(digilog: Run, tea: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", "utf-8")
    _told(digilog("up", "--no-prefect", "--playbooks", tea, "--home", file), str(file))
    assert file.read_text("utf-8") == "mine"


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A folder that may not be written: by its mode, or for root by the system itself."""
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o500)
    yield Path("/proc/digilog") if os.geteuid() == 0 else folder / "home"
    folder.chmod(0o700)


def test_a_home_that_may_not_be_written_is_said(digilog: Run, tea: Path, sealed: Path) -> None:
    _told(digilog("up", "--no-prefect", "--playbooks", tea, "--home", sealed), str(sealed))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a full disk is not tried: only root can mount a small one")
    yield folder
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said(digilog: Run, tea: Path, small_disk: Path) -> None:
    _told(digilog("up", "--no-prefect", "--playbooks", tea, "--home", small_disk / "home"), "the disk is full")


def _commands() -> list[tuple[str, ...]]:
    top = [name for name in app if not name.startswith("-")]
    return [(), *((name,) for name in top), *(("work", name) for name in app["work"] if not name.startswith("-"))]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    app([*words, "--help"])
    said = capsys.readouterr().out
    assert f"Usage: digilog {' '.join(words)}".strip() in said
    assert len(said.splitlines()) >= 3


@pytest.mark.parametrize(
    ("setting", "value"), [("DIGILOG_PORT", "abc"), ("DIGILOG_RETAIN_RAW_DAYS", "0"), ("DIGILOG_GIVE_UP_HOURS", "soon")]
)
def test_a_setting_of_the_wrong_kind_is_named(digilog: Run, tea: Path, setting: str, value: str) -> None:
    _told(digilog("check", "--playbooks", tea, **{setting: value}), setting, "correct it")
