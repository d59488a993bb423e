"""Several legs of one security in a plan; baskets, flattens, conversions, alerts; watchlists of a trader."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns
from data.migrations.rebuilding import rebuild

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    _baskets()
    _lots_left()
    _flattens()
    _conversions()
    _watchlists()
    _alerts()
    _order_entry()


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
    rows = sa.text("quantity_left > 0")
    op.create_index("lots_left", "lot", ["client_id"], sqlite_where=rows, postgresql_where=rows)


def _flattens() -> None:
    op.add_column("orders", sa.Column("flatten_number", sa.BigInteger(), nullable=True))
    op.add_column(
        "orders", sa.Column("closes_external", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "flatten",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("passes", sa.JSON(), nullable=False),
        sa.Column("halt_file", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stopped_by", sa.String(), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "flatten_line",
        sa.Column("flatten_number", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("net_before", sa.BigInteger(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=True),
        sa.Column("read_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.ForeignKeyConstraint(["flatten_number"], ["flatten.number"]),
        sa.PrimaryKeyConstraint("flatten_number", "client_id", "security", "product"),
    )
    going = sa.text("ended_at IS NULL")
    op.create_index(
        "flatten_lines_going",
        "flatten_line",
        ["client_id", "security", "product"],
        unique=True,
        sqlite_where=going,
        postgresql_where=going,
    )


def _conversions() -> None:
    op.create_table(
        "conversion",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("from_product", sa.String(), nullable=False),
        sa.Column("to_product", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("loan_paise", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("conversions_of_client", "conversion", ["client_id", "security"])


def _watchlists() -> None:
    """Give the lists that there are to the trader who put something on one last."""
    op.create_table(
        "watchlist",
        sa.Column("trader", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trader", "name"),
    )
    op.create_table(
        "watch_columns",
        sa.Column("trader", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trader"),
    )
    op.rename_table("watchlist_item", "watchlist_item_before")
    op.create_table(
        "watchlist_item",
        sa.Column("trader", sa.String(), nullable=False),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trader", "list_name", "key"),
    )
    whose = (
        "coalesce((SELECT actor FROM audit WHERE action = 'WATCHLIST_ADDED' ORDER BY seq DESC LIMIT 1),"
        " 'trader')"
    )
    op.execute(
        "INSERT INTO watchlist_item (trader, list_name, key, position)"
        f" SELECT {whose}, list_name, key, position FROM watchlist_item_before"
    )
    op.drop_table("watchlist_item_before")
    op.execute(
        "INSERT INTO watchlist (trader, name, position)"
        " SELECT trader, list_name, row_number() OVER (ORDER BY list_name)"
        " FROM (SELECT DISTINCT trader, list_name FROM watchlist_item) AS lists"
    )


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("positions", sa.JSON(), nullable=False),
        sa.Column("later", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "trading_date"),
    )


def _order_entry() -> None:
    op.add_column(
        "client", sa.Column("discretionary", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "client", sa.Column("multiplier_bps", sa.Integer(), nullable=False, server_default=sa.text("10000"))
    )
    op.add_column(
        "orders", sa.Column("disclosed_quantity", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_table(
        "instruction",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "preset",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
