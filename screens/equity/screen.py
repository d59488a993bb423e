"""The page of the day's equity: the desk's line, its sectors, and its clients by what their day brought."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from engine.events import ClientsChanged, Event, FundsChanged
from screens.desk.course import CoursePane
from screens.desk.sectors import SectorPane
from screens.equity.rows import client_columns
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import client_record, sector_record
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import LiveGrid


class EquityScreen(Workspace):
    """How the day goes, for the desk and for each client."""

    CSS_PATH = Path(__file__).with_name("equity.tcss")
    AUTO_FOCUS = "#day-clients"
    TITLE_WORDS = "Equity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(self) -> None:
        super().__init__()
        self._changed = True

    def compose_body(self) -> ComposeResult:
        """The desk's line above, sectors and clients below."""
        yield CoursePane(self.shell, None)
        with Container(id="below"):
            yield SectorPane(self.shell, takes_focus=True)
            with Pane("day-clients-pane", hint="Enter opens"):
                yield LiveGrid(
                    client_columns(self.desk, lambda: self.shell.privacy),
                    monotonic=self.shell.monotonic,
                    markable=False,
                    hint="no client yet",
                    id="day-clients",
                )

    @property
    def _sectors(self) -> SectorPane:
        return self.query_one(SectorPane)

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
        self._sectors.heard(event)
        self._changed = self._changed or isinstance(event, FundsChanged | ClientsChanged)

    def _fill(self) -> None:
        self._changed = False
        self._clients.set_rows({client.id: client.id for client in self.desk.clients.all()})

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
        if self._sectors.on_frame():
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
        self._sectors.on_frame()
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
            lambda key: sector_record(self._sectors.sectors[key]),
        )

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if isinstance(event.key, int):
            shown = [key for key in self._clients.shown_keys if isinstance(key, int)]
            self.shell.open_client(event.key, shown)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
