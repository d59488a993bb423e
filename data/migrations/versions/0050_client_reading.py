"""What workers have read of clients at brokers, for desks that share their books."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.create_table(
        "client_reading",
        sa.Column("client_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("read_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("says", sa.String(), nullable=False),
        sa.Column("theirs_paise", sa.BigInteger(), nullable=False),
        sa.Column("ours_paise", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id"),
    )
