"""The board: who may log in, their sessions, what an act changed, and the indexes of its pages"""

import sqlalchemy as sa
from alembic import op

from flows.store import tables

revision = "0004"
down_revision = "0003"

_LIVE, _FAILED, _HELD = sa.text("status <> 'ended'"), sa.text("failed"), sa.text("held IS NOT NULL")
_TO_DO = sa.text("state IN ('open', 'claimed')")
_WRONG = sa.text("state IN ('failed', 'dropped', 'in_doubt')")


def upgrade() -> None:
    op.create_table(
        "board_user",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("made_at", tables.At(), nullable=False),
        sa.Column("changed_at", tables.At(), nullable=False),
    )
    op.create_table(
        "board_session",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), sa.ForeignKey("board_user.name"), nullable=False),
        sa.Column("made_at", tables.At(), nullable=False),
        sa.Column("seen_at", tables.At(), nullable=False),
    )
    op.create_index("ix_board_session_name", "board_session", ["name"])
    op.add_column("audit", sa.Column("before", sa.String(), nullable=True))
    op.add_column("audit", sa.Column("after", sa.String(), nullable=True))
    op.create_index("audit_subject", "audit", ["subject", "id"])
    op.add_column("assignment", sa.Column("as_written", sa.Boolean(), nullable=True))
    op.create_index("journal_at", "journal", ["at"])
    _partial("journal_wrong", "journal", ["playbook", "id"], _WRONG)
    op.create_index("case_opened", "case", ["opened_at", "id"])
    _partial("case_live", "case", ["opened_at", "id"], _LIVE)
    _partial("case_live_of", "case", ["playbook", "opened_at", "id"], _LIVE)
    _partial("case_failed", "case", ["opened_at", "id"], _FAILED)
    _partial("case_held", "case", ["opened_at", "id"], _HELD)
    _partial("assignment_due", "assignment", ["due_at", "id"], _TO_DO)
    _partial("assignment_person", "assignment", ["person", "due_at", "id"], _TO_DO)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
