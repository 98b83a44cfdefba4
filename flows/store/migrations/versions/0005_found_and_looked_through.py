"""Customers are found by the end of a number too; indexes of the board's lists of messages, events and dealings"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ASIDE = sa.text("state IN ('quarantined', 'discarded', 'unconfirmed')")
_MESSAGE, _NOTICE = sa.text("message IS NOT NULL"), sa.text("message IS NULL AND action = 'send'")
_UNSENT = sa.text("message IS NOT NULL AND coalesce(state, '') IN ('failed', 'cancelled', 'in_doubt', 'dropped')")
_DONE, _BAD = sa.text("state = 'done'"), sa.text("state IN ('failed', 'in_doubt')")
_KEPT_BACK = sa.text("state IN ('blocked', 'dropped', 'handed')")
_AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column("private_contact", sa.Column("sought", sa.String(), nullable=True))
    _fill()
    op.create_index("contact_sought", "private_contact", ["kind", "sought"])
    op.create_index("exchange_at", "exchange", ["at", "id"])
    _partial("event_aside", "event", ["state", "id"], _ASIDE)
    _partial("journal_kept_back", "journal", ["at", "id"], _KEPT_BACK)
    _partial("effect_message", "effect", ["id"], _MESSAGE)
    _partial("effect_notice", "effect", ["id"], _NOTICE)
    _partial("effect_done", "effect", ["connection", "id"], _DONE)
    _partial("effect_bad", "effect", ["connection", "id"], _BAD)
    op.create_index("event_of", "event", ["connection", "id"])
    _partial("effect_unsent", "effect", ["made_at", "id"], _UNSENT)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill() -> None:
    session, last = op.get_bind(), 0
    asked = sa.text("SELECT id, kind, value FROM private_contact WHERE id > :last ORDER BY id LIMIT :many")
    while found := session.execute(asked, {"last": last, "many": _AT_ONCE}).all():
        wanted = [{"id": row.id, "sought": _sought(row.kind, row.value)} for row in found]
        session.execute(sa.text("UPDATE private_contact SET sought = :sought WHERE id = :id"), wanted)
        last = found[-1].id


def _sought(kind: str, value: str) -> str:
    if kind == "phone":
        return str(value[::-1])
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", value)).casefold()
