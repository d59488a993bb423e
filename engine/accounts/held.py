"""What is held, client by client, with stocks or sectors across, before a figure of it is chosen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from engine.accounts.sectors import NO_SECTOR

if TYPE_CHECKING:
    from engine.accounts.valuation import Valuation
    from engine.book.views import ClientView, HoldingView, OrderView

MOST_COLUMNS = 60
"""More stocks than that are looked through nowhere beside each other; the most valuable stand."""


class Across(StrEnum):
    """What the columns are."""

    STOCKS = "stocks"
    SECTORS = "sectors"


class HeldRow(Struct, frozen=True):
    """A client with what it holds and what it ordered today, by column."""

    client_id: int
    code: str
    name: str
    held: dict[str, list[HoldingView]]
    orders: dict[str, list[OrderView]]

    def weight_bps(self, column: str, valuation: Valuation) -> int:
        """How much of the client's portfolio stands in a column, in basis points."""
        return sum(valuation.weight_bps(self.client_id, one) or 0 for one in self.held.get(column, ()))


class HeldAcross(Struct, frozen=True):
    """The columns across with the stocks of each, the most valuable first, and the clients down."""

    columns: Mapping[str, frozenset[str]]
    rows: Mapping[int, HeldRow]

    @property
    def keys(self) -> set[str]:
        """Every stock in it."""
        return {key for keys in self.columns.values() for key in keys}


def held_across(
    clients: Iterable[ClientView],
    holdings: Iterable[HoldingView],
    orders: Iterable[OrderView],
    valuation: Valuation,
    column_of: Callable[[str], str],
) -> HeldAcross:
    """What these clients hold, and these orders of theirs, by the column that `column_of` gives a key."""
    cells: dict[int, dict[str, list[HoldingView]]] = defaultdict(lambda: defaultdict(list))
    ordered: dict[int, dict[str, list[OrderView]]] = defaultdict(lambda: defaultdict(list))
    stocks: dict[str, set[str]] = defaultdict(set)
    worth = Counter[str]()
    for holding in holdings:
        if holding.quantity:
            column = column_of(holding.key)
            cells[holding.client_id][column].append(holding)
            stocks[column].add(holding.key)
            worth[column] += valuation.holding(holding).value_paise
    for order in orders:
        ordered[order.client_id][column_of(order.key)].append(order)
    rows = {
        client.id: HeldRow(client.id, client.code, client.name, cells[client.id], ordered[client.id])
        for client in clients
        if client.id in cells
    }
    shown = [column for column, _ in worth.most_common(MOST_COLUMNS)]
    return HeldAcross({column: frozenset(stocks[column]) for column in shown}, rows)


def column_by(across: Across, sector_of: Callable[[str], str]) -> Callable[[str], str]:
    """In which column a stock stands; `sector_of` tells the sector of a key, empty where it is not known."""
    return (lambda key: key) if across is Across.STOCKS else (lambda key: sector_of(key) or NO_SECTOR)
