"""Requests to cancel or modify orders, as they are stored."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.columns import table
from data.tables.orders import Order, RequestRecord
from data.vocabulary import LIVE_STATES, OPEN_REQUESTS, RequestKind, RequestState
from data.writing.unit import Unit

Row = TypeVar("Row")

_REQUESTS, _ORDERS = table(RequestRecord), table(Order)
_OPEN = _REQUESTS.c.state.in_(sorted(OPEN_REQUESTS))
_CANCEL = _REQUESTS.c.kind == RequestKind.CANCEL.value
_MODIFY = _REQUESTS.c.kind == RequestKind.MODIFY.value


class Requests(Generic[Row]):
    """Requests as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        rows = self._rows = Rows(RequestRecord, row)
        self._open_change = rows.query(rows.c.order_id == given("order"), _MODIFY, _OPEN)

    def open_change(self, on: On, order_id: int) -> Row | None:
        """The modify of an order that waits for its end, if there is one."""
        return self._open_change.first(on, order=order_id)

    def insert(self, unit: Unit, requests: Sequence[Row]) -> None:
        """Write requests that are to be sent."""
        self._rows.insert(unit, requests)


class RequestEnd(NamedTuple):
    """How far a request has come, as its row says; `ended_at` is None while it waits."""

    order_id: int
    number: int
    state: RequestState
    detail: str
    ended_at: datetime | None


_TELL = Change(
    update(_REQUESTS)
    .where(
        _REQUESTS.c.order_id == given("order_id"),
        _REQUESTS.c.number == given("number"),
        _REQUESTS.c.state.not_in([RequestState.CONFIRMED.value, RequestState.SUPERSEDED.value]),
        or_(_REQUESTS.c.state != RequestState.REFUSED.value, _CANCEL),
    )
    .values(state=given("state"), detail=given("detail"), sent_at=given("now"), ended_at=given("ended_at"))
)
_CLOSE = Change(
    update(_REQUESTS)
    .where(among(_REQUESTS.c.order_id, "orders"), among(_REQUESTS.c.kind, "kinds"), _OPEN)
    .values(state=given("state"), ended_at=given("now"))
)
_OPEN_CANCELS = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, _REQUESTS.c.number).where(
        among(_REQUESTS.c.order_id, "orders"), _CANCEL, _OPEN
    ),
)
_LAST = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, func.max(_REQUESTS.c.number))
    .where(among(_REQUESTS.c.order_id, "orders"))
    .group_by(_REQUESTS.c.order_id),
)
_CHANGES_MADE = Query(
    int, select(func.count()).select_from(_REQUESTS).where(_REQUESTS.c.order_id == given("order"), _MODIFY)
)
_CHANGES_MADE_OF = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, func.count())
    .where(among(_REQUESTS.c.order_id, "orders"), _MODIFY)
    .group_by(_REQUESTS.c.order_id),
)
_CHANGE_ENDS = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, _REQUESTS.c.number, _REQUESTS.c.state, _REQUESTS.c.detail).where(
        among(_REQUESTS.c.order_id, "orders"), _MODIFY
    ),
)
_LEFT = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, _REQUESTS.c.number, _REQUESTS.c.instance_id)
    .join(_ORDERS, _ORDERS.c.id == _REQUESTS.c.order_id)
    .where(
        _REQUESTS.c.kind == given("kind"),
        _REQUESTS.c.ended_at.is_(None),
        _ORDERS.c.state.in_(sorted(LIVE_STATES)),
        among(_REQUESTS.c.state, "states"),
    ),
)

_CHANGES_IN = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, _REQUESTS.c.number).where(
        among(_REQUESTS.c.order_id, "orders"), _MODIFY, among(_REQUESTS.c.state, "states")
    ),
)

_REFUSED_CANCELS = Query(
    lambda *cells: cells,
    select(_REQUESTS.c.order_id, _REQUESTS.c.detail).where(
        among(_REQUESTS.c.order_id, "orders"), _CANCEL, _REQUESTS.c.state == RequestState.REFUSED.value
    ),
)
_CANCELLED_FOR = Query(
    int,
    select(_REQUESTS.c.order_id)
    .where(_REQUESTS.c.why == given("why"), _CANCEL)
    .order_by(_REQUESTS.c.order_id),
)


def tell(unit: Unit, rows: Sequence[RequestEnd]) -> None:
    """Write how requests stand; one that has ended stays so, except that a refused cancel is sent again."""
    _TELL.run_many(unit, [{**one._asdict(), "now": unit.now} for one in rows])


def close(
    unit: Unit, order_ids: Collection[int], kinds: Collection[RequestKind], state: RequestState
) -> None:
    """End the open requests of these kinds of these orders in `state`."""
    if order_ids:
        _CLOSE.run(unit, orders=order_ids, kinds=kinds, state=state.value, now=unit.now)


async def refused_cancels(reader: AsyncConnection, order_ids: Collection[int]) -> dict[int, str]:
    """The broker's words for those of these orders whose cancel it has refused."""
    return dict(await _REFUSED_CANCELS.read(reader, orders=order_ids)) if order_ids else {}


def open_cancels(on: On, order_ids: Collection[int]) -> dict[int, int]:
    """The cancel requests that wait for these orders' ends, by order."""
    return dict(_OPEN_CANCELS.all(on, orders=order_ids)) if order_ids else {}


def last_numbers(on: On, order_ids: Collection[int]) -> dict[int, int]:
    """The number of the newest request of each of these orders that has any."""
    return dict(_LAST.all(on, orders=order_ids)) if order_ids else {}


def changes_made(on: On, order_id: int) -> int:
    """How many modifies of an order were asked for."""
    return _CHANGES_MADE.all(on, order=order_id)[0]


def changes_made_of(on: On, order_ids: Collection[int]) -> dict[int, int]:
    """How many modifies were asked for of each of these orders that has any."""
    return dict(_CHANGES_MADE_OF.all(on, orders=order_ids)) if order_ids else {}


async def change_ends(
    reader: AsyncConnection, order_ids: Collection[int]
) -> dict[tuple[int, int], tuple[RequestState, str]]:
    """How each modify of these orders stands, with the broker's words, by order and number."""
    rows = await _CHANGE_ENDS.read(reader, orders=order_ids) if order_ids else []
    return {(order, number): (RequestState(state), detail) for order, number, state, detail in rows}


async def cancelled_for(reader: AsyncConnection, why: str) -> list[int]:
    """The orders whose cancel was asked for with these words, by number."""
    return await _CANCELLED_FOR.read(reader, why=why)


async def left_open(
    reader: AsyncConnection, kind: RequestKind, states: Collection[RequestState] = tuple(RequestState)
) -> list[tuple[int, int, int]]:
    """Requests of live orders in these states that have not ended: order, number and whose engine's."""
    return await _LEFT.read(reader, kind=kind.value, states=states)


async def changes_in(
    reader: AsyncConnection, order_ids: Collection[int], states: Collection[RequestState]
) -> dict[int, int]:
    """The modifies of these orders that are in one of these states, by order."""
    return dict(await _CHANGES_IN.read(reader, orders=order_ids, states=states))
