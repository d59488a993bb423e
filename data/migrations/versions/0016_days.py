"""Find a day's orders, fills and closed lots without reading those of every other day."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("orders_by_day", "orders", ["trading_date"])
    op.create_index("fills_by_day", "fill", ["trading_date"])
    op.create_index("closed_lots_by_day", "closed_lot", ["trading_date"])
