"""A symbol's page: its market, its margin, and who holds it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from engine.words.market import WIDEST, held_words, symbol_lines
from screens.desk.depth import depth_levels
from screens.desk.rows import aged, direction, stale_words
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import holding_record
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.depth import Depth
from widgets.livegrid import Column, LiveGrid
from widgets.sparks import DotLine
from widgets.steady import SteadyStatic
from widgets.text import plain

OWNER = "symbol-screen"
"""Under this name the page follows its price."""


class SymbolScreen(Workspace):
    """What a trader wants to know before buying or selling one stock."""

    CSS_PATH = Path(__file__).with_name("symbol.tcss")
    AUTO_FOCUS = "#holders"
    TITLE_WORDS = "Symbol"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "close")]

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def compose_body(self) -> ComposeResult:
        """The day's line, facts and depth; who holds it below, or beside where there is room."""
        with Pane("symbol-pane", hint="b s order  B S bulk  + watch"):
            yield SteadyStatic(id="facts")
            yield DotLine("the day's line begins as prices come")
            yield Depth(formats.price, formats.quantity, formats.volume, id="book")
        with Pane("holders-pane", hint="Enter opens  space mark"):
            yield LiveGrid(
                self._columns(),
                monotonic=self.shell.monotonic,
                hint="nobody holds it: b buys, B for many",
                id="holders",
            )

    def _columns(self) -> list[Column]:
        desk = self.desk

        def gate(holding) -> str:
            words = gate_brief(desk.reconcile.readiness(holding.client_id))
            return "" if words == READY else words

        def pnl(holding) -> int | None:
            return desk.valuation.holding(holding).unrealised_paise

        return [
            Column("code", "code", 6, lambda row: desk.clients.get(row.client_id).code),
            Column(
                "name",
                "client",
                12,
                lambda row: MASK if self.shell.privacy else desk.clients.get(row.client_id).name,
                flex=True,
            ),
            Column(
                "gate",
                "gate",
                5,
                gate,
                style=lambda _: "warn",
                priority=2,
            ),
            Column("product", "prod", 4, lambda row: str(row.product)),
            Column(
                "quantity",
                "qty",
                8,
                lambda row: formats.quantity(row.quantity),
                "right",
                sort=lambda r: r.quantity,
            ),
            Column(
                "free",
                "sellable",
                8,
                lambda row: formats.quantity(self.desk.holdings.free_to_sell(row)),
                "right",
                priority=1,
            ),
            Column("average", "avg", 10, lambda row: formats.price(row.average_paise), "right"),
            Column(
                "pnl",
                "open P&L",
                10,
                lambda row: MASK if self.shell.privacy else formats.signed(pnl(row)),
                "right",
                style=lambda row: aged(desk, (row.key,), direction(pnl(row))),
                sort=pnl,
            ),
        ]

    def on_mount(self) -> None:
        """Follow the price."""
        self.run_worker(self.desk.market.follow({self._key}, OWNER), exit_on_error=False)
        self.redraw()

    def redraw(self) -> None:
        """Holders and figures anew."""
        if not self.is_mounted:
            return
        held = {(row.client_id, row.product): row for row in self.desk.holdings.all() if row.key == self._key}
        self.query_one(LiveGrid).set_rows(held)
        self._paint()

    def on_frame(self) -> None:
        """The price moves."""
        dirty = self.desk.market.take_dirty(OWNER)
        if dirty or self.desk.market.stale(self._key):
            self._paint()  # an old price grows older while nothing moves
        if dirty:
            self.query_one(LiveGrid).apply(set(self.query_one(LiveGrid).shown_keys))

    def _paint(self) -> None:
        detail = self.desk.market.detail(self._key)
        instrument, quote = detail.instrument, detail.quote
        change = ""
        if quote is not None and detail.change_paise is not None:
            percent = formats.signed_percent(detail.change_bps)
            change = f"  {formats.signed_amount(detail.change_paise)} ({percent} %)"
        last = formats.price(quote.last_paise if quote else None)
        age = formats.age(self.desk.market.age(self._key)) + stale_words(self.desk, (self._key,))
        own = detail.mtf_own_per_share_paise
        mtf = "MTF not offered" if own is None else f"MTF own {formats.price(own)} a share"
        facts = f"LTP {last}{change}  {age}  volume {formats.volume(quote.volume if quote else None)}  {mtf}"
        self.query_one("#facts", SteadyStatic).update(Content(plain(facts)))
        self.query_one("#symbol-pane", Pane).set_title(
            f"{instrument.key} {instrument.name}", [instrument.sector]
        )
        self.query_one(DotLine).show(
            self.desk.market.day_line(self._key), quote.prev_close_paise if quote else 0
        )
        holders = f"{detail.holder_count} clients, {formats.quantity(detail.held_quantity)} shares"
        self.query_one("#holders-pane", Pane).set_title(
            "Who holds it", [holders if detail.held_quantity else ""]
        )
        depth = self.query_one(Depth)
        width = (depth.size.width or WIDEST) - 1
        depth.set_header(symbol_lines(instrument, quote, held_words(detail), width))
        depth.update(depth_levels(quote))

    def here(self) -> Here:
        """This symbol, and the holder under the cursor."""
        if not self.is_mounted:
            return Here(key=self._key)
        grid = self.query_one(LiveGrid)
        cursor = grid.cursor_key
        marked = tuple(sorted({key[0] for key in grid.marked_keys if isinstance(key, tuple)}))
        return Here(self._key, cursor[0] if isinstance(cursor, tuple) else None, client_ids=marked)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Who holds it."""
        rows = {(row.client_id, row.product): row for row in self.desk.holdings.all() if row.key == self._key}
        cursor = next((row for key, row in rows.items() if key == grid.cursor_key), None)
        record = partial(holding_record, self.desk)
        return Table("holders", tuple(grid.columns), tuple(rows.values()), cursor, record)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if isinstance(event.key, tuple):
            self.shell.open_client(event.key[0])

    def action_add_watched(self) -> None:
        """Put the symbol on the watchlist."""
        self.shell.run_command(f"watch {self._key}")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
