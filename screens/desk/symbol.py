"""A symbol's page: its chart, its market, its margin, who holds it, and its live orders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content

from engine.events import Event, FundsChanged, OrderChanged
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from engine.words.market import WIDEST, held_words, symbol_lines
from screens.desk.chart import ChartPane
from screens.desk.depth import depth_levels
from screens.desk.rows import NOT_LISTED, aged, direction, stale_words
from screens.desk.side_rows import live_of_symbol_columns
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import holding_record, order_record
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from screens.orders.cancel import ask_cancel
from screens.orders.modify import ask_modify, can_modify
from widgets.depth import Depth
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

OWNER = "symbol-screen"
"""Under this name the page follows its price."""


class SymbolScreen(Workspace):
    """What a trader wants to know before buying or selling one stock."""

    CSS_PATH = Path(__file__).with_name("symbol.tcss")
    AUTO_FOCUS = "#holders"
    TITLE_WORDS = "Symbol"
    MAKES_ROOM = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("look", "order.cancel", "order.modify", "watch.add", "close")
    ]

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self._changed = False

    def compose_body(self) -> ComposeResult:
        """The chart; depth, holders and live orders below, or beside it where there is room."""
        yield ChartPane(self.shell, self._key)
        with Container(id="beside"):
            with Pane("symbol-pane", hint="b s order  B S bulk  Insert watch"):
                yield SteadyStatic(id="facts")
                yield Depth(formats.price, formats.quantity, formats.volume, id="book")
            with Pane("holders-pane", hint="Enter opens  space mark"):
                yield LiveGrid(
                    self._columns(),
                    monotonic=self.shell.monotonic,
                    hint="nobody holds it: b buys, B for many",
                    id="holders",
                )
            with Pane("orders-pane", hint="Enter opens"):
                yield LiveGrid(
                    live_of_symbol_columns(self.desk),
                    monotonic=self.shell.monotonic,
                    markable=False,
                    hint="no order lives",
                    id="live",
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
        """Follow the price, and hear of orders and shares."""
        self.listen(self._desk_event)
        self.follow({self._key}, OWNER)
        self.redraw()

    def on_unmount(self) -> None:
        """Follow no more."""
        self.app.run_worker(partial(self.desk.market.follow, set(), OWNER), exit_on_error=False)

    def _desk_event(self, event: Event) -> None:
        self._changed = self._changed or isinstance(event, OrderChanged | FundsChanged)

    @property
    def _holders(self) -> LiveGrid:
        return self.query_one("#holders", LiveGrid)

    def redraw(self) -> None:
        """Holders, orders and figures anew."""
        if not self.is_mounted:
            return
        self._changed = False
        held = {(row.client_id, row.product): row for row in self.desk.holdings.all() if row.key == self._key}
        self._holders.set_rows(held)
        orders = [order.id for order in self.desk.orders.all(live=True) if order.key == self._key]
        live = self.query_one("#live", LiveGrid)
        live.set_rows({order: order for order in orders})
        live.apply(set(orders))
        self.query_one("#orders-pane", Pane).set_title("Live orders", [str(len(orders) or "")])
        self.query_one(ChartPane).paint()
        self._paint()

    def on_frame(self) -> None:
        """The price moves, and the chart once a second."""
        if self._changed:
            self.redraw()
            return
        dirty = self.desk.market.take_dirty(OWNER)
        if dirty or self.desk.market.stale(self._key):
            self._paint()  # an old price grows older while nothing moves
        if dirty:
            self._holders.apply(set(self._holders.shown_keys))
        self.query_one(ChartPane).on_frame()

    def _paint(self) -> None:
        if self.desk.market.index.get(self._key) is None:  # a dump took it off while it was open, or before
            self.query_one("#facts", SteadyStatic).update(Content(NOT_LISTED))
            self.query_one("#symbol-pane", Pane).set_title(self._key, ["not listed"])
            return
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
        held = detail.held_quantity
        holders = f"{formats.counted(detail.holder_count, 'client')}, {formats.counted(held, 'share')}"
        self.query_one("#holders-pane", Pane).set_title("Who holds it", [holders if held else ""])
        depth = self.query_one(Depth)
        width = (depth.size.width or WIDEST) - 1
        depth.set_header(symbol_lines(instrument, quote, held_words(detail), width))
        depth.update(depth_levels(quote))

    def here(self) -> Here:
        """This symbol, and the holder under the cursor."""
        if not self.is_mounted:
            return Here(key=self._key)
        grid, focused = self._holders, self.focused
        marked = tuple(sorted({key[0] for key in grid.marked_keys if isinstance(key, tuple)}))
        if isinstance(focused, LiveGrid) and isinstance(focused.cursor_key, int):
            order = self.desk.orders.get(focused.cursor_key)
            return Here(self._key, order.client_id, order.id, client_ids=marked)
        cursor = grid.cursor_key
        client, product = cursor if isinstance(cursor, tuple) else (None, None)
        return Here(self._key, client, client_ids=marked, product=product)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Who holds it, or its live orders."""
        if grid is not self._holders:
            record = partial(order_record, self.desk)
            return Table("orders", tuple(grid.columns), tuple(grid.shown_keys), grid.cursor_key, record)
        rows = {(row.client_id, row.product): row for row in self.desk.holdings.all() if row.key == self._key}
        cursor = next((row for key, row in rows.items() if key == grid.cursor_key), None)
        record = partial(holding_record, self.desk)
        return Table("holders", tuple(grid.columns), tuple(rows.values()), cursor, record)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page, or the order's life."""
        if isinstance(event.key, tuple):
            self.shell.open_client(event.key[0])
        elif isinstance(event.key, int):
            self.shell.open_order(event.key)

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Keys depend on the row."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        order_id = self.here().order_id
        if action == "cancel_here":
            return order_id is not None and self.desk.orders.get(order_id).live
        if action == "modify_here":
            return order_id is not None and can_modify(self.desk.orders.get(order_id))
        return super().check_action(action, parameters)

    def action_cancel_here(self) -> None:
        """Cancel the order under the cursor; asks first."""
        order_id = self.here().order_id
        if order_id is not None:
            ask_cancel(self, [self.desk.orders.get(order_id)])

    def action_modify_here(self) -> None:
        """Change the order under the cursor."""
        order_id = self.here().order_id
        if order_id is not None:
            ask_modify(self, self.desk.orders.get(order_id))

    def action_turn_look(self) -> None:
        """Have a candle stand for more time, and after the most for the least."""
        self.query_one(ChartPane).turn()

    def action_add_here(self) -> None:
        """Put the symbol on the watchlist."""
        self.shell.run_command(f"watch {self._key}")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
