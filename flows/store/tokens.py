"""Tokens of connections in the database: sealed with DIGILOG_SECRET_KEY, and refreshed by one engine at a time."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import NotConnected, Unavailable
from flows.store import tables as t
from flows.store.postgres import PostgresStore

KEY = "DIGILOG_SECRET_KEY"
SHORTEST = 32  # characters
_TOKENS = 1684632430  # the first number of our locks on tokens: one after those on claims
_LONGEST_WAIT = "60s"  # for another engine that is refreshing
_KNOWN = select(t.token.c.sealed).where(t.token.c.connection == bindparam("its"))


class DatabaseVault:
    """Keeps what a connection was given by its service; several engines hold a token together."""

    def __init__(self, store: PostgresStore, keys: str) -> None:
        self._store, self._keys = store, [one.strip() for one in keys.split(",") if one.strip()]

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Nobody else refreshes the token of this connection meanwhile, in any engine. Raises Unavailable."""
        self._cipher(name)  # a key that is missing is told before anybody waits
        try:
            line = self._store.line()
        except psycopg.Error:
            raise _away(name) from None
        try:
            self._take(line, name)
            yield
        finally:
            with suppress(psycopg.Error):
                line.close()  # which lets go of the lock

    def _take(self, line: "psycopg.Connection[Any]", name: str) -> None:
        try:
            line.execute(f"SET lock_timeout = '{_LONGEST_WAIT}'")
            line.execute("SELECT pg_advisory_lock(%s, %s)", (_TOKENS, _number(name)))
        except psycopg.Error:
            raise Unavailable("another engine is refreshing the token", connection=name) from None

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved; none if nothing was. Raises NotConnected if it was sealed with another key."""
        cipher = self._cipher(name)
        with _there(name), self._store.read() as session:
            sealed = session.execute(_KNOWN, {"its": name}).scalar()
        if sealed is None:
            return None
        try:
            found = json.loads(cipher.decrypt(bytes(sealed)))
        except (InvalidToken, ValueError):
            raise NotConnected(
                f"its token was sealed with another {KEY}",
                connection=name,
                next_step=f"set the {KEY} that was set before (old ones after the new one, with commas),"
                f" or connect again: digilog connect {name}",
            ) from None
        return found if isinstance(found, dict) else None

    def save(self, name: str, token: Mapping[str, Any]) -> None:
        """Keep it durably, sealed, before it is used."""
        sealed = self._cipher(name).encrypt(json.dumps(dict(token)).encode())
        row = {"connection": name, "sealed": sealed, "at": datetime.now(UTC)}
        new = upsert(t.token).values(**row)
        kept = {"sealed": new.excluded.sealed, "at": new.excluded.at}
        with _there(name), self._store.write(beside=True) as session:
            session.execute(new.on_conflict_do_update(index_elements=["connection"], set_=kept))

    def _cipher(self, name: str) -> MultiFernet:
        if not self._keys or any(len(key) < SHORTEST for key in self._keys):
            is_wrong = "is not set" if not self._keys else f"is shorter than {SHORTEST} characters"
            raise NotConnected(
                f"{KEY} {is_wrong}, so tokens cannot be kept in the database",
                connection=name,
                next_step=f"set {KEY} to the same {SHORTEST} or more random characters wherever digilog runs",
            )
        return _cipher(self._keys)


@contextmanager
def _there(name: str) -> Iterator[None]:
    """A database that is away is no fault of the call that needs a token: nothing has left yet."""
    try:
        yield
    except SQLAlchemyError:
        raise _away(name) from None


def _away(name: str) -> Unavailable:
    return Unavailable("the database that keeps the tokens does not answer", connection=name)


def _cipher(keys: Sequence[str]) -> MultiFernet:
    """Seals with the first key, opens with any."""
    return MultiFernet([Fernet(urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


def _number(name: str) -> int:
    """A lock's number for a name: 31 bits."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1
