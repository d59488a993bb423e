"""Clients' days: those that were closed, those of before the books, their risk and what their runs cost."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, case, cast, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given, named_as
from data.repositories.close.stored import PositionAtClose, positions_from
from data.tables.close import ClientDayRecord
from data.tables.columns import table
from data.tables.figures import DispersionDay, EarlierDay, EarlierTrade, RiskDay
from data.vocabulary import Product, Side


class ClosedDay(Struct, frozen=True):
    """A client's day as it was closed: its portfolio, what came in, what it brought; in paise."""

    client_id: int
    day: date
    rev: int
    portfolio_value_paise: int
    flows_paise: int
    todays_pnl_paise: int
    earned_paise: int


class NetOfDay(NamedTuple):
    """What a day brought clients together, in paise, and what of it came by flows that were no capital."""

    day: date
    net_paise: int
    earned_paise: int


class DayNamed(NamedTuple):
    """A day."""

    day: date


class ClientAndDay(NamedTuple):
    """A day of a client of which something is kept."""

    client_id: int
    day: date


class _PositionsOfDay(Struct, frozen=True):
    """The positions of a client's closed day, as their column has them."""

    client_id: int
    day: date
    rev: int
    positions: list[Any]


class ToldDay(Struct, frozen=True):
    """A client's day of before the books as it was told, in paise."""

    client_id: int
    day: date
    portfolio_paise: int
    flow_paise: int
    net_pnl_paise: int


class StoredEarlierDay(ToldDay, frozen=True):
    """The same as it is kept: where it is from, when and by whom it was taken."""

    source: str
    imported_at: datetime
    imported_by: str


class ToldTrade(Struct, frozen=True):
    """A client's trade of before the books as it was told, in paise."""

    client_id: int
    day: date
    key: str
    side: Side
    product: Product
    quantity: int
    notional_paise: int
    charges_paise: int


class StoredEarlierTrade(ToldTrade, frozen=True):
    """The same as it is kept, under its number: where it is from, when and by whom it was taken."""

    id: int
    source: str
    imported_at: datetime
    imported_by: str


class StoredRisk(Struct, frozen=True):
    """A client's risk at a day's close, or with 0 the desk's; None is not known."""

    client_id: int
    day: date
    value_paise: int
    var95_paise: int | None
    var99_paise: int | None
    beta_bps: int | None
    held_pnl_paise: int | None


class CountedBreaches(Struct, frozen=True):
    """Days of a client that can be held against the value at risk of the close before, and that lost more."""

    client_id: int
    days: int
    at_95: int
    at_99: int


class StoredDispersion(Struct, frozen=True):
    """What a client's runs of a day cost beside their own averages, in paise."""

    client_id: int
    day: date
    runs: int
    late_runs: int
    notional_paise: int
    dispersion_paise: int
    unfilled_paise: int
    slippage_paise: int


def _counted(true: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((true, 1), else_=0)), 0), BigInteger)


_DAYS = table(ClientDayRecord)
_ORDER = (_DAYS.c.day, _DAYS.c.client_id, _DAYS.c.rev)
_CLOSED = Query(
    ClosedDay,
    select(*named_as(ClosedDay, _DAYS)).where(among(_DAYS.c.client_id, "clients")).order_by(*_ORDER),
)
_LATER = _DAYS.alias()
_SUPERSEDED = (
    select(_LATER.c.rev)
    .where(_LATER.c.client_id == _DAYS.c.client_id, _LATER.c.day == _DAYS.c.day, _LATER.c.rev > _DAYS.c.rev)
    .exists()
)
_SUM_OF_DAY = cast(func.sum(_DAYS.c.todays_pnl_paise), BigInteger).label("net_paise")
_EARNED_OF_DAY = cast(func.sum(_DAYS.c.earned_paise), BigInteger).label("earned_paise")
_NETS = Query(
    NetOfDay,
    select(_DAYS.c.day, _SUM_OF_DAY, _EARNED_OF_DAY)
    .where(among(_DAYS.c.client_id, "clients"))
    .group_by(_DAYS.c.day),
)
_REVISED = Query(DayNamed, select(_DAYS.c.day).distinct().where(_DAYS.c.rev > 1))
_NETS_SUPERSEDED = Query(
    NetOfDay,
    select(_DAYS.c.day, _SUM_OF_DAY, _EARNED_OF_DAY)
    .where(among(_DAYS.c.client_id, "clients"), among(_DAYS.c.day, "days"), _SUPERSEDED)
    .group_by(_DAYS.c.day),
)
_CLOSED_ON = Query(
    ClientAndDay,
    select(_DAYS.c.client_id, _DAYS.c.day)
    .distinct()
    .where(among(_DAYS.c.client_id, "clients"), among(_DAYS.c.day, "days")),
)
_POSITIONS = Query(
    _PositionsOfDay,
    select(*named_as(_PositionsOfDay, _DAYS))
    .where(among(_DAYS.c.client_id, "clients"), _DAYS.c.day == given("day"))
    .order_by(*_ORDER),
)
_EARLIER = Rows(EarlierDay, StoredEarlierDay)
_EARLIER_OF = _EARLIER.query(among(_EARLIER.c.client_id, "clients"), order_by=[_EARLIER.c.day])
_NOT_CLOSED = ~(
    select(_DAYS.c.rev)
    .where(_DAYS.c.client_id == _EARLIER.c.client_id, _DAYS.c.day == _EARLIER.c.day)
    .exists()
)
_EARLIER_NETS = Query(
    NetOfDay,
    select(
        _EARLIER.c.day,
        cast(func.sum(_EARLIER.c.net_pnl_paise), BigInteger).label("net_paise"),
        literal(0).label("earned_paise"),
    )
    .where(among(_EARLIER.c.client_id, "clients"), _NOT_CLOSED)
    .group_by(_EARLIER.c.day),
)
_EARLIER_ON = Query(
    ClientAndDay,
    select(_EARLIER.c.client_id, _EARLIER.c.day).where(
        among(_EARLIER.c.client_id, "clients"), among(_EARLIER.c.day, "days")
    ),
)
_DROP_EARLIER = Change(delete(_EARLIER.table).where(_EARLIER.c.client_id == given("client")))
_TRADES = Rows(EarlierTrade, StoredEarlierTrade)
_DROP_TRADES = Change(delete(_TRADES.table).where(_TRADES.c.client_id == given("client")))
_TRADES_OF = _TRADES.query(
    among(_TRADES.c.client_id, "clients"), order_by=[_TRADES.c.day, _TRADES.c.client_id, _TRADES.c.id]
)
_RISKS = Rows(RiskDay, StoredRisk)


def _one_before(of: ColumnElement[int]) -> ColumnElement[int]:
    """What a figure was at the same client's close before."""
    return func.lag(of).over(partition_by=_RISKS.c.client_id, order_by=_RISKS.c.day)


_BESIDE = (
    select(
        _RISKS.c.client_id,
        _RISKS.c.held_pnl_paise.label("held"),
        _one_before(_RISKS.c.var95_paise).label("at_95"),
        _one_before(_RISKS.c.var99_paise).label("at_99"),
    )
    .where(_RISKS.c.day >= given("since"), among(_RISKS.c.client_id, "clients"))
    .subquery()
)
_BREACHES = Query(
    CountedBreaches,
    select(
        _BESIDE.c.client_id,
        cast(func.count(), BigInteger).label("days"),
        _counted(-_BESIDE.c.held > _BESIDE.c.at_95).label("at_95"),
        _counted(-_BESIDE.c.held > _BESIDE.c.at_99).label("at_99"),
    )
    .where(_BESIDE.c.held.is_not(None), _BESIDE.c.at_95.is_not(None))
    .group_by(_BESIDE.c.client_id),
)
_DROP_RISKS = Change(delete(_RISKS.table).where(_RISKS.c.day == given("day")))
_DISPERSIONS = Rows(DispersionDay, StoredDispersion)
_DISPERSIONS_OF = _DISPERSIONS.query(
    _DISPERSIONS.c.day >= given("since"),
    _DISPERSIONS.c.day < given("before"),
    order_by=[_DISPERSIONS.c.day, _DISPERSIONS.c.client_id],
)
_DROP_DISPERSIONS = Change(delete(_DISPERSIONS.table).where(_DISPERSIONS.c.day == given("day")))


def nets_by_day(on: On, client_ids: Collection[int]) -> defaultdict[date, int]:
    """What each day brought these clients together: closed ones as they were closed last, else of before.

    What came by flows that were no capital is not in it, whether or not the day was closed with it.
    """
    found = defaultdict[date, int](int)
    for query in (_NETS, _EARLIER_NETS):
        for one in query.all(on, clients=client_ids):
            found[one.day] += one.net_paise - one.earned_paise
    if revised := [one.day for one in _REVISED.all(on)]:  # asked of few days: of each row it would cost most
        for one in _NETS_SUPERSEDED.all(on, clients=client_ids, days=revised):
            found[one.day] -= one.net_paise - one.earned_paise
    return found


def days_kept(on: On, client_ids: Collection[int], days: Collection[date]) -> set[ClientAndDay]:
    """Of which of these days something is kept of which of these clients."""
    told = {"clients": client_ids, "days": sorted(days)}
    return {*_CLOSED_ON.all(on, **told), *_EARLIER_ON.all(on, **told)} if days else set()


def closed_days(on: On, client_ids: Collection[int]) -> list[ClosedDay]:
    """Clients' closed days, oldest first; of several revisions of one the last alone."""
    rows = _CLOSED.all(on, clients=client_ids)
    return list({(one.day, one.client_id): one for one in rows}.values())


async def positions_of_day(
    reader: AsyncConnection, client_ids: Collection[int], day: date
) -> dict[int, tuple[PositionAtClose, ...]]:
    """The positions of clients at the close of a day, by client, by its last revision."""
    rows = {one.client_id: one for one in await _POSITIONS.read(reader, clients=client_ids, day=day)}
    return {client_id: positions_from(one.positions) for client_id, one in rows.items()}


def earlier_days(on: On, client_ids: Collection[int]) -> list[StoredEarlierDay]:
    """Clients' days of before the books, oldest first."""
    return _EARLIER_OF.all(on, clients=client_ids)


async def earlier_trades(reader: AsyncConnection, client_ids: Collection[int]) -> list[StoredEarlierTrade]:
    """Clients' trades of before the books, oldest first."""
    return await _TRADES_OF.read(reader, clients=client_ids)


def keep_earlier_days(on: On, days: Sequence[StoredEarlierDay]) -> None:
    """Keep clients' days of before the books, in place of all that was kept of these clients."""
    _DROP_EARLIER.run_many(on, [{"client": one} for one in sorted({one.client_id for one in days})])
    _EARLIER.insert(on, days)


def keep_earlier_trades(on: On, trades: Sequence[StoredEarlierTrade]) -> None:
    """Keep clients' trades of before the books, in place of all that was kept of these clients."""
    _DROP_TRADES.run_many(on, [{"client": one} for one in sorted({one.client_id for one in trades})])
    _TRADES.insert(on, trades)


async def counted_breaches(
    reader: AsyncConnection, client_ids: Collection[int], since: date
) -> dict[int, CountedBreaches]:
    """On how many days since one clients, and with 0 the desk, lost more than was at risk; by client."""
    rows = await _BREACHES.read(reader, clients=client_ids, since=since)
    return {one.client_id: one for one in rows}


def keep_risks(on: On, day: date, risks: Sequence[StoredRisk]) -> None:
    """Keep the risk at a day's close, in place of what was kept of that day."""
    _DROP_RISKS.run(on, day=day)
    _RISKS.insert(on, risks)


async def stored_dispersions(reader: AsyncConnection, since: date, before: date) -> list[StoredDispersion]:
    """What runs of closed days cost clients, from a day on and before another."""
    return await _DISPERSIONS_OF.read(reader, since=since, before=before)


def keep_dispersions(on: On, day: date, costs: Sequence[StoredDispersion]) -> None:
    """Keep what a day's runs cost clients, in place of what was kept of that day."""
    _DROP_DISPERSIONS.run(on, day=day)
    _DISPERSIONS.insert(on, costs)
