"""Booked trades, lots and what sales took of them, as they are stored."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import BigInteger, ColumnElement, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from data.closed_sales import ClosedSale, NotedDay
from data.repositories.base import On, Query, Rows, among, given, named_as
from data.tables.books import Posting, Txn
from data.tables.columns import table
from data.tables.lots import LEFT, ClosedLotRecord, LotRecord
from data.tables.orders import FillRecord, Order
from data.vocabulary import Account, Side, TransferKind
from data.writing.unit import Unit

Row = TypeVar("Row")

TradeKey: TypeAlias = tuple[int, str, date, str, str]
"""What names one trade: client, exchange, day, the exchange's number and the broker's order."""

_ORDERS, _FILLS, _LOTS, _CLOSED = table(Order), table(FillRecord), table(LotRecord), table(ClosedLotRecord)
_TXNS, _POSTINGS = table(Txn), table(Posting)


class Fills(Generic[Row]):
    """Booked trades as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        rows = self._rows = Rows(FillRecord, row)
        self._sales = Query(
            row,
            select(*rows.columns())
            .join(_ORDERS, _ORDERS.c.id == rows.c.order_id)
            .where(
                rows.c.trading_date == given("day"),
                rows.c.client_id == given("client"),
                _ORDERS.c.security == given("security"),
                _ORDERS.c.product == given("product"),
                _ORDERS.c.side == Side.SELL.value,
                _ORDERS.c.closes_external.is_(False),
            )
            .order_by(rows.c.id),
        )

    def sales(self, on: On, client_id: int, security: str, product: str, day: date) -> list[Row]:
        """A day's sales of shares that the books had, and the corrections of their charges, by number."""
        return self._sales.all(on, client=client_id, security=security, product=product, day=day)

    def insert(self, unit: Unit, fills: Sequence[Row]) -> None:
        """Write trades as booked."""
        self._rows.insert(unit, fills)


_KNOWN = Query(
    lambda *cells: cells,
    select(
        _FILLS.c.client_id,
        _FILLS.c.exchange,
        _FILLS.c.trading_date,
        _FILLS.c.trade_id,
        _FILLS.c.broker_order_id,
        _FILLS.c.quantity,
        _FILLS.c.price_paise,
    ).where(among(_FILLS.c.order_id, "ids")),
)


def known_trades(on: On, order_ids: Collection[int]) -> dict[TradeKey, tuple[int, int]]:
    """The booked trades of these orders, with their shares and price."""
    return {row[:5]: row[5:] for row in _KNOWN.all(on, ids=order_ids)} if order_ids else {}


class Lots(Generic[Row]):
    """Lots as objects of one class, whose last two fields are time and number of the trade that bought it.

    Both are None for a lot of no trade of ours.
    """

    def __init__(self, row: type[Row]) -> None:
        rows = self._rows = Rows(LotRecord, row, joined=("traded_at", "trade_id"))
        c = rows.c
        stored = select(*rows.columns(), _FILLS.c.traded_at, _FILLS.c.trade_id).outerjoin(
            _FILLS, _FILLS.c.id == c.fill_id
        )
        left = stored.where(among(c.client_id, "clients"), text(LEFT))
        self._left = Query(row, left.order_by(c.opened_on, c.id))
        self._by_id = Query(row, stored.where(among(c.id, "ids")))
        self._of_share = Query(
            row,
            stored.where(
                c.client_id == given("client"), c.security == given("security"), c.product == given("product")
            ),
        )

    def left(self, on: On, client_ids: Collection[int]) -> list[Row]:
        """The lots of these clients that have shares left, as they were opened."""
        return self._left.all(on, clients=client_ids) if client_ids else []

    def by_id(self, on: On, ids: Collection[int]) -> list[Row]:
        """These lots, sold out or not."""
        return self._by_id.all(on, ids=ids) if ids else []

    def of_share(self, on: On, client_id: int, security: str, product: str) -> list[Row]:
        """All lots of a client's shares, sold out or not."""
        return self._of_share.all(on, client=client_id, security=security, product=product)

    def insert(self, unit: Unit, lots: Sequence[Row]) -> None:
        """Write lots that were opened."""
        self._rows.insert(unit, lots)

    def save(self, unit: Unit, lots: Sequence[Row]) -> None:
        """Write back what is left of lots."""
        names = ("quantity_left", "cost_left_paise", "loan_left_paise", "charges_left_paise")
        self._rows.save(unit, lots, *names)


class ClosedLots(Generic[Row]):
    """Parts of lots that sales closed, as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        self._rows = Rows(ClosedLotRecord, row)

    def insert(self, unit: Unit, closed: Sequence[Row]) -> None:
        """Write what sales closed, and what takes that back."""
        self._rows.insert(unit, closed)


class Closed(NamedTuple):
    """What a sale has closed of one lot, all of it together; money in paise."""

    lot_id: int
    opened_on: date
    quantity: int
    cost_paise: int
    proceeds_paise: int
    charges_paise: int
    lot_charges_paise: int
    loan_paise: int


_CLOSED_BY = Query(
    Closed,
    select(
        _CLOSED.c.lot_id,
        _CLOSED.c.opened_on,
        *(func.sum(_CLOSED.c[name]) for name in Closed._fields[2:]),
    )
    .where(_CLOSED.c.fill_id == given("fill"))
    .group_by(_CLOSED.c.lot_id, _CLOSED.c.opened_on)
    .having(func.sum(_CLOSED.c.quantity) != 0),
)


def closed_by(on: On, fill_id: int) -> list[Closed]:
    """What a sale has closed and still stands, by lot."""
    return _CLOSED_BY.all(on, fill=fill_id)


_TAKEN = Query(
    lambda *cells: cells,
    select(_CLOSED.c.fill_id, _CLOSED.c.lot_id, func.sum(_CLOSED.c.quantity))
    .where(among(_CLOSED.c.fill_id, "ids"))
    .group_by(_CLOSED.c.fill_id, _CLOSED.c.lot_id)
    .having(func.sum(_CLOSED.c.quantity) != 0),
)


def taken(on: On, fill_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Shares that these sales have taken, by sale and lot."""
    return {(row[0], row[1]): int(row[2]) for row in _TAKEN.all(on, ids=fill_ids)} if fill_ids else {}


# --- every sale ---------------------------------------------------------------------------------------------


def _sales(*where: ColumnElement[bool]) -> Query[ClosedSale]:
    query = select(*named_as(ClosedSale, _CLOSED, order_id=_FILLS.c.order_id))
    joined = query.join_from(_CLOSED, _FILLS, _FILLS.c.id == _CLOSED.c.fill_id)
    return Query(ClosedSale, joined.where(*where).order_by(_CLOSED.c.id))


def _noted_days(*where: ColumnElement[bool]) -> Query[NotedDay]:
    booked = (
        select(func.coalesce(func.sum(_FILLS.c.charges_paise), 0))
        .where(_FILLS.c.client_id == _TXNS.c.client_id, _FILLS.c.trading_date == _TXNS.c.trading_date)
        .correlate(_TXNS)
        .scalar_subquery()
    )
    query = (
        select(
            _TXNS.c.client_id,
            _TXNS.c.trading_date,
            cast(booked, BigInteger),
            cast(func.sum(_POSTINGS.c.amount_paise), BigInteger),
        )
        .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
        .where(
            _TXNS.c.kind.in_([TransferKind.RERATE.value, TransferKind.NOTE.value]),
            _POSTINGS.c.account == Account.CHARGES.value,
            *where,
        )
        .group_by(_TXNS.c.client_id, _TXNS.c.trading_date)
    )
    return Query(NotedDay, query)


EVERY_NOTED_DAY, NOTED_DAYS_OF_CLIENT = _noted_days(), _noted_days(_TXNS.c.client_id == given("client"))
EVERY_SALE, SALES_OF_CLIENT = _sales(), _sales(_CLOSED.c.client_id == given("client"))


async def closed_sales(reader: AsyncConnection, client_id: int | None = None) -> list[ClosedSale]:
    """Sales of one client, of all where None is named, in the order they were booked."""
    if client_id is None:
        return await EVERY_SALE.read(reader)
    return await SALES_OF_CLIENT.read(reader, client=client_id)


async def noted_days(reader: AsyncConnection, client_id: int | None = None) -> list[NotedDay]:
    """The days of one client, or of all, that their contract notes charge otherwise than their fills were."""
    if client_id is None:
        return await EVERY_NOTED_DAY.read(reader)
    return await NOTED_DAYS_OF_CLIENT.read(reader, client=client_id)
