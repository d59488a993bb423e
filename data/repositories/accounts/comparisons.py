"""What a comparison with a broker reads of a client's books, and what is kept of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, literal, null, select, union_all
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


class _OrderSays(Struct, frozen=True):
    """One thing that an order says of its client; `at` is when it last changed, where that counts."""

    client_id: int
    what: str
    at: datetime | None


_DOUBTFUL, _MOVED, _BLOCKING, _ON_MARGIN = "doubtful", "moved", "blocking", "on margin"
_WITHOUT_TIME = null().cast(_ORDERS.c.updated_at.type)


def _clients(what: str, *where: ColumnElement[bool], at: ColumnElement[Any] = _WITHOUT_TIME) -> Any:
    # Those that moved are found by their day: by their clients SQLite would read all that these ever ordered.
    these = among(_ORDERS.c.client_id + 0 if what == _MOVED else _ORDERS.c.client_id, "clients")
    columns = (_ORDERS.c.client_id, literal(what).label("what"), at.label("at"))
    told = select(*columns).where(these, *where)
    return told if what == _MOVED else told.distinct()


_SAID = Query(
    _OrderSays,
    union_all(
        _clients(_DOUBTFUL, _ORDERS.c.state.in_([OrderState.SENDING.value, OrderState.UNKNOWN.value])),
        _clients(
            _MOVED,
            _ORDERS.c.trading_date >= given("day"),
            _ORDERS.c.updated_at > given("since"),
            _ORDERS.c.sent_at.is_not(None) | _ORDERS.c.run_number.is_(None),
            at=_ORDERS.c.updated_at,
        ),
        _clients(
            _BLOCKING, _ORDERS.c.state.in_([state.value for state in _MAY_BLOCK]), _ORDERS.c.blocked_paise > 0
        ),
        _clients(
            _ON_MARGIN,
            _ORDERS.c.product == Product.MTF.value,
            _ORDERS.c.trading_date == given("day"),
            _ORDERS.c.filled_quantity > 0,
        ),
    ),
)


class SaidByOrders(Struct, frozen=True):
    """Clients of whom an order's fate is not known, or one has changed since their moment: they are `moving`.

    Those whose orders block money now, and who have bought or sold by the margin facility on the day.
    """

    moving: Set[int]
    with_open_buys: Set[int]
    traded_on_margin: Set[int]


def said_by_orders(on: On, since: Mapping[int, datetime], day: date) -> SaidByOrders:
    """What the orders of these clients say of a comparison on a day, for each since its moment."""
    said: dict[str, set[int]] = {what: set() for what in (_DOUBTFUL, _MOVED, _BLOCKING, _ON_MARGIN)}
    for one in _SAID.all(on, clients=sorted(since), day=day, since=min(since.values())):
        if one.at is None or one.at > since[one.client_id]:
            said[one.what].add(one.client_id)
    return SaidByOrders(said[_DOUBTFUL] | said[_MOVED], said[_BLOCKING], said[_ON_MARGIN])


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
    _LAST.put(on, last)


def last_comparisons(on: On, client_ids: Collection[int]) -> list[LastComparison]:
    """When each of these clients was compared last, of those who ever were."""
    return _LAST_OF.all(on, clients=sorted(client_ids))


async def compared_by_others(
    reader: AsyncConnection, day: date, since: datetime, own: int
) -> list[LastComparison]:
    """What other engines have compared on a day since a moment."""
    return await _BY_OTHERS.read(reader, day=day, since=since, own=own)
