"""What a client's money did, transfer by transfer, and what its shares have brought and still carry."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, case, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.accounts.named_lots import HELD, LOTS, lots_as
from data.repositories.base import On, Query, given, named_as
from data.repositories.history.flows import earned_until
from data.tables.books import Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import LEFT
from data.tables.orders import Order
from data.vocabulary import Account, Bucket, Product, Side, TransferKind

CASH = (
    Account.AVAILABLE,
    Account.BLOCKED,
    Account.UNSETTLED,
    Account.CHARGES_DUE,
    Account.SHORTFALL,
    Account.DIVIDENDS_DUE,
)
"""What a client has with its broker but for shares, less what it owes for charges and losses."""

LOANS = (Account.MTF_LOAN, Account.INTRADAY_LOAN)
"""What is lent on its shares."""


class CashMove(Struct, frozen=True):
    """A transfer that changed a client's cash or loans, in paise; `quantity` are its shares, with a sign."""

    id: int
    client_id: int
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


class Contributed(Struct, frozen=True):
    """What a client came with and paid in since, less what it took out, and the charges of its shares."""

    paise: int = 0
    open_charges_paise: int = 0


_TXNS, _POSTINGS, _SHARES, _ORDERS = table(Txn), table(Posting), table(SharePosting), table(Order)


def _sum_of(accounts: tuple[Account, ...]) -> ColumnElement[int]:
    inside = _POSTINGS.c.account.in_([account.value for account in accounts])
    return cast(func.sum(case((inside, _POSTINGS.c.amount_paise), else_=0)), BigInteger)


CASH_SUM, LOAN_SUM = _sum_of(CASH), -_sum_of(LOANS)
"""What postings come to in cash and in loans, in paise."""


def cash_moves_where(*where: ColumnElement[bool]) -> Query[CashMove]:
    """The transfers that changed cash or loans and meet all of these conditions, oldest first."""
    shares = (
        select(func.coalesce(func.sum(_SHARES.c.quantity), 0))
        .where(_SHARES.c.txn_id == _TXNS.c.id, _SHARES.c.bucket != Bucket.OUTSIDE.value)
        .correlate(_TXNS)
        .scalar_subquery()
    )
    made: dict[str, ColumnElement[Any]] = {
        "side": _ORDERS.c.side,
        "tradingsymbol": _ORDERS.c.tradingsymbol,
        "cash_paise": CASH_SUM,
        "loan_paise": LOAN_SUM,
        "quantity": cast(shares, BigInteger),
    }
    query = (
        select(*named_as(CashMove, _TXNS, **made))
        .join_from(_POSTINGS, _TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
        .outerjoin(_ORDERS, _ORDERS.c.id == _TXNS.c.order_id)
        .where(*where)
        .group_by(_TXNS.c.id, _ORDERS.c.id)
        .having((CASH_SUM != 0) | (LOAN_SUM != 0))
        .order_by(_TXNS.c.id)
    )
    return Query(CashMove, query)


_MOVES = cash_moves_where(_POSTINGS.c.client_id == given("client"))

_OPEN_LOTS = Query(
    OpenLot,
    lots_as(OpenLot, charges_paise=LOTS.c.charges_left_paise)
    .where(LOTS.c.client_id == given("client"), text(LEFT))
    .order_by(HELD.c.tradingsymbol, LOTS.c.product, LOTS.c.opened_on, LOTS.c.id),
)


def _total(of: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(of), 0), BigInteger)


_CAME = Query(
    int,
    select(-_total(_POSTINGS.c.amount_paise)).where(
        _POSTINGS.c.client_id == given("client"), _POSTINGS.c.account == Account.EXTERNAL.value
    ),
)
_CHARGES_LEFT = Query(
    int, select(_total(LOTS.c.charges_left_paise)).where(LOTS.c.client_id == given("client"), text(LEFT))
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


async def contributed(reader: AsyncConnection, client_id: int) -> Contributed:
    """What a client brought less what it took, shares at their cost, and the charges of what it has.

    What came by no trade and was no capital, as people say, is none of it.
    """
    (came,) = await _CAME.read(reader, client=client_id)
    came -= sum(one.amount_paise for one in await earned_until(reader, [client_id], date.max))
    (charges,) = await _CHARGES_LEFT.read(reader, client=client_id)
    return Contributed(came, charges)
