"""Keep that a broker refused orders on a client's route: since when, and in which words."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0006"
down_revision = "0005"

_MOMENT = data.tables.columns.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("client_route", sa.Column("refused_at", _MOMENT, nullable=True))
    op.add_column("client_route", sa.Column("refused_text", sa.String(), nullable=False, server_default=""))
