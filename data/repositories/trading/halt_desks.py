"""The desks that had clients of a halt, when each knew, and what its orders became."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.columns import table
from data.tables.orders import HaltDesk, Order, RequestRecord
from data.vocabulary import OrderState, RequestKind


class DeskUnderHalt(Struct, frozen=True):
    """A desk that had clients of a halt as it was fired, and when it knew; `knew_at` None before that."""

    halt_number: int
    instance_id: int
    name: str
    clients: list[int]
    knew_at: datetime | None


_DESKS = Rows(HaltDesk, DeskUnderHalt)
_D = _DESKS.c
_DESKS_OF_HALT = _DESKS.query(_D.halt_number == given("halt"), order_by=[_D.instance_id])
_KNEW = Change(
    update(_DESKS.table)
    .where(_D.halt_number == given("halt"), _D.instance_id == given("instance"), _D.knew_at.is_(None))
    .values(knew_at=given("at"))
)


def add_desks(on: On, desks: Sequence[DeskUnderHalt]) -> None:
    """Keep which desks had clients of a halt."""
    _DESKS.insert(on, desks)


def desk_knows(on: On, halt: int, instance_id: int, at: datetime) -> bool:
    """Keep when a desk knew of a halt; returns whether that was not kept before."""
    return _KNEW.run(on, halt=halt, instance=instance_id, at=at) == 1


class OrderUnderHalt(Struct, frozen=True):
    """An order that a halt met, and when the broker's answers to its first and last cancel were booked."""

    order_id: int
    client_id: int
    state: OrderState
    first_at: datetime | None
    last_at: datetime | None


def _under() -> Query[OrderUnderHalt]:
    orders, requests = table(Order), table(RequestRecord)
    of_halt = (
        (requests.c.order_id == orders.c.id)
        & (requests.c.halt_number == given("halt"))
        & (requests.c.kind == RequestKind.CANCEL.value)
    )
    sent = requests.c.sent_at
    query = (
        select(orders.c.id, orders.c.client_id, orders.c.state, func.min(sent), func.max(sent))
        .outerjoin(requests, of_halt)
        .where(among(orders.c.id, "orders"))
        .group_by(orders.c.id, orders.c.client_id, orders.c.state)
        .order_by(orders.c.id)
    )
    return Query(OrderUnderHalt, query)


_UNDER = _under()


async def read_desks(reader: AsyncConnection, halt: int) -> list[DeskUnderHalt]:
    """The desks that had clients of a halt, by the numbers of their engines."""
    return await _DESKS_OF_HALT.read(reader, halt=halt)


async def orders_under(
    reader: AsyncConnection, halt: int, order_ids: Collection[int]
) -> list[OrderUnderHalt]:
    """What has become of the orders that a halt met, whoever has their clients."""
    return await _UNDER.read(reader, halt=halt, orders=order_ids) if order_ids else []
