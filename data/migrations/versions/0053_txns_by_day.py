"""Find a client's transfers of a day by both, whoever asks for a few clients or for all."""

from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.drop_index("txns_by_day", "txn")
    op.create_index("txns_by_day", "txn", ["trading_date", "client_id"])
