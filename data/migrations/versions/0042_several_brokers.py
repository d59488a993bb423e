"""Keep what brokers say of an instrument beside each other, and by which address clients' calls leave."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    for name in ("isin", "series"):
        op.add_column("listing", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in ("run", "run_leg"):
        op.add_column(name, sa.Column("priced_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "route_probe",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("way_out", sa.String(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("seen_before", sa.String(), nullable=False),
        sa.Column("registered", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_route_probe_client_id", "route_probe", ["client_id"])
    op.create_index("ix_route_probe_trading_date", "route_probe", ["trading_date"])
