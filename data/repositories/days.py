"""What the change of the trading day reads and moves: what is due, and shares and proceeds on their way."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, update

from data.columns import table
from data.repositories.base import Change, On, Query, Rows, given
from data.tables import Client, Funds, Lot, Posting, SizingBase, Txn
from data.vocabulary import Account, Bucket, TransferKind


@dataclass(frozen=True, slots=True)
class Due:
    """A client's balances of which something is to be settled or collected, in paise."""

    client_id: int
    available_paise: int
    unsettled_paise: int
    charges_due_paise: int
    shortfall_paise: int


@dataclass(frozen=True, slots=True)
class _Bought:
    opened_on: date


@dataclass(frozen=True, slots=True)
class Moving:
    """Shares of a client that leave a bucket."""

    client_id: int
    security: str
    product: str
    bucket: Bucket
    quantity: int


@dataclass(frozen=True, slots=True)
class Proceeds:
    """What a client's sales of a trading day have brought and not settled when they were booked, in paise."""

    client_id: int
    traded_on: date
    amount_paise: int


@dataclass(frozen=True, slots=True)
class Capital:
    """A client's capital in paise."""

    client_id: int
    capital_paise: int


_DUE = Rows(Funds, Due)
_C = _DUE.c
_OPEN = _DUE.query((_C.unsettled_paise > 0) | (_C.charges_due_paise > 0) | (_C.shortfall_paise > 0))

_LOTS = table(Lot)
_ON_THE_WAY = _LOTS.c.bucket.in_([Bucket.TODAY.value, Bucket.T1.value])
_LEAVING = (_ON_THE_WAY, _LOTS.c.opened_on == given("opened_on"), _LOTS.c.bucket != given("after"))
_SHARE = (_LOTS.c.client_id, _LOTS.c.security, _LOTS.c.product, _LOTS.c.bucket)
_DAYS = Query(
    _Bought,
    select(_LOTS.c.opened_on).where(_ON_THE_WAY, _LOTS.c.opened_on < given("day")).distinct(),
)
_MOVING = Query(
    Moving,
    select(*_SHARE, func.sum(_LOTS.c.quantity_left)).where(*_LEAVING).group_by(*_SHARE),
)
_MOVE = Change(update(_LOTS).where(*_LEAVING).values(bucket=given("after")))

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


def balances_due(on: On) -> list[Due]:
    """Clients of whom something is to be settled or collected."""
    return _OPEN.all(on)


def days_on_the_way(on: On, day: date) -> list[date]:
    """The days before `day` on which shares were bought that are on their way."""
    return [one.opened_on for one in _DAYS.all(on, day=day)]


def shares_moving(on: On, opened_on: date, after: Bucket) -> list[Moving]:
    """Shares bought on a day that are on their way, in another bucket than `after`."""
    return _MOVING.all(on, opened_on=opened_on, after=after.value)


def move_lots(on: On, opened_on: date, after: Bucket) -> None:
    """Move the lots of those shares there."""
    _MOVE.run(on, opened_on=opened_on, after=after.value)


def proceeds_since(on: On, since: date) -> list[Proceeds]:
    """What sales have brought since a trading day, by client and day."""
    return _PROCEEDS.all(on, since=since)


def unsized_clients(on: On, day: date) -> list[Capital]:
    """Clients whose sizing base of a day is not frozen."""
    return _UNSIZED.all(on, day=day)
