"""No name makes us open, make or change a file outside its folder."""

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from connectors.analytics.csv import Csv
from connectors.errors import ConnectorError, NotConnected
from connectors.messaging.outbox import Outbox
from connectors.registry import find
from connectors.spreadsheets.excel import Excel
from connectors.tokens import FileVault
from tests.faults.watch import Seen, looking

UP = [
    "..", "../", "../x", "../../x", "../../../../../../../../x", "a/../../x", "a/b/../../../x", "./../x", ".././x",
    "..//x", "a/..", "a/../x", "..\\x", "..\\..\\x", "a\\..\\..\\x", "..\\/x", "/..\\x", "\\..\\x", "a\\../x",
    "....//x", "..../x", ".../x", "..;/x", "..%2fx", "%2e%2e/x", "%2e%2e%2fx", "%252e%252e%252fx", "..%5cx",
    "..%c0%afx", "..%00/x", "..\0/x", "..\n/x", "\n../x", " ../x", ".. /x", "..\t/x", "\u2025/x", "．．/x", "..／x",
    "..∕x", "..⁄x", "\u202e../x", "a/\u200b../x", "..\u200b/x", "../files/../x", "../files", "../digilog",
    "../secrets/token", "../outbox/a",
]  # fmt: skip
ABSOLUTE = [
    "/etc/passwd", "//etc/passwd", "///etc/passwd", "/./etc/passwd", "\\etc\\passwd", "\\\\server\\share\\x",
    "//server/x", "C:\\x", "C:x", "c:/x", "file:///etc/passwd", "file:/etc/passwd", "~", "~/x", "~root/x", "~root",
    "$HOME/x", "${HOME}/x", "`id`", "|id", ";id", "/proc/self/environ", "/proc/self/root/etc/passwd",
    "/proc/self/cwd/x", "/dev/fd/0", "/dev/stdin", "/dev/zero", "/tmp/x", "/", "\\", "http://127.0.0.1/x",
    "\\\\?\\C:\\x", "\\\\.\\pipe\\x",
]  # fmt: skip
ODD = [
    "", " ", ".", "./", "./x", ".x", "x.", "x..", "x ", "x\0", "x\0.png", "\0", "x\n", "x\r", "\x1b[2Jx", "x\x7f",
    "x/", "x//y", "x/.", "x/./y", "/x", "x\\", "CON", "nul", "AUX", "com1", "LPT1", "con.txt", "x:y", "x::$DATA",
    "x*", "x?", "x<y>", 'x"y"', "-x", "--help", "-rf", "X", "x", "ẋ", "x\u0307", "x\u0301", "ﬁle", "İ", "ı",
    "\ufeffx", "\u200bx", "\u202ex", "\ud800", "x\udcff", "𝒙", "한글", "ㅎㅏㄴ", "x" * 180, "x" * 300, "가" * 90,
    "x/" * 150 + "x", "a/b", "a/b/c",
]  # fmt: skip
LINKS = [
    "link", "link-up", "link-folder/x", "link-chain", "link-dangling", "link-loop", "link-device", "link-db",
    "link-proc/x", "pipe", "folder", "door", "locked", "link-inside",
]  # fmt: skip
NAMES = [*UP, *ABSOLUTE, *ODD, *LINKS]


@pytest.fixture
def home(tmp_path):
    """A home beside other people's files, and links to them in its own folder."""
    outside, home = tmp_path / "outside", tmp_path / "home"
    files = home / "files"
    for folder in (outside, files / "folder", files / "a" / "b", home / "secrets", home / "outbox"):
        folder.mkdir(parents=True)
    (home / "digilog.db").write_text("all there is")
    (home / "secrets" / "token").write_text("hush")
    for end in ("", ".xlsx", ".csv"):
        _links(files, outside, home, end)
    return home


def _links(files: Path, outside: Path, home: Path, end: str) -> None:
    for place in (outside / f"x{end}", home / f"x{end}"):
        if end == ".xlsx":
            book = Workbook()
            book.active["A1"] = "id"
            book.save(place)
        else:
            place.write_text("day,metric,value\n2026-01-01,hush,1\n")
    target = {
        "link": outside / f"x{end}", "link-up": Path("..") / f"x{end}", "link-chain": Path(f"link{end}"),
        "link-dangling": outside / f"new{end}", "link-loop": Path(f"link-loop{end}"), "link-device": Path("/dev/zero"),
        "link-db": home / "digilog.db", ".locked": outside / f"lock{end}", "link-inside": Path("a") / f"kept{end}",
    }  # fmt: skip
    for name, to in target.items():
        where = files / (f"{name}{end}.lock" if name == ".locked" else f"{name}{end}")
        where.symlink_to(to)
    os.mkfifo(files / f"pipe{end}")
    (files / f"folder{end}").mkdir(exist_ok=True)
    for name, folder in (("link-folder", outside), ("link-proc", Path("/proc/self"))):
        if not (files / name).exists():
            (files / name).symlink_to(folder)


def left(seen: Seen, *folders: Path) -> list[str]:
    """What was opened outside of `folders`, Python's own files left out."""
    ours = [os.path.realpath(folder) for folder in folders]
    python = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[2] / "connectors")]
    python += [f"{tempfile.gettempdir()}{os.sep}openpyxl."]
    found = [one for one in dict.fromkeys(seen.opened) if not one.startswith(tuple(python))]
    found = [one for one in found if one != tempfile.gettempdir()]  # a file without a name, of openpyxl
    inner = tuple(f"{one}{os.sep}" for one in ours)
    return [one for one in found if one not in ours and not one.startswith(inner)]


def told(do) -> ConnectorError | None:
    try:
        do()
    except ConnectorError as error:
        return error
    return None


def test_the_list_is_long():
    assert len(set(NAMES)) == len(NAMES) >= 150


def _excel(home: Path, name: str) -> None:
    made = Excel.connect("sheet", {"file": f"{name}.xlsx"}, environ={}, home=home)
    told(lambda: made.call("read", {}))
    told(lambda: made.call("upsert_row", {"row_id": "1", "row": {"name": "x"}}, key="k"))


def _csv(home: Path, name: str) -> None:
    made = Csv.connect("numbers", {"file": f"{name}.csv"}, environ={}, home=home)
    told(lambda: made.call("readings", {"since": "2026-01-01", "until": "2026-12-31"}))


def _outbox(home: Path, name: str) -> None:
    made = Outbox.connect("outbox", {}, environ={}, home=home)
    error = told(lambda: made.call("send", {"medium": "sms", "to": "x", "text": "x"}, key=name))
    assert error is None or not name, error  # any key has its file


def _token(home: Path, name: str) -> None:
    vault = FileVault(home / "secrets")

    def refreshed() -> None:
        with vault.locked(name):
            vault.load(name)
            vault.save(name, {"access_token": "x"})

    told(refreshed)


def _key_file(home: Path, name: str) -> None:
    made = find("google_sheets").connect(
        "sheet", {"spreadsheet": "1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-digi"}, home=home,
        environ={"DIGILOG_CONNECTIONS__SHEET__SERVICE_ACCOUNT": name},
    )  # fmt: skip
    error = told(made.probe)
    assert isinstance(error, NotConnected), name


@pytest.mark.parametrize(
    ("use", "folder"),
    [(_excel, "files"), (_csv, "files"), (_outbox, "outbox"), (_token, "secrets"), (_key_file, "secrets")],
)
def test_no_name_leaves_its_folder(use, folder, home):
    for one in (_excel, _csv, _outbox, _token, _key_file):  # what is imported late is not a trick
        one(home, "warm")
    before = _everything(home.parent, home / folder)
    wrong = []
    for name in NAMES:
        with looking() as seen:
            error = told(lambda name=name: use(home, name))
        wrong += [(name, path) for path in left(seen, home / folder)]
        wrong += [(name, str(error))] if error and "unexpectedly" in str(error) else []
    assert wrong == []
    assert _everything(home.parent, home / folder) == before


def _everything(root: Path, but: Path) -> dict[str, bytes]:
    found = (Path(at) / name for at, _, names in os.walk(root) for name in names)
    return {str(one): one.read_bytes() for one in found if not one.is_relative_to(but) and one.is_file()}


def test_a_plain_name_is_opened_and_what_leaves_would_be_seen(home):
    """Or all of the above would hold of a watch that sleeps."""
    with looking() as seen:
        _excel(home, "members")
        assert left(seen, home / "files") == []
        assert left(seen, home / "outbox")
        (home / "digilog.db").read_bytes()
    assert left(seen, home / "files") == [str(home / "digilog.db")]
    assert (home / "files" / "members.xlsx").exists()


@pytest.mark.parametrize("name", ["pipe", "folder", "door", "link-device", "link-loop"])
def test_what_is_no_file_is_told_and_not_waited_for(name, home):
    with socket.socket(socket.AF_UNIX) as door:
        here = Path.cwd()
        os.chdir(home / "files")  # a socket's path is short
        try:
            door.bind("door.csv")
        finally:
            os.chdir(here)
    made = Csv.connect("numbers", {"file": f"{name}.csv"}, environ={}, home=home)
    error = told(lambda: made.call("readings", {"since": "2026-01-01", "until": "2026-12-31"}))
    assert error is not None
    assert "unexpectedly" not in error.reason
