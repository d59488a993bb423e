"""The paper exchange's own database: tables, rows, and how rows become the contract's shapes.

Moments are microseconds since 1970 in UTC, money and prices paise.
"""

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade
from brokers.paper.prices import Listing, average_paise
from data.instruments import Instrument
from data.vocabulary import OrderType, Product, Side

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
CREATE TABLE IF NOT EXISTS account (
    user_id TEXT PRIMARY KEY,
    available_paise INTEGER NOT NULL,
    blocked_paise INTEGER NOT NULL CHECK (blocked_paise >= 0),
    charges_due_paise INTEGER NOT NULL,
    mtf_limit_paise INTEGER NOT NULL,
    mtf_loan_paise INTEGER NOT NULL CHECK (mtf_loan_paise >= 0),
    mtf_blocked_paise INTEGER NOT NULL CHECK (mtf_blocked_paise >= 0),
    rates TEXT NOT NULL
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
    loan_paise INTEGER NOT NULL
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
    updated_us INTEGER NOT NULL
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
    # All are made in one transaction, so the last stands for all. Where they stand nothing is written: a
    # process that holds the file must not keep others from opening it.
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'taken'").fetchone() is None:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _DDL.split(";\n"):
            connection.execute(statement)
        connection.execute("COMMIT")
    return connection


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


# --- rows ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class AccountRow:
    """One client's money. `blocked_paise` counts open buys and holds, `mtf_blocked_paise` loans to come.

    `rates` names the broker whose charges apply.
    """

    user_id: str
    available_paise: int
    blocked_paise: int
    charges_due_paise: int
    mtf_limit_paise: int
    mtf_loan_paise: int
    mtf_blocked_paise: int
    rates: str


@dataclass(slots=True)
class ParcelRow:
    """Shares of one fill; `bought_on` is empty once they have settled.

    `parcel_id` counts up in the order of the fills and is 0 until the parcel is stored.
    """

    parcel_id: int
    user_id: str
    security: str
    product: str
    bought_on: str
    key: str
    quantity: int
    cost_paise: int
    loan_paise: int


@dataclass(slots=True)
class OrderRow:
    """One order and the money booked for it.

    `limit_paise` is what it may trade at, `reserve_paise` what its block is computed from, `resting` says
    that it stands in the book as a maker, `priority` orders equal limits.
    """

    order_id: int
    user_id: str
    key: str
    security: str
    tags: str
    side: str
    product: str
    order_type: str
    validity: str
    quantity: int
    filled: int
    limit_paise: int
    status: str
    message: str
    resting: int
    priority: int
    reserve_paise: int
    own_bps: int
    own_blocked_paise: int
    loan_blocked_paise: int
    notional_paise: int
    own_booked_paise: int
    charges_paise: int
    from_demat: int
    modifications: int
    trading_day: str
    placed_us: int
    updated_us: int

    @property
    def remaining(self) -> int:
        """Shares still to trade, were the order live."""
        return self.quantity - self.filled

    @property
    def buying(self) -> bool:
        """Whether it buys."""
        return self.side == Side.BUY

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.status == BrokerStatus.OPEN


def columns(row: type[Any]) -> tuple[str, ...]:
    """A row class's columns in order."""
    return tuple(column.name for column in fields(row))


ORDER_COLUMNS = columns(OrderRow)
PARCEL_COLUMNS = columns(ParcelRow)
ACCOUNT_COLUMNS = columns(AccountRow)
SELECT_ORDER = f"SELECT {', '.join(ORDER_COLUMNS)} FROM orders"
SELECT_PARCEL = f"SELECT {', '.join(PARCEL_COLUMNS)} FROM parcel"
SELECT_ACCOUNT = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM account"
_CHANGING = tuple(name for name in ORDER_COLUMNS if name not in {"order_id", "user_id", "key", "security"})
INSERT_ORDER = f"INSERT INTO orders VALUES ({', '.join(f':{name}' for name in ORDER_COLUMNS)})"
UPDATE_ORDER = (
    f"UPDATE orders SET {', '.join(f'{name} = :{name}' for name in _CHANGING)} WHERE order_id = :order_id"
)
UPDATE_ACCOUNT = (
    f"UPDATE account SET {', '.join(f'{name} = :{name}' for name in ACCOUNT_COLUMNS[1:])} "
    "WHERE user_id = :user_id"
)
INSERT_PARCEL = (
    f"INSERT INTO parcel ({', '.join(PARCEL_COLUMNS[1:])})"
    f" VALUES ({', '.join(f':{name}' for name in PARCEL_COLUMNS[1:])})"
)
UPDATE_PARCEL = (
    "UPDATE parcel SET quantity = :quantity, cost_paise = :cost_paise, loan_paise = :loan_paise"
    " WHERE parcel_id = :parcel_id"
)
SELECT_TRADE = (
    "SELECT t.exchange, t.trade_number, t.order_id, t.quantity, t.price_paise, t.traded_us,"
    " o.user_id, o.key, o.side, o.product, o.trading_day FROM trade t JOIN orders o USING (order_id)"
)


def values(row: OrderRow | AccountRow | ParcelRow) -> dict[str, Any]:
    """A row as parameters of the statements above."""
    return {column.name: getattr(row, column.name) for column in fields(row)}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """An aware time as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment_us: int) -> datetime:
    """Microseconds since 1970 as an aware UTC time."""
    return _EPOCH + timedelta(microseconds=moment_us)


# --- into the contract's shapes -------------------------------------------------------------------------


def broker_order(row: OrderRow) -> BrokerOrder:
    """A row of the order book as a broker shows it: a protected market order stands as a limit order."""
    exchange, _, tradingsymbol = row.key.partition(":")
    return BrokerOrder(
        broker_order_id=str(row.order_id),
        user_id=row.user_id,
        tags=tuple(row.tags.split("\n")) if row.tags else (),
        exchange=exchange,
        tradingsymbol=tradingsymbol,
        side=Side(row.side),
        product=Product(row.product),
        order_type=OrderType(row.order_type),
        quantity=row.quantity,
        filled_quantity=row.filled,
        average_price_paise=average_paise(row.notional_paise, row.filled),
        status=BrokerStatus(row.status),
        status_text=row.status.upper(),
        placed_at=from_us(row.placed_us),
        updated_at=from_us(row.updated_us),
        price_paise=row.limit_paise,
        message=row.message,
    )


def broker_trade(row: tuple[Any, ...]) -> BrokerTrade:
    """A row of `SELECT_TRADE` in the contract's shape."""
    exchange, number, order_id, quantity, price, traded_us, user_id, key, side, product, day = row
    return BrokerTrade(
        trade_id=str(number),
        broker_order_id=str(order_id),
        user_id=user_id,
        exchange=exchange,
        tradingsymbol=key.partition(":")[2],
        side=Side(side),
        product=Product(product),
        quantity=quantity,
        price_paise=price,
        trading_date=date.fromisoformat(day),
        traded_at=from_us(traded_us),
    )


INSTRUMENT_COLUMNS = columns(Instrument)
SELECT_LISTING = (
    f"SELECT {', '.join(INSTRUMENT_COLUMNS)}, last_paise, open_paise, high_paise, low_paise, volume"
    " FROM listing"
)


def listings_of(rows: Iterable[tuple[Any, ...]]) -> dict[str, Listing]:
    """Rows of `SELECT_LISTING` by key."""
    count = len(INSTRUMENT_COLUMNS)
    found: dict[str, Listing] = {}
    for row in rows:
        facts = dict(zip(INSTRUMENT_COLUMNS, row[:count], strict=True))
        facts["fno"], facts["trade_to_trade"] = bool(facts["fno"]), bool(facts["trade_to_trade"])
        instrument = Instrument(**facts)
        found[instrument.key] = Listing(instrument, *row[count:])
    return found
