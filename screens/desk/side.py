"""The third pane of a wide screen: what belongs to the row under the cursor, its symbol and its client."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from engine.book.views import HoldingView
from engine.events import Event, FundsChanged, OrderChanged
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_sentence
from screens.desk.depth import DepthPane
from screens.desk.limits import limit_lines
from screens.desk.rows import known_pnl
from screens.desk.side_rows import held_columns, live_columns
from screens.frame.pane import Pane
from screens.frame.shell import Shell
from widgets.livegrid import LiveGrid
from widgets.sparks import blocks
from widgets.steady import SteadyStatic
from widgets.text import plain

COURSE_CELLS = 16
"""Cells of the line of blocks that shows the course of a client's day."""


class SidePane(Vertical):
    """Shows depth and the day's line of a symbol, and a client's money, shares and live orders.

    A screen calls `show` with what its cursor is on, `heard` with the desk's events, and `on_frame`. Nothing
    is done while the screen is too narrow for it.
    """

    def __init__(self, shell: Shell, with_symbol: bool = True, all_orders: bool = False) -> None:
        """Without the symbol it shows a client alone; `all_orders` are the day's, the live ones first."""
        super().__init__(id="side")
        self._with_symbol = with_symbol
        self._all_orders = all_orders
        self._shell = shell
        self._key: str | None = None
        self._client_id: int | None = None
        self._holdings: dict[Any, HoldingView] = {}
        self._changed = True
        self._lines = 0

    def compose(self) -> ComposeResult:
        """The symbol above, the client below."""
        desk, clock = self._shell.desk, self._shell.monotonic

        def masked() -> bool:
            return self._shell.privacy

        if self._with_symbol:
            yield DepthPane(desk, id="side-symbol", with_line=True)
        with Pane("side-client"):
            yield SteadyStatic(id="side-money")
            yield LiveGrid(
                held_columns(desk, self._holdings, masked),
                monotonic=clock,
                markable=False,
                hint="no share is held: b buys",
                id="side-held",
            )
        with Pane("side-orders"):
            yield LiveGrid(
                live_columns(desk),
                monotonic=clock,
                markable=False,
                hint="no order today: b buys" if self._all_orders else "no order lives",
                id="side-live",
            )

    @property
    def is_seen(self) -> bool:
        """Whether the screen is wide enough for it."""
        return self.is_mounted and self.display and bool(self.size)

    def on_mount(self) -> None:
        """Tab goes on where the work is done; the rows here are for the eye and the mouse."""
        for grid in self.query(LiveGrid):
            grid.can_focus = False

    def on_resize(self) -> None:
        """It has come into sight, or another width holds more."""
        self._changed = True

    def heard(self, event: Event) -> None:
        """Remember that what is shown of the client has changed."""
        mine = isinstance(event, OrderChanged | FundsChanged) and self._client_id in event.client_ids
        self._changed = self._changed or mine
        if isinstance(event, FundsChanged) and self.is_mounted:
            for symbol in self.query(DepthPane):
                symbol.holders_changed()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The symbol's page, or the order's life."""
        event.stop()
        if isinstance(event.key, tuple):
            self._shell.open_symbol(event.key[1])
        elif isinstance(event.key, int):
            self._shell.open_order(event.key)

    def show(self, key: str | None, client_id: int | None) -> None:
        """Show this symbol and this client; without one, what was shown stays."""
        self._key = key or self._key
        if client_id is not None and client_id != self._client_id:
            self._client_id, self._changed = client_id, True

    def redraw(self) -> None:
        """Everything anew, as after privacy was turned on."""
        self._changed = True
        self.on_frame()

    def on_frame(self) -> None:
        """What moved since the frame before."""
        if not self.is_seen:
            return
        for symbol in self.query(DepthPane):
            symbol.show(self._key)
        if self._client_id is None:
            return
        if self._changed:
            self._changed = False
            self._fill(self._client_id)
        elif self._client_id not in self._shell.revalued:
            return
        if self.query_one("#side-client").size:
            self.query_one("#side-held", LiveGrid).apply(set(self._holdings))
            self._paint(self._client_id)

    def _fill(self, client_id: int) -> None:
        """The rows of the panes that the screen shows."""
        if self.query_one("#side-client").size:
            self._fill_held(client_id)
        if self.query_one("#side-orders").size:
            self._fill_orders(client_id)

    def _fill_held(self, client_id: int) -> None:
        self._holdings.clear()
        for holding in self._shell.desk.holdings.of(client_id):
            if holding.quantity:
                self._holdings[holding.client_id, holding.key, holding.product.value] = holding
        self.query_one("#side-held", LiveGrid).set_rows({key: key for key in self._holdings})

    def _fill_orders(self, client_id: int) -> None:
        orders = self._shell.desk.orders.all(
            None if self._all_orders else True, client_id=client_id, today=True
        )
        self.query_one("#side-live", LiveGrid).set_rows({order.id: order.id for order in orders})
        live = sum(order.live for order in orders)
        title, figures = "Live orders", [str(live or "")]
        if self._all_orders:
            title, figures = "Orders today", [str(len(orders) or ""), f"live {live}" if orders else ""]
        self.query_one("#side-orders", Pane).set_title(title, figures)

    def _paint(self, client_id: int) -> None:
        """Who it is, what its day brought, and what money there is."""
        desk, masked = self._shell.desk, self._shell.privacy
        client, funds, value = (
            desk.clients.get(client_id),
            desk.funds.of(client_id),
            desk.valuation.client(client_id),
        )

        def money(paise: int | None, *, sign: bool = False) -> str:
            return MASK if masked else formats.signed(paise) if sign else formats.rupees(paise)

        net = money(known_pnl(desk, (client_id,), value.net_day_pnl_paise), sign=True)
        name = MASK if masked else client.name
        self.query_one("#side-client", Pane).set_title(f"{client.code} {name}", [f"day net {net}"])
        course = blocks(desk.equity.course(client_id), COURSE_CELLS)
        facts = [
            Content(f" cash {money(funds.available_paise)} · blocked {money(funds.blocked_paise)}"),
            Content(f" portfolio {money(value.portfolio_paise)}{f' · day {course}' if course else ''}"),
            *limit_lines(desk, client_id, masked),
        ]
        gate = gate_sentence(desk.reconcile.readiness(client_id))
        if gate != READY:
            facts.append(Content(plain(f" {gate}")))
        grown, self._lines = len(facts) != self._lines, len(facts)
        words = Content("\n").join(facts)
        self.query_one("#side-money", SteadyStatic).update(words, layout=grown)
