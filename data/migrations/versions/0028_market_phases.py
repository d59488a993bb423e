"""Keep halts of the whole market, and under which phase and band a run's unsent orders may leave."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "market_halt",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("began_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reopens_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("move_bps", sa.Integer(), nullable=False),
        sa.Column("index_key", sa.String(), nullable=False),
        sa.Column("index_bps", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_market_halt_trading_date", "market_halt", ["trading_date"])
    for name in ("run", "run_leg"):
        for column in (
            sa.Column("phase", sa.String(), nullable=False, server_default=""),
            sa.Column("lower_circuit_paise", sa.BigInteger(), nullable=True),
            sa.Column("upper_circuit_paise", sa.BigInteger(), nullable=True),
            sa.Column("held", sa.String(), nullable=False, server_default=""),
            sa.Column("held_phase", sa.String(), nullable=False, server_default=""),
            sa.Column("goes_on_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        ):
            op.add_column(name, column)
