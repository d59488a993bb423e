"""Workspace 4, Positions: by symbol with its clients below, or by client with its symbols; Tab flips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from data.vocabulary import Side, SizingKind
from engine.events import ClientsChanged, Event, FundsChanged
from engine.planning.intent import Intent, Selection, Sizing
from engine.planning.titles import marked_title
from engine.words import formats
from engine.words.formats import MASK
from engine.words.market import end_words
from screens.desk.rows import known_pnl, stale_words
from screens.desk.sectors import SectorPane
from screens.desk.side import SidePane
from screens.frame.commands import bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import Record, client_record, holding_record, stock_record
from screens.frame.shell import Here, Table
from screens.frame.whose import who_words
from screens.frame.workspace import Workspace
from screens.positions.rows import (
    HoldingKey,
    at_broker,
    client_columns,
    holding_columns,
    symbol_columns,
)
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.book.views import HoldingView

OWNER = "positions-screen"
"""Under this name the screen follows prices."""


class PositionsScreen(Workspace):
    """What is held. The upper rows are summed up; the lower ones are the holdings of the upper cursor."""

    CSS_PATH = Path(__file__).with_name("positions.tcss")
    AUTO_FOCUS = "#upper"
    TITLE_WORDS = "Positions"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter", "close")]

    def __init__(self) -> None:
        super().__init__()
        self._by_symbol = True
        self._holdings: dict[HoldingKey, HoldingView] = {}
        self._of_symbol: dict[str, list[HoldingKey]] = {}
        self._of_client: dict[int, list[HoldingKey]] = {}
        self._changed = True

    def compose_body(self) -> ComposeResult:
        """Sums above, holdings below."""
        with Container(id="positions"):
            with Vertical(id="panes"):
                yield from self._compose_panes(self.shell.monotonic)
            yield SidePane(self.shell)
            yield SectorPane(self.shell)

    def _compose_panes(self, clock: Callable[[], float]) -> ComposeResult:
        with Pane("upper-pane", hint="Tab flips  Enter holdings  f filter"):
            yield LiveGrid(
                [],
                monotonic=clock,
                hint="nothing is held: B buys for many clients",
                markable=False,
                id="upper",
            )
            yield FilterLine(id="upper-filter")
        with Pane("lower-pane", hint="S sells them  space mark  Enter opens"):
            yield LiveGrid([], monotonic=clock, hint="nothing is held", id="lower")

    @property
    def _side(self) -> SidePane:
        return self.query_one(SidePane)

    @property
    def _sectors(self) -> SectorPane:
        return self.query_one(SectorPane)

    @property
    def _upper(self) -> LiveGrid:
        return self.query_one("#upper", LiveGrid)

    @property
    def _lower(self) -> LiveGrid:
        return self.query_one("#lower", LiveGrid)

    # Filling

    def on_mount(self) -> None:
        """Listen, and show symbols."""
        self.listen(self._desk_event)
        self._turn()

    def _desk_event(self, event: Event) -> None:
        self._side.heard(event)
        self._sectors.heard(event)
        if isinstance(event, FundsChanged | ClientsChanged):
            self._changed = True

    def _turn(self) -> None:
        """Columns for the way it is looked at now."""
        desk, masked = self.desk, lambda: self.shell.privacy
        if self._by_symbol:
            self._upper.set_columns(symbol_columns(desk, self._held_of, masked))
        else:
            self._upper.set_columns(client_columns(desk, self._held_of, masked))
        self._lower.set_columns(holding_columns(desk, self._holdings, masked, with_client=self._by_symbol))
        self._fill()

    def _held_of(self, key: Any) -> list[HoldingView]:
        keys = self._of_symbol.get(key, []) if isinstance(key, str) else self._of_client.get(key, [])
        return [self._holdings[each] for each in keys if each in self._holdings]

    def _fill(self) -> None:
        """Which rows there are."""
        self._changed = False
        self._holdings.clear()
        of_symbol: dict[str, list[HoldingKey]] = defaultdict(list)
        of_client: dict[int, list[HoldingKey]] = defaultdict(list)
        for holding in self.desk.holdings.all():
            if holding.quantity:
                key = (holding.client_id, holding.key, holding.product.value)
                self._holdings[key] = holding
                of_symbol[holding.key].append(key)
                of_client[holding.client_id].append(key)
        self._of_symbol, self._of_client = dict(of_symbol), dict(of_client)
        wanted = self.query_one(FilterLine).value.strip().casefold()
        rows: list[Any] = (
            sorted(key for key in of_symbol if wanted in key.casefold())
            if self._by_symbol
            else [
                client.id
                for client in self.desk.clients.all()
                if client.id in of_client and wanted in who_words(client)
            ]
        )
        self._upper.set_rows({row: row for row in rows})
        self._fill_lower()
        self._follow()

    def _fill_lower(self) -> None:
        key = self._upper.cursor_key
        keys = (self._of_symbol if self._by_symbol else self._of_client).get(key, [])  # type: ignore[arg-type]
        self._lower.set_rows({each: each for each in keys})
        self._paint()

    def _follow(self) -> None:
        """Everything held, so that the lower rows move as well."""
        self.follow(self._of_symbol, OWNER)

    # Painting

    def on_frame(self) -> None:
        """Rows whose price or holding changed."""
        if self._changed:
            self.redraw()
        dirty = self.desk.market.take_dirty(OWNER)
        if self._by_symbol:
            self._upper.apply(dirty)
        else:
            self._upper.apply(self.shell.revalued)
        self._lower.apply({key for key in self._lower.shown_keys if _symbol_of(key) in dirty})
        if dirty:
            for grid in (self._upper, self._lower):
                if grid.sort_key in ("net", "day", "open", "value"):
                    grid.resort()
            self._paint()
        self._show_beside()

    def _show_beside(self) -> None:
        """Depth, client and sectors of the row under the cursor, where the screen has room for them."""
        lower = self._lower.cursor_key
        client = self.here().client_id
        if client is None and isinstance(lower, tuple):
            client = lower[0]
        self._side.show(*self.asked_of(self._key, client))
        self._side.on_frame()
        key = self._upper.cursor_key
        self._sectors.show(key if isinstance(key, int) else None)
        self._sectors.on_frame()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._fill()
            self._upper.apply(set(self._upper.shown_keys))
            self._lower.apply(set(self._lower.shown_keys))
            self._side.redraw()
            self._sectors.on_frame()

    def _paint(self) -> None:
        """Titles and totals."""
        desk, masked = self.desk, self.shell.privacy
        total = desk.valuation.desk_total()

        def money(paise: int | None) -> str:
            return MASK if masked else formats.signed(paise)

        def pnl(paise: int) -> str:
            return money(known_pnl(desk, self._of_client, paise))

        charges = MASK if masked else formats.rupees(total.charges_today_paise)
        way = "by symbol" if self._by_symbol else "by client"
        text = self.query_one(FilterLine).value.strip()
        self.query_one("#upper-pane", Pane).set_title(
            f"Positions {way} · {len(self._upper.shown_keys)}",
            [
                f"filter {text}" if text else "",
                f"day net {pnl(total.net_day_pnl_paise)}{stale_words(desk, desk.valuation.keys())}",
                f"gross {pnl(total.day_pnl_paise)}",
                f"charges {charges}",
                f"open {pnl(total.unrealised_paise)}",
                f"realised {money(total.realised_today_paise)}",
            ],
        )
        key = self._upper.cursor_key
        if isinstance(key, int):
            client = desk.clients.get(key)
            what = f"{client.code} {MASK if masked else client.name}"
        else:
            what = str(key).partition(":")[2] if key else "nothing"
        marked = len(self._marked_clients)
        marks = f"{marked} MARKED" if marked else ""
        count = len(self._lower.shown_keys)
        keys = set(self._lower.shown_keys)
        shown = [holding for each, holding in self._holdings.items() if each in keys]
        differ = sum(at_broker(desk, holding) is not None for holding in shown)
        books = f"{differ} ≠ THE BROKER'S" if differ else ""
        ends = [end for holding in shown if (end := desk.holdings.intraday_end(holding)) is not None]
        first = min(ends, key=lambda end: end.at, default=None)
        sold_out = f"MIS square-off at {end_words(first)}" if first is not None else ""
        self.query_one("#lower-pane", Pane).set_title(what, [f"holdings {count}", books, sold_out, marks])

    # What the cursor is on

    @property
    def _marked_clients(self) -> tuple[int, ...]:
        shown = set(self._lower.shown_keys)
        return tuple(sorted({key[0] for key in self._lower.marked_keys & shown if isinstance(key, tuple)}))

    @property
    def _key(self) -> str | None:
        """The symbol meant: the upper row's, or that of the lower row while one looks by client."""
        key = self._upper.cursor_key if self._by_symbol else _symbol_of(self._lower.cursor_key)
        return key if isinstance(key, str) else None

    def here(self) -> Here:
        """The symbol, the holding or client under the cursor, and the marked clients."""
        if not self.is_mounted:
            return Here()
        marked = self._marked_clients if self._by_symbol else ()
        lower = self._lower.cursor_key
        if isinstance(lower, tuple) and (self.focused is self._lower or not self._by_symbol):
            client_id, _, product = lower
            return Here(self._key, client_id, client_ids=marked, product=product)
        client = None if self._by_symbol else self._upper.cursor_key
        return Here(self._key, client if isinstance(client, int) else None, client_ids=marked)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are their own keys."""
        return Table("positions", tuple(grid.columns), tuple(grid.shown_keys), grid.cursor_key, self._record)

    def _record(self, key: Any) -> Record:
        """A row of either grid, for a file."""
        if isinstance(key, tuple):
            return holding_record(self.desk, self._holdings[key])
        if isinstance(key, int):
            return client_record(self.desk, key)
        return stock_record(self.desk, key, self._held_of(key))

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """The lower rows follow the upper cursor."""
        if event.grid is self._upper:
            self._fill_lower()
        self._show_beside()
        self.refresh_bindings()

    def on_live_grid_marked(self, event: LiveGrid.Marked) -> None:
        """Say how many are marked."""
        self._paint()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """From the sums to the holdings, from a holding to the client's or the symbol's page."""
        if event.grid is self._upper:
            self._lower.focus()
        elif isinstance(event.key, tuple):
            client_id, key, _ = event.key
            if self._by_symbol:
                shown = [each[0] for each in self._lower.shown_keys if isinstance(each, tuple)]
                self.shell.open_client(client_id, list(dict.fromkeys(shown)))
            else:
                self.shell.open_symbol(key)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "filter_here":
            return self.focused is self._upper
        if action == "close":
            return self.focused is not self._upper or bool(self.query_one(FilterLine).value)
        return super().check_action(action, parameters)

    def action_next_pane(self, step: int) -> None:
        """Tab flips between symbols and clients; back goes from the holdings to the sums."""
        if step < 0:
            self.focus_previous()
            return
        key = self._key
        client = self._upper.cursor_key if not self._by_symbol else None
        lower = self._lower.cursor_key
        self._by_symbol = not self._by_symbol
        self.query_one(FilterLine).value = ""
        self._turn()
        wanted = key if self._by_symbol else (lower[0] if isinstance(lower, tuple) else client)
        if wanted is not None:
            self._upper.move_cursor(wanted)
            self._fill_lower()
        self._upper.focus()

    def action_bulk(self, side: str) -> None:
        """`S` sells what is held of the symbol, by the marked clients or by all who hold it."""
        key = self._key
        if side != Side.SELL.value or key is None:
            super().action_bulk(side)
            return
        holders = tuple(dict.fromkeys(each[0] for each in self._of_symbol.get(key, [])))
        total = len(self.desk.clients.all())
        marked = self._marked_clients if self._by_symbol else ()
        client = self._upper.cursor_key
        if marked:
            selection = Selection(client_ids=marked, title=marked_title(len(marked), total))
        elif not self._by_symbol and isinstance(client, int):
            selection = Selection(client_ids=(client,), title=self.desk.clients.get(client).code)
        else:
            selection = Selection(client_ids=holders, title=f"holders ({len(holders)})")
        intent = Intent(
            side=Side.SELL,
            key=key,
            sizing=Sizing(SizingKind.PERCENT_OF_POSITION, 10_000),
            product=None,
            selection=selection,
        )
        self.shell.open_bulk(Side.SELL, key, (), intent)

    def action_filter_here(self) -> None:
        """Filter the upper rows."""
        self.query_one(FilterLine).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back."""
        self.query_one(FilterLine).settle()
        self._upper.focus()

    def action_close(self) -> None:
        """From the holdings back to the sums; then the filter goes."""
        if self.focused is not self._lower:
            self.query_one(FilterLine).value = ""
            self.query_one(FilterLine).settle()
        self._upper.focus()


def _symbol_of(key: object) -> str | None:
    return str(key[1]) if isinstance(key, tuple) else None
