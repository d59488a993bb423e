"""Fix what each security is, whatever it is called, and keep the names that it had."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for name in ("security_id", "doubt"):
        op.add_column("instrument", sa.Column(name, sa.String(), nullable=False, server_default=""))
    # What holdings were keyed by until here.
    op.execute(
        "UPDATE instrument SET security_id ="
        " CASE WHEN isin != '' THEN isin ELSE exchange || ':' || tradingsymbol END"
    )
    op.create_table(
        "former_name",
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("now", sa.String(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("security", "exchange", "tradingsymbol"),
    )
