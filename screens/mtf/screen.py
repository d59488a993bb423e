"""All clients on margin by how near they are to a call, and what is to be watched of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from engine.events import ClientsChanged, Event, FundsChanged
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.mtf import ESTIMATE
from screens.desk.rows import stale_words
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from screens.mtf.rows import client_columns, client_row, warning_columns, warning_record
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.mtf.views import MtfView
    from engine.mtf.warnings import MtfWarning

EVERY_S = 1.0
"""Seconds between two looks at the ladders."""


class MtfScreen(Workspace):
    """Who is on margin, how near a call, what waits for a pledge."""

    CSS_PATH = Path(__file__).with_name("mtf.tcss")
    AUTO_FOCUS = "#mtf-clients"
    TITLE_WORDS = "MTF"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(self) -> None:
        super().__init__()
        self._views: dict[int, MtfView] = {}
        self._warnings: dict[int, MtfWarning] = {}
        self._looked_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """The clients above, what is to be watched below."""
        clock = self.shell.monotonic

        def masked() -> bool:
            return self.shell.privacy

        with Pane("mtf-pane", hint="Enter opens"):
            yield LiveGrid(
                client_columns(self.desk, self._views, masked),
                monotonic=clock,
                markable=False,
                hint="nobody is on margin: m in a ticket buys by MTF",
                id="mtf-clients",
            )
        with Pane("mtf-watch-pane", hint=":mtf accept CODE SYMBOL notes a pledge"):
            yield LiveGrid(
                warning_columns(self.desk),
                monotonic=clock,
                markable=False,
                hint="nothing: no call is near and no pledge waits",
                id="mtf-watch",
            )

    @property
    def _clients(self) -> LiveGrid:
        return self.query_one("#mtf-clients", LiveGrid)

    @property
    def _watch(self) -> LiveGrid:
        return self.query_one("#mtf-watch", LiveGrid)

    def on_mount(self) -> None:
        """Listen, and show the nearest on top."""
        self.listen(self._desk_event)
        self._clients.sort_by("near", descending=False)
        self._read_anew()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, FundsChanged | ClientsChanged):
            self._read_anew()

    def _read_anew(self) -> None:
        self.run_worker(self._read, exclusive=True, exit_on_error=False, group="mtf-rows")

    async def _read(self) -> None:
        await self.desk.mtf.read()
        if self.is_mounted:
            self._look()

    def _look(self) -> None:
        """Ladders and warnings at the prices of now."""
        self._looked_at = self.shell.monotonic()
        found = {one.client_id: one for one in self.desk.mtf.all()}
        self._views.clear()
        self._views.update(found)
        if set(self._clients.shown_keys) != found.keys():
            self._clients.set_rows({client: client for client in found})
        self._clients.apply(set(found))
        self._clients.resort()
        warnings = dict(enumerate(self.desk.mtf.warnings()))
        if warnings != self._warnings:
            self._warnings = warnings
            self._watch.set_rows(dict(warnings))
        self._paint_titles()

    def _paint_titles(self) -> None:
        views = self._views.values()
        masked = self.shell.privacy
        lent, cost = sum(one.loan_paise for one in views), sum(one.interest_a_day_paise for one in views)
        money = MASK if masked else f"lent {formats.rupees(lent)} · interest {formats.rupees(cost)} a day"
        keys = {stock.key for one in views for stock in one.stocks}
        facts = [f"{money}{stale_words(self.desk, keys)}"] if views else []
        self.query_one("#mtf-pane", Pane).set_title(f"MTF {len(views) or ''}".strip(), facts)
        watched = f"To watch {len(self._warnings) or ''}".strip()
        self.query_one("#mtf-watch-pane", Pane).set_title(watched, [ESTIMATE])

    def on_frame(self) -> None:
        """The ladders once a second."""
        if self.shell.monotonic() - self._looked_at >= EVERY_S:
            self._look()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._look()
            self._clients.apply(set(self._clients.shown_keys))
            self._watch.apply(set(self._watch.shown_keys))

    def here(self) -> Here:
        """The client under the cursor, of a warning its stock too."""
        if not self.is_mounted:
            return Here()
        if self._watch.has_focus:
            one = self._warnings.get(self._key_of(self._watch))
            stock = None if one is None else one.stock or one.pledge
            return Here() if one is None else Here(stock.key if stock else None, one.client_id)
        key = self._clients.cursor_key
        return Here(client_id=key if isinstance(key, int) else None)

    @staticmethod
    def _key_of(grid: LiveGrid) -> Any:
        return grid.cursor_key

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Clients, or what is to be watched."""
        rows, key = tuple(grid.shown_keys), grid.cursor_key
        if grid is self._clients:
            record = lambda client: client_row(self.desk, self._views[client])  # noqa: E731 - of a row's key
            return Table("mtf", tuple(grid.columns), rows, key, record)
        shown = tuple(self._warnings.values())
        one = self._warnings.get(self._key_of(grid))
        return Table("mtf-watch", tuple(grid.columns), shown, one, partial(warning_record, self.desk))

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if (client_id := self.here().client_id) is not None:
            self.shell.open_client(
                client_id, [key for key in self._clients.shown_keys if isinstance(key, int)]
            )

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
