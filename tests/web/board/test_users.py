"""`digilog user` and `digilog up`: who may log in is said in the terminal, and nobody from outside comes before."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.people.users import matches, password_of
from flows.store.store import open_store
from tests.system.conftest import environment
from tests.web.conftest import company


class Terminal:
    """A home, and commands on it."""

    def __init__(self, folder: Path) -> None:
        self.home, self.playbooks = folder / "home", company(folder / "company")
        open_store(self.home).close()

    def types(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "flows.cli",
            *words,
            "--home",
            str(self.home),
            "--playbooks",
            str(self.playbooks),
        ]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=60, env=environment()
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("users"))


def test_nobody_from_outside_comes_before_there_is_an_admin(terminal: Terminal) -> None:
    for host in ("0.0.0.0", "192.0.2.7", "some.name"):
        refused = terminal.types("up", "--no-prefect", "--port", "0", "--host", host)
        assert refused.returncode == 1
        assert f"DIGILOG_HOST: {host} can be reached by others, and nobody can log in yet" in refused.stderr
        assert "digilog user add NAME --role admin" in refused.stderr


def test_users_are_added_listed_changed_and_shut_out(terminal: Terminal) -> None:
    assert "at least 10 signs" in terminal.types("user", "add", "yoon", stdin="short\n").stderr
    assert "a name is made of" in terminal.types("user", "add", "Yoon!", stdin="three small boats\n").stderr
    assert terminal.types("user", "add", "yoon", "--role", "admin", stdin="three small boats\n").returncode == 0
    assert "is a user already" in terminal.types("user", "add", "yoon", stdin="three small boats\n").stderr
    assert "no person of company.yaml" in terminal.types("user", "add", "desk", stdin="three small boats\n").stdout
    listed = terminal.types("user", "list").stdout
    assert [word for word in ("yoon", "Yoon", "admin", "desk", "act") if word not in listed] == [], listed
    assert "only admin" in terminal.types("user", "disable", "yoon").stderr
    assert terminal.types("user", "disable", "desk").returncode == 0
    assert "disabled" in terminal.types("user", "list").stdout
    assert "there is no user nobody; there are: desk, yoon" in terminal.types("user", "disable", "nobody").stderr
    assert terminal.types("user", "password", "desk", stdin="another long one\n").returncode == 0
    store = open_store(terminal.home)
    with store.read() as session:
        hashed = password_of(session, "desk")
    store.close()
    assert matches(hashed, "another long one")
    assert not matches(hashed, "three small boats")
