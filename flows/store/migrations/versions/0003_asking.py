"""What connections are asked by the engine itself, events that wait for a confirmation, and tokens in a database"""

import sqlalchemy as sa
from alembic import op

from flows.store import tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "asking",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("next_at", tables.At(), nullable=True),
        sa.Column("claimer", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("done_at", tables.At(), nullable=True),
        sa.Column("failed_at", tables.At(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "what"),
    )
    op.create_table(
        "token",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", tables.At(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.add_column("event", sa.Column("confirmed_at", tables.At(), nullable=True))
    waits = sa.text("state = 'unconfirmed'")
    op.create_index("event_unconfirmed", "event", ["connection", "id"], sqlite_where=waits, postgresql_where=waits)
