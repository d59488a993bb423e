"""What the income tax asks of the books: every trade, and the shares that came or left without one."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Query, among, given, named_as
from data.tables.books import Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.orders import FillRecord, Order
from data.vocabulary import Account, Bucket, Product, Side, TransferKind


class BookedFill(Struct, frozen=True):
    """A booked trade with its order's names; one of no shares corrects the charges of another. In paise."""

    client_id: int
    security: str
    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    broker: str
    order_id: int
    trading_date: date
    traded_at: datetime
    trade_id: str
    quantity: int
    price_paise: int
    charges_paise: int


class SharesMoved(Struct, frozen=True):
    """Shares of one security that a transfer brought a client, or took where negative; cost in paise."""

    client_id: int
    security: str
    product: Product
    kind: TransferKind
    evidence: str
    trading_date: date
    quantity: int
    cost_paise: int


_FILLS, _ORDERS, _TXNS = table(FillRecord), table(Order), table(Txn)
_POSTINGS, _SHARES = table(Posting), table(SharePosting)

_NAMED = {name: _ORDERS.c[name] for name in ("security", "tradingsymbol", "side", "product", "broker")}

_TRADES = Query(
    BookedFill,
    select(*named_as(BookedFill, _FILLS, **_NAMED))
    .join_from(_FILLS, _ORDERS, _ORDERS.c.id == _FILLS.c.order_id)
    .where(among(_FILLS.c.client_id, "clients"), _FILLS.c.trading_date <= given("until"))
    .order_by(_FILLS.c.id),
)


def _moved() -> Query[SharesMoved]:
    cost = (
        select(func.coalesce(func.sum(_POSTINGS.c.amount_paise), 0))
        .where(
            _POSTINGS.c.txn_id == _TXNS.c.id,
            _POSTINGS.c.security == _SHARES.c.security,
            _POSTINGS.c.account == Account.STOCK_COST.value,
        )
        .correlate(_TXNS, _SHARES)
        .scalar_subquery()
    )
    made: dict[str, ColumnElement[Any]] = {
        "security": _SHARES.c.security,
        "product": _SHARES.c.product,
        "quantity": cast(-func.sum(_SHARES.c.quantity), BigInteger),
        "cost_paise": cast(cost, BigInteger),
    }
    kinds = (TransferKind.OPENING.value, TransferKind.DAY_OPEN.value, TransferKind.ADOPT.value)
    query = (
        select(*named_as(SharesMoved, _TXNS, **made))
        .join_from(_SHARES, _TXNS, _TXNS.c.id == _SHARES.c.txn_id)
        .where(
            among(_SHARES.c.client_id, "clients"),
            _SHARES.c.bucket == Bucket.OUTSIDE.value,
            _TXNS.c.kind.in_(kinds),
            _TXNS.c.trading_date <= given("until"),
        )
        .group_by(_TXNS.c.id, _SHARES.c.security, _SHARES.c.product)
        .order_by(_TXNS.c.id)
    )
    return Query(SharesMoved, query)


_MOVED = _moved()


class DayCharges(Struct, frozen=True):
    """What a client's day was charged beyond its fills, in paise: by its contract note, then or later."""

    client_id: int
    trading_date: date
    paise: int


_BEYOND_FILLS = Query(
    DayCharges,
    select(_TXNS.c.client_id, _TXNS.c.trading_date, cast(func.sum(_POSTINGS.c.amount_paise), BigInteger))
    .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
    .where(
        among(_TXNS.c.client_id, "clients"),
        _TXNS.c.kind.in_([TransferKind.RERATE.value, TransferKind.NOTE.value]),
        _TXNS.c.trading_date <= given("until"),
        _POSTINGS.c.account == Account.CHARGES.value,
    )
    .group_by(_TXNS.c.client_id, _TXNS.c.trading_date),
)


async def charges_beyond_fills(
    reader: AsyncConnection, client_ids: Collection[int], until: date
) -> list[DayCharges]:
    """By how much notes of these clients' days up to one differ from what their fills were charged."""
    return await _BEYOND_FILLS.read(reader, clients=client_ids, until=until)


async def booked_fills(reader: AsyncConnection, client_ids: Collection[int], until: date) -> list[BookedFill]:
    """Every trade of these clients up to a day, in the order they were booked."""
    return await _TRADES.read(reader, clients=client_ids, until=until)


async def shares_moved(
    reader: AsyncConnection, client_ids: Collection[int], until: date
) -> list[SharesMoved]:
    """The shares that these clients came with, and those that were adopted, up to a day."""
    return await _MOVED.read(reader, clients=client_ids, until=until)
