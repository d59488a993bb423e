"""Workspace 3, Orders: every order of every client, what needs the trader, and the day's trades."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.vocabulary import ExportWhat
from engine.book.views import traded_paise
from engine.events import ChaseChanged, Event, ExternalOrderSeen, OrderChanged
from engine.words import formats
from engine.words.trading.runs import waiting_words
from screens.desk.side import SidePane
from screens.frame.commands import bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import order_record
from screens.frame.routes import View
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from screens.orders.cancel import ask_cancel
from screens.orders.chasing import chasing_words, let_stand_or_go_on
from screens.orders.elsewhere import elsewhere_columns, external_detail, external_record, has_words, key_of
from screens.orders.found import any_live, any_stop, empty_words, filter_of, order_detail
from screens.orders.modify import ask_modify, can_modify
from screens.orders.modify_many import ask_modify_many
from screens.orders.rows import order_columns
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.external_views import ExternalOrderView
    from engine.book.views import OrderView

OWNER = "orders-screen"
"""Under this name the screen follows prices."""

VIEWS: dict[View, tuple[str, str]] = {
    View.ALL: ("Orders", "no order today: b buys, B for many clients"),
    View.LIVE: ("Live orders", "no order is live: b buys, Tab shows all"),
    View.NEEDS_ME: (
        "Needs me: unknown, rejected, partly filled, flagged, unsent",
        "no order needs attention; workspace 7 tells of books that differ",
    ),
    View.TRADES: ("Trades by order", "nothing has traded today: Tab shows all"),
    View.ELSEWHERE: (
        "Orders of other terminals",
        "no order of another terminal has been seen today; tradedesk broker orders reads anew",
    ),
}
"""The views by name, with their titles and what they say when empty, in the order Tab turns them."""


class OrdersScreen(Workspace):
    """The blotter, live orders first. Tab turns the views, Enter opens an order's life."""

    CSS_PATH = Path(__file__).with_name("orders.tcss")
    AUTO_FOCUS = "#orders"
    TITLE_WORDS = "Orders"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("order.cancel", "order.cancel_marked", "order.modify", "order.modify_marked"),
        *bindings("run.pause", "filter", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._view = self._first = View.ALL
        self._elsewhere: dict[str, ExternalOrderView] = {}
        self._rows: dict[int, int] = {}
        self._dirty: set[int] = set()
        self._is_seen_anew = self._stops = self._lives = False
        self._followed: set[str] = set()
        self._in: dict[str, list[int | str]] = {}
        """The live orders shown, by what they are in: their rows move with its price."""

    def compose_body(self) -> ComposeResult:
        """A title, the orders, the filter."""
        if self.desk.looks_only:  # there are hardly any others
            self._first = View.ELSEWHERE
            self._view = self._first if self._view is View.ALL else self._view
        with Horizontal():
            with Pane("orders-pane", hint="Tab view  Enter opens  f filter  space mark"):
                yield LiveGrid(
                    self._columns(),
                    monotonic=self.shell.monotonic,
                    flash_frames=lambda: self.shell.flash_frames,
                    follows_top=True,
                    id="orders",
                )
                yield FilterLine(id="orders-filter")
            yield SidePane(self.shell)
        yield SteadyStatic(id="orders-detail")

    def _columns(self) -> list[Column]:
        if self._view is View.ELSEWHERE:
            return elsewhere_columns(self.desk)
        self._stops, self._lives = any_stop(self.desk), any_live(self.desk)
        told = {"trades": self._view is View.TRADES, "triggers": self._stops, "live": self._lives}
        return order_columns(self.desk, lambda: self.shell.privacy, **told)

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one(LiveGrid)

    @property
    def _side(self) -> SidePane:
        return self.query_one(SidePane)

    @property
    def _filter(self) -> FilterLine:
        return self.query_one(FilterLine)

    # Filling

    def on_mount(self) -> None:
        """Listen."""
        self.listen(self._desk_event)
        self.show_view(self._view)

    def _desk_event(self, event: Event) -> None:
        self._side.heard(event)
        if isinstance(event, OrderChanged):
            self._dirty |= event.order_ids
        elif isinstance(event, ExternalOrderSeen):
            self._is_seen_anew = True
        elif isinstance(event, ChaseChanged):
            self._dirty.add(event.order_id)
            self.refresh_bindings()

    def on_frame(self) -> None:
        """Paint the orders that changed; new ones come in on top of their kind."""
        moved = {order for key in self.desk.market.take_dirty(OWNER) for order in self._in.get(key, ())}
        if self._dirty or self._is_seen_anew:
            moved, self._dirty, self._is_seen_anew = moved | self._dirty, set(), False
            self._fill()
        self._grid.apply(moved)
        self._show_beside()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._fill()
            self._grid.apply(set(self._grid.shown_keys))
            self._side.redraw()

    def show_view(self, view: View) -> None:
        """All orders, those that live, those that need the trader, or those that traded."""
        if view not in VIEWS:
            return
        self._view = view
        if not self.is_mounted:
            return  # it is taken up as soon as there is something to show it in
        self._rows, self._elsewhere = {}, {}
        self._grid.set_rows({})
        self._grid.set_columns(self._columns())
        self.redraw()
        self._grid.to_top()
        self._grid.focus()

    def show_whole(self) -> None:
        """Every order again, where `u` or F8 had turned to some."""
        if self._view in (View.NEEDS_ME, View.TRADES):
            self.show_view(self._first)

    def action_next_pane(self, step: int) -> None:
        """The next view."""
        names = list(VIEWS)
        self.show_view(names[(names.index(self._view) + step) % len(names)])

    def _of_view(self) -> list[OrderView]:
        orders = self.desk.orders
        if self._view is View.NEEDS_ME:
            return orders.needs_attention()
        if self._view is View.LIVE:
            return orders.all(live=True)
        if self._view is View.TRADES:
            return [order for order in orders.all(today=True) if order.filled_quantity]
        return orders.all()

    def _fill(self) -> None:
        if self._view is View.ELSEWHERE:
            self._fill_elsewhere()
        else:
            self._fill_own()

    def _fill_elsewhere(self) -> None:
        words = self._filter.value.strip()
        every = self.desk.orders.elsewhere()
        found = [one for one in every if has_words(self.desk, one, words)]
        self._elsewhere = {key_of(one): one for one in found}
        self._grid.hint = VIEWS[self._view][1]
        self._grid.set_rows(self._elsewhere)
        self._in = {}
        for key, one in self._elsewhere.items():
            if one.live:
                self._in.setdefault(one.key, []).append(key)
        self._follow()
        live = sum(one.live for one in found)
        parts = [f"{len(found)} of {len(every)}", f"live {live}"]
        parts += [f"filter {words}"] if words else []
        self.query_one(Pane).set_title(VIEWS[self._view][0], parts)
        self._paint_detail()

    def _fill_own(self) -> None:
        keep = filter_of(self.desk, self._filter.value)
        found = [order for order in self._of_view() if keep(order)]
        shown = [order.id for order in found]
        everything = {order.id: order.id for order in self.desk.orders.all()}
        told = (any_stop(self.desk), any_live(self.desk))
        if self._view is not View.TRADES and told != (self._stops, self._lives):
            self._grid.set_columns(self._columns())
        if everything.keys() != self._rows.keys():
            self._rows = everything
            self._grid.set_rows(everything, shown)
        else:
            self._grid.set_order(shown)
        waiting = waiting_words(self.desk.runs.all()) if self._view is View.NEEDS_ME else ""
        hint = empty_words(self.desk, VIEWS[self._view][1], waiting)
        if hint != self._grid.hint:
            self._grid.hint = hint
            self._grid.refresh()
        self._in = {}
        for order in found:
            if order.live:
                self._in.setdefault(order.key, []).append(order.id)
        self._follow()
        self._paint_title(found, waiting)
        self._paint_detail()

    def _follow(self) -> None:
        """Follow the prices of what live orders are in, and of what is shown beside."""
        key = self.here().key
        wanted = {*self._in, key} if key is not None and self._side.is_seen else set(self._in)
        if wanted != self._followed:
            self._followed = wanted
            self.follow(wanted, OWNER)

    def _show_beside(self) -> None:
        here = self.here()
        self._side.show(*self.asked_of(here.key, here.client_id))
        self._side.on_frame()

    def _paint_title(self, found: list[OrderView], waiting: str) -> None:
        heading = f"Needs me · {waiting}" if waiting and found else VIEWS[self._view][0]
        parts = [f"{len(found)} of {len(self._rows)}"]
        if self._view is View.TRADES and not self.shell.privacy:
            value = traded_paise(found)
            parts.append(f"value ₹{formats.rupees(value)}")
        else:
            parts.append(f"live {sum(order.live for order in found)}")
        if others := self.desk.orders.external_count():
            parts.append(f"elsewhere {others} live")
        if chasing := chasing_words(self.desk):
            parts.append(chasing)
        marked = len(self._grid.marked_keys)
        if marked:
            parts.append(f"marked {marked}")
        if self._filter.value.strip():
            parts.append(f"filter {self._filter.value.strip()}")
        self.query_one(Pane).set_title(heading, parts)

    # What the cursor is on

    @property
    def _order(self) -> OrderView | None:
        key = self._grid.cursor_key if self.is_mounted else None
        return self.desk.orders.get(key) if isinstance(key, int) else None

    @property
    def _marked(self) -> list[OrderView]:
        return [self.desk.orders.get(key) for key in sorted(self._rows.keys() & self._grid.marked_keys)]

    @property
    def _external(self) -> ExternalOrderView | None:
        key = self._grid.cursor_key if self.is_mounted else None
        return self._elsewhere.get(key) if isinstance(key, str) else None

    def here(self) -> Here:
        """The order under the cursor, with its symbol and client."""
        if (other := self._external) is not None:
            return Here(other.key, other.client_id)
        order = self._order
        if order is None:
            return Here()
        clients = tuple(sorted({each.client_id for each in self._marked}))
        return Here(order.key, order.client_id, order.id, order.run_number, clients)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are order ids, or orders of other terminals."""
        if self._view is View.ELSEWHERE:
            others = tuple(self._elsewhere.values())
            record = partial(external_record, self.desk)
            return Table("orders-elsewhere", tuple(grid.columns), others, self._external, record)
        rows, record = tuple(grid.shown_keys), partial(order_record, self.desk)
        return Table(f"orders-{self._view}", tuple(grid.columns), rows, grid.cursor_key, record)

    def in_view(self, what: ExportWhat) -> Sequence[int] | None:
        """The orders that are shown, or the trades."""
        of = ExportWhat.TRADES if self._view is View.TRADES else ExportWhat.ORDERS
        return [key for key in self._grid.shown_keys if isinstance(key, int)] if what is of else None

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The order's life; of another terminal's order, its client."""
        if (other := self._external) is not None:
            self.shell.open_client(other.client_id)
        elif isinstance(event.key, int):
            self.shell.open_order(event.key)

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Keys, and what is shown beside, depend on the order."""
        self._follow()
        self._show_beside()
        self._paint_detail()
        self.refresh_bindings()

    def _paint_detail(self) -> None:
        """The order under the cursor with client, product and average, and the broker's own words in full."""
        order, other = self._order, self._external
        words = "" if order is None else order_detail(self.desk, order, self.shell.privacy)
        words = words if other is None else external_detail(self.desk, other)
        self.query_one("#orders-detail", SteadyStatic).update(Content(plain(words)))

    def on_live_grid_marked(self, event: LiveGrid.Marked) -> None:
        """Say how many are marked."""
        self._fill()
        self.refresh_bindings()

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "cancel_here":
            order = self._order
            return order is not None and order.live
        if action == "modify_here":
            return self._order is not None and can_modify(self._order)
        if action in ("cancel_marked", "modify_marked"):
            return any(order.live for order in self._marked)
        if action == "pause_run":
            return self._order is not None and self.desk.chases.of(self._order.id) is not None
        if action == "filter_here":
            return self.focused is self._grid
        if action == "close":
            return self.focused is self._filter or self._view is not self._first or bool(self._filter.value)
        return super().check_action(action, parameters)

    def action_cancel_here(self) -> None:
        """Cancel the order under the cursor; asks for `y`."""
        if self._order is not None:
            ask_cancel(self, [self._order])

    def action_modify_here(self) -> None:
        """Change the order under the cursor; a form, then `y`."""
        if self._order is not None:
            ask_modify(self, self._order)

    def action_cancel_marked(self) -> None:
        """Cancel the marked orders that are live; asks for typed words."""
        ask_cancel(self, [order for order in self._marked if order.live])

    def action_modify_marked(self) -> None:
        """Change the limits of the marked orders that are live; asks for typed words."""
        ask_modify_many(self, self._marked)

    def action_pause_run(self) -> None:
        """Let the order under the cursor, and the marked ones, follow the market no further, or again."""
        here = [self._order] if self._order is not None else []
        let_stand_or_go_on(self, {order.id for order in (*here, *self._marked)})

    def action_filter_here(self) -> None:
        """Filter by client, symbol, run or state."""
        self._filter.open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back to the orders."""
        self._filter.settle()
        self._grid.focus()

    def action_close(self) -> None:
        """First the filter goes, then the view."""
        if self._filter.value or self.focused is self._filter:
            self._filter.value = ""
            self._filter.settle()
            self._grid.focus()
        else:
            self.show_view(self._first)
