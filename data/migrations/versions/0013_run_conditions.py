"""Keep under which conditions a run's unsent orders may leave, and why and when it was paused."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for column in (
        sa.Column("send_within_s", sa.Integer(), nullable=False, server_default="60"),
        sa.Column("drift_limit_bps", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("priced_paise", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(), nullable=False, server_default=""),
        sa.Column("paused_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("paused_age_s", sa.Integer(), nullable=True),
        sa.Column("paused_price_paise", sa.BigInteger(), nullable=True),
    ):
        op.add_column("run", column)
