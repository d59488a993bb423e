"""Let plans have legs, halts a strength, trading days a state, and commits and the audit say more."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic import op

import data.tables.columns
from data.migrations.rebuilding import rebuild

revision = "0018"
down_revision = "0017"

BY_DAY = {"orders": "orders_by_day", "fill": "fills_by_day", "closed_lot": "closed_lots_by_day"}
"""Indexes by which each commit finds what its own clients did on a day."""


def upgrade() -> None:
    _legs()
    _changes()
    _asked_commands()
    _connections()
    _trading_days()
    _listings()
    op.add_column("halt", sa.Column("strength", sa.String(), nullable=False, server_default="all"))
    op.add_column("audit", sa.Column("via", sa.String(), nullable=False, server_default=""))
    for of, name in BY_DAY.items():
        op.drop_index(name, of)
        op.create_index(name, of, ["trading_date", "client_id"])
    op.create_index("orders_by_broker_id", "orders", ["broker_order_id"])
    op.create_index("runs_by_start", "run", ["started_at"])
    op.create_index("txns_by_day", "txn", ["trading_date"])
    op.create_index("ix_instrument_isin", "instrument", ["isin"])


def _legs() -> None:
    """What a plan does in each security, and which of them each order is of."""
    legs = op.create_table(
        "plan_leg",
        sa.Column("plan_number", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("sizing", sa.String(), nullable=False),
        sa.Column("sizing_value", sa.BigInteger(), nullable=False),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("limit_paise", sa.BigInteger(), nullable=True),
        sa.Column("trigger_paise", sa.BigInteger(), nullable=True),
        sa.Column("reserve_price_paise", sa.BigInteger(), nullable=False),
        sa.Column("drift_limit_bps", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["plan_number"], ["plan.number"]),
        sa.PrimaryKeyConstraint("plan_number", "leg"),
        sa.UniqueConstraint("plan_number", "key", "product"),
    )
    op.create_table(
        "run_leg",
        sa.Column("run_number", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("drift_limit_bps", sa.Integer(), nullable=True),
        sa.Column("priced_paise", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_number"], ["run.number"]),
        sa.PrimaryKeyConstraint("run_number", "leg"),
    )
    if op.get_bind().dialect.name == "sqlite":  # no other has books from before
        op.bulk_insert(legs, list(_legs_of_plans(op.get_bind())))
    op.add_column("orders", sa.Column("leg", sa.Integer(), nullable=False, server_default="1"))
    old, new = "(run_number, client_id, product, slice)", "(run_number, client_id, leg, product, slice)"
    if op.get_bind().dialect.name == "sqlite":
        rebuild("orders", old, new)
        limit = "drift_limit_bps INTEGER DEFAULT '50'"
        rebuild("run", f"{limit} NOT NULL", limit)
    else:
        op.drop_constraint("orders_run_number_client_id_product_slice_key", "orders")
        op.create_unique_constraint(None, "orders", ["run_number", "client_id", "leg", "product", "slice"])
        op.alter_column("run", "drift_limit_bps", nullable=True)


def _legs_of_plans(connection: sa.Connection) -> Iterator[dict[str, Any]]:
    """The one leg of each plan made before, from its record; none of a record that cannot be read."""
    for number, body in connection.exec_driver_sql("SELECT number, CAST(body AS BLOB) FROM plan"):
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            record = json.loads(body)
            intent, instrument = record["intent"], record["instrument"]
            sizing = dict(intent["sizing"])
            kind = sizing.pop("kind")
            (value,) = sizing.values()
            exchange, symbol = instrument["exchange"], instrument["tradingsymbol"]
            isin = instrument["isin"] or f"{exchange}:{symbol}"
            yield {
                "plan_number": number,
                "leg": 1,
                "stage": 0,
                "key": f"{exchange}:{symbol}",
                "security": instrument.get("security_id") or isin,
                "side": intent["side"],
                "product": intent["product"] or "",
                "sizing": kind,
                "sizing_value": value,
                "order_type": intent["order_type"],
                "limit_paise": intent["limit_paise"],
                "trigger_paise": intent["trigger_paise"],
                "reserve_price_paise": record["reserve_price_paise"],
                "drift_limit_bps": record["drift_limit_bps"],
            }


def _changes() -> None:
    op.create_table(
        "change",
        sa.Column("desk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("desk", "seq"),
    )


def _asked_commands() -> None:
    op.create_table(
        "asked_command",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("did", sa.JSON(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("request_id"),
    )


def _connections() -> None:
    """The ways to venues, and by which of them each client trades.

    A home had one venue, which two facts of it named; those stay where they are, since they are proven.
    """
    connections = op.create_table(
        "connection",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("client", sa.Column("connection", sa.String(), nullable=False, server_default=""))
    run = op.get_bind().exec_driver_sql
    facts = dict(run("SELECT name, value FROM meta WHERE name IN ('kite', 'paper_exchange')").all())
    if (address := facts.get("kite")) is not None:
        kind = "live" if address == "https://api.kite.trade" else "sim"
        row = {"name": "kite", "kind": kind, "broker": "zerodha", "address": address, "identity": ""}
        op.bulk_insert(connections, [row])
        run("UPDATE client SET connection = 'kite' WHERE broker = 'zerodha'")
    elif (identity := facts.get("paper_exchange")) is not None:
        row = {"name": "paper", "kind": "paper", "broker": "paper", "address": "", "identity": identity}
        op.bulk_insert(connections, [row])
        run("UPDATE client SET connection = 'paper'")


def _trading_days() -> None:
    """The day that was opened last, which a fact named; that stays where it is, since it is proven."""
    op.create_table(
        "trading_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day"),
    )
    opened_at = "SELECT at FROM audit WHERE action = 'DAY_OPENED' ORDER BY seq DESC LIMIT 1"
    day = "value" if op.get_bind().dialect.name == "sqlite" else "CAST(value AS DATE)"
    fact = f"SELECT {day}, 'open', ({opened_at}) FROM meta WHERE name = 'last_trading_day'"
    op.get_bind().exec_driver_sql(f"INSERT INTO trading_day (day, state, opened_at) {fact}")


def _listings() -> None:
    """How the home's broker lists each instrument; a token, which was a number, is text from here on."""
    op.create_table(
        "listing",
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("broker", "key"),
        sa.UniqueConstraint("broker", "token"),
    )
    run = op.get_bind().exec_driver_sql
    once = "token != 0 AND (SELECT count(*) FROM instrument AS other WHERE other.token = one.token) = 1"
    token = f"CASE WHEN {once} THEN CAST(token AS VARCHAR) END"
    run("CREATE INDEX instruments_by_token ON instrument (token)")
    run(
        "INSERT INTO listing (broker, key, token, symbol)"
        f" SELECT broker, exchange || ':' || tradingsymbol, {token}, tradingsymbol FROM instrument AS one,"
        " (SELECT coalesce((SELECT broker FROM connection), 'paper') AS broker) AS lister"
    )
    run("DROP INDEX instruments_by_token")
    op.drop_column("instrument", "token")
    if op.get_bind().dialect.name == "sqlite":
        rebuild("former_name", "token BIGINT", "token VARCHAR")
    else:
        op.alter_column("former_name", "token", type_=sa.String())
