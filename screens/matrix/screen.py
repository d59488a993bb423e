"""Workspace 5, Matrix: baskets of several legs for many clients, and what is held, client by client."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from data.vocabulary import Right, Side
from engine.events import ClientsChanged, Event, FundsChanged, OrderChanged
from engine.planning.entry.leg_checks import MOST_LEGS
from screens.desk.side import SidePane
from screens.frame.commands import bindings
from screens.frame.routes import WorkspaceName
from screens.frame.shell import HasRights
from screens.frame.workspace import Here, Table, Workspace
from screens.matrix.forms import BasketForms
from screens.matrix.grid import MatrixGrid
from screens.matrix.pane import MatrixPane
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.planning.intent import Intent

BRIEF = 110
"""Columns below which cells show one figure."""


class MatrixScreen(HasRights, Workspace):
    """What is held by stock or sector; a plan of several legs, its answer, and how each cell fills."""

    CSS_PATH = Path(__file__).with_name("matrix.tcss")
    AUTO_FOCUS = "#cells"
    TITLE_WORDS = "Matrix"
    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.PLAN}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("order.modify", "plan.affordable", "plan.drop", "run.repair", "look", "previous", "next"),
        *bindings("plan.again", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._forms = BasketForms(self, lambda intent: self._pane.freeze(intent))
        self._came_from = self.app.current_mode

    def compose_body(self) -> ComposeResult:
        """The matrix in its frame with its figures, sum and answer; beside it what the cursor is on."""
        with Horizontal():
            yield MatrixPane(lambda: self.size.width < BRIEF)
            yield SidePane(self.shell)

    @property
    def _pane(self) -> MatrixPane:
        return self.query_one(MatrixPane)

    @property
    def _grid(self) -> MatrixGrid:
        return self._pane.grid

    @property
    def _side(self) -> SidePane:
        return self.query_one(SidePane)

    # Opened

    def on_mount(self) -> None:
        """Listen, and begin with what is held."""
        self.listen(self._desk_event)
        self.app.mode_change_signal.subscribe(self, self._mode_changed)

    def _mode_changed(self, mode: str) -> None:
        if mode != WorkspaceName.MATRIX:
            self._came_from = mode

    def _desk_event(self, event: Event) -> None:
        self._side.heard(event)
        if isinstance(event, FundsChanged | ClientsChanged | OrderChanged):
            self._pane.changed = True

    def begin(self, intent: Intent) -> None:
        """Plan an intent of several legs that another screen or a command made."""
        self._forms.take(intent)
        self._pane.freeze(intent)

    def begin_form(self) -> None:
        """The form, with what stood in it."""
        self._pane.clear()
        self._forms.open()

    def save(self, name: str) -> None:
        """The legs that stand in the form, or were planned of it, under a name."""
        self._pane.work(partial(self._save, name))

    async def _save(self, name: str) -> None:
        replaced = await self._forms.save(name)
        self.shell.say(f"basket {name} {'replaced' if replaced else 'saved'}")

    # Painting

    def on_frame(self) -> None:
        """What moved in the matrix, and beside it."""
        self._pane.on_frame()
        here = self.here()
        self._side.show(*self.asked_of(here.key, here.client_id))
        self._side.on_frame()

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._pane.redraw()
            self._side.redraw()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action in ("affordable", "drop_line"):
            return self._pane.waits and self.focused is self._grid
        if action == "send_again":
            return self._pane.insists and self.focused is self._grid
        if action == "repair":
            return self._pane.run is not None
        if action == "turn_look":
            return self.focused is self._grid
        if action in ("ticket", "bulk"):
            return not self._pane.waits
        if action == "modify_here":
            return not (self._pane.waits and self.focused is not self._grid)
        if action == "step":
            return not self._pane.waits and bool(self._basket_runs())
        return super().check_action(action, parameters)

    def key_words(self, action: str) -> str | None:
        """The form of a basket is what `e` opens."""
        return "basket" if action == "modify_here" else super().key_words(action)

    def action_modify_here(self) -> None:
        """The form with the legs of the plan, or as it was left; for marked clients one of theirs."""
        if self._pane.plan is None and self._grid.marked:
            self._forms.begin(Side.BUY, (), self._grid.marked)
            return
        self.begin_form()

    def action_bulk(self, side: str) -> None:
        """What the cursor is on: a column for all, a block for the marked, rows for all that they hold.

        One stock goes to the bulk form, several to that of a basket. Against what a run traded
        it is what that filled, leg by leg.
        """
        grid, of = self._grid, Side(side)
        if self._pane.is_against(of):
            self._pane.reverse()
            return
        clients = grid.marked
        stocks = grid.stocks
        if len(stocks) == 1 or self._pane.plan is not None:
            self.shell.open_bulk(of, stocks[0] if stocks else self.here().key, clients)
            return
        if not stocks:
            clients = clients or tuple(filter(None, (grid.client_id,)))
            stocks = grid.stocks_of(clients) if of is Side.SELL else ()
        if len(stocks) > MOST_LEGS:
            self.shell.say(f"{len(stocks)} stocks: a basket has at most {MOST_LEGS} legs", "warning")
        else:
            self._forms.begin(of, stocks, clients)

    def _basket_runs(self) -> list[int]:
        """Runs of several legs, the newest first."""
        legs = {order.run_number for order in self.desk.orders.all() if order.leg > 1}
        return sorted((number for number in legs if number is not None), reverse=True)

    def action_step(self, step: int) -> None:
        """The run of several legs before or after the one that shows; from what is held, the newest."""
        runs = self._basket_runs()
        place = runs.index(self._pane.run) - step if self._pane.run in runs else 0
        if 0 <= place < len(runs):
            self._pane.work(partial(self._pane.show_run, runs[place]))
        else:
            self.shell.say("no other run of several legs today")

    def action_turn_look(self) -> None:
        """The next thing that cells show."""
        self._pane.turn_look()

    def action_affordable(self) -> None:
        """Every client that is short of cash gets all its legs, smaller in the same measure."""
        self._pane.make_affordable()

    def action_drop_line(self) -> None:
        """Drop the client under the cursor, or take it in again."""
        self._pane.drop_client()

    def action_send_again(self) -> None:
        """Insist on what was left out as just sent, or for a typed reason on what soft limits kept out."""
        self._pane.insist()

    def action_repair(self) -> None:
        """A plan for what provably failed of the run or was skipped."""
        self._pane.repair()

    def action_next_pane(self, step: int) -> None:
        """Stocks or sectors; while a plan waits, its rows or its answer."""
        if self._pane.plan is not None:
            super().action_next_pane(step)
        else:
            self._pane.turn_across()

    def action_close(self) -> None:
        """From a plan to its legs, from a run to what is held, from there to where the trader came from."""
        waited = self._pane.waits and self._pane.plan is not None and not self._pane.plan.intent.listed
        if self._pane.plan is not None:
            self._pane.clear()
            if waited:
                self._forms.open()
        else:
            self.app.switch_mode(self._came_from)

    # What the cursor is on

    def here(self) -> Here:
        """The client and the stock under the cursor, those that are marked, and the run."""
        if not self.is_mounted:
            return Here()
        grid, plan = self._grid, self._pane.plan
        stocks = grid.stocks
        key = plan.instrument.key if plan is not None else stocks[0] if len(stocks) == 1 else None
        return Here(key=key, client_id=grid.client_id, run_number=self._pane.run, client_ids=grid.marked)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows as they are shown."""
        return self._grid.as_table

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The run, once there is one; else the client's page."""
        if self._pane.run is not None:
            self.shell.open_run(self._pane.run)
        elif (client_id := self._grid.client_id) is not None:
            self.shell.open_client(client_id)
