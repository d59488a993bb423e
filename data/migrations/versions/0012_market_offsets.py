"""Keep how far the market's clock was apart from the wall's, so that stamps can be shown in its time."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "market_offset",
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("since", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("apart_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "since"),
    )
