"""Keep the day's close: its steps, each client's day, the seal, closing prices, dated corrections."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0033"
down_revision = "0032"


def _moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, data.tables.columns.UtcDateTime(timezone=True), nullable=False)


def _paise(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "close_step",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rev", sa.Integer(), autoincrement=False, nullable=False),
        _text("step"),
        _moment("done_at"),
        _text("done_by"),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", "rev", "step"),
    )
    op.create_table(
        "client_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.Integer(), autoincrement=False, nullable=False),
        *(
            _paise(name)
            for name in (
                *("opening_paise", "flows_paise", "gross_pnl_paise", "dividends_paise", "brokerage_paise"),
                *("stt_paise", "exchange_paise", "sebi_paise", "stamp_paise", "gst_paise", "dp_paise"),
                *("other_charges_paise", "interest_paise", "todays_pnl_paise", "realised_today_paise"),
                *("total_pnl_paise", "portfolio_value_paise", "cash_paise", "shares_paise", "loans_paise"),
            )
        ),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("active_trades", "orders", "trades")),
        _paise("turnover_paise"),
        sa.Column("positions", sa.JSON(), nullable=False),
        _text("digest"),
        _moment("closed_at"),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("day", "client_id", "rev"),
    )
    op.create_index("client_days_by_client", "client_day", ["client_id", "day"])
    op.create_table(
        "day_seal",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rev", sa.Integer(), autoincrement=False, nullable=False),
        _text("seal"),
        _text("before"),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("left_open", sa.JSON(), nullable=False),
        _moment("sealed_at"),
        _text("sealed_by"),
        sa.PrimaryKeyConstraint("day", "rev"),
    )
    op.create_table(
        "official_close",
        sa.Column("day", sa.Date(), nullable=False),
        _text("key"),
        sa.Column("rev", sa.Integer(), autoincrement=False, nullable=False),
        _paise("close_paise"),
        _text("source"),
        _moment("at"),
        sa.PrimaryKeyConstraint("day", "key", "rev"),
    )
    op.create_table(
        "day_correction",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        _text("kind"),
        _text("subject"),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        _text("reason"),
        _moment("at"),
        _text("by"),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_day_correction_client_id", "day_correction", ["client_id"])
    op.create_index("corrections_by_day", "day_correction", ["day", "client_id"])
