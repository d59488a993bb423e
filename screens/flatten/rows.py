"""A position in the grid of a flatten, the same before it is sent, while it goes, and as certified."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.vocabulary import FlattenLineState
from engine.words import formats
from engine.words.flattens import NEXT, WHY, order_words, signed
from engine.words.formats import MASK
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.flatten.views import FlattenLineView, FlattenPosition

NO_POSITION = "positions"
"""Stands for a symbol where nobody could be asked what there is."""


@dataclass(frozen=True, slots=True)
class FlattenRow:
    """One line of the grid. `state` is empty before anything was sent; `ok` where nothing is left."""

    client_id: int
    code: str
    name: str
    symbol: str
    product: str
    before: str
    net: str
    sends: str
    filled: str
    state: str
    why: str
    key: str
    ok: bool


def row_of_position(one: FlattenPosition) -> FlattenRow:
    """A position as it would be sent."""
    return FlattenRow(
        one.client_id,
        one.code,
        one.name,
        one.tradingsymbol or NO_POSITION,
        one.product.value if one.tradingsymbol else "",
        signed(one.net),
        signed(one.net),
        order_words(one.side, one.quantity, one.limit_paise),
        "",
        "",
        _why(WHY[one.reason], one.detail),
        NEXT[one.reason],
        not one.reason,
    )


def row_of_line(line: FlattenLineView) -> FlattenRow:
    """A position as it goes, or as it ended."""
    return FlattenRow(
        line.client_id,
        line.code,
        line.name,
        line.tradingsymbol or NO_POSITION,
        line.product.value if line.tradingsymbol else "",
        signed(line.net_before),
        signed(line.net),
        order_words(line.side, line.sent, line.limit_paise),
        formats.quantity(line.filled) if line.sent else "",
        line.state.value,
        _why(WHY[line.reason], line.detail),
        NEXT[line.reason],
        line.state is not FlattenLineState.LEFT,
    )


def _why(words: str, detail: str) -> str:
    return ": ".join(one for one in (words, detail) if one)


def columns(privacy: Callable[[], bool]) -> list[Column]:
    """The columns; the client's name gives way first, then what was there before."""

    def state_style(row: FlattenRow) -> str | None:
        return "warn" if row.state == FlattenLineState.LEFT.value else None

    def sends_style(row: FlattenRow) -> str | None:
        return None if row.ok else "warn"

    return [
        Column("code", "code", 6, lambda row: row.code, sort=lambda row: row.code),
        Column("name", "client", 12, lambda row: MASK if privacy() else row.name, priority=2, flex=True),
        Column("symbol", "symbol", 10, lambda row: row.symbol, sort=lambda row: row.symbol),
        Column("product", "prod", 4, lambda row: row.product, priority=3),
        Column("before", "before", 7, lambda row: row.before, "right", priority=4),
        Column("net", "net", 7, lambda row: row.net, "right"),
        Column("filled", "filled", 6, lambda row: row.filled, "right", priority=5),
        Column("state", "", 5, lambda row: row.state, style=state_style),
        Column("sends", "will send, or why not · key", 42, _sends, style=sends_style),
    ]


def problems_first(rows: Iterable[FlattenRow]) -> list[FlattenRow]:
    """The rows with those ahead that a human has to answer, else as they stand."""
    return sorted(rows, key=lambda row: row.ok)


def _sends(row: FlattenRow) -> str:
    return " · ".join(words for words in (row.sends, row.why, row.key) if words)
