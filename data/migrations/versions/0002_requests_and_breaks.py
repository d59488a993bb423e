"""Add terms of modifies and stop orders, the broker's stamps, breaks, and day openings."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0002"
down_revision = "0001"

_MOMENT = data.tables.columns.UtcDateTime(timezone=True)


def upgrade() -> None:
    for name in ("trigger_paise", "asked_quantity", "asked_reserve_paise"):
        op.add_column("orders", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("orders", sa.Column("told_at", _MOMENT, nullable=True))
    for name in ("quantity", "limit_paise", "trigger_paise"):
        op.add_column("request", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("request", sa.Column("instance_id", sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("lot_charges_paise", "loan_paise"):
        op.add_column("closed_lot", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("members", "before"):
        op.add_column("halt", sa.Column(name, sa.JSON(), nullable=True))
    op.create_table(
        "account_break",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("ours", sa.BigInteger(), nullable=False),
        sa.Column("theirs", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_how", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_account_break_client_id", "account_break", ["client_id"])
    op.create_table(
        "day_open",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("cash_difference_paise", sa.BigInteger(), nullable=False),
        sa.Column("share_differences", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "trading_date"),
    )
