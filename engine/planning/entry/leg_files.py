"""CSV files of legs, for the clients that a basket is traded for, and of orders, each for its own client."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, convert

from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import count_from_text
from data.records import replace
from data.reference.instrument_index import InstrumentIndex
from data.vocabulary import PerClient, Product, SizingKind
from engine.book.views import ClientView
from engine.planning.entry.leg_checks import clashes
from engine.planning.entry.leg_words import intent_of, leg_of
from engine.planning.intent import (
    Intent,
    Leg,
    LineChange,
    Sizing,
    check_lots,
    side_from,
)

T = TypeVar("T")

LEG_COLUMNS = ("symbol", "side", "size"), ("product", "type", "limit", "price", "trigger")
"""The columns of a file of legs: those that it needs, and those that it may have; a limit is also a price."""

ORDER_COLUMNS = ("client", "symbol", "side", "quantity"), ("product", "type", "limit", "price", "trigger")
"""The columns of a file of orders, in the same way."""

_ALSO_CALLED = {"limit": "price", "percent": "size", "amount": "size", "quantity": "size"}
"""What a file calls a value that the desk knows by another name."""


def legs_from_file(path: Path, index: InstrumentIndex) -> tuple[Leg, ...]:
    """The legs of a CSV file. Raises `FileProblem` with every row that cannot be taken, and why."""
    problems: list[Problem] = []
    rows = read_rows(path, *LEG_COLUMNS, faults=problems)
    legs: list[Leg] = []
    placed: dict[str, list[tuple[Product | None, int]]] = {}
    for row in rows:
        leg = _judged(row, problems, lambda row: _leg_of_row(row, index))
        if leg is None:
            continue
        before = placed.setdefault(leg.key, [])
        if clashes(leg.product, [product for product, _ in before]):
            words = f"it stands in row {before[-1][1]}: give each security and product once"
            problems.append(Problem(row.number, "symbol", row.values["symbol"], words))
        before.append((leg.product, row.number))
        legs.append(leg)
    if problems:
        raise FileProblem(path, problems)
    return tuple(legs)


class _LegCells(Struct, frozen=True):
    """A row of a file of legs, as its cells say it."""

    symbol: str
    side: str
    size: str
    product: str | None = None
    type: str = ""
    limit: str = ""
    price: str = ""
    trigger: str = ""


def _leg_of_row(row: CsvRow, index: InstrumentIndex) -> Leg:
    told = convert(row.values, _LegCells)
    instrument, side = index.resolve(told.symbol), side_from(told.side)
    return leg_of(instrument, side, told.size, told.product, told.type, _limit_of(told), told.trigger)


def orders_from_file(path: Path, index: InstrumentIndex, find: Callable[[str], ClientView]) -> Intent:
    """The orders of a CSV file as one intent: a leg for each different order, each for its own clients.

    `find` names a client by its code. Raises `FileProblem` with every row that cannot be taken, and why.
    """
    problems: list[Problem] = []
    rows = read_rows(path, *ORDER_COLUMNS, faults=problems)
    orders: dict[tuple[object, ...], list[tuple[Leg, LineChange]]] = {}
    placed: dict[tuple[int, str], list[tuple[Product | None, int]]] = {}
    for row in rows:
        found = _judged(row, problems, lambda row: _order_of_row(row, index, find))
        if found is None:
            continue
        leg, change = found
        before = placed.setdefault((change.client_id, leg.key), [])
        if clashes(leg.product, [product for product, _ in before]):
            words = f"this client has it in row {before[-1][1]}: give each security and product once a client"
            problems.append(Problem(row.number, "symbol", row.values["symbol"], words))
        before.append((leg.product, row.number))
        alike = (leg.key, leg.side, leg.product, leg.order_type, leg.limit_paise, leg.trigger_paise)
        orders.setdefault(alike, []).append(found)
    if problems:
        raise FileProblem(path, problems)
    return _intent_of_orders(path, list(orders.values()))


class _OrderCells(Struct, frozen=True):
    """A row of a file of orders, as its cells say it."""

    client: str
    symbol: str
    side: str
    quantity: str
    product: str | None = None
    type: str = ""
    limit: str = ""
    price: str = ""
    trigger: str = ""


def _order_of_row(
    row: CsvRow, index: InstrumentIndex, find: Callable[[str], ClientView]
) -> tuple[Leg, LineChange]:
    told = convert(row.values, _OrderCells)
    client, instrument = find(told.client), index.resolve(told.symbol)
    quantity = count_from_text(told.quantity, "quantity")
    if quantity < 1:
        raise BadInput("quantity", told.quantity, "give a number above zero")
    check_lots(quantity, instrument)
    side = side_from(told.side)
    leg = leg_of(instrument, side, told.quantity, told.product, told.type, _limit_of(told), told.trigger)
    return leg, LineChange(client.id, quantity)


def _limit_of(told: _LegCells | _OrderCells) -> str:
    """The limit, under whichever of its two names a file has it."""
    if told.limit and told.price:
        raise BadInput("price", told.price, "give it as limit or as price, not as both")
    return told.limit or told.price


def _intent_of_orders(path: Path, orders: Sequence[Sequence[tuple[Leg, LineChange]]]) -> Intent:
    legs: list[tuple[Leg, list[LineChange]]] = []
    for same in orders:
        most = max(change.quantity or 0 for _, change in same)
        leg = replace(same[0][0], sizing=Sizing(SizingKind.FIXED_QUANTITY, most))
        legs.append((leg, [change for _, change in same]))
    made = intent_of([leg for leg, _ in legs]).listed_for(legs, path.name)
    return replace(made, per_client=PerClient.IN_ORDER, multiplied=False)


def _judged(row: CsvRow, problems: list[Problem], read: Callable[[CsvRow], T]) -> T | None:
    """What a row says; where a value cannot be taken None, and what is wrong among the problems."""
    try:
        return read(row)
    except BadInput as wrong:
        field = _column(wrong.field, row)
        value = row.values.get(field, str(wrong.value))
        problems.append(Problem(row.number, field, value, wrong.expected))
        return None


def _column(field: str, row: CsvRow) -> str:
    """The column that a value stands in which the desk calls by another name."""
    for name in (field, _ALSO_CALLED.get(field)):
        if name is not None and name in row.values:
            return name
    return field
