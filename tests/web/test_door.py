"""The door as a whole: what is not in the table does not exist, and every answer is safe to show."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.signatures import sign_standard
from flows.store.write import set_setting
from tests.web.conftest import NEW, Door, settings

ODD_PATHS = """
//  /.  /..  /../  /%2e  /%2e%2e/  /%2e%2e%2fstyle.css  /./style.css  /x/../style.css  /style.css/  /style.css%00
/style.css%0a  /style.css.map  /STYLE.CSS  /Style.css  //style.css  /style%2ecss  /static/style.css
/templates/base.html  /base.html  /form.html  /flows/web/app.py  /.env  /.git/config  /digilog.db  /link-key
/home/digilog.db  /logs/web.log  /etc/passwd  /../../etc/passwd  /..%5c..%5cetc  /%c0%ae%c0%ae/etc/passwd  /%00
/%0d%0aset-cookie:x  /%F0%9F%98%80  /in  /in/  /in//  /in/..  /in/../healthz  /in/partner/  /in/partner/x
/in/%70artner  /in/partner%00  /in/partner%0a  /form  /form/  /form//trial-form  /form/trial-form/
/form/trial-form/thanks/  /form/trial-form/../trial-form  /form/%74rial-form  /form/trial-form;x  /form/.
/form/__class__  /work  /work/  /work/x/y  /work/%2e  /work/a%2fb  /healthz/  /HEALTHZ  /healthz%0a  /readyz/  /admin
/login  /api/health  /docs  /openapi.json  /metricsx  /favicon.ico  /robots.txt  /index.html  /form/trial-form/thanks/x
/in/trial-form/thanks  /?/../style.css/x
""".split()  # noqa: SIM905 - a list of these would be 80 lines
SAFE = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def test_what_is_not_in_the_table_is_not_there(house: Door) -> None:
    there = [path for path in ODD_PATHS if house.get(path).status not in {404, 405}]
    assert there == ["/login", "/?/../style.css/x"]  # the latter a question to the front page
    assert len(ODD_PATHS) > 60
    assert all("Traceback" not in one.text for one in house.seen)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/in/partner"), ("PUT", "/in/partner"), ("DELETE", "/form/trial-form"), ("POST", "/"),
        ("POST", "/healthz"), ("PATCH", "/work/x"), ("OPTIONS", "/form/trial-form"), ("TRACE", "/"),
        ("POST", "/form/trial-form/thanks"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_told(house: Door, method: str, path: str) -> None:
    assert house.ask(method, path).status == 405


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("127.0.0.1", "/", 303),  # to the login
        ("localhost:1234", "/login", 200),
        ("[::1]:4080", "/login", 200),
        ("studio.example", "/form/trial-form", 200),
        ("STUDIO.example:443", "/style.css", 200),
        ("studio.example", "/healthz", 200),
        ("studio.example", "/", 404),  # the board is not for outside, unless DIGILOG_BOARD_PUBLIC says so
        ("studio.example", "/login", 404),
        ("studio.example", "/setup", 404),
        ("studio.example", "/readyz", 404),
        ("evil.example", "/", 400),
        ("127.0.0.1.evil.example", "/", 400),
        ("localhost@evil.example", "/", 400),
        ("", "/", 400),
    ],
)
def test_only_known_names_are_served(house: Door, host: str, path: str, status: int) -> None:
    assert house.ask("GET", path, headers={"host": host}).status == status


@pytest.mark.parametrize("path", ["/", "/form/trial-form", "/nothing", "/work/x", "/readyz", "/healthz"])
def test_every_answer_is_safe_to_show(house: Door, path: str) -> None:
    headers = house.get(path).headers
    assert {name: headers.get(name) for name in SAFE} == SAFE
    assert "server" not in headers


def test_ready_means_store_and_engine_are_at_work(door: Door) -> None:
    assert door.get("/readyz").status == 503
    for ago, status in ((0, 200), (31, 503)):
        with door.store.write() as session:
            set_setting(session, "engine_seen", (datetime.now(UTC) - timedelta(seconds=ago)).isoformat())
        assert door.get("/readyz").status == status
    assert door.get("/healthz").status == 200


def test_changed_files_are_taken_up_and_broken_ones_are_not(door: Door) -> None:
    file = door.context.world.book.folder / "trial.yaml"
    good = file.read_text("utf-8")
    file.write_text(good.replace("title: Trial class", "title: Trial evening"), "utf-8")
    assert _soon(lambda: "Trial evening" in door.get("/form/trial-form").text)
    file.write_text("title: [", "utf-8")
    time.sleep(1.5)
    assert "Trial evening" in door.get("/form/trial-form").text


def _soon(holds: object, within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def test_the_process_takes_a_socket_and_loses_nobody_while_it_restarts(tmp_path: Path) -> None:
    given = settings(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as ear:
        ear.set_inheritable(True)
        port = ear.getsockname()[1]
        environ = {
            **os.environ, "DIGILOG_HOME": str(given.home), "DIGILOG_PLAYBOOKS": str(given.playbooks),
            "DIGILOG_SECRETS_DIR": str(given.secrets_dir), "DIGILOG_SOCKET_FD": str(ear.fileno()),
        }  # fmt: skip
        statuses = []
        for number in range(2):
            with subprocess.Popen([sys.executable, "-m", "flows.web"], env=environ, pass_fds=[ear.fileno()]) as process:
                statuses.append(_send(port, f"p-{number}"))  # waits in the socket until the process is there
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
    assert statuses == [202, 202]
    assert (given.home / "link-key").stat().st_mode & 0o077 == 0


def _send(port: int, id: str) -> int:
    raw = f'{{"id": "{id}"}}'.encode()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("POST", "/in/partner", raw, sign_standard(NEW, id, datetime.now(UTC), raw))
    status = line.getresponse().status
    line.close()
    return status


@pytest.mark.parametrize("part", ["web", "engine"])
def test_a_start_that_cannot_be_is_told_in_a_sentence(tmp_path: Path, part: str) -> None:
    given = settings(tmp_path)
    (given.playbooks / "trial.yaml").write_text("playbook: [", "utf-8")
    environ = {**os.environ, "DIGILOG_HOME": str(given.home), "DIGILOG_PLAYBOOKS": str(given.playbooks)}
    ended = subprocess.run(
        [sys.executable, "-m", f"flows.{part}"], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert "trial.yaml:1" in ended.stderr
    assert "Traceback" not in ended.stderr
