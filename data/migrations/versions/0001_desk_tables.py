"""Create the desk's tables."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("plan_number", sa.BigInteger(), nullable=True),
        sa.Column("run_number", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_order_id"), ["order_id"], unique=False)

    op.create_table(
        "client",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("broker_user_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_reason", sa.String(), nullable=False),
        sa.Column("status_since", sa.Date(), nullable=True),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("capital_paise", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("created_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capital_paise >= 0"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("broker", "broker_user_id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "closed_lot",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("fill_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("closed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("cost_paise", sa.BigInteger(), nullable=False),
        sa.Column("proceeds_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_paise", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("closed_lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_closed_lot_client_id"), ["client_id"], unique=False)

    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "halt",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("resumed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resumed_by", sa.String(), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.String(), nullable=False),
        sa.Column("heartbeat_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "instrument",
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tick_paise", sa.BigInteger(), nullable=False),
        sa.Column("lot_size", sa.Integer(), nullable=False),
        sa.Column("isin", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("sector", sa.String(), nullable=False),
        sa.Column("mtf_margin_bps", sa.Integer(), nullable=True),
        sa.Column("mis_margin_bps", sa.Integer(), nullable=True),
        sa.Column("fno", sa.Boolean(), nullable=False),
        sa.Column("band_bps", sa.Integer(), nullable=False),
        sa.Column("trade_to_trade", sa.Boolean(), nullable=False),
        sa.Column("prev_close_paise", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("exchange", "tradingsymbol"),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("cost_paise", sa.BigInteger(), nullable=False),
        sa.Column("loan_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_paise", sa.BigInteger(), nullable=False),
        sa.Column("quantity_left", sa.BigInteger(), nullable=False),
        sa.Column("cost_left_paise", sa.BigInteger(), nullable=False),
        sa.Column("loan_left_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_left_paise", sa.BigInteger(), nullable=False),
        sa.Column("fill_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity_left >= 0 AND cost_left_paise >= 0 AND loan_left_paise >= 0"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.create_index("lot_by_client", ["client_id", "security", "product"], unique=False)

    op.create_table(
        "meta",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "plan",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("frozen_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sizing", sa.String(), nullable=False),
        sa.Column("sizing_value", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "txn",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("txn", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_txn_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_txn_order_id"), ["order_id"], unique=False)

    op.create_table(
        "watchlist_item",
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("list_name", "key"),
    )
    op.create_table(
        "client_group",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("client_id", "name"),
    )
    op.create_table(
        "funds",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("available_paise", sa.BigInteger(), nullable=False),
        sa.Column("blocked_paise", sa.BigInteger(), nullable=False),
        sa.Column("unsettled_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_due_paise", sa.BigInteger(), nullable=False),
        sa.Column("mtf_limit_paise", sa.BigInteger(), nullable=False),
        sa.Column("mtf_loan_paise", sa.BigInteger(), nullable=False),
        sa.Column("mtf_reserved_paise", sa.BigInteger(), nullable=False),
        sa.Column("shortfall_paise", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("available_paise >= 0", name="available_not_negative"),
        sa.CheckConstraint("blocked_paise >= 0", name="blocked_not_negative"),
        sa.CheckConstraint("mtf_loan_paise >= 0", name="loan_not_negative"),
        sa.CheckConstraint("mtf_reserved_paise >= 0", name="loan_reserved_not_negative"),
        sa.CheckConstraint("shortfall_paise >= 0", name="shortfall_not_negative"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("released_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_client_id"), ["client_id"], unique=False)

    op.create_table(
        "holding",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("today", sa.BigInteger(), nullable=False),
        sa.Column("t1", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("pledged", sa.BigInteger(), nullable=False),
        sa.Column("blocked", sa.BigInteger(), nullable=False),
        sa.Column("cost_paise", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("blocked >= 0", name="shares_blocked_not_negative"),
        sa.CheckConstraint(
            "today >= 0 AND t1 >= 0 AND free >= 0 AND pledged >= 0", name="shares_not_negative"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("client_id", "security", "product"),
    )
    op.create_table(
        "posting",
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("security", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["txn_id"],
            ["txn.id"],
        ),
        sa.PrimaryKeyConstraint("txn_id", "line"),
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index("posting_by_client", ["client_id", "account"], unique=False)

    op.create_table(
        "run",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("left_paise", sa.BigInteger(), nullable=False),
        sa.Column("started_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_number"],
            ["plan.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("plan_number"),
    )
    op.create_table(
        "share_posting",
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["txn_id"],
            ["txn.id"],
        ),
        sa.PrimaryKeyConstraint("txn_id", "line"),
    )
    with op.batch_alter_table("share_posting", schema=None) as batch_op:
        batch_op.create_index("share_posting_by_client", ["client_id", "security"], unique=False)

    op.create_table(
        "sizing_base",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("capital_paise", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("client_id", "trading_date"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_number", sa.BigInteger(), nullable=False),
        sa.Column("plan_number", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("tradingsymbol", sa.String(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("validity", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("limit_paise", sa.BigInteger(), nullable=True),
        sa.Column("reserve_price_paise", sa.BigInteger(), nullable=False),
        sa.Column("protection_bps", sa.Integer(), nullable=True),
        sa.Column("margin_bps", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sub_status", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason_text", sa.String(), nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column("broker_order_id", sa.String(), nullable=True),
        sa.Column("tag", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("filled_quantity", sa.BigInteger(), nullable=False),
        sa.Column("filled_notional_paise", sa.BigInteger(), nullable=False),
        sa.Column("blocked_paise", sa.BigInteger(), nullable=False),
        sa.Column("blocked_shares", sa.BigInteger(), nullable=False),
        sa.Column("mtf_reserved_paise", sa.BigInteger(), nullable=False),
        sa.Column("own_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_paise", sa.BigInteger(), nullable=False),
        sa.Column("demat_sale", sa.Boolean(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("created_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("blocked_paise >= 0 AND blocked_shares >= 0", name="order_blocked_not_negative"),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_number"],
            ["run.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id", "broker_order_id", "trading_date"),
        sa.UniqueConstraint("run_number", "client_id", "product"),
        sa.UniqueConstraint("tag"),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_run_number"), ["run_number"], unique=False)
        batch_op.create_index("orders_by_client_state", ["client_id", "state"], unique=False)
        batch_op.create_index("orders_by_state", ["state"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("order_id", "number"),
        sa.UniqueConstraint("tag"),
    )
    op.create_table(
        "fill",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("trade_id", sa.String(), nullable=False),
        sa.Column("broker_order_id", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price_paise", sa.BigInteger(), nullable=False),
        sa.Column("charges_paise", sa.BigInteger(), nullable=False),
        sa.Column("traded_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("booked_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id", "exchange", "trading_date", "trade_id", "broker_order_id"),
    )
    with op.batch_alter_table("fill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fill_order_id"), ["order_id"], unique=False)

    op.create_table(
        "request",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("halt_number", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("order_id", "number"),
    )
