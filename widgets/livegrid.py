"""A table for thousands of changing cells: only what is visible and changed is drawn."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.columns import GAP, LINE_CELLS, Column, sorted_keys, with_room
from widgets.gridcanvas import GridCanvas

__all__ = ["Column", "LiveGrid"]

RESORT_EVERY = 1.0
"""Seconds between two sortings by `LiveGrid.resort`."""
SORT_GRACE = 2.0
"""Seconds after the trader moved the cursor or marked in which no row changes its place by itself."""


class LiveGrid(GridCanvas, can_focus=True, inherit_bindings=False):
    """A grid over rows that live elsewhere, with cursor and marks by row key.

    The owner calls `apply` once a frame with the keys of the rows that changed, and `resort` as often as
    it likes. Cells are plain text. A header line and a totals line stay in place while rows scroll.
    """

    DEFAULT_CSS = """
    LiveGrid {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-color: $foreground 20%;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        .livegrid--header { color: $text-muted; }
        .livegrid--totals { text-style: bold; background: $panel; }
        .livegrid--hint { color: $text-muted; }
        .livegrid--cursor { background: $surface-lighten-1; }
        .livegrid--mark { color: $accent; text-style: bold; }
        .livegrid--flash { background: $accent-muted; }
        .livegrid--up { color: $pnl-up; }
        .livegrid--down { color: $pnl-down; }
        .livegrid--buy { color: $side-buy; }
        .livegrid--sell { color: $side-sell; }
        .livegrid--stale { color: $stale; text-style: italic; }
        .livegrid--dim { color: $text-muted; }
        .livegrid--bar { color: $primary; }
        .livegrid--warn { color: $text-warning; }
        .livegrid--armed { color: $armed; text-style: bold; }
        .livegrid--live-mode { color: $live-mode; text-style: bold; }
        .livegrid--strong { text-style: bold; }
        &:focus {
            .livegrid--header { color: $foreground 80%; }
            .livegrid--cursor { background: $primary-muted; text-style: bold; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_by(1)", "Next row", show=False, id="grid.down"),
        Binding("up,k", "cursor_by(-1)", "Previous row", show=False, id="grid.up"),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False, id="grid.page_down"),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False, id="grid.page_up"),
        Binding("home", "cursor_home", "First row", show=False, id="grid.home"),
        Binding("end", "cursor_end", "Last row", show=False, id="grid.end"),
        Binding("right", "pan(1)", "Columns to the right", show=False, id="grid.pan_right"),
        Binding("left", "pan(-1)", "Columns to the left", show=False, id="grid.pan_left"),
        Binding("enter", "open", "open", key_display="Enter", id="grid.open"),
        Binding("space", "mark", "mark", key_display="space", show=False, id="grid.mark"),
        Binding("*", "mark_all", "mark all shown", show=False, id="grid.mark_all"),
        Binding("i", "invert_marks", "invert marks", show=False, id="grid.invert_marks"),
        Binding("[", "sort_by(-1)", "sort by previous column", show=False, id="grid.sort_previous"),
        Binding("]", "sort_by(1)", "sort by next column", show=False, id="grid.sort_next"),
        Binding("o", "flip_sort", "flip order", show=False, id="grid.flip_sort"),
    ]

    @dataclass
    class Highlighted(Message):
        """The trader moved the cursor to another row."""

        grid: "LiveGrid"
        key: Hashable

        @property
        def control(self) -> "LiveGrid":
            """The grid, for selectors."""
            return self.grid

    @dataclass
    class Opened(Message):
        """The trader pressed Enter on a row or clicked it twice."""

        grid: "LiveGrid"
        key: Hashable

        @property
        def control(self) -> "LiveGrid":
            """The grid, for selectors."""
            return self.grid

    @dataclass
    class Marked(Message):
        """The trader changed the marks; `keys` is all that is marked, shown or not."""

        grid: "LiveGrid"
        keys: frozenset[Hashable]

        @property
        def control(self) -> "LiveGrid":
            """The grid, for selectors."""
            return self.grid

    @dataclass
    class Sorted(Message):
        """The trader chose a sort column (`None` is the order as given) or its direction."""

        grid: "LiveGrid"
        column_key: str | None
        descending: bool

        @property
        def control(self) -> "LiveGrid":
            """The grid, for selectors."""
            return self.grid

    @dataclass
    class Relaid(Message):
        """The columns were placed anew: others are cut, or hidden."""

        grid: "LiveGrid"

        @property
        def control(self) -> "LiveGrid":
            """The grid, for selectors."""
            return self.grid

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        monotonic: Callable[[], float],
        hint: str = "",
        markable: bool = True,
        show_header: bool = True,
        flash_frames: Callable[[], int] = lambda: 0,
        follows_top: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """`follows_top` keeps the cursor on the first row, whichever that is, until the trader moves it."""
        super().__init__(
            columns,
            hint=hint,
            show_header=show_header,
            flash_frames=flash_frames,
            name=name,
            id=id,
            classes=classes,
        )
        self._monotonic = monotonic
        self._markable = markable
        self._follows_top = follows_top
        self._left_top = False
        self._sorted_at = float("-inf")
        self._touched_at = float("-inf")

    # Drawing

    def on_resize(self) -> None:
        """Figures stand a blank off the frame, where there is one."""
        self._is_framed = isinstance(self.parent, Widget) and bool(self.parent.styles.border_right[0])

    def _lay_out(self) -> None:
        placed = self._placed
        super()._lay_out()
        if self._placed is not placed:
            self.post_message(self.Relaid(self))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Place the columns, with room for longer figures, once and before any line is drawn."""
        self._lay_out()
        top = self.scroll_offset.y
        shown = self._order[top : top + self._body_height]
        fresh = [self._rows[key] for key in shown if key not in self._strips and key in self._rows]
        columns = with_room(self.columns, fresh)
        if columns != self.columns:
            self.columns = columns
            self._sort_column = next((each for each in columns if each.key == self.sort_key), None)
            self._placed_for = None
            self._lay_out()
            self.refresh()
        return super().render_lines(crop)

    @property
    def cut_words(self) -> str:
        """The whole sentences of the row under the cursor that their columns cut; empty where none does."""
        self._lay_out()
        row = self._rows.get(self._cursor)
        if row is None:
            return ""
        sentences = (place for place in self._placed if place.column.most == LINE_CELLS)
        told = ((place.column.cell(row), place.width) for place in sentences)
        return " · ".join(words.strip() for words, width in told if cell_len(words.rstrip()) > width)

    # Sorting

    @property
    def sort_key(self) -> str | None:
        """Key of the sort column, `None` for the order as given."""
        return self._sort_column.key if self._sort_column else None

    def resort(self) -> bool:
        """Sort again if a second has passed and the trader is not moving; tells whether it did."""
        now = self._monotonic()
        if now - self._sorted_at < RESORT_EVERY or now - self._touched_at < SORT_GRACE:
            return False
        self._sort_now()
        return True

    def sort_by(self, column_key: str | None, descending: bool = False) -> None:
        """Sort by a column from now on, or take the order as given. Raises `KeyError` for no such column."""
        found = {column.key: column for column in self.columns if column.sort}
        self._sort_column = None if column_key is None else found[column_key]
        self._descending = descending
        self._sort_now()
        self.refresh()
        self.refresh_bindings()

    def _sort_now(self) -> None:
        self._sorted_at = self._monotonic()
        # Whoever scrolled down by the mouse reads there, though the cursor never left the top.
        follows = self._follows_top and not self._left_top and not self.scroll_offset.y
        self._reorder(sorted_keys(self._given, self._rows, self._sort_column, self._descending))
        if follows and self._order and self._cursor != self._order[0]:
            self._set_cursor(self._order[0])

    def to_top(self) -> None:
        """Put the cursor on the first row, as when something else is shown; there it follows again."""
        self._left_top = False
        if self._order:
            self._set_cursor(self._order[0])

    # What the trader does

    def _user_moves(self, index: int) -> None:
        self._touched_at = self._monotonic()
        if not self._order:
            return
        index = max(0, min(index, len(self._order) - 1))
        key = self._order[index]
        moved = key != self._cursor
        self._left_top = index > 0
        self._set_cursor(key)
        if moved:
            self.post_message(self.Highlighted(self, key))

    def _user_marks(self, marks: set[Hashable]) -> None:
        self._touched_at = self._monotonic()
        changed = self._marks ^ marks
        self._marks = marks
        self._refresh_rows(changed)
        self.post_message(self.Marked(self, frozenset(marks)))

    def _user_sorts(self, column: Column | None, descending: bool) -> None:
        self.sort_by(column.key if column else None, descending)
        self.post_message(self.Sorted(self, self.sort_key, descending))

    @property
    def _sortable(self) -> list[Column]:
        self._lay_out()
        return [placed.column for placed in self._placed if placed.column.sort]

    def _more_at_right(self) -> bool:
        """Whether panning to the right would show a column that is hidden."""
        droppable = [column for column in self.columns if column.priority > 0]
        if self._pan >= len(droppable):  # columns that never drop do not pan either
            return False
        if not self._pan:
            return self.hidden_columns > 0
        return all(placed.column is not droppable[-1] for placed in self._placed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have nothing to do here are absent, so that they reach whoever has a use for them."""
        if action in ("mark", "mark_all", "invert_marks"):
            return self._markable and bool(self._order)
        if action in ("cursor_by", "cursor_page", "cursor_home", "cursor_end", "open"):
            return bool(self._order)
        if action == "sort_by":
            return bool(self._sortable)
        if action == "flip_sort":
            return self._sort_column is not None
        if action == "pan":
            return self._more_at_right() if parameters == (1,) else self._pan > 0
        return True

    def action_cursor_by(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._user_moves(self._index.get(self._cursor, 0) + rows)

    def action_cursor_page(self, pages: int) -> None:
        """Move the cursor by what fits the screen."""
        self.action_cursor_by(pages * max(1, self._body_height - 1))

    def action_cursor_home(self) -> None:
        """Move the cursor to the first row."""
        self._user_moves(0)

    def action_cursor_end(self) -> None:
        """Move the cursor to the last row."""
        self._user_moves(len(self._order) - 1)

    def action_open(self) -> None:
        """Tell that the row under the cursor is to be opened."""
        if self._cursor is not None:
            self.post_message(self.Opened(self, self._cursor))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self._cursor is not None:
            self._user_marks(self._marks ^ {self._cursor})

    def action_mark_all(self) -> None:
        """Mark every row that is shown; where all of them are, take those marks away."""
        shown = set(self._order)
        self._user_marks(self._marks - shown if shown <= self._marks else self._marks | shown)

    def action_invert_marks(self) -> None:
        """Invert the marks of the rows that are shown."""
        self._user_marks(self._marks ^ set(self._order))

    def action_sort_by(self, step: int) -> None:
        """Sort by the next or previous column, figures from high to low; past the last, as given."""
        choices: list[Column | None] = [None, *self._sortable]
        place = choices.index(self._sort_column) if self._sort_column in choices else 0
        column = choices[(place + step) % len(choices)]
        self._user_sorts(column, column is not None and column.align == "right")

    def action_flip_sort(self) -> None:
        """Turn the order of the sort column round."""
        if self._sort_column is not None:
            self._user_sorts(self._sort_column, not self._descending)

    def action_pan(self, step: int) -> None:
        """Show the columns further to the right or left when not all fit."""
        self._pan = max(0, self._pan + step)
        self.refresh()
        self.refresh_bindings()

    def on_click(self, event: events.Click) -> None:
        """Header sorts, gutter marks, a row takes the cursor, twice opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < self._header_height:
            for placed in self._placed:
                if placed.column.sort and placed.x <= offset.x < placed.x + placed.width + GAP:
                    same = placed.column is self._sort_column
                    down = not self._descending if same else placed.column.align == "right"
                    self._user_sorts(placed.column, down)
            return
        line = offset.y - self._header_height
        index = self.scroll_offset.y + line
        if line >= self._body_height or index >= len(self._order):
            return
        self._user_moves(index)
        if offset.x < self._gutter and self._markable:
            self.action_mark()
        elif event.chain == 2:
            self.action_open()
