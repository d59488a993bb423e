"""A symbol's facts in words and its book as levels, for the Desk and the symbol's page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from data.clock import IST
from engine.words import formats
from widgets.depth import DepthLevel

if TYPE_CHECKING:
    from brokers.contract import Tick
    from engine.desk import Desk

WIDEST = 200
"""Cells that lines are made for before a screen has told its width."""


def market_time(desk: Desk, at: datetime) -> str:
    """A stamp as the time of day the trader lives in: a simulated market has its own."""
    return formats.time_of_day(desk.shown_at(at))


def market_stamp(desk: Desk, at: datetime) -> str:
    """A stamp with its date where that is not the market's: `09:20:05`, `17 Nov 09:20:05`."""
    shown = desk.shown_at(at)
    return formats.time_of_day(shown) if _is_today(desk, shown) else f"{_date(shown)} {market_time(desk, at)}"


def market_when(desk: Desk, at: datetime) -> str:
    """A stamp in eight cells: the time of day, or the date where that is not the market's."""
    return traded_when(desk, desk.shown_at(at))


def traded_when(desk: Desk, at: datetime) -> str:
    """As `market_when`, of a stamp that the market itself made."""
    return formats.time_of_day(at) if _is_today(desk, at) else _date(at)


def _is_today(desk: Desk, shown: datetime) -> bool:
    return shown.astimezone(IST).date() == desk.market.now().astimezone(IST).date()


def _date(shown: datetime) -> str:
    return f"{shown.astimezone(IST):%d %b}"


def held_words(desk: Desk, key: str) -> str:
    """Who holds a symbol; counts over every client, so not for each frame."""
    detail = desk.market.detail(key)
    clients = "1 client" if detail.holder_count == 1 else f"{detail.holder_count} clients"
    return (
        f"held {clients} {formats.quantity(detail.held_quantity)} sh"
        if detail.held_quantity
        else "held by none"
    )


def symbol_lines(desk: Desk, key: str, held: str, width: int) -> list[str]:
    """Tick, band, day's range and who holds it, in two short lines of no more than `width` cells.

    What has no room is said more briefly or left out: a part of a figure reads as another one.
    """
    instrument, quote = desk.market.index.get(key), desk.market.quote(key)
    first = key.partition(":")[2]
    if instrument is not None:
        first += f" tick {formats.price(instrument.tick_paise)}"
    if quote is None:
        return [first, _with_held("no price yet", held, width)]
    if quote.lower_circuit_paise:
        low, high = formats.price(quote.lower_circuit_paise), formats.price(quote.upper_circuit_paise)
        band = f" band {low}-{high}"
        first += band if len(first + band) <= width else ""
    day = f"day {formats.price(quote.low_paise)}-{formats.price(quote.high_paise)}"
    return [first, _with_held(day, held, width)]


def _with_held(before: str, held: str, width: int) -> str:
    """`held 47 clients 510 sh` behind other words, or `held 47: 510 sh`, or nothing, as there is room."""
    brief = held.replace(" clients ", ": ").replace(" client ", ": ")
    said = (f"{before}  {words}" for words in (held, brief))
    return next((line for line in said if len(line) <= width), before)


def depth_levels(quote: Tick | None) -> list[DepthLevel]:
    """The book of a tick, best prices first; where only the best are known, those."""
    if quote is None:
        return []
    if not quote.bids and not quote.asks:
        return [DepthLevel(None, quote.bid_paise or None, quote.ask_paise or None, None)]
    levels: list[DepthLevel] = []
    for place in range(max(len(quote.bids), len(quote.asks))):
        bid = quote.bids[place] if place < len(quote.bids) else None
        ask = quote.asks[place] if place < len(quote.asks) else None
        levels.append(
            DepthLevel(
                bid.quantity if bid else None,
                bid.price_paise if bid else None,
                ask.price_paise if ask else None,
                ask.quantity if ask else None,
            )
        )
    return levels
