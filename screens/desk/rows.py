"""The columns of the Desk's grids. Cells read the book when they are painted, so only what shows costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from data.vocabulary import WatchColumn
from engine.words import formats
from widgets.livegrid import Column
from widgets.sparks import blocks

if TYPE_CHECKING:
    from engine.desk import Desk


def direction(value: int | None) -> str | None:
    """The style of a gain or a loss, as the figure's sign says it; none where half a rupee rounds to 0."""
    return None if value is None or abs(value) < 50 else "up" if value > 0 else "down"


def sign_of(value: int | None) -> str | None:
    """The style of a figure that is shown to its last digit."""
    return None if not value else "up" if value > 0 else "down"


def aged(desk: Desk, keys: Iterable[str], style: str | None) -> str | None:
    """The style of a figure that follows from these prices: `stale` where one is too old, else its own.

    Every figure of a price takes its style from here, so that none looks live while its price is not.
    """
    return "stale" if desk.market.any_stale(keys) else style


def known_pnl(desk: Desk, client_ids: Iterable[int], paise: int) -> int | None:
    """A P&L of these clients as it may be shown: None while nothing they hold has a price."""
    return None if desk.valuation.unpriced(client_ids) else paise


NOT_LISTED = "not listed any more"
"""What is said of a symbol that the broker's latest file has no more."""


def stale_words(desk: Desk, keys: Iterable[str]) -> str:
    """Behind the title of figures of these prices, where one is too old; how old, the strip says."""
    return " · prices STALE" if desk.market.any_stale(keys) else ""


DAY_CELLS = 10
"""Cells of the line of blocks that shows the course of the day."""

SYMBOL_CELLS = 16
"""Cells at which a column of symbols stops growing."""


def symbol_of(key: str) -> str:
    """The symbol of an instrument key."""
    return key.partition(":")[2]


_STAYS = [
    WatchColumn.LTP,
    WatchColumn.CHANGE,
    WatchColumn.VOLUME,
    WatchColumn.DAY,
    *(WatchColumn.HIGH, WatchColumn.LOW, WatchColumn.BID, WatchColumn.ASK),
    *(WatchColumn.OPEN, WatchColumn.PREVIOUS, WatchColumn.AGE),
]
"""What stays longest comes first, where space is short and nobody has chosen."""

ALWAYS = 2
"""So many columns stay however narrow the screen is."""


def watch_columns(desk: Desk, chosen: Sequence[WatchColumn]) -> list[Column]:
    """The watchlist's columns, those chosen in that order; rows are instrument keys.

    Where space is short the last one chosen leaves first.
    """
    symbol = Column("symbol", "symbol", 10, symbol_of, sort=lambda key: key, flex=True, most=SYMBOL_CELLS)
    known = _watch_columns(desk)
    shown, stays = chosen or list(WatchColumn), chosen or _STAYS
    leaves = {column: max(0, place - ALWAYS + 1) for place, column in enumerate(stays)}
    return [symbol, *(replace(known[column], priority=leaves[column]) for column in shown)]


def _watch_columns(desk: Desk) -> dict[WatchColumn, Column]:
    """Each column that may be chosen."""

    def gone(key: str) -> bool:
        return desk.market.index.get(key) is None

    def stale(key: str) -> bool:
        return gone(key) or desk.market.stale(key)

    def change_words(key: str) -> str:
        if gone(key):
            return "unlist"
        # A change counted from a price that no longer holds would only mislead.
        return "stale" if stale(key) else formats.signed_percent(desk.market.change_bps(key))

    def of(field: str) -> Callable[[str], int | None]:
        return lambda key: getattr(desk.market.quote(key), field, None)

    def priced(column: WatchColumn, field: str) -> Column:
        value, title = of(field), column.value
        return Column(
            title, title, 9, lambda key: formats.price(value(key) or None), "right", sort=value, grows=True
        )

    last, volume = of("last_paise"), of("volume")
    return {
        WatchColumn.LTP: Column(
            "ltp",
            "LTP",
            9,
            lambda key: formats.price(last(key)),
            "right",
            style=lambda key: "stale" if stale(key) else None,
            sort=last,
            grows=True,
        ),
        WatchColumn.CHANGE: Column(
            "change",
            "chg%",
            6,
            change_words,
            "right",
            style=lambda key: "stale" if stale(key) else sign_of(desk.market.change_bps(key)),
            sort=desk.market.change_bps,
        ),
        WatchColumn.DAY: Column(
            "day", "day", DAY_CELLS, lambda key: blocks(desk.market.day_line(key, DAY_CELLS), DAY_CELLS)
        ),
        WatchColumn.HIGH: priced(WatchColumn.HIGH, "high_paise"),
        WatchColumn.LOW: priced(WatchColumn.LOW, "low_paise"),
        WatchColumn.VOLUME: Column(
            "volume", "vol", 6, lambda key: formats.volume(volume(key)), "right", sort=volume
        ),
        WatchColumn.BID: priced(WatchColumn.BID, "bid_paise"),
        WatchColumn.ASK: priced(WatchColumn.ASK, "ask_paise"),
        WatchColumn.OPEN: priced(WatchColumn.OPEN, "open_paise"),
        WatchColumn.PREVIOUS: priced(WatchColumn.PREVIOUS, "prev_close_paise"),
        WatchColumn.AGE: Column(
            "age", "age", 4, lambda key: formats.age(desk.market.age(key)), "right", sort=desk.market.age
        ),
    }
