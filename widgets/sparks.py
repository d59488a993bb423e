"""A course of figures as one line of blocks, or as a small chart of dots."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles, hint_line

BLOCKS = "▁▂▃▄▅▆▇█"
"""Eighths of a cell, lowest first."""
PARTS_OF_CELL = " ▏▎▍▌▋▊▉"
"""Eighths of a cell from its left, none first."""
FULL = "█"
"""A whole cell."""
BRAILLE = 0x2800
"""The character without a dot; each dot adds one bit."""
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bits of a cell's dots: of its left and right column, lowest first."""


Course = Sequence[int | None]
"""Figures in the order of time, evenly apart; None where there was none."""


def resampled(values: Course, points: int) -> list[int | None]:
    """As many of the values as there are points, evenly chosen and with the last; fewer stay as they are."""
    if len(values) <= points:
        return list(values)
    return [values[(place + 1) * len(values) // points - 1] for place in range(points)]


def levels(values: Course, steps: int) -> list[int | None]:
    """Each value as a step from 0 to `steps` - 1 between the least and the greatest; all alike lie midway."""
    known = [value for value in values if value is not None]
    least, span = min(known, default=0), max(known, default=0) - min(known, default=0)
    return [
        None if value is None else (value - least) * steps // (span + 1) if span else steps // 2
        for value in values
    ]


def blocks(values: Course, cells: int) -> str:
    """A line of blocks, as long as there are values for, `cells` at most; one value alone is no line."""
    if len(values) < 2:
        return ""
    steps = levels(resampled(values, cells), len(BLOCKS))
    return "".join(" " if step is None else BLOCKS[step] for step in steps)


def bar(bps: int | None, cells: int) -> str:
    """How much of a whole this is, as a bar of so many cells; what there is at all is seen."""
    eighths = min(cells * 8, max(1 if bps and bps > 0 else 0, (bps or 0) * cells * 8 // 10_000))
    whole, rest = divmod(eighths, 8)
    filled = FULL * whole + (PARTS_OF_CELL[rest] if rest else "")
    return filled.ljust(cells, "·")


def dotted(values: Course, cells: int, lines: int) -> list[str]:
    """A line through the values in dots, two a cell across and four down; the top line first.

    Where there is no value there is no dot, and none leads across.
    """
    rows = [[BRAILLE] * cells for _ in range(lines)]
    before: int | None = None
    for place, height in enumerate(levels(resampled(values, cells * 2), lines * 4)):
        if height is None:
            before = None
            continue
        before = height if before is None else before
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

    def __init__(
        self,
        hint: str,
        words: Callable[[int], str] | None = None,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        """`hint` is said while there are too few values for a line.

        With `words` the greatest and the least value stand beside their lines.
        """
        super().__init__(id=id)
        self._parts = PartStyles(self, "dotline", self.PARTS)
        self.hint, self._words = hint, words
        self._values: tuple[int | None, ...] = ()
        self._base = 0
        self._drawn: tuple[object, list[str]] = (None, [])

    def set_hint(self, words: str) -> None:
        """Say something else while there are too few values."""
        if words != self.hint:
            self.hint = words
            self.refresh()

    def show(self, values: Course, base: int) -> None:
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
    def is_bare(self) -> bool:
        """Whether there are too few values for a line, so that it says its hint."""
        return sum(value is not None for value in self._values) < 2

    @property
    def _part(self) -> str:
        last = self._values[-1] if self._values else None
        if not self._base or last is None or last == self._base:
            return "flat"
        return "up" if last > self._base else "down"

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        width, base = self.size.width, self._parts.ground
        if self.is_bare:
            return hint_line(self.hint, y, self.size, self._parts.drawn("hint"))
        made_of = (self._values, self.size)
        named = self._named()
        edge = max((len(words) + 1 for words in named), default=0)
        if self._drawn[0] != made_of:
            self._drawn = (made_of, dotted(self._values, max(1, width - 2 - edge), self.size.height))
        style = self._parts.drawn(self._part)
        words = named[0] if named and y == 0 else named[1] if named and y == self.size.height - 1 else ""
        beside = Segment(words.rjust(edge), self._parts.drawn("hint"))
        line = [Segment(f" {self._drawn[1][y]}", style), beside]
        return Strip(line).adjust_cell_length(width, base)

    def _named(self) -> tuple[str, ...]:
        """The greatest and the least value in words, where they are wanted and there is room."""
        known = [value for value in self._values if value is not None]
        if self._words is None or not known or self.size.height < 2:
            return ()
        most, least = max(known), min(known)
        return self._words(most), self._words(least) if least != most else ""
