"""Flattens as they are stored, with the position of each client that they take flat."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.columns import table
from data.tables.flattens import FlattenLine, FlattenRecord
from data.tables.orders import Order
from data.vocabulary import (
    LIVE_STATES,
    FlattenLineState,
    FlattenReason,
    FlattenState,
    FlattenWhat,
    HaltScope,
    Product,
    Side,
)


class StoredFlatten(Struct, frozen=True):
    """One flatten: of whom, of what, which halts it passes, and which engine carries it out."""

    number: int
    scope: HaltScope
    value: str
    what: FlattenWhat
    by: str
    at: datetime
    trading_date: date
    instance_id: int
    passes: list[int]
    halt_file: str
    state: FlattenState
    stopped_by: str = ""
    ended_at: datetime | None = None
    certificate: dict[str, Any] | None = None


class FlattenCount(Struct, frozen=True):
    """How far a flatten is that has not ended: positions flat, of which something is left, and in all.

    `instance_id` is the engine that was to carry it out.
    """

    number: int
    flat: int
    left: int
    positions: int
    instance_id: int


class StoredLine(Struct, frozen=True):
    """A client's position that a flatten takes flat; `net` is what the broker had when it was read last."""

    flatten_number: int
    client_id: int
    security: str
    product: Product
    exchange: str
    tradingsymbol: str
    state: FlattenLineState
    reason: FlattenReason = FlattenReason.NONE
    detail: str = ""
    net_before: int | None = None
    net: int | None = None
    read_at: datetime | None = None
    order_id: int | None = None
    ended_at: datetime | None = None

    @property
    def share(self) -> tuple[int, str, Product]:
        """The shares that it is about."""
        return self.client_id, self.security, self.product

    @property
    def key(self) -> str:
        """Its instrument, by the name that it had at the start."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def going(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


class ExitTerms(Struct, frozen=True):
    """What says whether an order of a flatten may leave: the flatten's row and the line that sent it.

    `order_id` and `net` are the line's own; they are None where the order is not the line's newest.
    """

    order_id: int
    instance_id: int
    passes: list[int]
    halt_file: str
    at: datetime
    net: int | None
    read_at: datetime | None


_FLATTENS, _LINES = Rows(FlattenRecord, StoredFlatten), Rows(FlattenLine, StoredLine)
_F, _L, _O = _FLATTENS.c, _LINES.c, table(Order).c
_GOING = _F.state == FlattenState.GOING.value
_NUMBERED = _FLATTENS.query(_F.number == given("number"))
_STANDING = _FLATTENS.query(_GOING, order_by=[_F.number])
_NEWEST = _FLATTENS.query(order_by=[_F.number.desc()])
_OF_FLATTEN = _LINES.query(
    _L.flatten_number == given("flatten"), order_by=[_L.client_id, _L.tradingsymbol, _L.product]
)
_COUNTED = Query(
    FlattenCount,
    select(
        _F.number,
        func.sum(case((_L.state == FlattenLineState.FLAT.value, 1), else_=0)),
        func.sum(case((_L.state == FlattenLineState.LEFT.value, 1), else_=0)),
        func.count(_L.client_id),
        _F.instance_id,
    )
    .join(_LINES.table, _L.flatten_number == _F.number)
    .where(_GOING)
    .group_by(_F.number)
    .order_by(_F.number),
)
_TAKEN = _LINES.query(_L.ended_at.is_(None), among(_L.client_id, "clients"))
_MINE = (_F.number == given("number"), _F.instance_id == given("instance"), _GOING)
_OWNED = Query(int, select(_F.number).where(*_MINE))
_BEGUN_BY = Query(str, select(_F.by).where(_F.number == given("number")))
_TAKE_OVER = Change(
    update(_FLATTENS.table)
    .where(_F.number == given("number"), _F.instance_id == given("dead"), _GOING)
    .values(instance_id=given("instance"))
)
_STOP = Change(
    update(_FLATTENS.table)
    .where(_F.number == given("number"), _GOING, _F.stopped_by == "")
    .values(stopped_by=given("by"))
)
_END = Change(
    update(_FLATTENS.table)
    .where(*_MINE)
    .values(state=FlattenState.DONE.value, ended_at=given("at"), certificate=given("certificate"))
)
_EXITS = Query(
    ExitTerms,
    select(_O.id, _F.instance_id, _F.passes, _F.halt_file, _F.at, _L.net, _L.read_at)
    .join(_FLATTENS.table, (_F.number == _O.flatten_number) & _GOING & (_F.stopped_by == ""))
    .join(
        _LINES.table,
        (_L.flatten_number == _O.flatten_number) & (_L.order_id == _O.id) & _L.ended_at.is_(None),
    )
    .where(among(_O.id, "orders")),
)
_ORDERS_OF = Query(
    int,
    select(_O.id)
    .join(_FLATTENS.table, _F.trading_date == _O.trading_date)
    .where(_F.number == given("flatten"), _O.flatten_number == _F.number)
    .order_by(_O.id),
)
"""An index leads to the orders of its day."""
_LIVE = _O.state.in_([state.value for state in sorted(LIVE_STATES)])
_IN_SHARES = (
    _O.client_id == given("client"),
    _O.security == given("security"),
    _O.product == given("product"),
)
_LIVE_IN = Query(int, select(_O.id).where(*_IN_SHARES, _LIVE).order_by(_O.id))
_LIVE_SALES_IN = Query(
    int, select(_O.id).where(*_IN_SHARES, _LIVE, _O.side == Side.SELL.value).order_by(_O.id)
)
_RECENT = _O.updated_at >= given("since")
_IN_THE_WAY = Query(int, select(_O.id).where(*_IN_SHARES, _LIVE | _RECENT).order_by(_O.id))
_BESIDE = case((_LIVE, _O.quantity - _O.filled_quantity), else_=0) + case(
    (_RECENT, _O.filled_quantity), else_=0
)
_GOING_BESIDE = Query(
    int,
    select(func.coalesce(func.sum(_BESIDE), 0)).where(
        *_IN_SHARES, _O.side == given("side"), _O.id != given("order"), _LIVE | _RECENT
    ),
)


def add_flatten(on: On, flatten: StoredFlatten, lines: Sequence[StoredLine]) -> None:
    """Keep a flatten that begins, with its lines."""
    _FLATTENS.insert(on, [flatten])
    _LINES.insert(on, lines)


async def orders_of_flatten(reader: AsyncConnection, number: int) -> list[int]:
    """The orders that a flatten has sent, or would have, oldest first."""
    return await _ORDERS_OF.read(reader, flatten=number)


def standing_flattens(on: On) -> list[StoredFlatten]:
    """The flattens that have no certificate yet, oldest first."""
    return _STANDING.all(on)


def is_owned(on: On, number: int, instance_id: int) -> bool:
    """Whether a flatten goes on and is this engine's to carry out."""
    return _OWNED.first(on, number=number, instance=instance_id) is not None


def begun_by(on: On, number: int) -> str:
    """Who began a flatten: a person, or `guard 3`; empty where there is no such flatten."""
    return _BEGUN_BY.first(on, number=number) or ""


def taken_lines(on: On, client_ids: Collection[int]) -> list[StoredLine]:
    """The lines of any flatten that have not ended, of these clients."""
    return _TAKEN.all(on, clients=sorted(client_ids))


def lines_of(on: On, number: int) -> list[StoredLine]:
    """The lines of a flatten by client and symbol."""
    return _OF_FLATTEN.all(on, flatten=number)


def save_lines(on: On, lines: Sequence[StoredLine]) -> None:
    """Write how far lines are."""
    fields = ("state", "reason", "detail", "net_before", "net", "read_at", "order_id", "ended_at")
    _LINES.save(on, lines, *fields)


def take_over_flatten(on: On, number: int, dead: int, instance_id: int) -> bool:
    """Have an engine carry on what one that has ended left; returns whether it was still that one's."""
    return bool(_TAKE_OVER.run(on, number=number, dead=dead, instance=instance_id))


def stop_flatten(on: On, number: int, by: str) -> bool:
    """Have a flatten end early; returns whether it was going."""
    return bool(_STOP.run(on, number=number, by=by))


def end_flatten(on: On, number: int, instance_id: int, at: datetime, certificate: Mapping[str, Any]) -> bool:
    """Keep the certificate of a flatten; returns whether it was this engine's."""
    return bool(_END.run(on, number=number, instance=instance_id, at=at, certificate=certificate))


def exits_of(on: On, order_ids: Collection[int]) -> dict[int, ExitTerms]:
    """By order, what lets these orders of flattens leave; what has no line that goes on is left out."""
    return {one.order_id: one for one in _EXITS.all(on, orders=order_ids)} if order_ids else {}


def live_in(on: On, client_id: int, security: str, product: Product) -> list[int]:
    """A client's orders in these shares that live."""
    return _LIVE_IN.all(on, client=client_id, security=security, product=product.value)


def live_sales_in(on: On, client_id: int, security: str, product: Product) -> list[int]:
    """A client's orders that sell these shares and live."""
    return _LIVE_SALES_IN.all(on, client=client_id, security=security, product=product.value)


def in_the_way(on: On, client_id: int, security: str, product: Product, since: datetime) -> list[int]:
    """A client's orders in these shares that live, or that have changed since a moment."""
    values = {"client": client_id, "security": security, "product": product.value}
    return _IN_THE_WAY.all(on, **values, since=since)


def going_beside(on: On, share: tuple[int, str, Product], side: Side, order_id: int, since: datetime) -> int:
    """Shares that other orders of a client may still trade to the same side, or may have traded since."""
    client_id, security, product = share
    values = {"client": client_id, "security": security, "product": product.value, "side": side.value}
    return _GOING_BESIDE.first(on, **values, order=order_id, since=since) or 0


async def read_flatten(reader: AsyncConnection, number: int) -> StoredFlatten | None:
    """A flatten by its number, by a reader's connection."""
    found = await _NUMBERED.read(reader, number=number)
    return found[0] if found else None


async def read_flattens(reader: AsyncConnection) -> list[StoredFlatten]:
    """Every flatten, newest first."""
    return await _NEWEST.read(reader)


async def read_counts(reader: AsyncConnection) -> list[FlattenCount]:
    """How far the flattens are that go on, the oldest first."""
    return await _COUNTED.read(reader)


async def read_lines(reader: AsyncConnection, number: int) -> list[StoredLine]:
    """The lines of a flatten by client and symbol, by a reader's connection."""
    return await _OF_FLATTEN.read(reader, flatten=number)
