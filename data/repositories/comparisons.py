"""What a comparison with a broker reads of a client's books, and what is kept of it."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.columns import table
from data.order_tables import Order
from data.repositories.base import On, Query, Rows, given
from data.tables import Comparison, DayOpen, Funds, Holding
from data.vocabulary import OrderState, Product


@dataclass(frozen=True, slots=True)
class Figures:
    """A client's balances that a broker has too, in paise."""

    client_id: int
    available_paise: int
    blocked_paise: int
    charges_due_paise: int
    mtf_loan_paise: int
    shortfall_paise: int


@dataclass(frozen=True, slots=True)
class Shares:
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

    @property
    def quantity(self) -> int:
        """All of them."""
        return self.today + self.t1 + self.free + self.pledged


_FIGURES, _SHARES = Rows(Funds, Figures), Rows(Holding, Shares)
_FIGURES_OF = _FIGURES.query(_FIGURES.c.client_id == given("client"))
_SHARES_OF = _SHARES.query(_SHARES.c.client_id == given("client"))


def figures_of(on: On, client_id: int) -> Figures:
    """A client's balances. Raises `IndexError` for one without any."""
    return _FIGURES_OF.all(on, client=client_id)[0]


def shares_of(on: On, client_id: int) -> list[Shares]:
    """All that a client holds or held."""
    return _SHARES_OF.all(on, client=client_id)


# --- orders that speak against a comparison -----------------------------------------------------------------

_ORDERS = table(Order)


def _any(*where: ColumnElement[bool]) -> Query[int]:
    of_client = _ORDERS.c.client_id == given("client")
    return Query(int, select(_ORDERS.c.id).where(of_client, *where).limit(1))


_DOUBTFUL = _any(_ORDERS.c.state.in_([OrderState.SENDING.value, OrderState.UNKNOWN.value]))
_MOVED = _any(
    _ORDERS.c.trading_date >= given("day"),
    _ORDERS.c.updated_at > given("since"),
    _ORDERS.c.sent_at.is_not(None) | _ORDERS.c.run_number.is_(None),
)
_BLOCKING = _any(_ORDERS.c.blocked_paise > 0)
_TRADED_ON_MARGIN = _any(
    _ORDERS.c.product == Product.MTF.value,
    _ORDERS.c.trading_date == given("day"),
    _ORDERS.c.filled_quantity > 0,
)


def is_moving(on: On, client_id: int, day: date, since: datetime) -> bool:
    """Whether the fate of an order is not known, or one at the broker has changed since a moment."""
    values = {"client": client_id, "day": day, "since": since}
    return any(query.first(on, **values) is not None for query in (_DOUBTFUL, _MOVED))


def has_open_buys(on: On, client_id: int) -> bool:
    """Whether orders of this client block money now."""
    return _BLOCKING.first(on, client=client_id) is not None


def has_traded_on_margin(on: On, client_id: int, day: date) -> bool:
    """Whether this client has bought or sold by the margin trading facility on a day."""
    return _TRADED_ON_MARGIN.first(on, client=client_id, day=day) is not None


# --- what is kept of it -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayOpening:
    """A client's first comparison of a trading day, and what of it was adopted."""

    client_id: int
    trading_date: date
    at: datetime
    cash_difference_paise: int
    share_differences: int


@dataclass(frozen=True, slots=True)
class LastComparison:
    """When a client was compared last, and by which engine."""

    client_id: int
    instance_id: int
    trading_date: date
    at: datetime


_OPENINGS, _LAST = Rows(DayOpen, DayOpening), Rows(Comparison, LastComparison)
_OPENING = _OPENINGS.query(_OPENINGS.c.client_id == given("client"), _OPENINGS.c.trading_date == given("day"))
_BY_OTHERS = _LAST.query(
    _LAST.c.trading_date == given("day"), _LAST.c.at > given("since"), _LAST.c.instance_id != given("own")
)


def is_opened(on: On, client_id: int, day: date) -> bool:
    """Whether a client was compared on a trading day already."""
    return _OPENING.first(on, client=client_id, day=day) is not None


def keep_opening(on: On, opening: DayOpening) -> None:
    """Keep a client's first comparison of a day."""
    _OPENINGS.insert(on, [opening])


def keep_comparison(on: On, last: LastComparison) -> None:
    """Keep when a client was compared, in place of the time before."""
    if not _LAST.save(on, [last], "instance_id", "trading_date", "at"):
        _LAST.insert(on, [last])


async def compared_by_others(
    reader: AsyncConnection, day: date, since: datetime, own: int
) -> list[LastComparison]:
    """What other engines have compared on a day since a moment."""
    return await _BY_OTHERS.read(reader, day=day, since=since, own=own)
