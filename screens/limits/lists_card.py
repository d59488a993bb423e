"""The lists of shares that plans tell of and limits name; with a name the shares of one list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from textual.app import ComposeResult

from engine.events import LimitsChanged
from engine.words.formats import counted
from engine.words.trading.limits import list_import_words, list_words
from screens.frame.dock import Card, DockHost
from screens.importing.take_card import TakeCard
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from engine.market.lists.share_lists import ShareListView

ROWS = 12
"""Lines of the panel; more scroll."""

KEYS = "Enter its shares   :lists import FILE   :limit desk list l:NAME soft  holds orders to one   Esc back"
KEYS_OF_NONE = ":lists import FILE  takes the exchange's files as they are   Esc back"


class ListedRow(Struct, frozen=True):
    """A share of a list, and what the list says of it."""

    symbol: str
    told: str


class ListsCard(Card[None]):
    """A line a list, or a line a share of one."""

    TITLE_WORDS = "Lists of shares"
    HEARS = (LimitsChanged,)

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.rows = ROWS
        self._list_name = name

    def compose(self) -> ComposeResult:
        """The rows and their keys."""
        yield LiveGrid(
            _share_columns() if self._list_name else _list_columns(),
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no list is loaded",
            id="lists",
        )
        yield SteadyStatic(classes="keys -always", id="lists-keys")

    def title(self) -> str:
        """How many there are, or which list it is, of which day."""
        if not self._list_name:
            return f"LISTS of shares · {len(self.desk.share_lists.all())}"
        found = self.desk.share_lists.find(self._list_name)
        shares = counted(len(found.by_symbol), "share")
        return f"LIST {list_words(found.name)} of {found.as_of:%d %b %Y} · {shares}"

    def begin(self) -> None:
        """In the rows."""
        self._fill()
        self.query_one(LiveGrid).focus()

    def refill(self) -> None:
        """All lists as they are; the shares of one stay as it was opened."""
        if not self._list_name:
            self._fill()

    def _fill(self) -> None:
        rows: dict[object, object]
        if self._list_name:
            found = self.desk.share_lists.find(self._list_name).by_symbol
            rows = {symbol: ListedRow(symbol, told) for symbol, told in sorted(found.items())}
        else:
            rows = {one.name: one for one in self.desk.share_lists.all()}
        self.query_one(LiveGrid).set_rows(rows)
        keys = "Esc back" if self._list_name else KEYS if rows else KEYS_OF_NONE
        self.query_one("#lists-keys", SteadyStatic).update(keys)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The shares of the list under the cursor."""
        event.stop()
        if not self._list_name and isinstance(event.key, str):
            self.host.open_card(ListsCard(event.key), over=self)


def take_lists(host: DockHost[Any], path: Path, name: str, as_of: date | None) -> None:
    """Open what taking a file's lists would change; Enter takes them."""
    lists = host.desk.share_lists

    async def look(valid: bool) -> list[str]:
        return [list_import_words(one) for one in await lists.look(path, name, as_of)]

    async def take(valid: bool) -> list[str]:
        return [list_import_words(one) for one in await lists.take(path, name, as_of)]

    host.open_card(TakeCard("LISTS of shares", path, look, take))


def _list_columns() -> list[Column]:
    return [
        Column("list", "list", 16, lambda one: list_words(one.name), flex=True),
        Column("as_of", "as of", 11, lambda one: f"{one.as_of:%d %b %Y}"),
        Column("stale", "", 6, _stale, style=lambda one: "warn" if one.stale else None),
        Column("shares", "shares", 7, lambda one: str(one.shares), "right"),
        Column("unknown", "not known", 9, lambda one: str(one.unknown or ""), "right", priority=1),
        Column("file", "file", 24, lambda one: one.file, flex=True, priority=2, style=lambda _: "dim"),
        Column("by", "by", 10, lambda one: one.by, priority=1, style=lambda _: "dim"),
    ]


def _stale(one: ShareListView) -> str:
    return "STALE" if one.stale else ""


def _share_columns() -> list[Column]:
    return [
        Column("symbol", "symbol", 16, lambda one: one.symbol),
        Column("told", "told", 30, lambda one: one.told, flex=True),
    ]
