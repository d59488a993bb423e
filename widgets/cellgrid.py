"""A grid whose cursor may stand on a column as well: left and right move it, and pan to what it is on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.strip import Strip

from widgets.columns import Column, PlacedColumn, place_columns
from widgets.livegrid import LiveGrid

_ON_IT = Style(reverse=True)


class CellGrid(LiveGrid, inherit_bindings=True):
    """Columns that `is_cell` takes may have the cursor; while none has, it is on whole rows."""

    _cell: str | None = None

    def is_cell(self, column: Column) -> bool:
        """Whether the cursor may stand on a column."""
        return column.priority > 0

    @property
    def cell_key(self) -> str | None:
        """Key of the column under the cursor, None while it is on whole rows."""
        return self._cell

    @property
    def _cells(self) -> list[str | None]:
        return [None, *(column.key for column in self.columns if self.is_cell(column))]

    def move_cell(self, key: str | None) -> None:
        """Put the cursor on a column and pan it into view, or with None on whole rows."""
        self._cell = key
        self._pan = 0 if key is None else self._pan_for(key)
        self._strips.clear()
        self.refresh()
        self.refresh_bindings()

    def _pan_for(self, key: str) -> int:
        """The pan nearest to the one of now that shows a column."""
        width = self.size.width - self.scrollbar_size_vertical
        pans = range(1 + sum(column.priority > 0 for column in self.columns))
        for pan in sorted(pans, key=lambda pan: abs(pan - self._pan)):
            placed = place_columns(self.columns, width, self._gutter, pan - 1 if pan else None)
            if any(one.column.key == key for one in placed):
                return pan
        return self._pan

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns; the cursor stays on one of the same key."""
        super().set_columns(columns)
        if self._cell is not None:
            self.move_cell(self._cell if self._cell in self._cells else None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The cursor goes as far as there are columns."""
        if action != "pan":
            return super().check_action(action, parameters)
        place = self._cells.index(self._cell)
        return place + 1 < len(self._cells) if parameters == (1,) else place > 0

    def action_pan(self, step: int) -> None:
        """Put the cursor on the next or previous column; before the first it is on whole rows."""
        self.move_cell(self._cells[self._cells.index(self._cell) + step])

    def on_click(self, event: events.Click) -> None:
        """A click on a cell takes the cursor there, before the grid does what it does everywhere."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y >= self._header_height:
            at = next((one for one in self._placed if one.x <= offset.x < one.x + one.width), None)
            self.move_cell(at.column.key if at is not None and at.column.key in self._cells else None)

    def _paint(
        self,
        look: tuple[bool, bool],
        row_part: str,
        texts: Sequence[str],
        parts: Sequence[str],
        lit: frozenset[int] = frozenset(),
        places: Sequence[PlacedColumn] | None = None,
    ) -> Strip:
        """As elsewhere; the cursor's cell, and the head of its column, are reversed."""
        strip = super()._paint(look, row_part, texts, parts, lit, places)
        if self._cell is None or not (look[0] or row_part == "header"):
            return strip
        at = next((one for one in self._placed if one.column.key == self._cell), None)
        if at is None:
            return strip
        cuts = [at.x, at.x + at.width, max(strip.cell_length, at.x + at.width)]
        before, cell, *after = strip.divide(cuts)
        return Strip.join([before, cell.apply_style(_ON_IT), *after])
