"""Keep trades of before clients came, as their brokers' tradebooks have them."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.create_table(
        "tradebook_trade",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("trade_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("isin", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price_paise", sa.BigInteger(), nullable=False),
        sa.Column("traded_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("imported_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "exchange", "day", "trade_id"),
    )
