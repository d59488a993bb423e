"""What is held, client by client, with stocks or sectors across, while no basket is planned.

Cells read the book when they are painted, so that they follow the prices and only what shows costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from engine.accounts.held import column_by, held_across
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.baskets import fill_words
from screens.desk.rows import aged, direction, known_pnl, symbol_of
from screens.matrix.columns import whose
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.held import Across, HeldAcross, HeldRow
    from engine.desk import Desk

SECTOR_CELLS = 16
"""Cells of a sector's column, for its name."""

FIXED_COLUMNS = frozenset({None, "code", "name"})
"""Columns whose order no price changes; None is the order of the clients."""


class HeldLook(StrEnum):
    """What a cell shows; `,` turns to the next."""

    WEIGHT = "weight of the portfolio"
    QUANTITY = "shares"
    VALUE = "value"
    NET = "day net, charges taken off"
    DRIFT = "drift from target"
    FILLS = "today's orders, filled of wanted"


def held_now(desk: Desk, across: Across) -> HeldAcross:
    """What the clients hold now, and what they ordered today, by stock or by sector."""

    def sector_of(key: str) -> str:
        instrument = desk.market.index.get(key)
        return instrument.sector if instrument is not None else ""

    orders, column_of = desk.orders.all(today=True), column_by(across, sector_of)
    return held_across(desk.clients.all(), desk.holdings.all(), orders, desk.valuation, column_of)


class HeldCells(Struct, frozen=True):
    """The cells of what is held; `masked` says whether amounts are hidden."""

    desk: Desk
    look: Callable[[], HeldLook]
    masked: Callable[[], bool]

    def figure(self, row: HeldRow, column: str) -> int | None:
        """What the look asks for: shares, paise, or basis points of the portfolio. None where not known."""
        held, look, valuation = row.held.get(column), self.look(), self.desk.valuation
        if look is HeldLook.FILLS:
            return sum(order.filled_quantity for order in row.orders.get(column, ())) or None
        if not held or look is HeldLook.DRIFT:
            return None
        if look is HeldLook.WEIGHT:
            return row.weight_bps(column, valuation)
        together = valuation.together(held)
        if look is HeldLook.QUANTITY:
            return together.quantity
        return together.value_paise if look is HeldLook.VALUE else together.net_day_pnl_paise

    def words(self, row: HeldRow, column: str) -> str:
        """The figure in words; nothing where the client holds none, or no target says what drifted."""
        look = self.look()
        if look is HeldLook.FILLS:
            return fill_words(row.orders.get(column, ()))
        if column not in row.held or look is HeldLook.DRIFT:
            return ""
        if look is HeldLook.QUANTITY:
            return formats.quantity(self.figure(row, column))
        if look is HeldLook.WEIGHT:
            return f"{formats.tenth_percent(self.figure(row, column) or 0)} %"
        if self.masked():
            return MASK
        return (formats.signed if look is HeldLook.NET else formats.rupees)(self.figure(row, column))

    def style(self, row: HeldRow, column: str) -> str | None:
        """The style of a figure of a price; shares and orders follow from none."""
        look = self.look()
        if look in (HeldLook.QUANTITY, HeldLook.DRIFT, HeldLook.FILLS) or column not in row.held:
            return None
        gain = look is HeldLook.NET and not self.masked()
        keys = {one.key for one in row.held[column]}
        return aged(self.desk, keys, direction(self.figure(row, column)) if gain else None)


def held_columns(
    desk: Desk, columns: Sequence[str], look: Callable[[], HeldLook], masked: Callable[[], bool]
) -> list[Column]:
    """The columns of what is held: a client, each stock or sector, and all that the client has and gained."""
    cells = HeldCells(desk, look, masked)

    def of(column: str, place: int) -> Column:
        return Column(
            column,
            symbol_of(column) if ":" in column else column,
            10 if ":" in column else SECTOR_CELLS,
            lambda row: cells.words(row, column),
            "right",
            style=lambda row: cells.style(row, column),
            sort=lambda row: cells.figure(row, column),
            priority=place,
        )

    return [
        *whose(masked, flex=True),
        *(of(column, place) for place, column in enumerate(columns, start=3)),
        *_totals(desk, masked),
    ]


def _totals(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """What a client has in all, and what its day brought net of charges."""

    def portfolio(row: HeldRow) -> int:
        return desk.valuation.client(row.client_id).portfolio_paise

    def net(row: HeldRow) -> int | None:
        return known_pnl(desk, (row.client_id,), desk.valuation.client(row.client_id).net_day_pnl_paise)

    def style(row: HeldRow, part: str | None) -> str | None:
        return aged(desk, desk.valuation.keys_of((row.client_id,)), part)

    return [
        Column(
            "portfolio",
            "portfolio",
            12,
            lambda row: MASK if masked() else formats.rupees(portfolio(row)),
            "right",
            style=lambda row: style(row, None),
            sort=portfolio,
            priority=1,
        ),
        Column(
            "net",
            "day net",
            9,
            lambda row: MASK if masked() else formats.signed(net(row)),
            "right",
            style=lambda row: None if masked() else style(row, direction(net(row))),
            sort=net,
            priority=2,
        ),
    ]
