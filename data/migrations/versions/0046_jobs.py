"""Keep jobs: what is to be done by whichever process claims it, and what came of it."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0046"
down_revision = "0045"

_MOMENT = data.tables.columns.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("claimed_by", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("key"),
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index("jobs_open", "job", ["due_at"], sqlite_where=still_open, postgresql_where=still_open)
