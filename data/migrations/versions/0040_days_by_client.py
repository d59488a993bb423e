"""Have the index of clients' closed days hold what histories are made of, beside the positions' pages."""

from alembic import op

revision = "0040"
down_revision = "0039"

_NAME, _TABLE = "client_days_by_client", "client_day"


def upgrade() -> None:
    op.drop_index(_NAME, _TABLE)
    columns = ["client_id", "day", "rev", "todays_pnl_paise", "portfolio_value_paise", "flows_paise"]
    op.create_index(_NAME, _TABLE, columns)
