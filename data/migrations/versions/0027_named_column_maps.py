"""Keep under a name which column of a trader's own file is what."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("column_map", sa.Column("name", sa.String(), nullable=False, server_default=""))
