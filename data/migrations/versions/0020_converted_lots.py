"""What converted shares were bought as and when they came, so that sales take them in their order."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    moment = data.tables.columns.UtcDateTime(timezone=True)
    op.add_column("lot", sa.Column("bought_as", sa.BigInteger(), nullable=True))
    op.add_column("lot", sa.Column("arrived_at", moment, nullable=True))
    op.add_column("conversion", sa.Column("market_at", moment, nullable=True))
