"""Keep brokers' lists of stocks on margin, accepted pledges, and companies' actions."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "mtf_list",
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("imported_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("broker"),
    )
    op.create_table(
        "mtf_listing",
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("margin_bps", sa.Integer(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("broker", "key"),
    )
    op.create_table(
        "mtf_pledge",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("bought_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "security", "bought_on"),
    )
    op.create_table(
        "corporate_action",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("imported_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "ex_date", "purpose"),
    )
