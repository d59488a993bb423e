"""Runs over the clients of every desk, reserved in shards."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    op.create_table(
        "firm_run",
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reserve_until", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shards_left", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_number"),
    )
    op.create_table(
        "firm_shard",
        sa.Column("run_number", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_number", sa.BigInteger(), nullable=False),
        sa.Column("client_ids", sa.JSON(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("denied", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_number"], ["run.number"]),
        sa.PrimaryKeyConstraint("run_number", "shard"),
    )
