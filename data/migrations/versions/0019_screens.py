"""Let a security and product stand in several legs of a plan, each for its own clients, and keep baskets."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns
from data.migrations.rebuilding import rebuild

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    _baskets()
    _lots_left()


def _baskets() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild("plan_leg", ', \n\tUNIQUE (plan_number, "key", product)', "")
    else:
        op.drop_constraint("plan_leg_plan_number_key_product_key", "plan_leg")
    op.create_table(
        "basket",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("per_client", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "basket_leg",
        sa.Column("basket", sa.String(), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("sizing", sa.String(), nullable=False),
        sa.Column("sizing_value", sa.BigInteger(), nullable=False),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("limit_paise", sa.BigInteger(), nullable=True),
        sa.Column("trigger_paise", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("basket", "leg"),
    )


def _lots_left() -> None:
    """Find the lots of which something is left without a walk through those that are sold."""
    op.create_index("lots_left", "lot", ["client_id"], sqlite_where=sa.text("quantity_left > 0"))
