"""Several engines on one store: whose call it is, what all know of a connection's pace, and newest cases by an index"""

import sqlalchemy as sa
from alembic import op

from flows.store import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("effect", sa.Column("claimer", sa.String(), nullable=True))
    op.add_column("connection", sa.Column("calls", sa.Text(), nullable=True))
    op.add_column("connection", sa.Column("rest_since", tables.At(), nullable=True))
    op.add_column("connection", sa.Column("rest_until", tables.At(), nullable=True))
    op.create_index("case_newest", "case", ["playbook", "opened_at"])
    periods = sa.text("period IS NOT NULL")
    op.create_index("case_period", "case", ["period", "playbook"], sqlite_where=periods, postgresql_where=periods)
    op.create_index("run_state", "run", ["state", "playbook"])
