"""The book of a tick as levels of the depth widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from widgets.depth import DepthLine

if TYPE_CHECKING:
    from brokers.contract import Tick


def depth_levels(quote: Tick | None) -> list[DepthLine]:
    """The book of a tick, best prices first; where only the best are known, those."""
    if quote is None:
        return []
    if not quote.bids and not quote.asks:
        return [DepthLine(None, quote.bid_paise or None, quote.ask_paise or None, None)]
    levels: list[DepthLine] = []
    for place in range(max(len(quote.bids), len(quote.asks))):
        bid = quote.bids[place] if place < len(quote.bids) else None
        ask = quote.asks[place] if place < len(quote.asks) else None
        levels.append(
            DepthLine(
                bid.quantity if bid else None,
                bid.price_paise if bid else None,
                ask.price_paise if ask else None,
                ask.quantity if ask else None,
            )
        )
    return levels
