"""Readings by dimensions, pinned and with their answer; pulls, their parts and raw answers; alerts"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEY = ["metric", "day", "channel", "account", "dimensions", "revision"]
_MANY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("reading", naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"}) as table:
        table.add_column(sa.Column("dimensions", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("standing", sa.String(), nullable=False, server_default="pulled"))
        table.add_column(sa.Column("raw", sa.String(), nullable=True))
        table.add_column(sa.Column("why", sa.Text(), nullable=True))
        table.drop_constraint(_old(), type_="unique")
        table.create_unique_constraint("reading_revision", _KEY)
    # a metric's own channel stands in its definition: another name of it is no second history
    op.execute("UPDATE reading SET channel = '' WHERE channel <> ''")
    op.create_table(
        "pull",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), unique=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("claimer", sa.String()),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String()),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("kept", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("restated", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("missing", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_index("ix_pull_begun_at", "pull", ["begun_at"])
    op.create_index("ix_pull_state", "pull", ["state"])
    op.create_table(
        "pull_part",
        sa.Column("id", _MANY, primary_key=True, autoincrement=True),
        sa.Column("pull_id", sa.String(), sa.ForeignKey("pull.id"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("connection", sa.String()),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reason", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index("ix_pull_part_pull_id", "pull_part", ["pull_id"])
    for name, state in (("pull_part_good", "done"), ("pull_part_bad", "failed")):
        where = sa.text(f"state = '{state}'")
        op.create_index(name, "pull_part", ["connection", "id"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "private_answer",
        sa.Column("id", _MANY, primary_key=True, autoincrement=True),
        sa.Column("part_id", _MANY, sa.ForeignKey("pull_part.id"), nullable=False),
        sa.Column("party_id", sa.String(), sa.ForeignKey("party.id")),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_private_answer_part_id", "private_answer", ["part_id"])
    op.create_index("ix_private_answer_retain_until", "private_answer", ["retain_until"])
    op.create_table(
        "alert",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
        sa.Column("over_at", sa.BigInteger()),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.String()),
    )


def _old() -> str:
    """The name that the database gave to the constraint of the first tables; SQLite gave none."""
    found = sa.inspect(op.get_bind()).get_unique_constraints("reading")
    return str(found[0]["name"] or "uq_reading_metric")
