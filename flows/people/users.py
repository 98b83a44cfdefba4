"""Who may log in to the board, their passwords and sessions; the first admin comes by a code of the terminal.

A user's name is a person's id of company.yaml where it is that person who acts. All times here are of the real
clock: a login must not live on because a demonstration plays another day.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, select, update

from flows.store import tables as t
from flows.store.read import Row, first, rows
from flows.store.write import add, audit, new_id, set_setting, setting

Role = Literal["view", "act", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
_SEEN = timedelta(minutes=5)  # how exactly the last look is kept
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_CODE = "setup_code"
_u, _s = t.board_user.c, t.board_session.c
# OWASP's first choice for argon2id: 30 ms and 19 MiB a try, so that many tries at once do not fill the memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class UserError(Exception):
    """What was asked of a user cannot be done; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


def add_user(session: Connection, name: str, role: Role, password: str, who: str, now: datetime) -> None:
    """Make a user. Raises UserError if the name is taken or cannot be one, or the password is too short."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name}: a name is made of a-z, 0-9, dot, hyphen and underscore; at most 40 signs")
    if _find(session, name):
        raise UserError(f"{name} is a user already; give a new password with: digilog user password {name}")
    facts = {"name": name, "role": role, "password": _hashed(password), "disabled": False}
    add(session, t.board_user, **facts, made_at=now, changed_at=now)
    audit(session, who, "user added", name, now, after=role)


def users(session: Connection) -> list[Row]:
    """All of them by name, without their passwords."""
    return rows(session, select(_u.name, _u.role, _u.disabled, _u.made_at).order_by(_u.name))


def has_admin(session: Connection) -> bool:
    return first(session, select(_u.name).where(_u.role == "admin", ~_u.disabled)) is not None


def disable(session: Connection, name: str, who: str, now: datetime) -> None:
    """Shut a user out at once. Raises UserError for an unknown one, and for the last admin."""
    user = _known(session, name)
    session.execute(update(t.board_user).where(_u.name == name).values(disabled=True, changed_at=now))
    if user["role"] == "admin" and not has_admin(session):
        raise UserError(f"{name} is the only admin; make another one first: digilog user add NAME --role admin")
    end_sessions(session, name)
    audit(session, who, "user disabled", name, now, before=user["role"], after="disabled")


def set_password(session: Connection, name: str, password: str, who: str, now: datetime) -> None:
    """Give a new password, which ends all sessions and lets a disabled user in again. Raises UserError."""
    user = _known(session, name)
    changed = {"password": _hashed(password), "disabled": False, "changed_at": now}
    session.execute(update(t.board_user).where(_u.name == name).values(**changed))
    end_sessions(session, name)
    audit(session, who, "password", name, now, before="disabled" if user["disabled"] else None)


def password_of(session: Connection, name: str) -> str:
    """The hash that `matches` compares with; of nobody for a name that is unknown or disabled."""
    user, nobody = _find(session, name), _nobody()
    return str(user["password"]) if user and not user["disabled"] else nobody


def matches(hashed: str, password: str) -> bool:
    """Takes 30 ms and no store: called between two transactions."""
    try:
        return _HASHER.verify(hashed, password[: LONGEST_PASSWORD + 1]) and hashed != _nobody()
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """What an unknown name is compared with, so that it takes as long as a known one. Not made while starting."""
    return _HASHER.hash(secrets.token_hex())


def open_session(session: Connection, name: str, hashed: str, now: datetime) -> str | None:
    """A new session's secret, for the cookie; none if user or password changed while it was compared."""
    user = _find(session, name)
    if user is None or user["disabled"] or user["password"] != hashed:
        return None
    session.execute(delete(t.board_session).where(_s.name == name, _s.made_at < now - LONGEST))
    secret = secrets.token_urlsafe(32)
    add(session, t.board_session, id=_id(secret), name=name, made_at=now, seen_at=now)
    audit(session, name, "login", name, now)
    return secret


def find_session(session: Connection, secret: str, now: datetime) -> tuple[User, bool] | None:
    """Whose session it is, and whether it is time for `seen`; none if it is unknown, too old or shut out."""
    asked = (
        select(_u.name, _u.role, _s.seen_at)
        .join_from(t.board_session, t.board_user)
        .where(_s.id == _id(secret), ~_u.disabled, _s.seen_at > now - IDLE, _s.made_at > now - LONGEST)
    )
    found = first(session, asked)
    return (User(found["name"], found["role"]), now - found["seen_at"] > _SEEN) if found else None


def seen(session: Connection, secret: str, now: datetime) -> None:
    session.execute(update(t.board_session).where(_s.id == _id(secret)).values(seen_at=now))


def end_session(session: Connection, secret: str) -> None:
    session.execute(delete(t.board_session).where(_s.id == _id(secret)))


def end_sessions(session: Connection, name: str) -> None:
    """Sign a user out everywhere."""
    session.execute(delete(t.board_session).where(_s.name == name))


def make_code(session: Connection) -> str | None:
    """A new code for the first admin, which ends the one before; none once there is an admin."""
    if has_admin(session):
        return None
    code = f"{new_id(5)}-{new_id(5)}-{new_id(5)}"
    set_setting(session, _CODE, _id(code))
    return code


def take_code(session: Connection, code: str, name: str, password: str, now: datetime) -> None:
    """Make the first admin; the code is then used up. Raises UserError."""
    if has_admin(session):
        raise UserError("there is an admin already; log in")
    kept = setting(session, _CODE) or ""
    if not kept or not hmac.compare_digest(kept, _id(code.strip().lower())):
        raise UserError("this is not the code that the terminal shows; start digilog up again for a new one")
    if _find(session, name):
        raise UserError(f"{name} is a user already; choose another name")
    add_user(session, name, "admin", password, name, now)
    set_setting(session, _CODE, "")


def csrf(secret: str) -> str:
    """What only pages of this session hold."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()[:40]


def _id(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise UserError(f"a password has at least {SHORTEST_PASSWORD} signs; three or four words are a good one")
    if len(password) > LONGEST_PASSWORD:
        raise UserError(f"a password has at most {LONGEST_PASSWORD} signs")
    return _HASHER.hash(password)


def _find(session: Connection, name: str) -> Row | None:
    return first(session, select(t.board_user).where(_u.name == name))


def _known(session: Connection, name: str) -> Row:
    found = _find(session, name)
    if found is None:
        known = ", ".join(row["name"] for row in users(session)) or "none yet"
        raise UserError(f"there is no user {name}; there are: {known}")
    return found
