"""Say of each attempt and request under which lease of its client it was written."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    for table in ("attempt", "request"):
        op.add_column(table, sa.Column("epoch", sa.BigInteger(), nullable=False, server_default="0"))
