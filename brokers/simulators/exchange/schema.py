"""The paper exchange's rows, the statements that read and write them, and the contract's shapes they become.

Moments are microseconds since 1970 in UTC, money and prices paise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from brokers.contract import BrokerHolding, BrokerOrder, BrokerStatus, BrokerTrade
from brokers.simulators.exchange.prices import Listing, average_paise
from data.records import field_names
from data.reference.instruments import BrokerInstrument, Instrument
from data.vocabulary import OrderType, Product, Side, Validity


@dataclass(slots=True)
class AccountRow:
    """One client's money. `blocked_paise` counts open buys and holds, `mtf_blocked_paise` loans to come.

    `rates` names the broker whose charges apply. `owed_paise` is what trades took that nothing paid for; the
    close collects it as far as the cash goes.
    """

    user_id: str
    available_paise: int
    blocked_paise: int
    charges_due_paise: int
    mtf_limit_paise: int
    mtf_loan_paise: int
    mtf_blocked_paise: int
    rates: str
    owed_paise: int = 0


@dataclass(slots=True)
class ParcelRow:
    """Shares of one fill; `bought_on` is empty once they have settled.

    `parcel_id` counts up in the order of the fills and is 0 until the parcel is stored. `bought_as` is the
    parcel as which converted shares were bought, 0 for those still in the product of their purchase.
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
    bought_as: int = 0


@dataclass(slots=True)
class OrderRow:
    """One order and the money booked for it.

    `limit_paise` is what it may trade at, `reserve_paise` what its block is computed from, `resting` says
    that it stands in the book as a maker, `priority` orders equal limits. While `trigger_pending` it waits
    outside the book for the last price to reach `trigger_paise`, 0 for an order without one. `disclosed` is
    how many of its shares the market sees, 0 for all.
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
    trigger_paise: int = 0
    trigger_pending: int = 0
    protection_bps: int = 0
    disclosed: int = 0

    @property
    def remaining(self) -> int:
        """Shares still to trade, were the order live; none of one that traded beyond its quantity."""
        return max(0, self.quantity - self.filled)

    @property
    def buying(self) -> bool:
        """Whether it buys."""
        return self.side == Side.BUY

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.status == BrokerStatus.OPEN

    @property
    def waiting(self) -> bool:
        """Whether it is a live stop order whose trigger has not been reached."""
        return self.live and bool(self.trigger_pending)


@cache
def columns(row: type[Any]) -> tuple[str, ...]:
    """A row class's columns in order."""
    return field_names(row)


ORDER_COLUMNS = columns(OrderRow)
PARCEL_COLUMNS = columns(ParcelRow)
ACCOUNT_COLUMNS = columns(AccountRow)
SELECT_ORDER = f"SELECT {', '.join(ORDER_COLUMNS)} FROM orders"
SELECT_PARCEL = f"SELECT {', '.join(PARCEL_COLUMNS)} FROM parcel"
SELECT_ACCOUNT = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM account"
_CHANGING = tuple(name for name in ORDER_COLUMNS if name not in {"order_id", "user_id", "key", "security"})
INSERT_ORDER = (
    f"INSERT INTO orders ({', '.join(ORDER_COLUMNS)})"
    f" VALUES ({', '.join(f':{name}' for name in ORDER_COLUMNS)})"
)
UPDATE_ORDER = (
    f"UPDATE orders SET {', '.join(f'{name} = :{name}' for name in _CHANGING)} WHERE order_id = :order_id"
)
INSERT_ACCOUNT = (
    f"INSERT INTO account ({', '.join(ACCOUNT_COLUMNS)})"
    f" VALUES ({', '.join(f':{name}' for name in ACCOUNT_COLUMNS)})"
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
    names = columns(type(row))
    return dict(zip(names, map(row.__getattribute__, names), strict=True))


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
    """A row of the order book as a broker shows it.

    A protected market order stands as a limit order; a stop order keeps its type when it has been triggered,
    and an `SL-M` shows no price before.
    """
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
        status_text="TRIGGER PENDING" if row.waiting else row.status.upper(),
        placed_at=from_us(row.placed_us),
        updated_at=from_us(row.updated_us),
        price_paise=None if row.trigger_pending and row.order_type == OrderType.SL_M else row.limit_paise,
        trigger_paise=row.trigger_paise or None,
        message=row.message,
        trigger_pending=row.waiting,
        validity=Validity(row.validity),
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


def broker_holding(
    instrument: Instrument, parcels: Sequence[ParcelRow], today: str, blocked: int
) -> BrokerHolding:
    """A client's shares of one security and product in the contract's shape."""
    settled = sum(parcel.quantity for parcel in parcels if not parcel.bought_on)
    fresh = sum(parcel.quantity for parcel in parcels if parcel.bought_on == today)
    return BrokerHolding(
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        isin=instrument.isin,
        product=Product(parcels[0].product),
        free=settled,
        t1=sum(parcel.quantity for parcel in parcels) - settled - fresh,
        today=fresh,
        blocked=blocked,
        pledged=0,
        cost_paise=sum(parcel.cost_paise for parcel in parcels),
    )


INSTRUMENT_COLUMNS = columns(BrokerInstrument)
SELECT_LISTING = (
    f"SELECT {', '.join(INSTRUMENT_COLUMNS)}, last_paise, open_paise, high_paise, low_paise, volume,"
    " walks_as FROM listing"
)


def listings_of(rows: Iterable[tuple[Any, ...]]) -> dict[str, Listing]:
    """Rows of `SELECT_LISTING` by key."""
    count = len(INSTRUMENT_COLUMNS)
    found: dict[str, Listing] = {}
    for row in rows:
        facts = dict(zip(INSTRUMENT_COLUMNS, row[:count], strict=True))
        facts["fno"], facts["trade_to_trade"] = bool(facts["fno"]), bool(facts["trade_to_trade"])
        facts["token"] = str(facts["token"])
        instrument = BrokerInstrument(**facts)
        found[instrument.key] = Listing(instrument, *row[count:])
    return found
