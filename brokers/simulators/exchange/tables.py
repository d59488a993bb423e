"""The paper exchange's own database: its tables, and how a file with them is opened.

Moments are microseconds since 1970 in UTC, money and prices paise.
"""

import os
import sqlite3
from pathlib import Path

_DDL = """
CREATE TABLE IF NOT EXISTS state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seed INTEGER NOT NULL,
    market_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    trading_day TEXT NOT NULL,
    listing_version INTEGER NOT NULL,
    pin_version INTEGER NOT NULL,
    next_order INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS trade_number (
    exchange TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listing (
    key TEXT PRIMARY KEY,
    token INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    tradingsymbol TEXT NOT NULL,
    name TEXT NOT NULL,
    tick_paise INTEGER NOT NULL,
    lot_size INTEGER NOT NULL,
    isin TEXT NOT NULL,
    segment TEXT NOT NULL,
    series TEXT NOT NULL,
    sector TEXT NOT NULL,
    mtf_margin_bps INTEGER,
    mis_margin_bps INTEGER,
    fno INTEGER NOT NULL,
    band_bps INTEGER NOT NULL,
    trade_to_trade INTEGER NOT NULL,
    prev_close_paise INTEGER NOT NULL,
    security_id TEXT NOT NULL DEFAULT '',
    doubt TEXT NOT NULL DEFAULT '',
    walks_as TEXT NOT NULL DEFAULT '',
    last_paise INTEGER NOT NULL,
    open_paise INTEGER NOT NULL,
    high_paise INTEGER NOT NULL,
    low_paise INTEGER NOT NULL,
    volume INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pin (
    key TEXT PRIMARY KEY REFERENCES listing (key),
    last_paise INTEGER NOT NULL,
    prev_close_paise INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS company_action (
    key TEXT NOT NULL,
    ex_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    paid_to TEXT NOT NULL,
    PRIMARY KEY (key, ex_date, purpose)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account (
    user_id TEXT PRIMARY KEY,
    available_paise INTEGER NOT NULL,
    blocked_paise INTEGER NOT NULL CHECK (blocked_paise >= 0),
    charges_due_paise INTEGER NOT NULL,
    mtf_limit_paise INTEGER NOT NULL,
    mtf_loan_paise INTEGER NOT NULL CHECK (mtf_loan_paise >= 0),
    mtf_blocked_paise INTEGER NOT NULL CHECK (mtf_blocked_paise >= 0),
    rates TEXT NOT NULL,
    owed_paise INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS unsettled (
    user_id TEXT NOT NULL,
    traded_on TEXT NOT NULL,
    amount_paise INTEGER NOT NULL,
    PRIMARY KEY (user_id, traded_on)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parcel (
    parcel_id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    security TEXT NOT NULL,
    product TEXT NOT NULL,
    bought_on TEXT NOT NULL,
    key TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    cost_paise INTEGER NOT NULL,
    loan_paise INTEGER NOT NULL,
    bought_as INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS parcel_by_user ON parcel (user_id, security, product);
CREATE INDEX IF NOT EXISTS parcel_by_day ON parcel (bought_on);
CREATE TABLE IF NOT EXISTS orders (
    order_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    security TEXT NOT NULL,
    tags TEXT NOT NULL,
    side TEXT NOT NULL,
    product TEXT NOT NULL,
    order_type TEXT NOT NULL,
    validity TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    filled INTEGER NOT NULL,
    limit_paise INTEGER NOT NULL,
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    resting INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    reserve_paise INTEGER NOT NULL,
    own_bps INTEGER NOT NULL,
    own_blocked_paise INTEGER NOT NULL,
    loan_blocked_paise INTEGER NOT NULL,
    notional_paise INTEGER NOT NULL,
    own_booked_paise INTEGER NOT NULL,
    charges_paise INTEGER NOT NULL,
    from_demat INTEGER NOT NULL,
    modifications INTEGER NOT NULL,
    trading_day TEXT NOT NULL,
    placed_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    trigger_paise INTEGER NOT NULL DEFAULT 0,
    trigger_pending INTEGER NOT NULL DEFAULT 0,
    protection_bps INTEGER NOT NULL DEFAULT 0,
    disclosed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS orders_live ON orders (key, side, limit_paise) WHERE status = 'open';
CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, trading_day);
CREATE TABLE IF NOT EXISTS trade (
    exchange TEXT NOT NULL,
    trade_number INTEGER NOT NULL,
    order_id INTEGER NOT NULL REFERENCES orders (order_id),
    quantity INTEGER NOT NULL,
    price_paise INTEGER NOT NULL,
    traded_us INTEGER NOT NULL,
    PRIMARY KEY (exchange, trade_number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trade_by_order ON trade (order_id);
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS taken (
    key TEXT NOT NULL,
    side TEXT NOT NULL,
    price_paise INTEGER NOT NULL,
    second INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (key, side, price_paise)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS short (
    user_id TEXT NOT NULL,
    security TEXT NOT NULL,
    key TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    proceeds_paise INTEGER NOT NULL,
    margin_paise INTEGER NOT NULL,
    PRIMARY KEY (user_id, security)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS market_halt (
    trading_day TEXT NOT NULL,
    move_bps INTEGER NOT NULL,
    began_us INTEGER NOT NULL,
    until_us INTEGER,
    reopens_us INTEGER,
    PRIMARY KEY (trading_day, move_bps)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL DEFAULT (lower(hex(randomblob(8))))
);
INSERT OR IGNORE INTO identity (one) VALUES (1);
"""


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection with the tables made, in autocommit mode; `None` is a database in memory.

    It may be used by any thread, one at a time.
    """
    target = ":memory:" if path is None else str(path)
    if path is not None and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(target, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA busy_timeout = 5000")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    # All are made in one transaction, so the newest stands for all. Where they stand nothing is written: a
    # process that holds the file must not keep others from opening it.
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'market_halt'").fetchone() is None:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _DDL.split(";\n"):
            connection.execute(statement)
        connection.execute("COMMIT")
    _add_missing_columns(connection)
    return connection


_ADDED_COLUMNS = {
    "account": {"owed_paise": "INTEGER NOT NULL DEFAULT 0"},
    "orders": dict.fromkeys(
        ("trigger_paise", "trigger_pending", "protection_bps", "disclosed"), "INTEGER NOT NULL DEFAULT 0"
    ),
    "parcel": {"bought_as": "INTEGER NOT NULL DEFAULT 0"},
    "listing": dict.fromkeys(("security_id", "doubt", "walks_as"), "TEXT NOT NULL DEFAULT ''"),
}
"""Columns that a file made by an early version lacks."""


def _add_missing_columns(connection: sqlite3.Connection) -> None:
    """Bring an early file up to date; of one that is nothing is written."""
    for name, wanted in _ADDED_COLUMNS.items():
        if {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}.issuperset(wanted):
            continue
        connection.execute("BEGIN IMMEDIATE")
        standing = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        for column, kind in wanted.items():
            if column not in standing:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} {kind}")
        connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Change to write-ahead logging, which does not wait by itself for others that open the file."""
    for _ in range(20):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return
