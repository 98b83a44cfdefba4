"""One link for each assignment: whoever holds it may do that one piece of work, until it is done or too old."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

LIVES = timedelta(days=14)
DONE = "done:"  # what the button under a notice brings back, before an assignment's token


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links; the key that signs them lies in the home, readable by its owner alone."""

    address: str  # where web is reached, without a slash at its end
    key: bytes

    def url(self, assignment: str, opened_at: datetime) -> str:
        return f"{self.address}/work/{self.token(assignment, opened_at + LIVES)}"

    def token(self, assignment: str, until: datetime) -> str:
        told = f"{assignment}.{int(until.timestamp())}"
        return f"{told}.{self._sign(told)}"

    def done(self, assignment: str, opened_at: datetime) -> str:
        """What a button brings back when somebody presses it."""
        return f"{DONE}{self.token(assignment, opened_at + LIVES)}"

    def door(self, connection: str) -> str:
        """The path's last part for a sender that does not sign: only who was told it finds the door."""
        digest = hmac.new(self.key, f"in/{connection}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:24]).decode()

    def assignment(self, token: str, now: datetime) -> str | None:
        """The assignment that a link is for; none if it was not made here or is too old."""
        told, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(told).encode(), signature.encode("utf-8", "replace")):
            return None
        id, _, until = told.partition(".")
        return id if now <= datetime.fromtimestamp(int(until), UTC) else None

    def _sign(self, told: str) -> str:
        digest = hmac.new(self.key, told.encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()


def open_links(home: Path, address: str) -> Links:
    """The links of a home; its key is made at first use (mode 0600)."""
    file = home / "link-key"
    with contextlib.suppress(FileExistsError):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(32))
            os.fsync(out.fileno())
    return Links(address, file.read_bytes())
