"""Keep what quantities set by hand leave of a run's allocations apart from what rounding leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("run", sa.Column("cut_paise", sa.BigInteger(), nullable=False, server_default="0"))
