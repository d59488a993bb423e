"""Keep by which engine and when each client's figures were last compared with the broker's."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "comparison",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id"),
    )
