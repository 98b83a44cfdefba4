"""Somebody else's connector, built and installed beside digilog as its page says, and found by its entry point."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.testing import scripted

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "sample-connector"
PAGE = (ROOT / "docs" / "how-to" / "new-connector.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BOOKING = {
    "id": "b-1",
    "name": "김하나",
    "phone": "010-1234-5678",
    "at": "2026-11-23T10:00:00+09:00",
    "state": "booked",
}
COMPANY = """
name: 온다
zone: Asia/Seoul
country: KR
hours: {mon-fri: "09:00-18:00", sat: closed, sun: closed}
roles: {owner: {label: 원장, people: [han]}}
people: {han: {name: 한님, email: han@onda.example}}
sender: {name: 온다, email: desk@onda.example}
mediums: {team: outbox}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The sample as pip installs it, in a folder of its own."""
    source, target = tmp_path_factory.mktemp("source") / "haru", tmp_path_factory.mktemp("target")
    shutil.copytree(SAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    line = next(one for one in typed() if one[0] == "pip")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--target", str(target)]
    words = [sys.executable, "-m", *line[:-1], *options, str(source)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return source, target


def typed():
    return [shlex.split(line) for said, _, body in BLOCKS if said == "sh" for line in body.splitlines()]


def run(words, installed, folder=None, **environ):
    source, target = installed
    path = os.pathsep.join([str(target), str(ROOT)])
    env = {name: value for name, value in os.environ.items() if not name.startswith("DIGILOG_")}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder or source, env={**env, "PYTHONPATH": path, **environ},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["digilog_haru.py", "test_haru.py", "pyproject.toml"])
def test_the_page_shows_the_sample_as_it_is(file):
    assert [body for _, name, body in BLOCKS if name == file] == [(SAMPLE / file).read_text("utf-8")]


def test_its_own_tests_pass_where_it_is_installed(installed):
    line = next(one for one in typed() if one[0] == "pytest")
    source, _ = installed
    (source / "digilog_haru.py").unlink(missing_ok=True)  # the installed one is meant
    done = run([*line, "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(source)], installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_line_that_works_is_the_call_that_the_connector_makes(installed):
    curl = next(one for one in typed() if one[0] == "curl")
    path = "/v1" + curl[-1].partition("/v1")[2]
    code = (
        "import sys; from connectors.registry import find\n"
        "haru = find('haru').connect('bookings', {'base_url': sys.argv[1], 'allow_loopback': True}, environ={\n"
        " 'DIGILOG_CONNECTIONS__BOOKINGS__TOKEN': 'KEY', 'DIGILOG_CONNECTIONS__BOOKINGS__SIGNING_SECRETS': 'w'})\n"
        "print(haru.call('booking', {'id': 'b-1'})['name'])\n"
    )
    with scripted({f"GET {path}": (200, BOOKING)}) as service:
        source, target = installed
        done = subprocess.run(
            [sys.executable, "-c", code, service.base_url], cwd=source, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(target), str(ROOT)])}, timeout=60,
        )  # fmt: skip
    assert done.stdout.strip() == "김하나"
    header = curl[curl.index("-H") + 1]
    assert service.asked[0].headers["authorization"] == header.partition(": ")[2]


def test_a_company_uses_it_like_any_other(installed, tmp_path, migrated):
    (yaml,) = [body for said, _, body in BLOCKS if said == "yaml"]
    folder = tmp_path / "company"
    folder.mkdir()
    with scripted({"GET /v1/me": (200, {"studio": "온다"})}) as service:
        here = f"{{connector: haru, base_url: '{service.base_url}', allow_loopback: yes}}"
        there = yaml.replace("{connector: haru}", here)
        assert there != yaml
        (folder / "company.yaml").write_text(COMPANY + there, "utf-8")
        (folder / "canvas.yaml").write_text("stages: {apply: {label: 신청}}\n", "utf-8")
        where = ["--home", str(tmp_path / "home"), "--playbooks", str(folder)]
        checked = run(["flows.cli", "check", str(folder)], installed, tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        (tmp_path / "home").mkdir()
        shutil.copy(migrated, tmp_path / "home")
        lacking = run(["flows.cli", "connect", "bookings", *where], installed, tmp_path)
        secrets = {"TOKEN": "KEY", "SIGNING_SECRETS": "whisper"}
        environ = {f"DIGILOG_CONNECTIONS__BOOKINGS__{name}": value for name, value in secrets.items()}
        told = run(["flows.cli", "connect", "bookings", *where], installed, tmp_path, **environ)
    assert lacking.returncode == 1
    assert "DIGILOG_CONNECTIONS__BOOKINGS__TOKEN is not set; Haru > Settings > API > Keys" in lacking.stderr
    assert "1. Haru > Settings > API: make a key" in lacking.stderr
    assert told.returncode == 0, told.stdout + told.stderr
    assert "bookings: connected as 온다" in told.stdout
    assert "/in/bookings" in told.stdout
    assert "DIGILOG_PUBLIC_URL" in told.stdout
