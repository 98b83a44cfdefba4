"""A copy made while work goes on is whole; a home out of it goes on as after a crash."""

import sqlite3
import stat
import tarfile
import threading
from contextlib import closing

import pytest

from connectors.errors import Unavailable
from flows.store import tables as t
from flows.store.backup import BackupError, backup, restore, size, vacuum
from flows.store.store import StoreError, open_store
from flows.store.write import set_setting, setting


def begin(shop, use="sink.post", steps=None, **answers):
    shop.open(steps or [shop.machine("send", use, {"path": "/x"}), shop.person("call")])
    shop.calls.answers_to |= {use: answers.get("answer", {})}
    shop.asks()
    shop.turns()
    return shop


def moved(shop, file, name="new"):
    """The shop goes on in a new home, made of the copy."""
    shop.store.close()
    shop.home = shop.home.with_name(name)
    restore(file, shop.home)
    shop.store = open_store(shop.home)
    shop.world.home = shop.home
    return shop.restart()


def test_a_case_goes_on_in_the_restored_home(shop, tmp_path):
    begin(shop)
    (shop.home / "files" / "list.xlsx").write_bytes(b"sheet")
    (shop.home / "outbox").mkdir(exist_ok=True)
    (shop.home / "outbox" / "a.txt").write_text("hello")
    (shop.home / "link-key").write_bytes(b"k" * 32)
    (shop.home / "home.json").write_text("{}")
    (shop.home / "logs").mkdir()
    (shop.home / "logs" / "engine.log").write_text("not copied")
    file = tmp_path / "copy.tar.gz"
    assert backup(shop.home, file) == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    old = shop.home
    moved(shop, file)
    for name in ("files/list.xlsx", "outbox/a.txt", "link-key", "home.json"):
        assert (shop.home / name).read_bytes() == (old / name).read_bytes()
    assert not (shop.home / "logs").exists()
    assert stat.S_IMODE(shop.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((shop.home / "digilog.db").stat().st_mode) == 0o600
    (asked,) = shop.asked()
    shop.does(asked)
    assert shop.case()["outcome"] == "done"


@pytest.mark.parametrize(("use", "then"), [("sink.post", "in_doubt"), ("sink.put", "done")])
@pytest.mark.parametrize("answer", ["none", "down"])
def test_what_was_tried_is_in_doubt_or_repeated_by_its_class(shop, tmp_path, use, then, answer):
    shop.open([shop.machine("send", use, {"path": "/x"})])
    shop.calls.dead = answer == "none"
    shop.calls.answers_to[use] = Unavailable("down")
    shop.asks()
    shop.turns()
    (before,) = shop.effects()
    assert (before["state"], before["attempt"]) == ("sending" if answer == "none" else "due", 1)
    backup(shop.home, tmp_path / "copy.tar.gz")
    assert moved(shop, tmp_path / "copy.tar.gz") == 1
    shop.calls.answers_to[use] = {}
    shop.turns()
    (effect,) = shop.effects()
    assert effect["state"] == then
    assert shop.calls.uses() == ([use] if then == "done" else [])
    assert [one["kind"] for one in shop.asked()] == (["doubt"] if then == "in_doubt" else [])


def test_a_copy_is_one_moment_while_others_write(shop, tmp_path):
    shop.open([shop.person("call")])
    with shop.store.write() as session:  # large enough to be copied in many pieces
        for number in range(200):
            set_setting(session, f"filler{number}", "x" * 50_000)
    stop, wrote = threading.Event(), []

    def write():
        with closing(sqlite3.connect(shop.home / "digilog.db", timeout=10, isolation_level=None)) as other:
            while not stop.is_set():
                number = len(wrote)
                other.execute("BEGIN IMMEDIATE")
                for name in ("a", "b"):
                    other.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, str(number)))
                other.execute("COMMIT")
                wrote.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while not wrote:
            pass
        first = len(wrote)
        backup(shop.home, tmp_path / "copy.tar.gz")
        assert len(wrote) > first  # nobody was kept waiting
    finally:
        stop.set()
        thread.join()
    restore(tmp_path / "copy.tar.gz", tmp_path / "new")
    store = open_store(tmp_path / "new")
    with store.read() as session:
        assert setting(session, "a") == setting(session, "b")
        assert session.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    store.close()


def test_nothing_is_overwritten(shop, tmp_path):
    begin(shop)
    file = tmp_path / "copy.tar.gz"
    backup(shop.home, file)
    before = file.read_bytes()
    with pytest.raises(BackupError, match="is not overwritten"):
        backup(shop.home, file)
    assert file.read_bytes() == before
    with pytest.raises(BackupError, match="make it first"):
        backup(shop.home, tmp_path / "nowhere" / "copy.tar.gz")
    with pytest.raises(BackupError, match="restore into a new folder"):
        restore(file, shop.home)
    assert sorted(one.name for one in tmp_path.glob(".*")) == []  # nothing half done is left


def _tar(file, **content):
    with tarfile.open(file, "w:gz") as tar:
        for name, text in content.items():
            (file.parent / "part").write_text(text)
            tar.add(file.parent / "part", name.replace("__", "/"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda file: file.write_bytes(b"no tar"),
            r"is no copy that digilog backup made, or is damaged; name another file$",
        ),
        (
            lambda file: file.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"no stream" * 99),
            "is no copy that digilog backup",
        ),
        (lambda file: _tar(file, other="x"), "holds no digilog.db"),
        (lambda file: _tar(file, **{"digilog.db": "no store"}), "damaged or something else"),
    ],
)
def test_what_is_no_copy_makes_no_home(tmp_path, make, said):
    make(tmp_path / "copy.tar.gz")
    with pytest.raises((BackupError, StoreError), match=said):
        restore(tmp_path / "copy.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_copy_brings_nothing_but_files_of_a_home(shop, tmp_path):
    begin(shop)
    backup(shop.home, tmp_path / "good.tar.gz")
    with tarfile.open(tmp_path / "good.tar.gz") as good, tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as bad:
        bad.addfile(good.getmember("digilog.db"), good.extractfile("digilog.db"))
        for name, kind in (("outbox/link", tarfile.SYMTYPE), ("run-me", tarfile.REGTYPE)):
            told = tarfile.TarInfo(name)
            told.type, told.linkname = kind, "/etc/passwd"
            bad.addfile(told)
    restore(tmp_path / "bad.tar.gz", tmp_path / "new")
    assert {one.name for one in (tmp_path / "new").iterdir()} == {"digilog.db", "locks"}


def test_the_room_of_what_was_erased_is_given_back_and_overwritten(shop):
    shop.open([shop.person("call")])
    with shop.store.write() as session:
        for number in range(100):
            set_setting(session, f"filler{number}", "canary" * 5_000)
    with shop.store.write() as session:
        session.execute(t.setting.delete().where(t.setting.c.name.like("filler%")))
    before = size(shop.home)
    vacuum(shop.home)
    assert size(shop.home) < before / 4
    assert b"canary" not in b"".join(file.read_bytes() for file in shop.home.glob("digilog.db*"))
