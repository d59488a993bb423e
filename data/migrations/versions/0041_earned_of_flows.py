"""Keep with a closed day what of its flows was no capital, so that no history takes it out of them twice."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

_NAME, _TABLE = "client_days_by_client", "client_day"


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("earned_paise", sa.BigInteger(), nullable=False, server_default="0"))
    op.drop_index(_NAME, _TABLE)
    figures = ["todays_pnl_paise", "portfolio_value_paise", "flows_paise", "earned_paise"]
    op.create_index(_NAME, _TABLE, ["client_id", "day", "rev", *figures])
