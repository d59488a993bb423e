"""The last things that happened, one line each, newest first."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from widgets.columns import LINE_CELLS, Column
from widgets.livegrid import LiveGrid

KEPT = 200
"""Lines kept if nothing else is said."""


@dataclass
class _TapeLine:
    text: str
    style: str | None


class TapeGrid(LiveGrid, can_focus=True):
    """A list of one-line events; Enter on one posts `TapeGrid.Opened` with its key."""

    @dataclass
    class Highlighted(LiveGrid.Highlighted):
        """The trader moved the cursor to another line."""

    @dataclass
    class Opened(LiveGrid.Opened):
        """The trader pressed Enter on a line or clicked it twice."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        hint: str = "",
        kept: int = KEPT,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        line = Column(
            "text", "", 1, lambda line: line.text, style=lambda line: line.style, flex=True, most=LINE_CELLS
        )
        super().__init__(
            [line],
            monotonic=monotonic,
            hint=hint,
            markable=False,
            show_header=False,
            name=name,
            id=id,
            classes=classes,
        )
        self._kept = kept
        self._lines: dict[Hashable, _TapeLine] = {}
        self._rows = self._lines

    def on_blur(self) -> None:
        """Whoever has read back and goes on sees the newest lines again."""
        if self._order:
            self.move_cursor(self._order[0])

    def put(self, key: Hashable, text: str, style: str | None = None) -> None:
        """Put a line on top; one of that key goes there with what it says now.

        `style` is a suffix of the grid's component classes, such as `warn`.
        """
        follows = self._cursor is None or self._cursor == self._order[0]
        known = self._lines.pop(key, None) is not None
        self._lines[key] = _TapeLine(text, style)
        while len(self._lines) > self._kept:
            del self._lines[next(iter(self._lines))]
        self.set_order(reversed(self._lines))
        if known:
            self.apply({key})
        if follows:
            # A cursor on the newest line stays on the newest line; one that reads back stays where it reads.
            self.move_cursor(key)

    def reword(self, key: Hashable, text: str, style: str | None = None) -> None:
        """Say something else in the line of that key, where it stands, if it still does."""
        if key in self._lines:
            self._lines[key] = _TapeLine(text, style or self._lines[key].style)
            self.apply({key})
