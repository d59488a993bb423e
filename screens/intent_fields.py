"""What the fields of an order start with and offer, in the bulk form and the ticket alike."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from data.vocabulary import Side, SizingKind

if TYPE_CHECKING:
    from engine.desk import Desk

AS_HELD = "as held"
"""The product of a sell that takes whatever each client holds."""

FIRST_VALUES = {
    SizingKind.PERCENT_OF_CAPITAL: "25",
    SizingKind.PERCENT_OF_AVAILABLE: "25",
    SizingKind.PERCENT_OF_POSITION: "100",
    SizingKind.FIXED_AMOUNT: "",
    SizingKind.FIXED_QUANTITY: "",
}
"""What stands in the value field until the trader has sized once."""

SIZES = {
    Side.BUY: (
        SizingKind.PERCENT_OF_CAPITAL,
        SizingKind.PERCENT_OF_AVAILABLE,
        SizingKind.FIXED_AMOUNT,
        SizingKind.FIXED_QUANTITY,
    ),
    Side.SELL: (
        SizingKind.PERCENT_OF_POSITION,
        SizingKind.FIXED_QUANTITY,
        SizingKind.FIXED_AMOUNT,
        SizingKind.PERCENT_OF_CAPITAL,
    ),
}
"""The sizings of each side, the one it starts with first."""


def marked_title(count: int, total: int) -> str:
    """A selection of marked clients says so wherever the plan is shown."""
    return f"{count} MARKED of {total}"


def suggest_symbols(desk: Desk, text: str) -> list[tuple[Hashable, str]]:
    """Symbols for a field: the tradable ones, the code first."""
    return [
        (found.key, f"{found.tradingsymbol} {found.exchange} {found.name}")
        for found in desk.market.index.search(text, 12)
        if found.tradable
    ]
