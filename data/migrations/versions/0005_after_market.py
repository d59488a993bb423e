"""Tell which orders wait at the broker for the next session."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("after_market", sa.Boolean(), nullable=False, server_default=sa.false())
    )
