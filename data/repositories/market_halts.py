"""Halts of the whole market as they are stored."""

from datetime import date, datetime
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import select, update

from data.repositories.base import Change, On, Rows, given, named_as
from data.repositories.readable import ReadableQuery
from data.tables.columns import table
from data.tables.market import MarketHaltRecord

T = TypeVar("T")


class NewMarketHalt(Struct, frozen=True):
    """A halt of the market as it begins; its times are those of the table."""

    number: int
    trading_date: date
    began_at: datetime
    until: datetime | None
    reopens_at: datetime | None
    move_bps: int
    index_key: str
    index_bps: int | None
    reason: str
    at: datetime
    by: str


_NEW = Rows(MarketHaltRecord, NewMarketHalt)
_HALTS = table(MarketHaltRecord)
_END = Change(
    update(_HALTS)
    .where(_HALTS.c.trading_date == given("day"), _HALTS.c.ended_at.is_(None))
    .values(ended_at=given("at"), ended_by=given("by"))
)


def add_market_halt(on: On, halt: NewMarketHalt) -> None:
    """Keep that the market is halted."""
    _NEW.insert(on, [halt])


def end_market_halts(on: On, day: date, at: datetime, by: str) -> int:
    """Keep that no halt of the market stands on a day any more; returns how many were not ended yet."""
    return _END.run(on, day=day, at=at, by=by)


def market_halts_of(row: type[T]) -> ReadableQuery[T]:
    """The halts of the market on a trading `day`, oldest first, as such rows."""
    of_day = select(*named_as(row, _HALTS)).where(_HALTS.c.trading_date == given("day"))
    return ReadableQuery(row, of_day.order_by(_HALTS.c.number))
