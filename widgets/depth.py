"""The order book of one symbol: five levels of bids and asks under a few lines of facts, and their sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles
from widgets.text import ELLIPSIS, clip, plain

LEVELS = 5
"""Lines of the book, drawn as dashes where there is no level."""
ORDERS_CELLS = 5
"""Cells of the count of orders, shown where each side has room for it."""
WIDE_HALF = 24
"""Cells of a side from which on its counts of orders are shown."""
ROOMY = 36
"""Cells from which on there are blanks beside the rule."""
FURTHEST = 10
"""Cells between a price and the count beside it at most."""


@dataclass(frozen=True)
class DepthLine:
    """One line of the book; quantities in shares, prices in paise, `None` where a side has no level.

    `bid_orders` and `ask_orders` count the orders behind a level, 0 where that is not told.
    """

    bid_quantity: int | None
    bid_paise: int | None
    ask_paise: int | None
    ask_quantity: int | None
    bid_orders: int = 0
    ask_orders: int = 0


NO_LEVEL = DepthLine(None, None, None, None)
"""A line of the book with nothing on either side."""


class Depth(Widget):
    """Bid quantity and price at the left of the rule, ask price and quantity at its right.

    The ground behind a level says how much of the largest one it is; the last line sums both sides up.
    `price` and `quantity` make text of paise and of shares, and of None; `brief` of shares in little space.
    """

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("head", "bid", "ask", "rule", "bid-bar", "ask-bar")
    DEFAULT_CSS = """
    Depth {
        height: auto;
        width: 1fr;
        .depth--head { color: $foreground; }
        .depth--bid { color: $side-buy; }
        .depth--ask { color: $side-sell; }
        .depth--bid-bar { background: $side-buy 20%; }
        .depth--ask-bar { background: $side-sell 20%; }
        .depth--rule { color: $text-muted; }
    }
    """

    def __init__(
        self,
        price: Callable[[int | None], str],
        quantity: Callable[[int | None], str],
        brief: Callable[[int | None], str] | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._parts = PartStyles(self, "depth", self.PARTS)
        self._price, self._quantity, self._brief = price, quantity, brief or quantity
        self.head: tuple[str, ...] = ()
        self._levels: tuple[DepthLine, ...] = ()

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    def set_header(self, lines: Sequence[str]) -> None:
        """Say these lines above the book."""
        head = tuple(plain(line) for line in lines)
        if head != self.head:
            self.refresh(layout=len(head) != len(self.head))
            self.head = head

    def update(self, levels: Sequence[DepthLine]) -> None:
        """Show this book, best prices first; no more than five levels are drawn."""
        taken = tuple(levels[:LEVELS])
        if taken != self._levels:
            self._levels = taken
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The header, five levels, and their sums."""
        return len(self.head) + LEVELS + 1

    def render_line(self, y: int) -> Strip:
        """A line of the header, a level of the book, or the sums."""
        width, base = self.size.width, self._parts.ground
        if y < len(self.head):
            head = Segment(clip(f" {self.head[y]}", width), self._parts.drawn("head"))
            return Strip([head]).adjust_cell_length(width, base)
        place = y - len(self.head)
        if place > LEVELS:
            return Strip.blank(width, base)
        line = self._sums(width) if place == LEVELS else self._level(place, width)
        return Strip(line).adjust_cell_length(width, base)

    def _level(self, place: int, width: int) -> list[Segment]:
        """A level: how much at which price on either side of the rule."""
        level = self._levels[place] if place < len(self._levels) else NO_LEVEL
        rule = " │ " if width >= ROOMY else "│"
        half = max(0, (width - len(rule)) // 2)
        sizes = [shares or 0 for one in self._levels for shares in (one.bid_quantity, one.ask_quantity)]
        largest = max(sizes, default=0)
        bid = self._half(level.bid_quantity, level.bid_paise, level.bid_orders, half, left=True)
        ask = self._half(level.ask_quantity, level.ask_paise, level.ask_orders, half, left=False)
        long_bid, long_ask = (
            half * (quantity or 0) // largest if largest else 0
            for quantity in (level.bid_quantity, level.ask_quantity)
        )
        bid_style, ask_style = self._parts.drawn("bid"), self._parts.drawn("ask")
        return [
            Segment(bid[: half - long_bid], bid_style),
            Segment(bid[half - long_bid :], bid_style + self._bar("bid")),
            Segment(rule, self._parts.drawn("rule")),
            Segment(ask[:long_ask], ask_style + self._bar("ask")),
            Segment(ask[long_ask:], ask_style),
        ]

    def _bar(self, side: str) -> Style:
        return Style(bgcolor=self._parts.whole(f"{side}-bar").bgcolor)

    def _half(self, shares: int | None, paise: int | None, orders: int, width: int, *, left: bool) -> str:
        """One side of a level: the price next to the rule, the quantity beside it, outside the orders."""
        rate = self._price(paise)
        rate_cells = max(cell_len(rate), min(11, width // 2))
        counted = f"{orders or ''}".rjust(ORDERS_CELLS) if width >= WIDE_HALF else ""
        room = width - rate_cells - len(counted)
        # A blank on both its sides: touching a count of orders it would be another figure.
        most = room - 1 - bool(counted)
        said = next(
            (words for words in (self._quantity(shares), self._brief(shares)) if len(words) <= most),
            ELLIPSIS if room > 1 else "",
        )
        if left:
            beside = f"{said} ".rjust(max(0, room))[: max(0, room)]
            return clip(counted + beside + rate.rjust(rate_cells), width)
        beside = said.rjust(min(max(0, room), FURTHEST))
        return clip(rate.ljust(rate_cells) + beside + counted, width).ljust(width)

    def _sums(self, width: int) -> list[Segment]:
        """What stands on either side of the book together, and which side is the heavier."""
        bids = sum(level.bid_quantity or 0 for level in self._levels)
        asks = sum(level.ask_quantity or 0 for level in self._levels)
        if not bids + asks:
            return []
        left, right = f" bids {self._quantity(bids)} ", f" {self._quantity(asks)} asks "
        room = width - len(left) - len(right)
        if room < LEVELS:
            left, right = f" {self._brief(bids)} ", f" {self._brief(asks)} "
            room = max(0, width - len(left) - len(right))
        heavy = room * bids // (bids + asks)
        return [
            Segment(left + "━" * heavy, self._parts.drawn("bid")),
            Segment("━" * (room - heavy) + right, self._parts.drawn("ask")),
        ]
