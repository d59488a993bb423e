"""The watchlist of the Desk: its rows, which list is shown, and what was taken off it last."""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from textual.app import ComposeResult
from textual.widgets import Input

from screens.desk.rows import watch_columns
from screens.frame.pane import FilterLine, Pane
from screens.frame.shell import Shell
from widgets.livegrid import LiveGrid

OWNER = "desk-screen"
"""Under this name the Desk follows prices."""

HINT = "empty: / finds a symbol, Insert or + puts it here"


class WatchPane(Pane):
    """One watchlist at a time, kept by its name; the prices of its symbols are followed."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("watch-pane", hint="{ } list  Enter opens")
        self._shell = shell
        self._list = ""
        self._removed: tuple[str, str] | None = None
        self._watched: list[str] = []
        self._followed: set[str] = set()

    def compose(self) -> ComposeResult:
        """The rows and their filter."""
        yield LiveGrid(
            watch_columns(self._shell.desk),
            monotonic=self._shell.monotonic,
            hint=HINT,
            markable=False,
            flash_frames=self._shell.flash_frames,
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
    def _names(self) -> list[str]:
        return self._shell.desk.watchlist.names()

    @property
    def list_name(self) -> str:
        """The watchlist shown; the first where that is gone, empty where there is none."""
        names = self._names
        return self._list if self._list in names else names[0] if names else ""

    def listed(self) -> list[str]:
        """What the chosen watchlist holds now."""
        name = self.list_name
        return self._shell.desk.watchlist.keys(name) if name else []

    @property
    def has_changed(self) -> bool:
        """Whether the list holds other symbols than are shown."""
        return self.listed() != self._watched

    @property
    def has_others(self) -> bool:
        """Whether there is another list to turn to."""
        return len(self._names) > 1

    @property
    def has_removed(self) -> bool:
        """Whether a symbol was taken off that can be put back."""
        return self._removed is not None

    def fill(self) -> None:
        """Show the list's symbols under the filter, and follow them all."""
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
        names, name = self._names, self.list_name or "no watchlist"
        place = f"{names.index(name) + 1}/{len(names)}" if name in names else ""
        text = self.filter_line.value.strip()
        shown, whole = len(self.grid.shown_keys), len(self._watched)
        count = f"{shown} of {whole}" if shown != whole else str(whole)
        self.set_title(f"{name} {place}".strip(), [f"filter {text}" if text else "", count])

    def step(self, step: int) -> None:
        """Turn to another list."""
        names = self._names
        self._list = names[(names.index(self.list_name) + step) % len(names)]

    async def take_off(self) -> None:
        """Take the row under the cursor off the list, and say how it comes back."""
        key, name = self.key, self.list_name
        if key is not None and name:
            self._removed = (key, name)
            self._shell.say(f"{key.partition(':')[2]} is off {name}; Insert or + here puts it back")
            await self._shell.desk.watchlist.remove(key, name)

    async def put_back(self) -> None:
        """Put what was taken off last at the end of its list."""
        if self._removed is not None:
            (key, name), self._removed = self._removed, None
            self._shell.say(f"{key.partition(':')[2]} is on {name} again, at its end")
            await self._shell.desk.watchlist.add(key, name)
