"""What a comparison with a broker reads of a client's books, and what is kept of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.tables.books import Comparison, DayOpen, Funds, HoldingRecord
from data.tables.columns import table
from data.tables.orders import Order
from data.vocabulary import OrderState, Product


class Figures(Struct, frozen=True):
    """A client's balances that a broker has too, in paise."""

    client_id: int
    available_paise: int
    blocked_paise: int
    charges_due_paise: int
    mtf_loan_paise: int
    shortfall_paise: int
    dividends_due_paise: int


class Shares(Struct, frozen=True):
    """A client's shares of one security and product, and what they have cost in paise."""

    client_id: int
    security: str
    product: str
    exchange: str
    tradingsymbol: str
    today: int
    t1: int
    free: int
    pledged: int
    cost_paise: int
    due: int = 0

    @property
    def quantity(self) -> int:
        """All that the broker has too: not those that are due."""
        return self.today + self.t1 + self.free + self.pledged


_FIGURES, _SHARES = Rows(Funds, Figures), Rows(HoldingRecord, Shares)
_FIGURES_OF = _FIGURES.query(among(_FIGURES.c.client_id, "clients"))
_SHARES_OF = _SHARES.query(among(_SHARES.c.client_id, "clients"))


def figures_of(on: On, client_ids: Collection[int]) -> dict[int, Figures]:
    """These clients' balances, by client."""
    return {one.client_id: one for one in _FIGURES_OF.all(on, clients=sorted(client_ids))}


def shares_of(on: On, client_ids: Collection[int]) -> dict[int, list[Shares]]:
    """All that these clients hold or held, by client."""
    found: defaultdict[int, list[Shares]] = defaultdict(list)
    for one in _SHARES_OF.all(on, clients=sorted(client_ids)):
        found[one.client_id].append(one)
    return found


# --- orders that speak against a comparison -----------------------------------------------------------------

_ORDERS = table(Order)
_MAY_BLOCK = (OrderState.RESERVED, OrderState.SENDING, OrderState.OPEN, OrderState.UNKNOWN)


class Moved(Struct, frozen=True):
    """When an order of a client that is, or was, at the broker last changed."""

    client_id: int
    at: datetime


def _clients(*where: ColumnElement[bool]) -> Query[int]:
    these = among(_ORDERS.c.client_id, "clients")
    return Query(int, select(_ORDERS.c.client_id).where(these, *where).distinct())


_DOUBTFUL = _clients(_ORDERS.c.state.in_([OrderState.SENDING.value, OrderState.UNKNOWN.value]))
_MOVED = Query(
    Moved,
    select(_ORDERS.c.client_id, _ORDERS.c.updated_at).where(
        among(_ORDERS.c.client_id, "clients"),
        _ORDERS.c.trading_date >= given("day"),
        _ORDERS.c.updated_at > given("since"),
        _ORDERS.c.sent_at.is_not(None) | _ORDERS.c.run_number.is_(None),
    ),
)
_BLOCKING = _clients(_ORDERS.c.state.in_([state.value for state in _MAY_BLOCK]), _ORDERS.c.blocked_paise > 0)
_TRADED_ON_MARGIN = _clients(
    _ORDERS.c.product == Product.MTF.value,
    _ORDERS.c.trading_date == given("day"),
    _ORDERS.c.filled_quantity > 0,
)


def moving(on: On, since: Mapping[int, datetime], day: date) -> set[int]:
    """Those of these clients of whom an order's fate is not known, or one has changed since their moment."""
    if not since:
        return set()
    values = {"clients": sorted(since)}
    found = set(_DOUBTFUL.all(on, **values))
    for one in _MOVED.all(on, **values, day=day, since=min(since.values())):
        if one.at > since[one.client_id]:
            found.add(one.client_id)
    return found


def with_open_buys(on: On, client_ids: Collection[int]) -> set[int]:
    """Those of these clients whose orders block money now."""
    return set(_BLOCKING.all(on, clients=sorted(client_ids)))


def traded_on_margin(on: On, client_ids: Collection[int], day: date) -> set[int]:
    """Those of these clients who have bought or sold by the margin trading facility on a day."""
    return set(_TRADED_ON_MARGIN.all(on, clients=sorted(client_ids), day=day))


# --- what is kept of it -------------------------------------------------------------------------------------


class DayOpening(Struct, frozen=True):
    """A client's first comparison of a trading day, and what of it was adopted."""

    client_id: int
    trading_date: date
    at: datetime
    cash_difference_paise: int
    share_differences: int


class LastComparison(Struct, frozen=True):
    """When a client was compared last, and by which engine."""

    client_id: int
    instance_id: int
    trading_date: date
    at: datetime


_OPENINGS, _LAST = Rows(DayOpen, DayOpening), Rows(Comparison, LastComparison)
_OPENED = _OPENINGS.query(among(_OPENINGS.c.client_id, "clients"), _OPENINGS.c.trading_date == given("day"))
_LAST_OF = _LAST.query(among(_LAST.c.client_id, "clients"))
_BY_OTHERS = _LAST.query(
    _LAST.c.trading_date == given("day"), _LAST.c.at > given("since"), _LAST.c.instance_id != given("own")
)


def opened(on: On, client_ids: Collection[int], day: date) -> set[int]:
    """Those of these clients who were compared on a trading day already."""
    return {one.client_id for one in _OPENED.all(on, clients=sorted(client_ids), day=day)}


def keep_openings(on: On, openings: Sequence[DayOpening]) -> None:
    """Keep clients' first comparisons of a day."""
    if openings:
        _OPENINGS.insert(on, openings)


def keep_comparisons(on: On, last: Sequence[LastComparison]) -> None:
    """Keep when clients were compared, in place of the times before."""
    known = {one.client_id for one in _LAST_OF.all(on, clients=[one.client_id for one in last])}
    if again := [one for one in last if one.client_id in known]:
        _LAST.save(on, again, "instance_id", "trading_date", "at")
    if fresh := [one for one in last if one.client_id not in known]:
        _LAST.insert(on, fresh)


def last_comparisons(on: On, client_ids: Collection[int]) -> list[LastComparison]:
    """When each of these clients was compared last, of those who ever were."""
    return _LAST_OF.all(on, clients=sorted(client_ids))


async def compared_by_others(
    reader: AsyncConnection, day: date, since: datetime, own: int
) -> list[LastComparison]:
    """What other engines have compared on a day since a moment."""
    return await _BY_OTHERS.read(reader, day=day, since=since, own=own)
