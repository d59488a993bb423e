"""Trading days, and what their change reads and moves: what is due, shares and proceeds on their way."""

from collections.abc import Collection
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.engines.database import Database
from data.engines.driver import fetch
from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.books import Client, Funds, Posting, SizingBase, TradingDay, Txn
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.vocabulary import Account, Bucket, DayState, TransferKind


class OpenedDay(Struct, frozen=True):
    """A trading day whose books were opened, and how far they are with it."""

    day: date
    state: DayState
    opened_at: datetime | None


class Due(Struct, frozen=True):
    """A client's balances of which something is to be settled or collected, in paise."""

    client_id: int
    available_paise: int
    unsettled_paise: int
    charges_due_paise: int
    shortfall_paise: int


class Moving(Struct, frozen=True):
    """Shares of a client that were bought on a day and are on their way, in a bucket."""

    client_id: int
    security: str
    product: str
    bucket: Bucket
    opened_on: date
    quantity: int


class Proceeds(Struct, frozen=True):
    """What a client's sales of a trading day have brought and not settled when they were booked, in paise."""

    client_id: int
    traded_on: date
    amount_paise: int


class Capital(Struct, frozen=True):
    """A client's capital in paise."""

    client_id: int
    capital_paise: int


_OPENED = Rows(TradingDay, OpenedDay)
_DAY = _OPENED.c
_NEWEST = Query(OpenedDay, select(*_OPENED.columns()).order_by(_DAY.day.desc()).limit(1))
_END = Change(
    update(_OPENED.table)
    .where(_DAY.state == DayState.OPEN.value, _DAY.day < given("day"))
    .values(state=DayState.ENDED.value)
)

_DUE = Rows(Funds, Due)
_C = _DUE.c
_OPEN = _DUE.query((_C.unsettled_paise > 0) | (_C.charges_due_paise != 0) | (_C.shortfall_paise > 0))

_LOTS = table(LotRecord)
_ON_THE_WAY = _LOTS.c.bucket.in_([Bucket.TODAY.value, Bucket.T1.value])
_BEFORE = (_ON_THE_WAY, _LOTS.c.opened_on < given("day"))
_SHARE = (_LOTS.c.client_id, _LOTS.c.security, _LOTS.c.product, _LOTS.c.bucket, _LOTS.c.opened_on)
_MOVING = Query(
    Moving,
    select(*_SHARE, func.sum(_LOTS.c.quantity_left)).where(*_BEFORE).group_by(*_SHARE),
)
_SETTLED = among(_LOTS.c.opened_on, "settled")
_MOVE, _MOVE_OF = (
    Change(
        update(_LOTS)
        .where(*_BEFORE, _SETTLED | (_LOTS.c.bucket != Bucket.T1.value), *of)
        .values(bucket=case((_SETTLED, Bucket.FREE.value), else_=Bucket.T1.value))
    )
    for of in ((), (among(_LOTS.c.client_id, "clients"),))
)

_POSTINGS, _TXNS = table(Posting), table(Txn)
_PROCEEDS = Query(
    Proceeds,
    select(_POSTINGS.c.client_id, _TXNS.c.trading_date, func.sum(_POSTINGS.c.amount_paise))
    .join(_TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
    .where(
        _TXNS.c.trading_date >= given("since"),
        _TXNS.c.kind == TransferKind.FILL.value,
        _POSTINGS.c.account == Account.UNSETTLED.value,
    )
    .group_by(_POSTINGS.c.client_id, _TXNS.c.trading_date),
)

_CLIENTS, _BASES = table(Client), table(SizingBase)
_SIZED = select(_BASES.c.client_id).where(_BASES.c.trading_date == given("day"))
_UNSIZED = Query(Capital, select(_CLIENTS.c.id, _CLIENTS.c.capital_paise).where(_CLIENTS.c.id.not_in(_SIZED)))


def newest_day(on: On) -> OpenedDay | None:
    """The newest day that was opened; None in fresh books. Raises `ValueError` where it is no day."""
    return _NEWEST.first(on)


def newest_day_in(books: Database) -> date | None:
    """The same of books that no desk has open here; None where it is no day. Raises `DBAPIError`."""
    ((day,),) = books.read(lambda connection: fetch(connection, "SELECT max(day) FROM trading_day"))
    try:
        return day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError):
        return None


def keep_open_day(on: On, day: date, at: datetime) -> None:
    """Keep that a day was opened, and that those before it ended with that."""
    _END.run(on, day=day)
    _OPENED.insert(on, [OpenedDay(day, DayState.OPEN, at)])


def balances_due(on: On) -> list[Due]:
    """Clients of whom something is to be settled or collected."""
    return _OPEN.all(on)


def shares_on_the_way(on: On, day: date) -> list[Moving]:
    """Shares that were bought before `day` and are on their way."""
    return _MOVING.all(on, day=day)


def move_lots(on: On, day: date, settled: Collection[date], clients: Collection[int] | None) -> None:
    """Have lots of shares bought before `day` be free where those of their day have settled, else T1.

    Of these clients; None stands for all.
    """
    given_days = [one.isoformat() for one in settled]
    if clients is None:
        _MOVE.run(on, day=day, settled=given_days)
    else:
        _MOVE_OF.run(on, day=day, settled=given_days, clients=clients)


def proceeds_since(on: On, since: date) -> list[Proceeds]:
    """What sales have brought since a trading day, by client and day."""
    return _PROCEEDS.all(on, since=since)


def unsized_clients(on: On, day: date) -> list[Capital]:
    """Clients whose sizing base of a day is not frozen."""
    return _UNSIZED.all(on, day=day)


_OPENED_ON = _OPENED.query(_DAY.day == given("day"))


async def was_opened(reader: AsyncConnection, day: date) -> bool:
    """Whether a day's books were opened here."""
    return bool(await _OPENED_ON.read(reader, day=day))
