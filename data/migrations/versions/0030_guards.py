"""Guards of clients, groups and the desk, and their trips."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "guard",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("loss_bps", sa.BigInteger(), nullable=True),
        sa.Column("loss_paise", sa.BigInteger(), nullable=True),
        sa.Column("target_bps", sa.BigInteger(), nullable=True),
        sa.Column("target_paise", sa.BigInteger(), nullable=True),
        sa.Column("set_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("removed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("scope", "value", "what"),
    )
    op.create_table(
        "guard_trip",
        sa.Column("guard_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("nth", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("net_paise", sa.BigInteger(), nullable=True),
        sa.Column("limit_paise", sa.BigInteger(), nullable=True),
        sa.Column("base_paise", sa.BigInteger(), nullable=False),
        sa.Column("flattens", sa.Boolean(), nullable=False),
        sa.Column("halt_number", sa.BigInteger(), nullable=False),
        sa.Column("flatten_number", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["guard_number"], ["guard.number"]),
        sa.PrimaryKeyConstraint("guard_number", "trading_date", "nth"),
    )
    op.create_index(
        "guard_trips_standing",
        "guard_trip",
        ["guard_number"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
