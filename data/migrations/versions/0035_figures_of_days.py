"""Keep closes, risk, dispersion, flows and days of before; and with which line a run began."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("rotation_seed", sa.BigInteger(), nullable=True))
        run.add_column(sa.Column("rotation_start", sa.Integer(), nullable=True))
    _figures()
    _history()


def _figures() -> None:
    op.create_table(
        "daily_close",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("close_paise", sa.BigInteger(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", "day"),
    )
    op.create_table(
        "risk_day",
        sa.Column("client_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value_paise", sa.BigInteger(), nullable=False),
        sa.Column("var95_paise", sa.BigInteger(), nullable=True),
        sa.Column("var99_paise", sa.BigInteger(), nullable=True),
        sa.Column("beta_bps", sa.BigInteger(), nullable=True),
        sa.Column("held_pnl_paise", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", "day"),
    )
    op.create_index("risk_by_day", "risk_day", ["day"])
    op.create_table(
        "dispersion_day",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("late_runs", sa.Integer(), nullable=False),
        sa.Column("notional_paise", sa.BigInteger(), nullable=False),
        sa.Column("dispersion_paise", sa.BigInteger(), nullable=False),
        sa.Column("unfilled_paise", sa.BigInteger(), nullable=False),
        sa.Column("slippage_paise", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "day"),
    )
    op.create_index("dispersion_by_day", "dispersion_day", ["day"])


def _history() -> None:
    op.create_table(
        "flow_class",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("made_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["txn_id"], ["txn.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_flow_class_txn_id", "flow_class", ["txn_id"])
    op.create_table(
        "earlier_day",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("portfolio_paise", sa.BigInteger(), nullable=False),
        sa.Column("flow_paise", sa.BigInteger(), nullable=False),
        sa.Column("net_pnl_paise", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("imported_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "day"),
    )
    op.create_table(
        "earlier_trade",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("notional_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_paise", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("imported_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("earlier_trades_by_client", "earlier_trade", ["client_id", "day"])
