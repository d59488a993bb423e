"""The page of the day's equity: the desk's line, its sectors, and its clients by what their day brought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from engine.accounts.sectors import by_sector
from engine.events import ClientsChanged, Event, FundsChanged
from engine.words import formats
from engine.words.formats import MASK
from screens.desk.course import CoursePane
from screens.desk.rows import stale_words
from screens.equity.rows import client_columns, sector_columns
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import client_record, sector_record
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.accounts.sectors import SectorValue

SECTORS_EVERY_S = 5.0
"""Seconds between two sums over all holdings."""


class EquityScreen(Workspace):
    """How the day goes, for the desk and for each client."""

    CSS_PATH = Path(__file__).with_name("equity.tcss")
    AUTO_FOCUS = "#day-clients"
    TITLE_WORDS = "Equity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(self) -> None:
        super().__init__()
        self._sectors: dict[str, SectorValue] = {}
        self._summed_at = float("-inf")
        self._changed = True

    def compose_body(self) -> ComposeResult:
        """The desk's line above, sectors and clients below."""
        clock = self.shell.monotonic

        def masked() -> bool:
            return self.shell.privacy

        yield CoursePane(self.shell, None)
        with Container(id="below"):
            with Pane("sectors-pane"):
                yield LiveGrid(
                    sector_columns(self._sectors, masked),
                    monotonic=clock,
                    markable=False,
                    hint="nothing is held: B buys for many clients",
                    id="sectors",
                )
            with Pane("day-clients-pane", hint="Enter opens"):
                yield LiveGrid(
                    client_columns(self.desk, masked),
                    monotonic=clock,
                    markable=False,
                    hint="no client yet",
                    id="day-clients",
                )

    @property
    def _clients(self) -> LiveGrid:
        return self.query_one("#day-clients", LiveGrid)

    def on_mount(self) -> None:
        """Listen, and show whose day went best on top."""
        self.listen(self._desk_event)
        self._fill()
        self._clients.sort_by("net", descending=True)
        self._clients.to_top()
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        self._changed = self._changed or isinstance(event, FundsChanged | ClientsChanged)

    def _fill(self) -> None:
        self._changed = False
        self._clients.set_rows({client.id: client.id for client in self.desk.clients.all()})
        self._sum_up()

    def _sum_up(self) -> None:
        """The sectors at the prices of now."""
        self._summed_at = self.shell.monotonic()
        desk = self.desk
        index = desk.market.index

        def sector_of(key: str) -> str:
            instrument = index.get(key)
            return instrument.sector if instrument else ""

        found = {one.sector: one for one in by_sector(desk.holdings.all(), desk.valuation, sector_of)}
        self._sectors.clear()
        self._sectors.update(found)
        grid = self.query_one("#sectors", LiveGrid)
        if set(grid.shown_keys) != found.keys():
            grid.set_rows({name: name for name in found})
        grid.apply(set(found))
        masked = self.shell.privacy
        whole = sum(one.value_paise for one in found.values())
        worth = MASK if masked else formats.rupees(whole)
        title = f"shares {worth}{stale_words(desk, desk.valuation.keys())}"
        self.query_one("#sectors-pane", Pane).set_title(f"Sectors {len(found) or ''}".strip(), [title])

    def _paint_title(self) -> None:
        values = [self.desk.valuation.client(client.id) for client in self.desk.clients.all()]
        up = sum(one.net_day_pnl_paise > 0 for one in values)
        down = sum(one.net_day_pnl_paise < 0 for one in values)
        self.query_one("#day-clients-pane", Pane).set_title(
            f"Clients {len(values)}", [f"{up} up {down} down" if up or down else ""]
        )

    def on_frame(self) -> None:
        """Clients whose value moved, the line once a second, the sectors every few."""
        if self._changed:
            self._fill()
        elif self.shell.monotonic() - self._summed_at >= SECTORS_EVERY_S:
            self._sum_up()
            self._clients.resort()
        self._clients.apply(self.shell.revalued)
        self.query_one(CoursePane).on_frame()
        if self.shell.revalued:
            self._paint_title()

    def redraw(self) -> None:
        """Everything anew."""
        if not self.is_mounted:
            return
        self._fill()
        self._clients.apply(set(self._clients.shown_keys))
        self.query_one(CoursePane).paint()
        self._paint_title()

    def here(self) -> Here:
        """The client under the cursor."""
        key = self._clients.cursor_key if self.is_mounted else None
        return Here(client_id=key if isinstance(key, int) else None)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Clients, or sectors."""
        if grid is self._clients:
            rows = tuple(grid.shown_keys)
            return Table(
                "clients",
                tuple(grid.columns),
                rows,
                grid.cursor_key,
                lambda key: client_record(self.desk, key),
            )
        return Table(
            "sectors",
            tuple(grid.columns),
            tuple(grid.shown_keys),
            grid.cursor_key,
            lambda key: sector_record(self._sectors[key]),
        )

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if isinstance(event.key, int):
            shown = [key for key in self._clients.shown_keys if isinstance(key, int)]
            self.shell.open_client(event.key, shown)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
