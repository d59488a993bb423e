"""What the books say of a trading day, client by client; every figure as it was at the end of that day.

LastBalances and shares are those of now less what later trading days have moved, so that a day can be closed
after the next one was opened.
"""

from collections.abc import Collection, Mapping
from datetime import date

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, among, given, named_as
from data.repositories.history.flows import EarnedFlow, earned_until
from data.tables.books import Client, Funds, HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import LEFT, ClosedLotRecord, LotRecord
from data.tables.market import InstrumentRecord
from data.tables.orders import FillRecord, Order
from data.vocabulary import Account, Bucket, Product, Side, TransferKind


class TradedOrder(Struct, frozen=True):
    """What an order traded on the day; `charges_paise` is what was booked of it.

    One that `closes_external` ended a position which our books never had, so that it moved no share of ours.
    """

    client_id: int
    order_id: int
    security: str
    key: str
    product: Product
    side: Side
    closes_external: bool
    trades: int
    quantity: int
    notional_paise: int
    charges_paise: int


class SharesAtEnd(Struct, frozen=True):
    """A client's shares of a security and product at the end of the day, those sold out today among them."""

    client_id: int
    security: str
    key: str
    product: Product
    quantity: int
    cost_paise: int


class MovedShares(Struct, frozen=True):
    """By how much later days have changed a client's shares of a security and product, and their cost."""

    client_id: int
    security: str
    product: Product
    quantity: int
    cost_paise: int


class MovedMoney(Struct, frozen=True):
    """What a client's transfers moved on an account, in paise."""

    client_id: int
    account: Account
    amount_paise: int


class Adopted(Struct, frozen=True):
    """Shares that came to a client, or went, on the day by no trade, and their cost in paise."""

    client_id: int
    security: str
    quantity: int
    cost_paise: int


class Rerated(Struct, frozen=True):
    """What a close has booked of a client's charges of the day beyond what its fills were booked with."""

    client_id: int
    amount_paise: int


class Realised(Struct, frozen=True):
    """What a client's sales of the day brought against cost, in paise."""

    client_id: int
    amount_paise: int


class LeftDemat(Struct, frozen=True):
    """That shares of a security left a client's demat account on the day by its sales."""

    client_id: int
    security: str
    quantity: int


_FILLS, _ORDERS, _TXNS = table(FillRecord), table(Order), table(Txn)
_POSTINGS, _SHARES, _HELD, _FUNDS = table(Posting), table(SharePosting), table(HoldingRecord), table(Funds)
_CLOSED, _LOTS = table(ClosedLotRecord), table(LotRecord)
_QUANTITY = _HELD.c.today + _HELD.c.t1 + _HELD.c.free + _HELD.c.pledged + _HELD.c.due


def _whole(of: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(of), 0), BigInteger)


_TRADED = Query(
    TradedOrder,
    select(
        *named_as(
            TradedOrder,
            _ORDERS,
            order_id=_ORDERS.c.id,
            key=_ORDERS.c.exchange + ":" + _ORDERS.c.tradingsymbol,
            trades=_whole(case((_FILLS.c.quantity != 0, 1), else_=0)),
            quantity=_whole(_FILLS.c.quantity),
            notional_paise=_whole(_FILLS.c.quantity * _FILLS.c.price_paise),
            charges_paise=_whole(_FILLS.c.charges_paise),
        )
    )
    .join_from(_FILLS, _ORDERS, _ORDERS.c.id == _FILLS.c.order_id)
    .where(_FILLS.c.trading_date == given("day"), among(_FILLS.c.client_id, "clients"))
    .group_by(_FILLS.c.order_id, _ORDERS.c.id)
    .order_by(_FILLS.c.order_id),
)

_HELD_NOW = Query(
    SharesAtEnd,
    select(
        *named_as(
            SharesAtEnd,
            _HELD,
            key=_HELD.c.exchange + ":" + _HELD.c.tradingsymbol,
            quantity=_QUANTITY,
        )
    )
    .where(among(_HELD.c.client_id, "clients"))
    .order_by(_HELD.c.client_id, _HELD.c.tradingsymbol, _HELD.c.product),
)

_LATER = _TXNS.c.trading_date > given("day")
_MOVED_SINCE = Query(
    MovedShares,
    select(*named_as(MovedShares, _SHARES, quantity=_whole(_SHARES.c.quantity), cost_paise=literal(0)))
    .join_from(_TXNS, _SHARES, _SHARES.c.txn_id == _TXNS.c.id)
    .where(_LATER, among(_TXNS.c.client_id, "clients"), _SHARES.c.bucket != Bucket.OUTSIDE.value)
    .group_by(_SHARES.c.client_id, _SHARES.c.security, _SHARES.c.product),
)
_PRODUCT_OF = (
    select(func.min(_SHARES.c.product))
    .where(_SHARES.c.txn_id == _TXNS.c.id)
    .correlate(_TXNS)
    .scalar_subquery()
)
_COST_SINCE = Query(
    MovedShares,
    select(
        *named_as(
            MovedShares,
            _POSTINGS,
            product=_PRODUCT_OF,
            quantity=literal(0),
            cost_paise=_whole(_POSTINGS.c.amount_paise),
        )
    )
    .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
    .where(_LATER, among(_TXNS.c.client_id, "clients"), _POSTINGS.c.account == Account.STOCK_COST.value)
    .group_by(_POSTINGS.c.client_id, _POSTINGS.c.security, _PRODUCT_OF),
)


def _of_txns(*where: ColumnElement[bool]) -> Query[MovedMoney]:
    group = (_POSTINGS.c.client_id, _POSTINGS.c.account)
    return Query(
        MovedMoney,
        select(*group, _whole(_POSTINGS.c.amount_paise))
        .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
        .where(among(_TXNS.c.client_id, "clients"), *where)
        .group_by(*group),
    )


_ON_DAY = _TXNS.c.trading_date == given("day")
_CAME_WITH = _TXNS.c.kind == TransferKind.OPENING.value
_MONEY_OF_DAY, _MONEY_SINCE = _of_txns(_ON_DAY, ~_CAME_WITH), _of_txns(_LATER)

_BY_NO_TRADE = _TXNS.c.kind.in_([TransferKind.DAY_OPEN.value, TransferKind.ADOPT.value])
_ADOPTED = Query(
    Adopted,
    select(_SHARES.c.client_id, _SHARES.c.security, _whole(_SHARES.c.quantity), literal(0))
    .join_from(_TXNS, _SHARES, _SHARES.c.txn_id == _TXNS.c.id)
    .where(
        *(_ON_DAY, _BY_NO_TRADE),
        *(among(_TXNS.c.client_id, "clients"), _SHARES.c.bucket != Bucket.OUTSIDE.value),
    )
    .group_by(_SHARES.c.client_id, _SHARES.c.security),
)
_COST_ADOPTED = Query(
    Adopted,
    select(_POSTINGS.c.client_id, _POSTINGS.c.security, literal(0), _whole(_POSTINGS.c.amount_paise))
    .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
    .where(
        *(_ON_DAY, _BY_NO_TRADE),
        *(among(_TXNS.c.client_id, "clients"), _POSTINGS.c.account == Account.STOCK_COST.value),
    )
    .group_by(_POSTINGS.c.client_id, _POSTINGS.c.security),
)

_CONTRIBUTED = Query(
    MovedMoney,
    select(_POSTINGS.c.client_id, _POSTINGS.c.account, _whole(_POSTINGS.c.amount_paise))
    .where(among(_POSTINGS.c.client_id, "clients"), _POSTINGS.c.account == Account.EXTERNAL.value)
    .group_by(_POSTINGS.c.client_id, _POSTINGS.c.account),
)

_RERATED = Query(
    Rerated,
    select(_POSTINGS.c.client_id, _whole(_POSTINGS.c.amount_paise))
    .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
    .where(
        *(_ON_DAY, _TXNS.c.kind == TransferKind.RERATE.value),
        *(among(_TXNS.c.client_id, "clients"), _POSTINGS.c.account == Account.CHARGES.value),
    )
    .group_by(_POSTINGS.c.client_id),
)

_REALISED = Query(
    Realised,
    select(_CLOSED.c.client_id, _whole(_CLOSED.c.proceeds_paise - _CLOSED.c.cost_paise))
    .where(_CLOSED.c.trading_date == given("day"), among(_CLOSED.c.client_id, "clients"))
    .group_by(_CLOSED.c.client_id),
)

_LEFT_DEMAT = Query(
    LeftDemat,
    select(_SHARES.c.client_id, _SHARES.c.security, -_whole(_SHARES.c.quantity))
    .join_from(_TXNS, _SHARES, _SHARES.c.txn_id == _TXNS.c.id)
    .where(
        _TXNS.c.trading_date == given("day"),
        among(_TXNS.c.client_id, "clients"),
        _TXNS.c.kind.in_([TransferKind.FILL.value, TransferKind.REBOOK.value]),
        _SHARES.c.bucket.in_([Bucket.FREE.value, Bucket.PLEDGED.value]),
    )
    .group_by(_SHARES.c.client_id, _SHARES.c.security)
    .having(func.sum(_SHARES.c.quantity) < 0),
)


class LastBalances(Struct, frozen=True):
    """A client's balances of now, in paise; loans are positive."""

    client_id: int
    available_paise: int
    blocked_paise: int
    unsettled_paise: int
    charges_due_paise: int
    shortfall_paise: int
    mtf_loan_paise: int
    dividends_due_paise: int
    intraday_loan_paise: int


_LENT = (
    select(_whole(_LOTS.c.loan_left_paise))
    .where(and_(_LOTS.c.client_id == _FUNDS.c.client_id, _LOTS.c.product == Product.MIS.value, text(LEFT)))
    .correlate(_FUNDS)
    .scalar_subquery()
)


_BALANCES = Query(
    LastBalances,
    select(*named_as(LastBalances, _FUNDS, intraday_loan_paise=_LENT)).where(
        among(_FUNDS.c.client_id, "clients")
    ),
)


class BooksOfDay(Struct, frozen=True):
    """All that the books say of some clients' day, read in one transaction.

    What a client came with is not among what `of_day` moved.
    """

    traded: list[TradedOrder]
    held: list[SharesAtEnd]
    moved_since: list[MovedShares]
    balances: list[LastBalances]
    of_day: list[MovedMoney]
    since: list[MovedMoney]
    contributed: list[MovedMoney]
    adopted: list[Adopted]
    rerated: list[Rerated]
    realised: list[Realised]
    left_demat: list[LeftDemat]
    earned: list[EarnedFlow]


class _OfBroker(Struct, frozen=True):
    client_id: int
    broker: str


class _Gross(Struct, frozen=True):
    key: str


_CLIENTS, _INSTRUMENTS = table(Client), table(InstrumentRecord)
_TRADERS = Query(
    _OfBroker,
    select(_CLIENTS.c.id, _CLIENTS.c.broker)
    .join_from(_FILLS, _CLIENTS, _CLIENTS.c.id == _FILLS.c.client_id)
    .where(_FILLS.c.trading_date == given("day"))
    .distinct(),
)
_GROSS = Query(
    _Gross,
    select(_INSTRUMENTS.c.exchange + ":" + _INSTRUMENTS.c.tradingsymbol).where(_INSTRUMENTS.c.trade_to_trade),
)


class TradedDay(Struct, frozen=True):
    """What charges of a day follow from: brokers by client, what was traded, left the demat, was rerated."""

    brokers: Mapping[int, str]
    traded: list[TradedOrder]
    left_demat: list[LeftDemat]
    rerated: list[Rerated]
    gross: frozenset[str]
    """Keys of trade-to-trade securities."""


def traded_day(on: On, day: date) -> TradedDay:
    """That of every client who traded on a day."""
    brokers = {one.client_id: one.broker for one in _TRADERS.all(on, day=day)}
    of = {"day": day, "clients": list(brokers)}
    return TradedDay(
        brokers=brokers,
        traded=_TRADED.all(on, **of) if brokers else [],
        left_demat=_LEFT_DEMAT.all(on, **of) if brokers else [],
        rerated=_RERATED.all(on, **of) if brokers else [],
        gross=frozenset(one.key for one in _GROSS.all(on)) if brokers else frozenset(),
    )


async def books_of_day(reader: AsyncConnection, day: date, client_ids: Collection[int]) -> BooksOfDay:
    """What the books say of these clients' day. Raises `ValueError` where a stored day cannot be read."""
    on = {"day": day, "clients": client_ids}
    return BooksOfDay(
        traded=await _TRADED.read(reader, **on),
        held=await _HELD_NOW.read(reader, clients=client_ids),
        moved_since=[*await _MOVED_SINCE.read(reader, **on), *await _COST_SINCE.read(reader, **on)],
        balances=await _BALANCES.read(reader, clients=client_ids),
        of_day=await _MONEY_OF_DAY.read(reader, **on),
        since=await _MONEY_SINCE.read(reader, **on),
        contributed=await _CONTRIBUTED.read(reader, clients=client_ids),
        adopted=[*await _ADOPTED.read(reader, **on), *await _COST_ADOPTED.read(reader, **on)],
        rerated=await _RERATED.read(reader, **on),
        realised=await _REALISED.read(reader, **on),
        left_demat=await _LEFT_DEMAT.read(reader, **on),
        earned=await earned_until(reader, client_ids, day),
    )
