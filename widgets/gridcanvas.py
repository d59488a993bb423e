"""The drawing half of a grid: rows, cursor and marks on lines, each line drawn only when it must be."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence, Set
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.columns import GAP, Column, PlacedColumn, place_columns, room_for
from widgets.drawing import PartStyles, hint_line
from widgets.text import clip, fit

CURSOR_SIGN, MARK_SIGN = "▸", "•"
"""What stands before the row under the cursor, and before a marked one; screens may have no colour."""


class _Painted(NamedTuple):
    """A drawn row with what it was drawn for: under the cursor, marked."""

    look: tuple[bool, bool]
    strip: Strip
    texts: tuple[str, ...]


class _Flash(NamedTuple):
    """The columns of a row that light up, and the frame on which they go out."""

    until: int
    columns: frozenset[int]


class GridCanvas(ScrollView, inherit_bindings=False):
    """Draws rows that live elsewhere and keeps cursor, marks and scroll position by row key.

    A drawn line is kept until its row is named dirty, its look or the columns' places change, or the
    theme does. Subclasses decide the order of the rows and what keys and mouse do.
    """

    ALLOW_SELECT = False
    virtual_size = Reactive(Size(0, 0), layout=False)
    """Another number of rows moves the scroll bar alone: that comes, and goes, with a layout of its own."""
    PARTS: ClassVar[tuple[str, ...]] = (
        *("header", "totals", "hint", "cursor", "mark", "flash"),
        *("up", "down", "stale", "dim", "buy", "sell", "warn", "armed", "live-mode", "strong", "bar"),
    )

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        hint: str = "",
        show_header: bool = True,
        flash_frames: Callable[[], int] = lambda: 0,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.parts = PartStyles(self, "livegrid", self.PARTS)
        self._markable = False
        self.columns = tuple(columns)
        self.hint = hint
        """What an empty grid says."""
        self.flash_frames = flash_frames
        """Frames for which a changed cell is lit at this moment; 0 is never."""
        self.holds_still = False
        """Whether rows that come in above the cursor leave what is seen where it is, from the very top on."""
        self._header_height = 1 if show_header else 0
        self._rows: Mapping[Any, Any] = {}
        self._given: list[Hashable] = []
        self._order: list[Hashable] = []
        self._index: dict[Hashable, int] = {}
        self._cursor: Hashable | None = None
        self._marks: set[Hashable] = set()
        self._totals: tuple[Mapping[str, str], Mapping[str, str]] | None = None
        self._sort_column: Column | None = None
        self._descending = False
        self._frame = 0
        self._flashes: dict[Hashable, _Flash] = {}
        self._texts_before: dict[Hashable, tuple[str, ...]] = {}
        self._strips: dict[Hashable, _Painted] = {}
        self._styles: dict[tuple[str, str, bool], Style] = {}
        self._pan = 0
        self._placed: tuple[PlacedColumn, ...] = ()
        self._placed_for: tuple[int, int] | None = None
        self._seen = Size(0, 0)
        self._is_framed = False

    # What is shown

    @property
    def _gutter(self) -> int:
        """Cells at the left: the mark's where rows can be marked, and the cursor's."""
        return 2 if self._markable else 1

    @property
    def cursor_key(self) -> Hashable | None:
        """Key of the row under the cursor, `None` in an empty grid."""
        return self._cursor

    @property
    def marked_keys(self) -> frozenset[Hashable]:
        """Keys of all marked rows, filtered out or not."""
        return frozenset(self._marks)

    @property
    def shown_keys(self) -> tuple[Hashable, ...]:
        """Keys of the rows in the order on screen."""
        return tuple(self._order)

    @property
    def hidden_columns(self) -> int:
        """How many columns the width leaves no room for."""
        self._lay_out()
        return len(self.columns) - len(self._placed)

    def set_rows(self, rows: Mapping[Any, Any], order: Iterable[Hashable] | None = None) -> None:
        """Show other rows; `rows` is kept and read, in `order` or in the mapping's own."""
        self._rows = rows
        self._strips.clear()
        self._flashes.clear()
        self._texts_before.clear()
        self._marks.intersection_update(rows)
        self._given = list(rows if order is None else order)
        self._sort_now()
        self.refresh()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same rows; the sort column stays if one of its key is among them."""
        self.columns = tuple(columns)
        self._placed_for = None
        self._pan = 0
        if self._sort_column is not None:
            found = {column.key: column for column in self.columns if column.sort}
            self._sort_column = found.get(self._sort_column.key)
            self._sort_now()
        self.refresh()
        self.refresh_bindings()

    def set_order(self, keys: Iterable[Hashable]) -> None:
        """Show these rows in this order (a filter, a file's order); a sort column still sorts them."""
        keys = list(keys)
        if keys != self._given:
            self._given = keys
            self._sort_now()

    def set_totals(self, cells: Mapping[str, str] | None, styles: Mapping[str, str] | None = None) -> None:
        """Texts of the line under the rows by column key, with style suffixes; `None` takes it away."""
        had_line = self._totals is not None
        totals = None if cells is None else (dict(cells), dict(styles or {}))
        if totals == self._totals:
            return
        self._totals = totals
        if had_line != (totals is not None):
            self._resize_virtual()
            self._show_cursor()
            self.refresh()
        else:
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def apply(self, dirty: Collection[Hashable]) -> None:
        """One frame: redraw the visible ones of the rows named, and let flashes go out."""
        self._frame += 1
        keys = dirty if isinstance(dirty, Set) else set(dirty)
        ended = {key for key, flash in self._flashes.items() if flash.until <= self._frame}
        for key in ended:
            del self._flashes[key]
        top = self.scroll_offset.y
        visible = self._order[top : top + self._body_height]
        lines: list[int] = []
        for line, key in enumerate(visible):
            if key in keys and self.flash_frames() and (painted := self._strips.get(key)):
                self._texts_before.setdefault(key, painted.texts)
            if key in keys or key in ended:
                lines.append(line)
        for key in (*keys, *ended):
            self._strips.pop(key, None)
        if len(lines) * 2 > len(visible):
            self.refresh()
        elif lines:
            width = self.size.width
            self.refresh(*(Region(0, self._header_height + line, width, 1) for line in lines))

    def move_cursor(self, key: Hashable) -> None:
        """Put the cursor on a row and scroll it into view; a key that is not shown is ignored."""
        if key in self._index:
            self._set_cursor(key)

    def set_marks(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these rows."""
        self._marks = set(keys)
        self.refresh()

    # Order and cursor

    def _sort_now(self) -> None:
        """Take the rows in the order as given."""
        self._reorder(list(self._given))

    def _reorder(self, order: list[Hashable]) -> None:
        """Take another order; the cursor stays on its key and, where it was in view, on its line."""
        if order == self._order:
            return
        was_empty = not self._order
        top = self.scroll_offset.y
        index = self._index.get(self._cursor)
        in_view = index is not None and top <= index < top + self._body_height
        self._order = order
        self._index = {key: place for place, key in enumerate(order)}
        if self._cursor not in self._index:
            self._cursor = order[min(index or 0, len(order) - 1)] if order else None
        self._resize_virtual()
        if in_view and index and self._cursor is not None and (top > 0 or self.holds_still):
            self._scroll_to_row(self._index[self._cursor] - (index - top))
        if in_view:
            self._show_cursor()
        self.refresh()
        if was_empty != (not order):
            self.refresh_bindings()

    @property
    def _body_height(self) -> int:
        """Lines for rows."""
        return max(0, self.size.height - self._header_height - (self._totals is not None))

    def _resize_virtual(self) -> None:
        lines = self._header_height + len(self._order) + (self._totals is not None)
        if lines != self.virtual_size.height:
            self.virtual_size = Size(0, lines)
            self._scroll_update(self.virtual_size)
        self._scroll_to_row(self.scroll_offset.y)

    def _scroll_to_row(self, row: int) -> None:
        """Make `row` the first line of the body, as far as there are rows."""
        last_top = max(0, len(self._order) - self._body_height)
        top = max(0, min(row, last_top))
        if self.size.height and top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def _show_cursor(self) -> None:
        index = self._index.get(self._cursor)
        if index is None or not self._body_height:
            return
        top = self.scroll_offset.y
        if index < top:
            self._scroll_to_row(index)
        elif index >= top + self._body_height:
            self._scroll_to_row(index - self._body_height + 1)

    def _set_cursor(self, key: Hashable) -> None:
        old, self._cursor = self._cursor, key
        self._show_cursor()
        self._refresh_rows((old, key))

    def _refresh_rows(self, keys: Iterable[Hashable | None]) -> None:
        top = self.scroll_offset.y
        for key in keys:
            index = self._index.get(key)
            if index is not None and top <= index < top + self._body_height:
                self.refresh(Region(0, self._header_height + index - top, self.size.width, 1))

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._resize_virtual()
        self._show_cursor()
        self.refresh_bindings()

    # Drawing

    def notify_style_update(self) -> None:
        """Forget everything drawn in the styles of before."""
        super().notify_style_update()
        self.parts.forget()
        self._styles.clear()
        self._strips.clear()

    def _lay_out(self) -> None:
        """Place the columns if the width or the pan is not what they were placed for."""
        self._seen = self.size
        wanted = (room_for(self._seen.width, self.scrollbar_size_vertical, self._is_framed), self._pan)
        if wanted != self._placed_for:
            self._placed_for = wanted
            panned = self._pan - 1 if self._pan else None
            self._placed = place_columns(self.columns, wanted[0], self._gutter, panned)
            self._strips.clear()
            self._flashes.clear()
            self._texts_before.clear()

    def _style(self, row_part: str, cell_part: str = "", lit: bool = False) -> Style:
        """The style of a cell: the row's, then the cell's own, then the light of a change."""
        style = self._styles.get((row_part, cell_part, lit))
        if style is None:
            style = self.rich_style
            if row_part:
                style += self.parts.whole(row_part)
            if cell_part:
                style += self.parts.without_ground(cell_part)
            if lit:
                style += Style(bgcolor=self.parts.whole("flash").bgcolor)
            self._styles[(row_part, cell_part, lit)] = style
        return style

    def render_line(self, y: int) -> Strip:
        """One line of the widget: header, row, hint, blank or totals."""
        if y < self._header_height:
            return self._paint_header()
        if self._totals is not None and y == self._seen.height - 1:
            return self._paint_totals(*self._totals)
        if not self._order:
            size = Size(self._seen.width, self._body_height)
            return hint_line(self.hint, y - self._header_height, size, self._style("hint"), self._gutter)
        index = self.scroll_offset.y + y - self._header_height
        if index >= len(self._order):
            return Strip.blank(self._seen.width, self._style(""))
        key = self._order[index]
        look = (self.can_focus and key == self._cursor, key in self._marks)
        painted = self._strips.get(key)
        if painted is None or painted.look != look:
            painted = self._paint_row(key, look)
            self._strips[key] = painted
        return painted.strip

    def _paint_row(self, key: Hashable, look: tuple[bool, bool]) -> _Painted:
        row = self._rows.get(key)
        if row is None:
            return _Painted(look, Strip.blank(self._seen.width, self._style("")), ())
        texts: list[str] = []
        parts: list[str] = []
        for placed in self._placed:
            column = placed.column
            texts.append(fit(column.cell(row), placed.width, column.align))
            parts.append((column.style(row) if column.style else None) or "")
        lit = self._lit_columns(key, texts)
        return _Painted(look, self._paint(look, "cursor" if look[0] else "", texts, parts, lit), tuple(texts))

    def _lit_columns(self, key: Hashable, texts: Sequence[str]) -> frozenset[int]:
        """The places of the cells that are to be lit, remembered with the frame they go out on."""
        before = self._texts_before.pop(key, None)
        if before is not None and len(before) == len(texts):
            changed = frozenset(place for place, text in enumerate(texts) if text != before[place])
            if changed:
                self._flashes[key] = _Flash(self._frame + self.flash_frames(), changed)
        flash = self._flashes.get(key)
        return flash.columns if flash else frozenset()

    def _paint_header(self) -> Strip:
        texts: list[str] = []
        shown: list[PlacedColumn] = []
        for place in self._placed:
            title, placed = place.column.title, place
            if place.column is self._sort_column:
                # The arrow stands in the gap beside the title, so that it costs none of its letters.
                arrow = "▼" if self._descending else "▲"
                right = place.column.align == "right"
                title = f"{arrow}{title}" if right else f"{title}{arrow}"
                placed = PlacedColumn(place.column, place.x - (GAP if right else 0), place.width + GAP)
            texts.append(fit(clip(title, placed.width), placed.width, placed.column.align))
            shown.append(placed)
        return self._paint((False, False), "header", texts, [""] * len(texts), places=shown)

    def _paint_totals(self, cells: Mapping[str, str], styles: Mapping[str, str]) -> Strip:
        texts = [fit(cells.get(one.column.key, ""), one.width, one.column.align) for one in self._placed]
        parts = [styles.get(one.column.key, "") for one in self._placed]
        return self._paint((False, False), "totals", texts, parts)

    def _paint(
        self,
        look: tuple[bool, bool],
        row_part: str,
        texts: Sequence[str],
        parts: Sequence[str],
        lit: frozenset[int] = frozenset(),
        places: Sequence[PlacedColumn] | None = None,
    ) -> Strip:
        """A line as wide as the widget; neighbours of one style become one segment."""
        base = self._style(row_part)
        runs: list[Segment] = []
        text, style, end = CURSOR_SIGN if look[0] else " ", base, self._gutter
        if self._markable:
            runs.append(Segment(MARK_SIGN, self._style(row_part, "mark")) if look[1] else Segment(" ", base))
        for place, placed in enumerate(self._placed if places is None else places):
            cell_style = self._style(row_part, parts[place], place in lit)
            gap = " " * (placed.x - end)
            if cell_style is style:
                text += gap + texts[place]
            else:
                # The gap stays unstyled, so that a lit or reversed cell ends where its column ends.
                runs += (Segment(text, style), Segment(gap, base))
                text, style = texts[place], cell_style
            end = placed.x + placed.width
        runs.append(Segment(text, style))
        width = self._seen.width
        if end < width:
            runs.append(Segment(" " * (width - end), base))
        strip = Strip(runs, max(end, width))
        return strip if end <= width else strip.crop(0, width)
