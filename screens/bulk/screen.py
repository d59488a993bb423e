"""Workspace 2, Bulk: one symbol for many clients, from the form over the frozen plan to the run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import ContentSwitcher

from data.vocabulary import Side
from engine.colon.splitting import quoted
from engine.events import Event, OrderChanged, RunChanged
from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.bulk.run_view import RunPanel
from screens.frame.commands import bindings
from screens.frame.routes import WorkspaceName
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from screens.ticket.what_if import WhatIfCard

if TYPE_CHECKING:
    from engine.colon.asked import OfRun
    from engine.planning.intent import Intent

OWNER = "bulk-screen"
"""Under this name the screen follows the price of its symbol."""


class BulkScreen(Workspace):
    """The form, the plan and the run, one at a time. What comes from elsewhere comes in by its methods."""

    CSS_PATH = Path(__file__).with_name("bulk.tcss")
    AUTO_FOCUS = ""
    TITLE_WORDS = "Bulk"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("plan.what_if")]

    def __init__(self) -> None:
        super().__init__()
        # A workspace is built before the app turns to it, so this still is where the trader was.
        self._came_from = self.app.current_mode
        self._last: Intent | None = None
        self._begun = False

    def compose_body(self) -> ComposeResult:
        """Three views, of which one shows."""
        with ContentSwitcher(initial="form", id="views"):
            yield BulkForm()
            yield PlanView()
            yield RunPanel()

    def on_mount(self) -> None:
        """Listen, also to where the trader comes from, to go back there."""
        self.listen(self._desk_event)
        self.app.mode_change_signal.subscribe(self, self._mode_changed)

    def _mode_changed(self, mode: str) -> None:
        if mode != WorkspaceName.BULK:
            self._came_from = mode
        elif isinstance(form := self._view, BulkForm):
            form.leave_fields()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, OrderChanged):
            self.query_one(RunPanel).orders_changed(event.order_ids)
        if isinstance(event, OrderChanged | RunChanged):
            self.query_one(BulkForm).runs_changed()

    # Views

    @property
    def _view(self) -> BulkForm | PlanView | RunPanel:
        shown = self.query_one("#views", ContentSwitcher).visible_content
        return shown if isinstance(shown, PlanView | RunPanel) else self.query_one(BulkForm)

    def _turn_to(self, view: BulkForm | PlanView | RunPanel) -> None:
        self.query_one("#views", ContentSwitcher).current = view.id
        key = view.key if isinstance(view, BulkForm) else view.here().key
        self._follow(key)
        self.refresh_bindings()

    def _follow(self, key: str | None) -> None:
        self.follow([key] if key else [], OWNER)

    def on_frame(self) -> None:
        """The view that shows follows the market."""
        self._view.on_frame()

    def redraw(self) -> None:
        """The view that shows, anew; a first visit begins an empty form."""
        if not self.is_mounted:
            return
        if not self._begun and not self.query_one(BulkForm).key:
            self._begun = True
            self.query_one(BulkForm).begin(Side.BUY, None, ())
            self._turn_to(self.query_one(BulkForm))
        view = self._view
        view.paint() if isinstance(view, BulkForm) else view.redraw()

    # Opened from elsewhere

    def begin(
        self,
        side: Side,
        key: str | None = None,
        client_ids: Sequence[int] = (),
        intent: Intent | None = None,
        shown: Sequence[int] | None = None,
    ) -> None:
        """The form for a side, with the symbol and the clients marked or shown, or filled with an intent."""
        if intent is not None and intent.in_legs:
            self.shell.open_bulk(intent.side, intent=intent)
            return
        self._begun = True
        form = self.query_one(BulkForm)
        self._turn_to(self.query_one(BulkForm))
        if intent is None:
            form.begin(side, key, client_ids, shown or ())
        else:
            form.fill(intent)
        self._follow(form.key)

    def show_run(self, number: int, asks: OfRun | None = None) -> None:
        """A run as it stands, with the question before it goes on or is stopped."""
        self._begun = True
        panel = self.query_one(RunPanel)
        self._turn_to(panel)
        panel.show(number)
        if asks is not None:
            panel.ask(asks)

    def show_plan(self, number: int) -> None:
        """A stored plan: its run if it was sent, itself while it may be sent, else its intent in the form."""
        self._work(partial(self._show_plan, number))

    async def _show_plan(self, number: int) -> None:
        run = next((run for run in self.desk.runs.all() if run.plan_number == number), None)
        if run is not None:
            self.show_run(run.number)
            return
        plan = await self.desk.plans.get(number)
        if plan.intent.model:
            self._rebalance(plan.intent)
        elif plan.in_legs:
            self.shell.open_bulk(plan.intent.side, intent=plan.intent)
        elif self.desk.plans.expired(plan):
            self.begin(plan.intent.side, intent=plan.intent)
            self.shell.say(f"plan {number} was not sent and is too old; Enter makes it anew")
        else:
            self._begun = True
            self._turn_to(self.query_one(PlanView))
            self.query_one(PlanView).show(plan)
            self._follow(plan.instrument.key)

    def again(self) -> None:
        """The last intent that was sent in the form once more; before anything was, the last one planned."""
        self._work(self._again)

    async def _again(self) -> None:
        runs = self.desk.runs.all()
        last = await self.desk.runs.intent(runs[0].number) if runs else self._last
        if last is None:
            self.shell.say("nothing to plan yet; fill the form")
            self.begin(Side.BUY)
        elif last.model:
            self._rebalance(last)
        else:
            self.begin(last.side, intent=last)

    def _rebalance(self, intent: Intent) -> None:
        """What clients need for a model now: the quantities of before were for what they held before."""
        self.shell.run_command(f"rebalance {quoted(intent.model)}")

    # From form to plan to run

    def on_bulk_form_ready(self, event: BulkForm.Ready) -> None:
        """Freeze, number and store the plan, and show it."""
        self._freeze(event.intent)

    def on_run_panel_repair(self, event: RunPanel.Repair) -> None:
        """A repair is a plan like any other."""
        self._freeze(event.intent)

    def _freeze(self, intent: Intent) -> None:
        self._work(partial(self._frozen, intent))

    async def _frozen(self, intent: Intent) -> None:
        if intent.in_legs:
            self.shell.open_bulk(intent.side, intent=intent)
            return
        plan = await self.desk.plans.freeze(intent)
        form = self.query_one(BulkForm)
        if self._view is not form:
            form.fill(intent)
        form.settle(intent)
        self._last = intent
        self._turn_to(self.query_one(PlanView))
        self.query_one(PlanView).show(plan)
        self._follow(plan.instrument.key)

    def _work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Carry out what has to wait for the desk; what is asked for later takes its place."""
        told = self.before_further_keys(self.tell_refusal(work))
        self.run_worker(told, group="bulk", exclusive=True, exit_on_error=False)

    def on_plan_view_sent(self, event: PlanView.Sent) -> None:
        """The plan's place is taken by its run."""
        self.show_run(event.number)

    def on_plan_view_left(self, event: PlanView.Left) -> None:
        """Back to the form, as the plan had it."""
        self.begin(event.intent.side, intent=event.intent)

    def on_bulk_form_symbol_chosen(self, event: BulkForm.SymbolChosen) -> None:
        """Follow the price of what is being typed."""
        self._follow(event.key)

    def on_bulk_form_left(self, event: BulkForm.Left) -> None:
        """Back to where the trader came from; the form keeps what it holds."""
        self._leave()

    def on_run_panel_left(self, event: RunPanel.Left) -> None:
        """Back to where the trader came from; the run goes on and stays reachable."""
        self._leave()

    def _leave(self) -> None:
        self.app.switch_mode(self._came_from)

    # For the commands of every workspace

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On a plan the letters of orders belong to its typed answer."""
        planned = isinstance(self._view, PlanView) if self.is_mounted else False
        if action in ("ticket", "bulk") and planned:
            return False
        if action == "what_if":
            view = self.query_one(PlanView) if planned else None
            return view is not None and self.focused is view.grid and view.line is not None
        return super().check_action(action, parameters)

    def action_bulk(self, side: str) -> None:
        """The bulk form; against a run's leg under the cursor it holds what that filled, client by client."""
        view = self._view
        if isinstance(view, RunPanel) and view.number is not None and view.is_against(Side(side)):
            self._work(partial(self._reverse, view.number, view.here().key))
        else:
            super().action_bulk(side)

    async def _reverse(self, number: int, key: str | None) -> None:
        intent = await self.desk.runs.reverse_intent(number, key)
        if intent is None:
            self.shell.say(f"run {number} has nothing left to reverse")
        else:
            self.begin(intent.side, intent=intent)

    def action_what_if(self) -> None:
        """What the plan's line under the cursor would leave of its client; sends nothing."""
        view = self.query_one(PlanView)
        if view.plan is not None and view.line is not None:
            self.open_card(WhatIfCard(self.desk.plans.what_if(view.plan, view.line)))

    def here(self) -> Here:
        """What the view's cursor is on."""
        if not self.is_mounted:
            return Here()
        view = self._view
        if isinstance(view, BulkForm):
            return Here(key=view.key, client_ids=view.marked, shown=view.shown or None)
        return view.here()

    def table(self) -> Table | None:
        """The lines of the plan, or the orders of the run."""
        if not self.is_mounted:
            return None
        view = self._view
        return None if isinstance(view, BulkForm) else view.table()
