"""Workspace 1, the Desk: watchlist, clients, depth and tape, all in view at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from data.vocabulary import ExportWhat, Right
from engine.events import (
    ClientsChanged,
    Event,
    FundsChanged,
    GuardsChanged,
    GuardsLooked,
    OrderChanged,
    TapeLine,
)
from screens.desk.clients import ClientsPane
from screens.desk.columns_form import ColumnsCard
from screens.desk.depth import DepthPane
from screens.desk.lists import WatchlistCard
from screens.desk.side import SidePane
from screens.desk.tape import DeskTape
from screens.desk.watch import OWNER, WATCH_ACTIONS, WatchPane
from screens.frame.commands import bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import client_record, instrument_record
from screens.frame.routes import View
from screens.frame.shell import HasRights, Here, Table
from screens.frame.workspace import Workspace
from screens.orders.cancel import ask_cancel
from screens.orders.modify_many import ask_modify_many
from widgets.livegrid import LiveGrid
from widgets.statusstrip import Mode, Segment
from widgets.tape import TapeGrid

if TYPE_CHECKING:
    from engine.book.views import OrderView


BRIEF = len("4 Pos")
"""Cells of a workspace's name where there is no room for all in full."""


class DeskScreen(HasRights, Workspace):
    """What the trader looks at all day. The symbol under the cursor is the one shown in depth and ordered."""

    CSS_PATH = Path(__file__).with_name("desk.tcss")
    AUTO_FOCUS = "#clients"
    TITLE_WORDS = "Desk"
    MAKES_ROOM = True
    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.KEEP_LISTS}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(
            "order.cancel",
            "order.cancel_marked",
            "order.modify_marked",
            "filter",
            "previous",
            "next",
            "watch.remove",
            "watch.add",
            "watch.up",
            "watch.down",
            "watch.left",
            "watch.right",
            "order.modify",
            "look",
            "close",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._dirty_clients: set[int] = set()
        self._orders_changed = self._lists_changed = True
        self._can_cancel = False

    def compose_body(self) -> ComposeResult:
        """Watchlist and depth left, clients right, the tape below."""
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield WatchPane(self.shell)
                yield DepthPane(self.desk, id="depth-pane")
            yield ClientsPane(self.shell)
            yield SidePane(self.shell)
        with Pane("tape-pane", hint="Enter opens"):
            yield DeskTape(self.desk, self.shell.monotonic, id="tape")

    @property
    def _watch(self) -> WatchPane:
        return self.query_one(WatchPane)

    @property
    def _clients(self) -> ClientsPane:
        return self.query_one(ClientsPane)

    @property
    def _depth(self) -> DepthPane:
        return self.query_one(DepthPane)

    @property
    def _side(self) -> SidePane:
        return self.query_one(SidePane)

    @property
    def _tape(self) -> DeskTape:
        return self.query_one(DeskTape)

    def on_pane_title_clicked(self, event: Pane.TitleClicked) -> None:
        """A workspace that the tape's title names opens."""
        event.stop()
        digit = event.words[:1]
        if digit.isdigit() and any(one.startswith(event.words) for one in self.shell.workspaces):
            self.app.call_next(self.app.simulate_key, digit)

    def on_resize(self) -> None:
        """More or less room for the names of workspaces."""
        self._name_workspaces()

    def _name_workspaces(self) -> None:
        """Name the others in the tape's frame, by their first letters where there is no room for all."""
        pane, (_, *others) = self.query_one("#tape-pane", Pane), self.shell.workspaces
        brief = [one[:BRIEF] for one in others]
        pane.set_title("Tape", others if pane.has_room("Tape", others) else brief)

    # Filling and painting

    def on_mount(self) -> None:
        """Fill the grids and listen."""
        self._clients.grid.sort_by("code")
        self._tape.begin()
        self._name_workspaces()
        self.listen(self._desk_event)
        self.redraw()

    def _desk_event(self, event: Event) -> None:
        """Remember what changed; the next frame paints it."""
        self._side.heard(event)
        match event:
            case TapeLine():
                self._tape.tell(event)
            case OrderChanged():
                self._orders_changed = True
                self._dirty_clients |= event.client_ids
            case GuardsLooked():
                self._dirty_clients |= event.client_ids
            case FundsChanged():
                self._dirty_clients |= event.client_ids
                self._depth.holders_changed()
            case ClientsChanged() | GuardsChanged():
                self._lists_changed = True
            case _:
                pass

    def redraw(self) -> None:
        """Everything anew: lists, figures, titles."""
        if not self.is_mounted:
            return
        self._clients.count_live()
        self._fill()
        self._clients.grid.apply(set(self._clients.shown))
        self._watch.grid.apply(set(self._watch.grid.shown_keys))
        self._show_rest()
        self._side.redraw()
        self._paint_titles()

    def on_frame(self) -> None:
        """Paint what changed since the frame before."""
        self._tape.keep_dated()
        if self._lists_changed or self._watch.has_changed:
            self._lists_changed = False
            self._fill()
            self._dirty_clients.update(client.id for client in self.desk.clients.all())
        if self._orders_changed:
            self._orders_changed = False
            self._dirty_clients |= self._clients.count_live()
            if self._can_cancel != bool(self.check_action("cancel_here", ())):
                self._can_cancel = not self._can_cancel
                self.refresh_bindings()
        self._watch.apply(self.desk.market.take_dirty(OWNER))
        changed, self._dirty_clients = self._dirty_clients, set()
        self._clients.apply(changed, self.shell.revalued)
        self._show_rest()
        self._paint_titles()

    def _show_rest(self) -> None:
        """What belongs to the rows under the cursors, or to the ticket that is open."""
        key, client_id = self.asked_of(self._watch.key, self._clients.client_id)
        self._depth.show(key)
        self._side.show(key, client_id)
        self._side.on_frame()

    def show_strip(self, mode: Mode, segments: Sequence[Segment]) -> None:
        """As everywhere; the line that asks for a first F9 says that it came."""
        super().show_strip(mode, segments)
        if mode == "armed" and self.is_mounted:
            self._tape.f9_came()

    def _fill(self) -> None:
        """Which rows there are, under the filters, the watchlist and the group chosen."""
        self._watch.fill()
        self._clients.fill()

    def _paint_titles(self) -> None:
        self._watch.paint_title()
        self._clients.paint_title()

    @property
    def _filter(self) -> FilterLine | None:
        """The filter of the pane that has the focus, where there is something to clear."""
        focused = self.focused
        if isinstance(focused, FilterLine):
            return focused
        pane = self._pane
        return pane.filter_line if pane is not None and pane.filter_line.value else None

    @property
    def _pane(self) -> WatchPane | ClientsPane | None:
        """The pane whose rows have the focus."""
        return next((pane for pane in (self._watch, self._clients) if self.focused is pane.grid), None)

    # What the cursor is on

    def here(self) -> Here:
        """The symbol of the watchlist or depth; the client only where the cursor is among the clients."""
        if not self.is_mounted:
            return Here()
        clients, shown = self._clients, None
        if len(clients.grid.shown_keys) < len(self.desk.clients.all()):
            shown = tuple(sorted(clients.shown))
        return Here(
            key=self._watch.key,
            client_id=clients.client_id if self.focused is clients.grid else None,
            client_ids=clients.marked,
            shown=shown,
            group=clients.group,
            key_proposed=self.focused is clients.grid,
        )

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are their own keys."""
        if grid is self._tape:
            return None
        name, of = (
            ("watchlist", instrument_record) if grid is self._watch.grid else ("clients", client_record)
        )
        rows = tuple(grid.shown_keys)
        return Table(name, tuple(grid.columns), rows, grid.cursor_key, partial(of, self.desk))

    def in_view(self, what: ExportWhat) -> Sequence[int] | None:
        """The clients that are shown."""
        if what not in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
            return None
        return [key for key in self._clients.grid.shown_keys if isinstance(key, int)]

    def show_view(self, view: View) -> None:
        """Show or hide the depth where space is short."""
        if view is View.DEPTH:
            self.toggle_class("-depth")

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Another symbol or client under the cursor is the one shown beside from now on."""
        self._show_rest()

    def on_live_grid_marked(self, event: LiveGrid.Marked) -> None:
        """Say how many are marked."""
        self._paint_titles()

    def on_live_grid_sorted(self, event: LiveGrid.Sorted) -> None:
        """Say what the rows are sorted by."""
        self._paint_titles()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """A symbol's page, or a client's."""
        if event.grid is self._watch.grid:
            self.shell.open_symbol(str(event.key))
        elif isinstance(event.key, int):
            self.shell.open_client(event.key, self._clients.shown)

    def on_tape_grid_opened(self, event: TapeGrid.Opened) -> None:
        """What the line is about."""
        if (subject := self._tape.subject_of(event.key)) is not None:
            self.shell.open_subject(subject)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        pane = self._pane
        if action == "cancel_here":
            client = self.here().client_id
            return client is not None and self._clients.live_orders(client) > 0
        if action in ("cancel_marked", "modify_marked"):
            return any(self._clients.live_orders(client) for client in self._clients.marked)
        if action == "step":
            if pane is self._clients:
                return bool(self._clients.turns)
            return pane is self._watch and self._watch.has_others
        if action in WATCH_ACTIONS:
            return pane is self._watch and self._watch.can(action)
        if action == "filter_here":
            return pane is not None
        if action == "close":
            return self._filter is not None
        return super().check_action(action, parameters)

    def action_step(self, step: int) -> None:
        """The next watchlist, or the next group of clients."""
        (self._clients if self._pane is self._clients else self._watch).step(step)
        self._fill()
        self._paint_titles()

    def action_remove_here(self) -> None:
        """Take the row off the watchlist, and say how it comes back."""
        self.carry_out(self._watch.take_off())
        self.refresh_bindings()

    def action_add_here(self) -> None:
        """Put back what was taken off last, at the end of its list."""
        self.carry_out(self._watch.put_back())
        self.refresh_bindings()

    def action_move_row(self, step: int) -> None:
        """Move the watchlist's row up or down."""
        self.carry_out(self._watch.move_row(step))

    def action_move_list(self, step: int) -> None:
        """Move the watchlist among the lists."""
        self.carry_out(self._watch.move_list(step))

    def key_words(self, action: str) -> str | None:
        """The list in view is what `e` works on."""
        return "lists" if action == "modify_here" else super().key_words(action)

    def action_modify_here(self) -> None:
        """The form that makes, renames and deletes watchlists."""
        self.open_card(WatchlistCard(self._watch.list_name))

    def action_turn_look(self) -> None:
        """The form that chooses the watchlist's columns."""
        self.open_card(ColumnsCard(self._watch.columns, self._watch.try_columns))

    def action_filter_here(self) -> None:
        """Filter the rows of the pane that has the focus."""
        (self._pane or self._clients).filter_line.open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        self._fill()
        self._paint_titles()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back to the rows."""
        self._leave_filter(event.input)

    def action_close(self) -> None:
        """Clear the filter."""
        line = self._filter
        if line is not None:
            line.value = ""
            self._leave_filter(line)

    def _leave_filter(self, line: Input) -> None:
        for pane in (self._watch, self._clients):
            if line is pane.filter_line:
                pane.filter_line.settle()
                pane.grid.focus()

    def action_cancel_here(self) -> None:
        """Cancel the live orders of the client under the cursor; asks first."""
        client = self.here().client_id
        if client is not None:
            self._cancel([client])

    def action_cancel_marked(self) -> None:
        """Cancel the live orders of the marked clients; asks for typed words."""
        self._cancel(self._clients.marked)

    def action_modify_marked(self) -> None:
        """Change the limits of the marked clients' live orders; asks for typed words."""
        ask_modify_many(self, self._live_of(self._clients.marked))

    def _cancel(self, clients: Iterable[int]) -> None:
        ask_cancel(self, self._live_of(clients))

    def _live_of(self, clients: Iterable[int]) -> list[OrderView]:
        wanted = set(clients)
        return [order for order in self.desk.orders.all(live=True) if order.client_id in wanted]
