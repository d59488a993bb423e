"""Say for which trading day a client's books were opened by the desk that has it."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    op.add_column("client_lease", sa.Column("rolled_on", sa.Date(), nullable=True))
    op.execute("UPDATE client_lease SET rolled_on = (SELECT max(day) FROM trading_day)")
