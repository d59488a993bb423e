"""What a client's money did, transfer by transfer, and what its shares have brought and still carry."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Integer, case, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, given, named_as
from data.tables.books import HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import LEFT, ClosedLotRecord, LotRecord
from data.tables.orders import Order
from data.vocabulary import Account, Bucket, Product, Side, TransferKind

CASH = (Account.AVAILABLE, Account.BLOCKED, Account.UNSETTLED, Account.CHARGES_DUE, Account.SHORTFALL)
"""What a client has with its broker but for shares, less what it owes for charges and losses."""

LOANS = (Account.MTF_LOAN, Account.INTRADAY_LOAN)
"""What is lent on its shares."""


class CashMove(Struct, frozen=True):
    """A transfer that changed a client's cash or loans, in paise; `quantity` are its shares, with a sign."""

    id: int
    kind: TransferKind
    trading_date: date
    at: datetime
    order_id: int | None
    evidence: str
    side: Side | None
    tradingsymbol: str | None
    cash_paise: int
    loan_paise: int
    quantity: int


class OpenLot(Struct, frozen=True):
    """What is left of shares bought together; money in paise. The key is that of now."""

    id: int
    security: str
    key: str
    tradingsymbol: str
    product: Product
    bucket: Bucket
    opened_on: date
    quantity: int
    cost_paise: int
    loan_paise: int
    charges_paise: int


class Earned(Struct, frozen=True):
    """What a client's sales have brought, charges taken off, and the charges of shares that it still has."""

    realised_net_paise: int = 0
    open_charges_paise: int = 0


_TXNS, _POSTINGS, _SHARES, _ORDERS = table(Txn), table(Posting), table(SharePosting), table(Order)
_LOTS, _CLOSED, _HELD = table(LotRecord), table(ClosedLotRecord), table(HoldingRecord)


def _sum_of(accounts: tuple[Account, ...]) -> ColumnElement[int]:
    inside = _POSTINGS.c.account.in_([account.value for account in accounts])
    return cast(func.sum(case((inside, _POSTINGS.c.amount_paise), else_=0)), Integer)


def _moves() -> Query[CashMove]:
    shares = (
        select(func.coalesce(func.sum(_SHARES.c.quantity), 0))
        .where(_SHARES.c.txn_id == _TXNS.c.id, _SHARES.c.bucket != Bucket.OUTSIDE.value)
        .correlate(_TXNS)
        .scalar_subquery()
    )
    made: dict[str, ColumnElement[Any]] = {
        "side": _ORDERS.c.side,
        "tradingsymbol": _ORDERS.c.tradingsymbol,
        "cash_paise": _sum_of(CASH),
        "loan_paise": -_sum_of(LOANS),
        "quantity": cast(shares, Integer),
    }
    query = (
        select(*named_as(CashMove, _TXNS, **made))
        .join_from(_POSTINGS, _TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
        .outerjoin(_ORDERS, _ORDERS.c.id == _TXNS.c.order_id)
        .where(_POSTINGS.c.client_id == given("client"))
        .group_by(_TXNS.c.id)
        .having((_sum_of(CASH) != 0) | (_sum_of(LOANS) != 0))
        .order_by(_TXNS.c.id)
    )
    return Query(CashMove, query)


_MOVES = _moves()

_OPEN_LOTS = Query(
    OpenLot,
    select(
        *named_as(
            OpenLot,
            _LOTS,
            key=_HELD.c.exchange + ":" + _HELD.c.tradingsymbol,
            tradingsymbol=_HELD.c.tradingsymbol,
            quantity=_LOTS.c.quantity_left,
            cost_paise=_LOTS.c.cost_left_paise,
            loan_paise=_LOTS.c.loan_left_paise,
            charges_paise=_LOTS.c.charges_left_paise,
        )
    )
    .join_from(
        _LOTS,
        _HELD,
        (_HELD.c.client_id == _LOTS.c.client_id)
        & (_HELD.c.security == _LOTS.c.security)
        & (_HELD.c.product == _LOTS.c.product),
    )
    .where(_LOTS.c.client_id == given("client"), text(LEFT))
    .order_by(_HELD.c.tradingsymbol, _LOTS.c.product, _LOTS.c.opened_on, _LOTS.c.id),
)


def _total(of: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(of), 0), Integer)


_NET = _CLOSED.c.proceeds_paise - _CLOSED.c.cost_paise - _CLOSED.c.charges_paise
_REALISED = Query(int, select(_total(_NET)).where(_CLOSED.c.client_id == given("client")))
_CHARGES_LEFT = Query(
    int, select(_total(_LOTS.c.charges_left_paise)).where(_LOTS.c.client_id == given("client"), text(LEFT))
)


async def cash_moves(reader: AsyncConnection, client_id: int) -> list[CashMove]:
    """Every transfer that changed a client's cash or loans, oldest first."""
    return await _MOVES.read(reader, client=client_id)


async def open_lots(reader: AsyncConnection, client_id: int) -> list[OpenLot]:
    """The lots of which a client has something left, by symbol and day."""
    return await _OPEN_LOTS.read(reader, client=client_id)


def lots_left(on: On, client_id: int) -> list[OpenLot]:
    """As `open_lots`, at once."""
    return _OPEN_LOTS.all(on, client=client_id)


async def earned(reader: AsyncConnection, client_id: int) -> Earned:
    """What a client's sales have brought, and the charges of what it still has."""
    (realised,) = await _REALISED.read(reader, client=client_id)
    (charges,) = await _CHARGES_LEFT.read(reader, client=client_id)
    return Earned(realised, charges)
