"""Candles and volumes over time, drawn in cells: a filled candle fell, a hollow one rose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles, hint_line
from widgets.sparks import BLOCKS
from widgets.text import clip

FEWEST_LINES = 6
"""Lines of candles below which there are no volumes under them."""
VOLUME_SHARE = 5
"""One line of volumes for so many lines in all."""
BETWEEN_TIMES = 4
"""Blanks between two times under the candles at least."""

NOTHING, WICK, BODY = 0, 1, 2
FALLEN = {
    (NOTHING, NOTHING): " ",
    (NOTHING, WICK): "╵",
    (WICK, NOTHING): "╷",
    (WICK, WICK): "│",
    (NOTHING, BODY): "╹",
    (BODY, NOTHING): "╻",
    (BODY, BODY): "┃",
    (BODY, WICK): "╽",
    (WICK, BODY): "╿",
}
"""What a cell of a candle that fell looks like by what is in its lower and in its upper half."""
RISEN = FALLEN | {
    (NOTHING, BODY): "╵",
    (BODY, NOTHING): "╷",
    (BODY, BODY): "║",
    (BODY, WICK): "│",
    (WICK, BODY): "│",
}
"""The same of one that rose: as heavy to the eye, but hollow, so that no colour is needed."""


class Candle(NamedTuple):
    """What traded in one stretch of time; `label` says when it began. Prices and volume in any unit.

    One that is `first` begins a day, and its label has room before others.
    """

    label: str
    open: int
    high: int
    low: int
    close: int
    volume: int
    first: bool = False


class Cell(NamedTuple):
    """One character with the name of its style."""

    text: str
    part: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Prices as half lines of a chart, from the lowest up."""

    low: int
    high: int
    lines: int

    def half(self, price: int) -> int:
        """The half line of a price; all alike lie midway."""
        steps = self.lines * 2
        if self.high == self.low:
            return steps // 2
        return (price - self.low) * (steps - 1) // (self.high - self.low)

    def line(self, price: int) -> int:
        """The line of a price, counted from the top."""
        return self.lines - 1 - self.half(price) // 2


def shown_candles(candles: Sequence[Candle | None], cells: int) -> tuple[list[Candle | None], int]:
    """The newest candles that have room, and the cells that each of them takes."""
    pitch = 2 if 0 < len(candles) * 2 <= cells else 1
    return list(candles[-max(1, cells // pitch) :]), pitch


def candle_cells(candle: Candle, scale: Scale) -> list[Cell]:
    """One candle from the top line down."""
    fell = candle.close < candle.open
    glyphs, part = (FALLEN, "down") if fell else (RISEN, "up")
    low, high = scale.half(candle.low), scale.half(candle.high)
    bottom, top = sorted((scale.half(candle.open), scale.half(candle.close)))

    def what(half: int) -> int:
        return BODY if bottom <= half <= top else WICK if low <= half <= high else NOTHING

    return [Cell(glyphs[what(2 * line), what(2 * line + 1)], part) for line in reversed(range(scale.lines))]


def volume_cells(candle: Candle, most: int, lines: int) -> list[Cell]:
    """The volume of one candle from the top line down; what traded at all is seen."""
    part = "fell" if candle.close < candle.open else "rose"
    eighths = max(1, candle.volume * lines * 8 // most) if candle.volume and most else 0
    cells: list[Cell] = []
    for line in reversed(range(lines)):
        filled = min(8, max(0, eighths - line * 8))
        cells.append(Cell(BLOCKS[filled - 1] if filled else " ", part))
    return cells


def time_line(candles: Sequence[Candle | None], pitch: int, cells: int) -> str:
    """Times under their candles, as many as have room."""
    line = [" "] * cells
    known = [(place * pitch, candle) for place, candle in enumerate(candles) if candle is not None]
    for at, candle in sorted(known, key=lambda one: not one[1].first):
        end = at + len(candle.label)
        around = line[max(0, at - BETWEEN_TIMES) : end + BETWEEN_TIMES]
        if end <= cells and not "".join(around).strip():
            line[at:end] = candle.label
    return "".join(line).rstrip()


class Chart(NamedTuple):
    """What is drawn: candles in their order with None for a gap, and the price they are measured from."""

    candles: tuple[Candle | None, ...] = ()
    base: int = 0


Words = Callable[[int | None], str]


def drawn(chart: Chart, cells: int, lines: int, price: Words, volume: Words) -> list[list[Cell]]:
    """The chart as lines of cells: candles above, volumes and times below, prices at the right.

    Highest, lowest and last price shown are named, and the price of `base` by a dotted line. Nothing where
    there is no candle or no room.
    """
    known = [candle for candle in chart.candles if candle is not None]
    if not known or lines < 3:
        return []
    edge = max(cell_len(price(candle.high)) for candle in known) + 1
    room = cells - edge
    if room < 2:
        return []
    shown, pitch = shown_candles(chart.candles, room)
    seen = [candle for candle in shown if candle is not None]
    below = (lines - 1) // VOLUME_SHARE if lines - 1 >= FEWEST_LINES else 0
    scale = Scale(min(candle.low for candle in seen), max(candle.high for candle in seen), lines - 1 - below)
    most = max(candle.volume for candle in seen)
    rows = [[Cell(" ", "")] * room for _ in range(scale.lines + below)]
    if scale.low <= chart.base <= scale.high and chart.base:
        rows[scale.line(chart.base)] = [Cell("┈", "hint")] * room
    for place, candle in enumerate(shown):
        if candle is None:
            continue
        column = candle_cells(candle, scale) + volume_cells(candle, most, below)
        for line, cell in enumerate(column):
            if cell.text != " ":
                rows[line][place * pitch] = cell
    named = _named(seen, scale, price)
    if below:
        named[scale.lines] = (volume(most), "hint")
    for line, row in enumerate(rows):
        words, part = named.get(line, ("", ""))
        row.extend(Cell(letter, part) for letter in clip(words, edge).rjust(edge))
    times = time_line(shown, pitch, room)
    return [*rows, [Cell(letter, "hint") for letter in times.ljust(cells)]]


def _named(seen: Sequence[Candle], scale: Scale, price: Words) -> dict[int, tuple[str, str]]:
    """The prices beside the lines that they are on; the last one before the extremes."""
    named = {scale.lines - 1: (price(scale.low), "hint"), 0: (price(scale.high), "hint")}
    last = seen[-1]
    named[scale.line(last.close)] = (price(last.close), "down" if last.close < last.open else "up")
    return named


class CandleChart(Widget):
    """Candles with their volumes; drawn anew only when something else is to be shown."""

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("up", "down", "rose", "fell", "hint")
    DEFAULT_CSS = """
    CandleChart {
        height: 1fr;
        width: 1fr;
        .candlechart--up { color: $pnl-up; }
        .candlechart--down { color: $pnl-down; }
        .candlechart--rose { color: $pnl-up 60%; }
        .candlechart--fell { color: $pnl-down 60%; }
        .candlechart--hint { color: $text-muted; }
    }
    """

    def __init__(self, price: Words, volume: Words, hint: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        """`price` and `volume` make words of figures; `hint` is said while there is nothing to draw."""
        super().__init__(id=id)
        self._parts = PartStyles(self, "candlechart", self.PARTS)
        self._price, self._volume, self.hint = price, volume, hint
        self._chart = Chart()
        self._lines: tuple[object, list[list[Cell]]] = (None, [])

    def show(self, candles: Sequence[Candle | None], base: int) -> None:
        """Draw these candles; `base` is the price that the day is measured from, 0 where it is not known."""
        chart = Chart(tuple(candles), base)
        if chart != self._chart:
            self._chart = chart
            self.refresh()

    def set_hint(self, words: str) -> None:
        """Say something else while there is nothing to draw."""
        if words != self.hint:
            self.hint = words
            self.refresh()

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to draw, or no room for it, so that it says its hint."""
        return not self._drawn

    @property
    def _drawn(self) -> list[list[Cell]]:
        made_of = (self._chart, self.size)
        if self._lines[0] != made_of:
            width, height = self.size
            lines = drawn(self._chart, width - 2, height, self._price, self._volume)
            self._lines = (made_of, lines)
        return self._lines[1]

    def render_line(self, y: int) -> Strip:
        """A line of the chart."""
        lines, base = self._drawn, self._parts.ground
        if not lines:
            return hint_line(self.hint, y, self.size, self._parts.drawn("hint"))
        line = [Segment(" ", base)]
        for part, cells in groupby(lines[y] if y < len(lines) else (), lambda cell: cell.part):
            style = self._parts.drawn(part)
            line.append(Segment("".join(cell.text for cell in cells), style))
        return Strip(line).adjust_cell_length(self.size.width, base)
