"""A course of figures as one line of blocks, or as a small chart of dots."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles

BLOCKS = "▁▂▃▄▅▆▇█"
"""Eighths of a cell, lowest first."""
BRAILLE = 0x2800
"""The character without a dot; each dot adds one bit."""
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bits of a cell's dots: of its left and right column, lowest first."""


def resampled(values: Sequence[int], points: int) -> list[int]:
    """As many of the values as there are points, evenly chosen and with the last; fewer stay as they are."""
    if len(values) <= points:
        return list(values)
    return [values[(place + 1) * len(values) // points - 1] for place in range(points)]


def levels(values: Sequence[int], steps: int) -> list[int]:
    """Each value as a step from 0 to `steps` - 1 between the least and the greatest; all alike lie midway."""
    least, span = min(values, default=0), max(values, default=0) - min(values, default=0)
    return [(value - least) * steps // (span + 1) if span else steps // 2 for value in values]


def blocks(values: Sequence[int], cells: int) -> str:
    """A line of blocks, as long as there are values for, `cells` at most; one value alone is no line."""
    if len(values) < 2:
        return ""
    return "".join(BLOCKS[step] for step in levels(resampled(values, cells), len(BLOCKS)))


def dotted(values: Sequence[int], cells: int, lines: int) -> list[str]:
    """A line through the values in dots, two a cell across and four down; the top line first."""
    rows = [[BRAILLE] * cells for _ in range(lines)]
    heights = levels(resampled(values, cells * 2), lines * 4)
    before = heights[0] if heights else 0
    for place, height in enumerate(heights):
        low, high = min(before, height), max(before, height)
        # A jump is drawn as an upright, from beside the point before.
        for dot in range(low + (before < height), high + (before <= height)) if low != high else (height,):
            rows[lines - 1 - dot // 4][place // 2] |= DOTS[place % 2][dot % 4]
        before = height
    return ["".join(map(chr, row)) for row in rows]


class DotLine(Widget):
    """The course of one figure over the day, coloured by where it ends against where it is measured from."""

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("up", "down", "flat", "hint")
    DEFAULT_CSS = """
    DotLine {
        height: 4;
        width: 1fr;
        .dotline--up { color: $pnl-up; }
        .dotline--down { color: $pnl-down; }
        .dotline--flat { color: $foreground; }
        .dotline--hint { color: $text-muted; }
    }
    """

    def __init__(self, hint: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        """`hint` is said while there are too few values for a line."""
        super().__init__(id=id)
        self._parts = PartStyles(self, "dotline", self.PARTS)
        self._hint = hint
        self._values: tuple[int, ...] = ()
        self._base = 0
        self._drawn: tuple[object, list[str]] = (None, [])

    def show(self, values: Sequence[int], base: int) -> None:
        """Draw these values; `base` is what the last one is measured from, 0 where that is not known."""
        told = tuple(values)
        if (told, base) != (self._values, self._base):
            self._values, self._base = told, base
            self.refresh()

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    @property
    def _part(self) -> str:
        if not self._base or not self._values or self._values[-1] == self._base:
            return "flat"
        return "up" if self._values[-1] > self._base else "down"

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        width, base = self.size.width, self.rich_style
        if len(self._values) < 2:
            text = f" {self._hint}" if y == 0 else ""
            style = base + self._parts.without_ground("hint")
            return Strip([Segment(text, style)]).adjust_cell_length(width, base)
        made_of = (self._values, self.size)
        if self._drawn[0] != made_of:
            self._drawn = (made_of, dotted(self._values, max(1, width - 2), self.size.height))
        style = base + self._parts.without_ground(self._part)
        return Strip([Segment(f" {self._drawn[1][y]} ", style)]).adjust_cell_length(width, base)
