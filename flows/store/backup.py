"""A copy of a home while it is at work, a new home out of a copy, and how much room the store takes."""

import gzip
import io
import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import DatabaseError

from flows.store.store import StoreError, open_store

STORE = "digilog.db"
_BESIDE = ("link-key", "home.json", "outbox", "files", "playbooks")  # what a copy holds beside the store
_TRIED = "UPDATE effect SET state = 'sending', next_at = NULL WHERE state = 'due' AND attempt > 0"
_NO_COPY = "is no copy that digilog backup made, or is damaged; name another file"
_PAGES = 500  # copied at once; between two pieces the engine may write


class BackupError(Exception):
    """The copy cannot be made or used; the sentence says why and what to do."""


def backup(home: Path, file: Path) -> int:
    """Copy a home into one .tar.gz that only its owner reads, also while digilog is up. Returns its size in bytes.

    The store is copied first: a message that is sent meanwhile is in the outbox and not yet in the store, so that it
    is repeated and replaced, never lost. Raises BackupError if the file is there already.
    """
    _refuse_to_replace(file)
    if not file.parent.is_dir():
        raise BackupError(f"there is no folder {file.parent}; make it first, or name another")
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz") as tar:
                _add_store(tar, home / STORE, made.parent)
                for path in _beside(home):
                    _add(tar, path, home)
            out.flush()
            os.fsync(out.fileno())
        _refuse_to_replace(file)
        made.rename(file)
    finally:
        made.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, home: Path) -> None:
    """Make a new home out of a copy.

    What was being sent, or had been tried, is left as after a crash: at the next start the engine repeats it or asks
    a person, by its class. Raises BackupError if the home is there already or the file is no copy; StoreError if the
    copy was made by a newer digilog.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupError(f"{home} is there already; restore into a new folder, with --home")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{home.name}.") as folder:  # mode 0700
        fresh = Path(folder) / "home"
        fresh.mkdir(mode=0o700)
        try:
            with tarfile.open(file, "r:gz") as tar:
                tar.extractall(fresh, members=_ours(tar), filter="data")
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error):
            raise BackupError(f"{file} {_NO_COPY}") from None
        if not (fresh / STORE).exists():
            raise BackupError(f"{file} {_NO_COPY} (it holds no {STORE})")
        open_store(fresh).close()  # migrated, or refused
        with closing(sqlite3.connect(fresh / STORE)) as store, store:
            store.execute(_TRIED)
        fresh.rename(home)


def size(home: Path) -> int:
    """Bytes of the store on disk, with what is not yet written into its main file."""
    return sum(file.stat().st_size for file in home.glob(f"{STORE}*"))


def vacuum(home: Path) -> None:
    """Give back the room of what was erased, and overwrite it. Raises BackupError if others are writing too long."""
    try:
        with closing(sqlite3.connect(home / STORE, timeout=10, isolation_level=None)) as store:
            store.execute("VACUUM")
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise BackupError(f"the store was not made smaller: {error}; try again at a quiet time") from None


def _refuse_to_replace(file: Path) -> None:
    if file.exists():
        raise BackupError(f"{file} is there already and is not overwritten; give another name")


def _add_store(tar: tarfile.TarFile, store: Path, folder: Path) -> None:
    """One consistent moment of the store, made by SQLite itself."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".digilog-store.")
    os.close(handle)
    try:
        with (
            closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(name)) as there,
        ):
            here.execute("BEGIN")  # holds the moment: without it each write begins the copy anew
            here.execute("SELECT 1 FROM setting").fetchone()
            here.backup(there, pages=_PAGES)
            there.execute("PRAGMA journal_mode=DELETE")
        tar.add(name, STORE, filter=_private)
    except DatabaseError as error:
        raise StoreError(f"the store {store} cannot be copied: {error}") from None
    finally:
        Path(name).unlink(missing_ok=True)


def _beside(home: Path) -> Iterator[Path]:
    for name in _BESIDE:
        path = home / name
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _add(tar: tarfile.TarFile, path: Path, home: Path) -> None:
    """One file, as it stands: files are replaced whole while we look, or are gone."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    told = tarfile.TarInfo(path.relative_to(home).as_posix())
    told.size, told.mode, told.mtime = len(content), 0o600, int(path.stat().st_mtime) if path.exists() else 0
    tar.addfile(told, io.BytesIO(content))


def _private(told: tarfile.TarInfo) -> tarfile.TarInfo:
    told.mode, told.uid, told.gid, told.uname, told.gname = 0o600, 0, 0, "", ""
    return told


def _ours(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Files of a home, and nothing else that somebody may have put into the copy."""
    for told in tar:
        if told.isfile() and told.name.partition("/")[0] in {STORE, *_BESIDE}:
            yield told
