"""The watchlist of the Desk: its rows, which list is shown, and what was taken off it last."""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from textual.app import ComposeResult
from textual.widgets import Input

from data.vocabulary import WatchColumn
from screens.desk.rows import watch_columns
from screens.frame.pane import FilterLine, Pane
from screens.frame.shell import Shell
from widgets.livegrid import LiveGrid

OWNER = "desk-screen"
"""Under this name the Desk follows prices."""

WATCH_ACTIONS = frozenset({"add_here", "remove_here", "move_row", "move_list", "modify_here", "turn_look"})
"""What the Desk's keys do to the watchlist alone."""

HINT = "empty: / finds a symbol, Insert puts it here"


class WatchPane(Pane):
    """One watchlist at a time, kept by its name; the prices of its symbols are followed."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("watch-pane", hint="{ } list  e edit  , columns")
        self._shell = shell
        self._removed: tuple[str, str] | None = None
        self._watched: list[str] = []
        self._followed: set[str] = set()
        self._tried: tuple[WatchColumn, ...] | None = None
        self._placed: tuple[WatchColumn, ...] | None = None

    def compose(self) -> ComposeResult:
        """The rows and their filter."""
        yield LiveGrid(
            watch_columns(self._shell.desk, self.columns),
            monotonic=self._shell.monotonic,
            hint=HINT,
            markable=False,
            flash_frames=lambda: self._shell.flash_frames,
            id="watch",
        )
        yield FilterLine(id="watch-filter")

    @property
    def grid(self) -> LiveGrid:
        """The rows, by instrument key."""
        return self.query_one(LiveGrid)

    @property
    def filter_line(self) -> FilterLine:
        """The words rows must contain."""
        return self.query_one(FilterLine)

    @property
    def key(self) -> str | None:
        """The symbol under the cursor."""
        key = self.grid.cursor_key
        return key if isinstance(key, str) else None

    @property
    def columns(self) -> tuple[WatchColumn, ...]:
        """The columns to show: those that are tried, chosen, or set; none where nobody has said."""
        if self._tried is not None:
            return self._tried
        return self._shell.desk.watchlists.columns() or self._shell.watch_columns

    def try_columns(self, columns: tuple[WatchColumn, ...] | None) -> None:
        """Show these for as long as they are being chosen; None ends that."""
        self._tried = columns
        self._place_columns()

    def _place_columns(self) -> None:
        wanted = self.columns
        if wanted != self._placed:
            self._placed = wanted
            self.grid.set_columns(watch_columns(self._shell.desk, wanted))

    @property
    def _names(self) -> list[str]:
        return self._shell.desk.watchlists.names()

    @property
    def list_name(self) -> str:
        """The watchlist shown; the first where the one turned to is gone."""
        return self._shell.desk.watchlists.or_first(self._shell.list_in_view)

    def listed(self) -> list[str]:
        """What the chosen watchlist holds now."""
        return self._shell.desk.watchlists.keys(self.list_name)

    @property
    def has_changed(self) -> bool:
        """Whether the list holds other symbols than are shown."""
        return self.listed() != self._watched

    @property
    def has_others(self) -> bool:
        """Whether there is another list to turn to."""
        return len(self._names) > 1

    def can(self, action: str) -> bool:
        """Whether one of `WATCH_ACTIONS` has something to do."""
        match action:
            case "add_here":
                return self._removed is not None
            case "remove_here":
                return self.key is not None
            case "move_row":
                return len(self._watched) > 1
            case "move_list":
                return self.has_others
            case _:
                return True

    def fill(self) -> None:
        """Show the list's symbols under the filter, and follow them all."""
        self._place_columns()
        self._watched = self.listed()
        wanted = self.query_one(Input).value.strip().casefold()
        shown = [key for key in self._watched if wanted in key.casefold()]
        self.grid.set_rows({key: key for key in self._watched}, shown)
        keys = set(self._watched)
        if keys != self._followed:
            self._followed = keys
            work = partial(self._shell.desk.market.follow, keys, OWNER)
            self.run_worker(work, group="follow", exclusive=True, exit_on_error=False)

    def apply(self, dirty: Set[str]) -> None:
        """Paint the symbols whose price moved."""
        self.grid.apply(dirty)
        if self.grid.sort_key not in (None, "symbol") and dirty:
            self.grid.resort()

    def paint_title(self) -> None:
        """The list's name and place among the lists."""
        names, name = self._names, self.list_name
        text = self.filter_line.value.strip()
        shown, whole = len(self.grid.shown_keys), len(self._watched)
        count = f"{shown} of {whole}" if shown != whole else str(whole)
        self.set_title(
            f"{name} {names.index(name) + 1}/{len(names)}", [f"filter {text}" if text else "", count]
        )

    def step(self, step: int) -> None:
        """Turn to another list."""
        names = self._names
        self._shell.list_in_view = names[(names.index(self.list_name) + step) % len(names)]

    async def move_row(self, step: int) -> None:
        """Move the row under the cursor up or down in the trader's order, where that is what is shown."""
        grid = self.grid
        if grid.sort_key is not None:
            title = next(column.title for column in grid.columns if column.key == grid.sort_key)
            self._shell.say(f"the rows are sorted by {title}: [ and ] go back to your own order", "warning")
        elif self.filter_line.value.strip():
            self._shell.say("a filter hides rows: clear it with Esc, then move", "warning")
        elif self.key is not None:
            await self._shell.desk.watchlists.move_row(self.key, step, self.list_name)

    async def move_list(self, step: int) -> None:
        """Move the list shown among the lists."""
        name = self.list_name
        self._shell.list_in_view = name
        place = await self._shell.desk.watchlists.move(name, step)
        self._shell.say(f"{name} is list {place} of {len(self._names)}")

    async def take_off(self) -> None:
        """Take the row under the cursor off the list, and say how it comes back."""
        key, name = self.key, self.list_name
        if key is not None:
            self._removed = (key, name)
            await self._shell.desk.watchlists.remove(key, name)
            self._shell.say(f"{key.partition(':')[2]} is off {name}; Insert or + here puts it back")

    async def put_back(self) -> None:
        """Put what was taken off last at the end of its list."""
        if self._removed is not None:
            (key, name), self._removed = self._removed, None
            self._shell.say(f"{key.partition(':')[2]} is on {name} again, at its end")
            await self._shell.desk.watchlists.add(key, name)
