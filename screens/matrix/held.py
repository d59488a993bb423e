"""What is held, client by client and stock by stock, as the matrix shows it while no basket is planned.

Cells read the book when they are painted, so that they follow the prices and only what shows costs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.words import formats
from engine.words.formats import MASK
from screens.desk.rows import aged, direction, symbol_of
from screens.matrix.columns import whose
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.book.views import HoldingView
    from engine.desk import Desk

MOST_STOCKS = 12
"""More stocks than that have no room beside each other; the most valuable stand."""

FIXED_COLUMNS = frozenset({None, "code", "name"})
"""Columns whose order no price changes; None is the order of the clients."""


class HeldLook(StrEnum):
    """What the cell of a stock held shows; `,` turns to the next."""

    WEIGHT = "weight of the portfolio"
    QUANTITY = "shares"
    VALUE = "value"
    DAY = "day's profit before charges"


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A client with what it holds, by key; of one stock there may be shares in several products."""

    client_id: int
    code: str
    name: str
    held: dict[str, list[HoldingView]]


def held_rows(desk: Desk) -> tuple[list[str], dict[int, HeldRow]]:
    """The keys of the stocks across, the most valuable first, and the clients who hold any."""
    cells: dict[int, dict[str, list[HoldingView]]] = defaultdict(lambda: defaultdict(list))
    worth = Counter[str]()
    for holding in desk.holdings.all():
        if holding.quantity:
            cells[holding.client_id][holding.key].append(holding)
            worth[holding.key] += desk.valuation.holding(holding).value_paise
    rows = {
        client.id: HeldRow(client.id, client.code, client.name, cells[client.id])
        for client in desk.clients.all()
        if client.id in cells
    }
    return [key for key, _ in worth.most_common(MOST_STOCKS)], rows


@dataclass(frozen=True, slots=True)
class HeldCells:
    """The cells of what is held; `masked` says whether amounts are hidden."""

    desk: Desk
    look: Callable[[], HeldLook]
    masked: Callable[[], bool]

    def figure(self, row: HeldRow, key: str) -> int | None:
        """What the look asks for: shares, paise, or basis points of the portfolio. None where not known."""
        held, look, valuation = row.held.get(key), self.look(), self.desk.valuation
        if not held:
            return None
        if look is HeldLook.WEIGHT:
            return sum(valuation.weight_bps(row.client_id, one) or 0 for one in held)
        together = valuation.together(held)
        if look is HeldLook.QUANTITY:
            return together.quantity
        return together.value_paise if look is HeldLook.VALUE else together.day_pnl_paise

    def words(self, row: HeldRow, key: str) -> str:
        """The figure in words; nothing where the client holds none."""
        look = self.look()
        if key not in row.held:
            return ""
        if look is HeldLook.QUANTITY:
            return formats.quantity(self.figure(row, key))
        if look is HeldLook.WEIGHT:
            return f"{formats.tenth_percent(self.figure(row, key) or 0)} %"
        if self.masked():
            return MASK
        return (formats.signed if look is HeldLook.DAY else formats.rupees)(self.figure(row, key))

    def style(self, row: HeldRow, key: str) -> str | None:
        """The style of a figure of a price; shares follow from none."""
        look = self.look()
        if look is HeldLook.QUANTITY or key not in row.held:
            return None
        gain = look is HeldLook.DAY and not self.masked()
        return aged(self.desk, (key,), direction(self.figure(row, key)) if gain else None)


def held_columns(
    desk: Desk, keys: Sequence[str], look: Callable[[], HeldLook], masked: Callable[[], bool]
) -> list[Column]:
    """The columns of what is held: a client, each of the stocks, and all that the client has."""
    cells = HeldCells(desk, look, masked)

    def portfolio(row: HeldRow) -> int:
        return desk.valuation.client(row.client_id).portfolio_paise

    def stock(key: str, place: int) -> Column:
        return Column(
            f"held-{key}",
            symbol_of(key),
            10,
            lambda row: cells.words(row, key),
            "right",
            style=lambda row: cells.style(row, key),
            sort=lambda row: cells.figure(row, key),
            priority=place,
        )

    return [
        *whose(masked, flex=True),
        *(stock(key, place) for place, key in enumerate(keys, start=2)),
        Column(
            "portfolio",
            "portfolio",
            12,
            lambda row: MASK if masked() else formats.rupees(portfolio(row)),
            "right",
            style=lambda row: aged(desk, desk.valuation.keys_of((row.client_id,)), None),
            sort=portfolio,
            priority=1,
        ),
    ]
