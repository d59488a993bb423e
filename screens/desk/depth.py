"""The book of a symbol, as the depth widget draws it, in a pane that says its price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from engine.words import formats
from engine.words.market import WIDEST, held_words, price_words, symbol_lines
from screens.desk.rows import NOT_LISTED, stale_words, symbol_of
from screens.frame.pane import Pane
from widgets.depth import Depth, DepthLine
from widgets.sparks import DotLine

if TYPE_CHECKING:
    from brokers.contract import Tick
    from engine.desk import Desk


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
                bid.orders if bid else 0,
                ask.orders if ask else 0,
            )
        )
    return levels


class DepthPane(Pane):
    """The symbol under the cursor: its last price with its age, its facts, its book."""

    def __init__(self, desk: Desk, id: str, with_line: bool = False) -> None:  # noqa: A002 - Textual's own word
        """`with_line` draws the course of the day above the book."""
        super().__init__(id)
        self.set_title("No symbol yet")
        self._with_line = with_line
        self._desk = desk
        self._held_of = ""
        self._held = ""

    def compose(self) -> ComposeResult:
        """The day's line, the book."""
        if self._with_line:
            yield DotLine("the day's line begins as prices come")
        yield Depth(formats.price, formats.quantity, formats.volume)

    def holders_changed(self) -> None:
        """Count again who holds it."""
        self._held_of = ""

    def show(self, key: str | None) -> None:
        """Show this symbol as it stands; nothing is drawn while the pane is hidden."""
        if key is None or not self.display or not self.size:
            return
        market = self._desk.market
        instrument, quote = market.index.get(key), market.quote(key)
        if key != self._held_of:
            held = NOT_LISTED if instrument is None else held_words(market.detail(key))
            self._held_of, self._held = key, held
        depth = self.query_one(Depth)
        depth.set_header(symbol_lines(instrument, quote, self._held, (depth.size.width or WIDEST) - 1))
        depth.update(depth_levels(quote))
        for line in self.query(DotLine):
            if line.size:
                line.show(market.day_line(key), quote.prev_close_paise if quote else 0)
        age = f"{formats.age(market.age(key))}{stale_words(self._desk, (key,))}"
        self.set_title(symbol_of(key), [price_words(quote, market.change_bps(key)), age])
