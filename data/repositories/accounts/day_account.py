"""A trading day of clients' accounts: their trades, what moved their cash, and what they had before it."""

from collections.abc import Collection
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.accounts.statement import CASH_SUM, LOAN_SUM, CashMove, cash_moves_where
from data.repositories.base import Query, among, given, named_as
from data.tables.books import Posting, Txn
from data.tables.columns import table
from data.tables.orders import FillRecord, Order
from data.vocabulary import Product, Side, TransferKind


class DayTrade(Struct, frozen=True):
    """A booked trade; one of no shares corrects the charges of another. Money in paise."""

    client_id: int
    order_id: int
    trade_id: str
    traded_at: datetime
    exchange: str
    tradingsymbol: str
    security: str
    side: Side
    product: Product
    quantity: int
    price_paise: int
    charges_paise: int


class BalanceBefore(Struct, frozen=True):
    """What a client had in cash and owed as loans as the day began, in paise; with what it came with."""

    client_id: int
    cash_paise: int
    loan_paise: int


_FILLS, _ORDERS = table(FillRecord), table(Order)
_POSTINGS, _TXNS = table(Posting), table(Txn)
_ORDER_NAMES = {name: _ORDERS.c[name] for name in ("tradingsymbol", "security", "side", "product")}

_TRADES = Query(
    DayTrade,
    select(*named_as(DayTrade, _FILLS, **_ORDER_NAMES))
    .join_from(_FILLS, _ORDERS, _ORDERS.c.id == _FILLS.c.order_id)
    .where(_FILLS.c.trading_date == given("day"), among(_FILLS.c.client_id, "clients"))
    .order_by(_FILLS.c.client_id, _FILLS.c.traded_at, _FILLS.c.id),
)

_MOVES = cash_moves_where(
    _TXNS.c.trading_date == given("day"),
    among(_TXNS.c.client_id, "clients"),
    _TXNS.c.kind != TransferKind.OPENING.value,
)

_BEFORE = Query(
    BalanceBefore,
    select(_POSTINGS.c.client_id, CASH_SUM, LOAN_SUM)
    .join_from(_POSTINGS, _TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
    .where(
        among(_POSTINGS.c.client_id, "clients"),
        (_TXNS.c.trading_date < given("day"))
        | ((_TXNS.c.trading_date == given("day")) & (_TXNS.c.kind == TransferKind.OPENING.value)),
    )
    .group_by(_POSTINGS.c.client_id),
)


class AccountRows(Struct, frozen=True):
    """What the books say of a day, read in one transaction."""

    trades: list[DayTrade]
    moves: list[CashMove]
    before: list[BalanceBefore]


async def account_rows(reader: AsyncConnection, day: date, client_ids: Collection[int]) -> AccountRows:
    """The day of these clients: trades in the market's order, moves as they were booked."""
    on = {"day": day, "clients": client_ids}
    return AccountRows(
        await _TRADES.read(reader, **on), await _MOVES.read(reader, **on), await _BEFORE.read(reader, **on)
    )
