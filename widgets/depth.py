"""The order book of one symbol: five levels of bids and asks under a few lines of facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles
from widgets.text import ELLIPSIS, clip, plain

LEVELS = 5
"""Lines of the book, drawn as dashes where there is no level."""


@dataclass(frozen=True)
class DepthLine:
    """One line of the book; quantities in shares, prices in paise, `None` where a side has no level."""

    bid_quantity: int | None
    bid_paise: int | None
    ask_paise: int | None
    ask_quantity: int | None


NO_LEVEL = DepthLine(None, None, None, None)
"""A line of the book with nothing on either side."""


class Depth(Widget):
    """Bid quantity and price at the left of the rule, ask price and quantity at its right.

    `price` and `quantity` make text of paise and of shares, and of None.
    """

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("head", "bid", "ask", "rule")
    DEFAULT_CSS = """
    Depth {
        height: auto;
        width: 1fr;
        .depth--head { color: $foreground; }
        .depth--bid { color: $side-buy; }
        .depth--ask { color: $side-sell; }
        .depth--rule { color: $text-muted; }
    }
    """

    def __init__(
        self,
        price: Callable[[int | None], str],
        quantity: Callable[[int | None], str],
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._parts = PartStyles(self, "depth", self.PARTS)
        self._price, self._quantity = price, quantity
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
        """The header and five levels."""
        return len(self.head) + LEVELS

    def render_line(self, y: int) -> Strip:
        """A line of the header or a level of the book."""
        width, base = self.size.width, self.rich_style

        def part(text: str, name: str) -> Segment:
            return Segment(text, base + self._parts.without_ground(name))

        if y < len(self.head):
            return Strip([part(clip(f" {self.head[y]}", width), "head")]).adjust_cell_length(width, base)
        place = y - len(self.head)
        if place >= LEVELS:
            return Strip.blank(width, base)
        level = self._levels[place] if place < len(self._levels) else NO_LEVEL
        half = max(0, (width - 3) // 2)
        bid = _half(self._quantity(level.bid_quantity), self._price(level.bid_paise), half, left=True)
        ask = _half(self._quantity(level.ask_quantity), self._price(level.ask_paise), half, left=False)
        return Strip([part(bid, "bid"), part(" │ ", "rule"), part(ask, "ask")]).adjust_cell_length(
            width, base
        )


def _half(shares: str, rate: str, width: int, *, left: bool) -> str:
    """One side of a level: the price next to the rule, the quantity on the outside if it fits whole."""
    price_width = max(cell_len(rate), min(11, width))
    room = width - price_width
    if room < cell_len(shares) + 1:
        shares = "" if room < 3 else ELLIPSIS
    if left:
        return clip(shares.rjust(room) + rate.rjust(price_width), width)
    return clip(rate.ljust(price_width) + shares.rjust(min(room, 10)), width).ljust(width)
