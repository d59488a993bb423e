"""Orders and their attempts as they are stored."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast

from msgspec import Struct
from sqlalchemy import case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from data.engines.json_lists import item, listed
from data.errors import LeaseLost, RowsMoved
from data.repositories.base import Change, ListParameter, On, Query, Rows, among, given
from data.repositories.instruments import symbol_now
from data.tables.columns import table
from data.tables.orders import AttemptRecord, Order, RunRecord
from data.vocabulary import LIVE_STATES, OrderState, Product, RunStatus, Side
from data.writing.unit import Unit

Row = TypeVar("Row")

CHANGING = (
    "state",
    "sub_status",
    "reason_code",
    "reason_text",
    "flags",
    "broker_order_id",
    "quantity",
    "limit_paise",
    "trigger_paise",
    "reserve_price_paise",
    "asked_quantity",
    "asked_reserve_paise",
    "filled_quantity",
    "filled_notional_paise",
    "blocked_paise",
    "blocked_shares",
    "mtf_reserved_paise",
    "own_paise",
    "charges_paise",
    "demat_sale",
    "told_at",
    "updated_at",
    "ended_at",
)
"""The columns of an order that change once it has left; its tag and time of sending are its claim's."""

CLAIMING = ("state", "tradingsymbol", "tag", "attempts", "sent_at", "updated_at")
"""The columns of an order that a claim changes."""

_ORDERS, _ATTEMPTS, _RUNS = table(Order), table(AttemptRecord), table(RunRecord)
WRITTEN = tuple(column.name for column in _ORDERS.columns)
"""The columns of the cells of an order that was written."""

_CELLS: Callable[[Any], tuple[Any, ...]] = attrgetter(*WRITTEN)
_ID = WRITTEN.index("id")
_RESERVED = _ORDERS.c.state == OrderState.RESERVED.value


class Leaves(NamedTuple):
    """Shares that an order at the broker, or on its way there, may still trade."""

    client_id: int
    security: str
    product: Product
    side: Side
    quantity: int


class Cancellable(NamedTuple):
    """How an order stands, for who only asks its broker to end it."""

    id: int
    state: OrderState
    client_id: int
    run_number: int | None


class OrderRows(Generic[Row]):
    """Orders as objects of one class, which has every column."""

    def __init__(self, row: type[Row]) -> None:
        rows = self._rows = Rows(Order, row)
        c = rows.c
        self._by_id = rows.query(among(c.id, "ids"))
        self._live = rows.query(c.state.in_(sorted(LIVE_STATES)))
        self._unsent = rows.query(c.run_number == given("run"), _RESERVED, order_by=[c.id])
        self._claimable = rows.query(among(c.id, "ids"), _RESERVED, c.instance_id == given("instance"))
        symbol = or_(c.tradingsymbol == given("symbol"), symbol_now() == given("symbol"))
        self._of_symbol = rows.query(
            c.client_id == given("client"),
            c.exchange == given("exchange"),
            symbol,
            c.product == given("product"),
            c.trading_date == given("day"),
            order_by=[c.id.desc()],
        )

    def by_id(self, unit: Unit, ids: Collection[int]) -> list[Row]:
        """These orders, those that are there, by number. They are the caller's, to be saved if changed."""
        at_hand = unit.at_hand.of(_ORDERS.name)
        found = {number: at_hand.pop(number) for number in ids if number in at_hand}
        return self._with_read(found, self._by_id, unit, ids)

    def _with_read(
        self, found: dict[int, Row], rest: Query[Row], unit: Unit, ids: Collection[int], **values: Any
    ) -> list[Row]:
        """What was found at hand and what is read of the rest, by number."""
        if len(found) < len(ids):
            read = rest.all(unit, ids=[number for number in ids if number not in found], **values)
            found |= {cast(Any, row).id: row for row in read}
        return [row for _, row in sorted(found.items())]

    async def read(self, reader: AsyncConnection, ids: Collection[int]) -> list[Row]:
        """The same by a reader's connection."""
        return await self._by_id.read(reader, ids=ids)

    def live(self, on: On) -> list[Row]:
        """All that may still trade."""
        return self._live.all(on)

    def unsent_of_run(self, on: On, run_number: int) -> list[Row]:
        """Those of a run that are RESERVED, by number."""
        return self._unsent.all(on, run=run_number)

    def claimable(self, unit: Unit, ids: Collection[int], instance_id: int) -> list[Row]:
        """Which of these are RESERVED and this engine's to send, by number; the caller's as of `by_id`."""
        at_hand = unit.at_hand.of(_ORDERS.name)
        found = {
            number: at_hand.pop(number)
            for number in ids
            if (row := at_hand.get(number)) is not None
            and (row.state, row.instance_id) == (OrderState.RESERVED, instance_id)
        }
        return self._with_read(found, self._claimable, unit, ids, instance=instance_id)

    def of_symbol(
        self, on: On, client_id: int, exchange: str, symbol: str, product: str, day: date
    ) -> list[Row]:
        """A client's orders of a day in what has this symbol now or had it then, newest first."""
        return self._of_symbol.all(
            on, client=client_id, exchange=exchange, symbol=symbol, product=product, day=day
        )

    def insert(self, unit: Unit, orders: Sequence[Row]) -> None:
        """Write orders that are not there yet."""
        self._rows.insert(unit, orders)
        _note(unit, orders)

    def save(
        self, unit: Unit, orders: Sequence[Row], was: OrderState, fields: tuple[str, ...] = CHANGING
    ) -> None:
        """Write back what has changed of orders that were read in this state, all of it in these fields.

        Raises `RowsMoved` where one is in another by now.
        """
        if self._rows.save(unit, orders, *fields, state=was.value) != len(orders):
            self._save_unlike(unit, orders, was, fields)
        _note(unit, orders)

    def _save_unlike(
        self, unit: Unit, orders: Sequence[Row], was: OrderState, fields: tuple[str, ...]
    ) -> None:
        """The same where one is not stored in that word, as where a file was changed by hand."""
        wanted = {cast(Any, order).id: cast(Any, order).state for order in orders}
        stands = {cast(Any, row).id: cast(Any, row).state for row in self._by_id.all(unit, ids=wanted)}
        if moved := [one for one, state in wanted.items() if stands.get(one) not in (was, state)]:
            raise RowsMoved(f"order {moved[0]} is not {was.value} any more")
        self._rows.save(unit, orders, *fields)


def _note(unit: Unit, orders: Sequence[Any]) -> None:
    """Keep what was written, so that neither the projection nor the next unit need read it again."""
    unit.touched.written |= {cells[_ID]: cells for cells in map(_CELLS, orders)}
    unit.at_hand.put(_ORDERS.name, ((order.id, order) for order in orders))


_PAIRS = listed(given("pairs", ListParameter()))
_BY_BROKER_ID = Query(
    lambda *cells: cells,
    select(_ORDERS.c.client_id, _ORDERS.c.broker_order_id, _ORDERS.c.id)
    .select_from(_PAIRS)
    .join(
        _ORDERS,
        (_ORDERS.c.client_id == item(_PAIRS.c.value, 0, _ORDERS.c.client_id.type))
        & (_ORDERS.c.broker_order_id == item(_PAIRS.c.value, 1, _ORDERS.c.broker_order_id.type)),
    )
    .order_by(_ORDERS.c.id),
)
_BY_TAG = Query(
    lambda *cells: cells,
    select(_ATTEMPTS.c.tag, _ATTEMPTS.c.order_id, _ORDERS.c.client_id)
    .join(_ORDERS, _ORDERS.c.id == _ATTEMPTS.c.order_id)
    .where(among(_ATTEMPTS.c.tag, "tags")),
)
_OF_STOPPED_RUNS = Query(
    int,
    select(_ORDERS.c.id)
    .join(_RUNS, _RUNS.c.number == _ORDERS.c.run_number)
    .where(among(_ORDERS.c.id, "ids"), _RUNS.c.status == RunStatus.STOPPED.value),
)
_CANCELLABLE = Query(
    Cancellable,
    select(_ORDERS.c.id, _ORDERS.c.state, _ORDERS.c.client_id, _ORDERS.c.run_number).where(
        among(_ORDERS.c.id, "ids")
    ),
)
_MARKED = Query(
    lambda *cells: cells,
    select(_ORDERS.c.id, _ORDERS.c.flags).where(
        among(_ORDERS.c.client_id, "clients"), _ORDERS.c.state == OrderState.OPEN.value, _ORDERS.c.flags != ""
    ),
)
_DEMAT_SALES = Query(
    int,
    select(_ORDERS.c.id).where(
        _ORDERS.c.client_id == given("client"),
        _ORDERS.c.security == given("security"),
        _ORDERS.c.trading_date == given("day"),
        _ORDERS.c.demat_sale,
    ),
)
_SOLD = Query(
    lambda *cells: cells,
    select(_ORDERS.c.client_id, _ORDERS.c.security, _ORDERS.c.product, _ORDERS.c.trading_date)
    .where(
        among(_ORDERS.c.client_id, "clients"),
        _ORDERS.c.trading_date == given("day"),
        _ORDERS.c.side == Side.SELL.value,
        _ORDERS.c.filled_quantity > 0,
    )
    .distinct(),
)
_OF_STATE = Query(
    lambda *cells: cells,
    select(func.count(), func.coalesce(func.sum(_ORDERS.c.blocked_paise), 0)).where(
        _ORDERS.c.run_number == given("run"), _ORDERS.c.state == given("state")
    ),
)
_LEGS_UNSENT = Query(
    int,
    select(_ORDERS.c.leg)
    .where(_ORDERS.c.run_number == given("run"), _ORDERS.c.state == OrderState.RESERVED.value)
    .distinct(),
)
_LEAVES = Query(
    lambda *cells: Leaves(cells[0], cells[1], Product(cells[2]), Side(cells[3]), cells[4]),
    select(
        _ORDERS.c.client_id,
        _ORDERS.c.security,
        _ORDERS.c.product,
        _ORDERS.c.side,
        case(
            (_ORDERS.c.asked_quantity > _ORDERS.c.quantity, _ORDERS.c.asked_quantity),
            else_=_ORDERS.c.quantity,
        )
        - _ORDERS.c.filled_quantity,
    ).where(
        among(_ORDERS.c.client_id, "clients"),
        _ORDERS.c.state.in_([state.value for state in sorted(LIVE_STATES - {OrderState.RESERVED})]),
    ),
)
_TAKE_OVER = Change(
    update(_ORDERS).where(among(_ORDERS.c.id, "ids"), _RESERVED).values(instance_id=given("instance"))
)


def by_broker_id(on: On, names: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The newest orders that these clients' brokers know by these numbers."""
    return {(row[0], row[1]): row[2] for row in _BY_BROKER_ID.all(on, pairs=names)} if names else {}


def by_tag(on: On, tags: Collection[str]) -> dict[str, tuple[int, int]]:
    """Order and client of each of these tags that an attempt of ours had."""
    return {row[0]: (row[1], row[2]) for row in _BY_TAG.all(on, tags=tags)} if tags else {}


def of_stopped_runs(on: On, ids: Collection[int]) -> set[int]:
    """Which of these orders are of a run that was stopped."""
    return set(_OF_STOPPED_RUNS.all(on, ids=ids)) if ids else set()


def cancellable(on: On, ids: Collection[int]) -> dict[int, Cancellable]:
    """How these orders stand, those that are there, by number."""
    return {one.id: one for one in _CANCELLABLE.all(on, ids=ids)} if ids else {}


def marked_open(on: On, client_ids: Collection[int]) -> list[tuple[int, str]]:
    """The OPEN orders of these clients that have marks, with the marks' text."""
    return _MARKED.all(on, clients=client_ids) if client_ids else []


def demat_sales(on: On, client_id: int, security: str, day: date) -> list[int]:
    """The orders of a day that pay the depository's fee for a client's sale of a security."""
    return _DEMAT_SALES.all(on, client=client_id, security=security, day=day)


def sold(on: On, client_ids: Collection[int], days: Iterable[date]) -> set[tuple[int, str, str, date]]:
    """What these clients have sold of on these days: client, security, product and day."""
    return {row for day in days for row in _SOLD.all(on, clients=client_ids, day=day)}


def of_state(on: On, run_number: int, state: OrderState) -> tuple[int, int]:
    """How many orders of a run are in a state, and the paise that they keep blocked."""
    return _OF_STATE.all(on, run=run_number, state=state.value)[0]


def legs_unsent(on: On, run_number: int) -> set[int]:
    """The legs of a run of which orders are RESERVED."""
    return set(_LEGS_UNSENT.all(on, run=run_number))


def leaves_of(on: On, client_ids: Collection[int]) -> list[Leaves]:
    """What the orders of these clients that have left may still trade, as asked for where one is changed."""
    return _LEAVES.all(on, clients=sorted(client_ids)) if client_ids else []


def take_over(unit: Unit, ids: Collection[int], instance_id: int) -> None:
    """Make these orders this engine's to send, those that nobody has begun to send."""
    _TAKE_OVER.run(unit, ids=ids, instance=instance_id)
    unit.touched.written |= dict.fromkeys(ids)
    unit.at_hand.drop(_ORDERS.name, ids)


class Attempts(Generic[Row]):
    """Attempts to send an order, as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        self._rows = Rows(AttemptRecord, row)

    def insert(self, unit: Unit, attempts: Sequence[Row]) -> None:
        """Write attempts that are about to be made.

        Raises `LeaseLost` for one without the epoch of its client's lease, where clients are shared out.
        """
        if unit.lessee is not None and not {cast(Any, one).epoch for one in attempts} <= {
            *unit.epochs.values()
        }:
            raise LeaseLost(frozenset())
        self._rows.insert(unit, attempts)


class AttemptEnd(Struct, frozen=True, eq=False, gc=False):
    """How an attempt ended, as its row says."""

    order_id: int
    number: int
    outcome: str
    detail: str
    ended_at: datetime


_ENDS = Rows(AttemptRecord, AttemptEnd)


def end_attempts(unit: Unit, ended: Sequence[AttemptEnd]) -> None:
    """Write how attempts ended."""
    _ENDS.save(unit, ended, "outcome", "detail", "ended_at")


_STATES = Query(lambda *cells: cells, select(_ORDERS.c.state, func.count()).group_by(_ORDERS.c.state))


def state_counts(on: On) -> dict[str, int]:
    """How many orders there are in each state, as it is stored."""
    return {str(state): int(count) for state, count in _STATES.all(on)}


# --- an order's life ----------------------------------------------------------------------------------------


class OfOrder(Generic[Row]):
    """The rows of one table that are about an order, as objects of one class."""

    def __init__(self, model: type[SQLModel], row: type[Row], oldest_first: str) -> None:
        """`oldest_first` is the column that they are told by."""
        rows = Rows(model, row)
        self._rows = rows.query(rows.c.order_id == given("order"), order_by=[rows.c[oldest_first]])

    async def read(self, reader: AsyncConnection, order_id: int) -> list[Row]:
        """Those of an order, oldest first."""
        return await self._rows.read(reader, order=order_id)
