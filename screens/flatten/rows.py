"""A position in the grid of a flatten, the same before it is sent, while it goes, and as certified."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import FlattenLineState
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.flattens import left_words, order_words, position_words, signed, symbol_words
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.flatten.views import FlattenLineView, FlattenPosition


class FlattenRow(Struct, frozen=True):
    """One line of the grid: a position, and what is or would be sent of it, or why not.

    `state` is empty before anything was sent; `ok` where nothing is left.
    """

    of: FlattenPosition | FlattenLineView
    before: int | None
    sends: str
    filled: str
    state: str
    ok: bool


def row_of_position(one: FlattenPosition) -> FlattenRow:
    """A position as it would be sent."""
    return FlattenRow(one, before=one.net, sends=position_words(one), filled="", state="", ok=not one.reason)


def row_of_line(line: FlattenLineView) -> FlattenRow:
    """A position as it goes, or as it ended."""
    sends = order_words(line.side, line.sent, line.limit_paise), left_words(line.reason, line.detail)
    return FlattenRow(
        line,
        before=line.net_before,
        sends=" · ".join(words for words in sends if words),
        filled=formats.quantity(line.filled) if line.sent else "",
        state=line.state.value,
        ok=line.state is not FlattenLineState.LEFT,
    )


def columns(privacy: Callable[[], bool]) -> list[Column]:
    """The columns; the client's name gives way first, then what was there before."""

    def symbol(row: FlattenRow) -> str:
        return symbol_words(row.of)

    def product(row: FlattenRow) -> str:
        return row.of.product.value if row.of.tradingsymbol else ""

    def state_style(row: FlattenRow) -> str | None:
        return "warn" if row.state == FlattenLineState.LEFT.value else None

    def sends_style(row: FlattenRow) -> str | None:
        return None if row.ok else "warn"

    return [
        Column("code", "code", 6, lambda row: row.of.code, sort=lambda row: row.of.code),
        Column("name", "client", 12, lambda row: MASK if privacy() else row.of.name, priority=2, flex=True),
        Column("symbol", "symbol", 10, symbol, sort=symbol),
        Column("product", "prod", 4, product, priority=3),
        Column("before", "before", 7, lambda row: signed(row.before), "right", priority=4),
        Column("net", "net", 7, lambda row: signed(row.of.net), "right"),
        Column("filled", "filled", 6, lambda row: row.filled, "right", priority=5),
        Column("state", "", 5, lambda row: row.state, style=state_style),
        Column(
            "sends",
            "will send, or why not · key",
            30,
            lambda row: row.sends,
            style=sends_style,
            flex=True,
            most=LINE_CELLS,
            grows=True,
        ),
    ]


def problems_first(rows: Iterable[FlattenRow]) -> list[FlattenRow]:
    """The rows with those ahead that a human has to answer, else as they stand."""
    return sorted(rows, key=lambda row: row.ok)
