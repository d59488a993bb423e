"""A client's page, made for the phone call: portfolio, day and total, and nine views behind Tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from data.records import replace
from data.vocabulary import ExportWhat, Right
from engine.events import ClientsChanged, Event, FundsChanged, OrderChanged
from screens.clients.client_card import ClientCard
from screens.clients.gate_rows import waivable
from screens.clients.gate_tab import gate_lines, gate_tab_columns
from screens.clients.mending import can_mend, mend_client
from screens.clients.page_beside import compose_beside, heard_beside, redraw_beside, show_beside
from screens.clients.page_head import PageHead, break_lines, hold_lines, orders_line
from screens.clients.page_text import client_text, write_text
from screens.clients.page_views import VIEWS, PageView, read_columns, read_record, read_rows, views_of
from screens.clients.pause_card import ask_pause
from screens.clients.waive import ask_waive, open_item
from screens.desk.limits import limits_line
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.exports import short_path
from screens.frame.pane import Pane
from screens.frame.records import ToRecord, holding_record, order_record
from screens.frame.shell import HasRights, Here, Table
from screens.frame.workspace import Workspace
from screens.mtf.head import MtfHead
from screens.orders.cancel import ask_cancel
from screens.orders.modify import ask_modify, can_modify
from screens.orders.rows import order_columns
from screens.orders.settle import ask_adopt_figures
from screens.positions.rows import HoldingKey, holding_columns
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from data.repositories.accounts.statement import Contributed
    from engine.accounts.holdings import HoldView
    from engine.book.views import ClientView, HoldingView, OrderView

OWNER = "client-screen"
"""Under this name the page follows prices."""


class ClientScreen(HasRights, Workspace):
    """One client at a glance; `{` and `}` go through the list it was opened from, or all clients."""

    CSS_PATH = Path(__file__).with_name("client.tcss")
    AUTO_FOCUS = "#client-grid"
    TITLE_WORDS = "Client"
    BUYS_OTHERS = True
    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.CLIENTS, "repair": Right.SIGN_CLIENTS_IN}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("order.cancel", "take_over", "previous", "next", "close"),
        binding(replace(COMMANDS["order.modify"], words="edit")),
        binding(replace(COMMANDS["run.pause"], action="pause_client")),
        binding(replace(COMMANDS["run.repair"], words="sign in")),
        binding(replace(COMMANDS["plan.drop"], action="waive", words="waive")),
        binding(replace(COMMANDS["copy"], action="copy_account", words="copy account"), shown=True),
    ]

    def __init__(self, client_id: int, among: Sequence[int] = (), view: PageView = PageView.HOLDINGS) -> None:
        super().__init__()
        self._client_id = client_id
        self._among = tuple(among)
        self._view = view
        self._holdings: dict[HoldingKey, HoldingView] = {}
        self._rows: dict[Any, Any] = {}
        self._holds: list[HoldView] = []
        self._brought: Contributed | None = None
        self._changed = True

    def compose_body(self) -> ComposeResult:
        """Who, the day, the money, the rows, the orders in one line."""
        with Vertical(id="client-main"):
            with Pane("client-pane"):
                yield SteadyStatic(id="client-day")
                yield SteadyStatic(id="client-total")
                yield SteadyStatic(id="client-money")
                yield SteadyStatic(id="client-limits")
                yield SteadyStatic(id="client-holds")
                yield SteadyStatic(id="client-breaks")
            with Pane("rows-pane", hint="Tab view  { } client  Enter opens"):
                yield MtfHead(self.shell)
                yield LiveGrid(
                    [],
                    monotonic=self.shell.monotonic,
                    flash_frames=lambda: self.shell.flash_frames,
                    markable=False,
                    id="client-grid",
                )
            yield SteadyStatic(id="client-orders")
        yield from compose_beside(self.shell, self._client_id)

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#client-grid", LiveGrid)

    @property
    def _client(self) -> ClientView:
        return self.desk.clients.get(self._client_id)

    # Filling

    def on_mount(self) -> None:
        """Listen, and show what the page is opened at."""
        self.listen(self._desk_event)
        self._among = self._among or tuple(client.id for client in self.desk.clients.all())
        self._turn_to(self._view)

    def on_unmount(self) -> None:
        """Follow no more."""
        self.app.run_worker(partial(self.desk.market.follow, set(), OWNER), exit_on_error=False)

    def _desk_event(self, event: Event) -> None:
        heard_beside(self, event)
        mine = isinstance(event, OrderChanged | FundsChanged) and self._client_id in event.client_ids
        if mine or isinstance(event, ClientsChanged):
            self._changed = True

    def _turn_to(self, view: PageView) -> None:
        self._view = view
        desk, masked = self.desk, lambda: self.shell.privacy
        self._grid.hint = VIEWS[view]
        if view is PageView.HOLDINGS:
            columns = holding_columns(desk, self._holdings, masked, with_client=False, weight=self._weight)
        elif view is PageView.ORDERS:
            columns = order_columns(desk, masked, with_client=False)
        elif view is PageView.GATE:
            columns = gate_tab_columns()
        else:
            columns = read_columns(desk, view, masked, self.query_one(MtfHead).alone)
        self._rows = {}
        self._grid.set_rows({})
        self._grid.set_columns(columns)
        self._fill()

    def _weight(self, key: HoldingKey) -> int | None:
        """A holding's part of the client's portfolio at the last price, in basis points."""
        holding = self._holdings.get(key)
        return None if holding is None else self.desk.valuation.weight_bps(self._client_id, holding)

    def _fill(self) -> None:
        """Rows of the view; what stands in the database is read beside."""
        self._changed = False
        self._holdings.clear()
        for holding in self.desk.holdings.of(self._client_id):
            if holding.quantity:
                self._holdings[holding.client_id, holding.key, holding.product.value] = holding
        if self._view is PageView.HOLDINGS:
            self._show({key: key for key in self._holdings})
        elif self._view is PageView.ORDERS:
            self._show({order.id: order.id for order in self._orders})
        elif self._view is PageView.GATE:
            self._show_gate()
        else:
            self.run_worker(
                partial(self._read, self._view), exclusive=True, exit_on_error=False, group="client-rows"
            )
        self.run_worker(self._read_holds, exclusive=True, exit_on_error=False, group="client-holds")
        self.follow({key for _, key, _ in self._holdings}, OWNER)
        self.query_one("#client-orders", SteadyStatic).update(orders_line(self.desk, self._client_id))
        self._paint()

    async def _read_holds(self) -> None:
        """What is kept from trading, by name, and what sales have brought."""
        client = self._client_id
        found, brought = await self.desk.funds.holds(client), await self.desk.statements.contributed(client)
        if self._client_id == client and self.is_mounted:
            self._holds, self._brought = found, brought
            self._paint()

    def _paint_lines(self) -> None:
        """A line a hold, and a line a difference from the broker's books; `v` takes theirs over."""
        desk, masked = self.desk, self.shell.privacy
        found = {
            "#client-holds": hold_lines(desk, self._holds, masked),
            "#client-breaks": break_lines(desk, self._client_id, masked),
        }
        for name, lines in found.items():
            told = self.query_one(name, SteadyStatic)
            told.display = bool(lines)
            told.update(Content("\n".join(plain(line) for line in lines)))

    def _show(self, rows: dict[Any, Any]) -> None:
        if list(rows) != list(self._rows):
            self._rows = rows
            self._grid.set_rows(rows)
        else:
            self._rows.update(rows)
            self._grid.apply(set(rows))

    def _show_gate(self) -> None:
        self._show(dict(enumerate(gate_lines(self.desk, self._client_id, self.shell.privacy))))

    async def _read(self, view: PageView) -> None:
        client = self._client_id
        found = await read_rows(self.desk, view, client)
        if self._view == view and self._client_id == client and self.is_mounted:
            self._rows = dict(enumerate(found))
            self._paint()
            self._grid.set_rows(self._rows)

    @property
    def _orders(self) -> list[OrderView]:
        return self.desk.orders.all(client_id=self._client_id)

    def on_pane_title_clicked(self, event: Pane.TitleClicked) -> None:
        """A view that the title names."""
        if event.words in list(PageView):
            self._turn_to(PageView(event.words))

    # Painting

    def on_frame(self) -> None:
        """What moved since the frame before."""
        show_beside(self, self.here().key, self._client_id)
        if self._changed:
            self._fill()
            return
        dirty = self.desk.market.take_dirty(OWNER)
        if self._view is PageView.HOLDINGS:
            # A price moves the weights of all the others.
            self._grid.apply(set(self._holdings) if dirty else ())
        elif self._view in (PageView.LOTS, PageView.MTF):
            self._grid.apply(set(self._rows) if dirty else ())
        elif self._view is PageView.GATE:
            self._show_gate()  # ages and ends of sessions move without an event
        else:
            self._grid.apply(())
        if dirty or self._client_id in self.shell.revalued:
            self._paint()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._fill()
            self._grid.apply(set(self._grid.shown_keys))
            redraw_beside(self)

    def _paint(self) -> None:
        head = PageHead(self.desk, self._client, self.shell.privacy, self.size.width < 110)
        self.query_one("#client-pane", Pane).set_title(head.who(), head.facts())
        self.query_one("#client-day", SteadyStatic).update(head.day(), layout=False)
        total = head.total(self._brought) if self._brought is not None else Content("")
        self.query_one("#client-total", SteadyStatic).update(total, layout=False)
        self.query_one("#client-money", SteadyStatic).update(head.money(), layout=False)
        limits = limits_line(self.desk, self._client_id, self.shell.privacy, self.size.width < 110)
        self.query_one("#client-limits", SteadyStatic).update(limits, layout=False)
        views = "  ".join(f"▸{view}" if view == self._view else view.value for view in views_of(self.desk))
        self.query_one("#rows-pane", Pane).set_title(views, [head.capital()])
        self.query_one(MtfHead).show(self._client_id if self._view is PageView.MTF else None)
        self._paint_lines()
        self.refresh_bindings()

    def here(self) -> Here:
        """The client, with the symbol or order under the cursor."""
        key = next((grid.cursor_key for grid in self.query("#client-grid").results(LiveGrid)), None)
        if self._view is PageView.ORDERS and isinstance(key, int):
            return Here(self.desk.orders.get(key).key, self._client_id, key)
        _, symbol, product = key if isinstance(key, tuple) else (None, None, None)
        return Here(symbol, self._client_id, product=product)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The rows of the view."""
        row = self._rows.get(grid.cursor_key)
        name = f"{self._client.code}-{self._view}"
        record: ToRecord
        if self._view is PageView.HOLDINGS:
            record = lambda key: holding_record(self.desk, self._holdings[key])  # noqa: E731 - of a row's key
        elif self._view is PageView.ORDERS:
            record = partial(order_record, self.desk)
        else:
            record = read_record(self.desk, self._view, self._client_id)
        return Table(name, tuple(grid.columns), tuple(self._rows.values()), row, record)

    def in_view(self, what: ExportWhat) -> Sequence[int] | None:
        """This client, and its orders."""
        if what in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
            return (self._client_id,)
        of_orders = what in (ExportWhat.ORDERS, ExportWhat.TRADES)
        return [order.id for order in self._orders] if of_orders else None

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The symbol's page, the order's life, or the word that lets an item of the gate pass."""
        if isinstance(event.key, tuple):
            self.shell.open_symbol(event.key[1])
        elif self._view is PageView.ORDERS and isinstance(event.key, int):
            self.shell.open_order(event.key)
        elif self._view is PageView.GATE and (item := self._rows[event.key].item) is not None:
            open_item(self, self.desk.gate.of(self._client_id), item)

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Keys depend on the row."""
        self.refresh_bindings()

    # Commands

    @property
    def _cancellable(self) -> list[OrderView]:
        """The order under the cursor; anywhere else all live orders of the client."""
        order_id = self.here().order_id
        if order_id is None:
            return self.desk.orders.all(live=True, client_id=self._client_id)
        return [order for order in (self.desk.orders.get(order_id),) if order.live]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "cancel_here":
            return bool(self._cancellable)
        if action == "modify_here":
            order_id = self.here().order_id
            return order_id is None or can_modify(self.desk.orders.get(order_id))
        if action == "waive":
            return bool(waivable(self.desk.gate.of(self._client_id)))
        if action == "repair":
            return can_mend(self.desk, self._client_id)
        if action == "take_over":
            return bool(self.desk.reconcile.breaks(self._client_id))
        if action == "step":
            return len(self._among) > 1
        return super().check_action(action, parameters)

    def action_next_pane(self, step: int) -> None:
        """The next view."""
        names = views_of(self.desk)
        self._turn_to(names[(names.index(self._view) + step) % len(names)])

    def action_cancel_here(self) -> None:
        """Cancel; asks first."""
        ask_cancel(self, self._cancellable)

    def action_modify_here(self) -> None:
        """Change the order under the cursor; on any other row the client itself."""
        order_id = self.here().order_id
        if order_id is not None:
            ask_modify(self, self.desk.orders.get(order_id))
        else:
            self.open_card(ClientCard(self._client))

    def action_waive(self) -> None:
        """Let an amber item of the gate pass for today; asks."""
        ask_waive(self, self.desk.gate.of(self._client_id))

    def action_repair(self) -> None:
        """Try its route again where the broker refused it, else sign it in."""
        mend_client(self, self._client)

    def action_pause_client(self) -> None:
        """Pause the client, or end its pause."""
        ask_pause(self, self._client)

    def action_copy_account(self) -> None:
        """The client's account as a text, to the clipboard and to a file."""
        if self._brought is None:
            return
        text = client_text(self.desk, self._client_id, self._brought)
        self.app.copy_to_clipboard(text)
        path = write_text(self.desk, self._client_id, text)
        self.shell.say(f"the account of {self._client.code} is copied, and in {short_path(self.desk, path)}")

    def action_take_over(self) -> None:
        """Take the broker's figures over; asks for a reason and a word."""
        ask_adopt_figures(self, self._client)

    def action_step(self, step: int) -> None:
        """The next client of the list."""
        among = self._among
        place = among.index(self._client_id) if self._client_id in among else 0
        self._client_id = among[(place + step) % len(among)]
        self._holds, self._brought = [], None
        self._turn_to(self._view)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
