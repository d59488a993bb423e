"""Say of which home a halt is, and which desks had clients of it and when each knew."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.add_column("halt", sa.Column("home", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "halt_desk",
        sa.Column("halt_number", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("clients", sa.JSON(), nullable=False),
        sa.Column("knew_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["halt_number"], ["halt.number"]),
        sa.PrimaryKeyConstraint("halt_number", "instance_id"),
    )
