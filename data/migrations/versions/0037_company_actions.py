"""Book companies' actions: shares and dividends that are due, and what was booked of each client once."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.add_column("holding", sa.Column("due", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "funds", sa.Column("dividends_due_paise", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("corporate_action", sa.Column("becomes", sa.String(), nullable=False, server_default=""))
    op.add_column("corporate_action", sa.Column("allotted_on", sa.Date(), nullable=True))
    op.add_column(
        "corporate_action", sa.Column("paid_to", sa.String(), nullable=False, server_default="bank")
    )
    op.create_table(
        "action_booking",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entitled", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("fraction", sa.String(), nullable=False),
        sa.Column("paise", sa.BigInteger(), nullable=False),
        sa.Column("becomes", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("lots", sa.JSON(), nullable=False),
        sa.Column("booked_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("booked_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id", "security", "ex_date", "purpose", "turn"),
    )
    op.create_index("action_bookings_by_day", "action_booking", ["ex_date"])
