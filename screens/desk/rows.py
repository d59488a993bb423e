"""The columns of the Desk's grids. Cells read the book when they are painted, so only what shows costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

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


def watch_columns(desk: Desk) -> list[Column]:
    """The watchlist's columns; rows are instrument keys."""

    stale = desk.market.stale

    def last(key: str) -> str:
        quote = desk.market.quote(key)
        return formats.price(quote.last_paise if quote else None)

    def change_words(key: str) -> str:
        # A change counted from a price that no longer holds would only mislead.
        return "stale" if stale(key) else formats.signed_percent(desk.market.change_bps(key))

    def of(field: str) -> Callable[[str], int | None]:
        return lambda key: getattr(desk.market.quote(key), field, None)

    def priced(title: str, field: str, priority: int) -> Column:
        value = of(field)
        return Column(
            title,
            title,
            9,
            lambda key: formats.price(value(key) or None),
            "right",
            sort=value,
            priority=priority,
            grows=True,
        )

    return [
        Column("symbol", "symbol", 9, symbol_of, sort=lambda key: key, flex=True, most=SYMBOL_CELLS),
        Column(
            "ltp",
            "LTP",
            9,
            last,
            "right",
            style=lambda key: "stale" if stale(key) else None,
            sort=of("last_paise"),
            grows=True,
        ),
        Column(
            "change",
            "chg%",
            6,
            change_words,
            "right",
            style=lambda key: "stale" if stale(key) else sign_of(desk.market.change_bps(key)),
            sort=desk.market.change_bps,
        ),
        Column(
            "day",
            "day",
            DAY_CELLS,
            lambda key: blocks(desk.market.day_line(key, DAY_CELLS), DAY_CELLS),
            priority=2,
        ),
        priced("high", "high_paise", 3),
        priced("low", "low_paise", 4),
        Column(
            "volume",
            "vol",
            6,
            lambda key: formats.volume(of("volume")(key)),
            "right",
            sort=of("volume"),
            priority=1,
        ),
        priced("bid", "bid_paise", 5),
        priced("ask", "ask_paise", 6),
        priced("open", "open_paise", 7),
        priced("prev", "prev_close_paise", 8),
        Column("age", "age", 4, lambda key: formats.age(desk.market.age(key)), "right", priority=9),
    ]
