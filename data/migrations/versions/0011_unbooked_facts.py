"""Keep what could not be booked of the broker's words."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "unbooked_fact",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("broker_order_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_how", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_unbooked_fact_client_id", "unbooked_fact", ["client_id"])
