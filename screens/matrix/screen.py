"""Workspace 5, Matrix: baskets of several legs for many clients, and what is held, client by client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from engine.events import ClientsChanged, Event, FundsChanged, OrderChanged
from engine.planning.by_client import with_affordable
from engine.planning.intent import LineChange
from engine.refusals import DuplicateIntent, PlanDrifted, PlanExpired
from engine.words import formats
from engine.words.baskets import basket_outcome_words
from engine.words.forms import wrong_answer
from engine.words.plans import difference
from engine.words.refusals import refusal_words
from screens.bulk.plan_figures import answer_words
from screens.bulk.plan_lines import LinesGrid
from screens.frame.commands import bindings
from screens.frame.routes import WorkspaceName
from screens.frame.workspace import Here, Table, Workspace
from screens.matrix.grid import MatrixGrid
from screens.matrix.legs_form import LegsForm
from screens.matrix.words import MatrixWords, held_words, plan_words, run_words
from widgets.answerfield import AnswerField
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan

OWNER = "matrix-screen"
"""Under this name the screen follows the prices of the legs, or of what is held."""

UNWATCHED_REMAKES = 5
"""Plans made anew by themselves before one waits for the trader to come back to it."""


class MatrixScreen(Workspace):
    """Legs typed in a line, their plan as a matrix, its answer, and then how each cell fills."""

    CSS_PATH = Path(__file__).with_name("matrix.tcss")
    AUTO_FOCUS = "#cells"
    TITLE_WORDS = "Matrix"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.affordable", "plan.drop", "run.repair", "look", "close")
    ]

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None
        self._run: int | None = None
        self._outcome = ""
        self._busy = False
        self._changed = False
        self._remakes = 0
        self._came_from = self.app.current_mode

    def compose_body(self) -> ComposeResult:
        """Title, legs, figures, matrix, sum, answer."""
        clock = self.shell.monotonic
        yield SteadyStatic(id="matrix-title")
        yield LegsForm()
        yield SteadyStatic(id="matrix-figures")
        yield MatrixGrid(clock, lambda: self.shell.privacy, lambda: self._brief)
        yield SteadyStatic(id="matrix-sum")
        with Horizontal(id="answer-row"):
            yield AnswerField("", monotonic=clock, id="answer")

    @property
    def _grid(self) -> MatrixGrid:
        return self.query_one(MatrixGrid)

    @property
    def _answer(self) -> AnswerField:
        return self.query_one("#answer", AnswerField)

    @property
    def _form(self) -> LegsForm:
        return self.query_one(LegsForm)

    @property
    def _brief(self) -> bool:
        return self.size.width < 110

    @property
    def _waits(self) -> bool:
        """Whether a plan waits for its answer."""
        return self._plan is not None and self._run is None

    # Opened

    def on_mount(self) -> None:
        """Listen, and begin with no legs."""
        self.listen(self._desk_event)
        self.app.mode_change_signal.subscribe(self, self._mode_changed)
        self._form.begin()
        self.run_worker(self._form.load_saved(), exit_on_error=False)

    def _mode_changed(self, mode: str) -> None:
        if mode != WorkspaceName.MATRIX:
            self._came_from = mode

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, FundsChanged | ClientsChanged | OrderChanged):
            self._changed = True

    def begin(self, intent: Intent) -> None:
        """Plan an intent of several legs that another screen or a command made."""
        self._form.begin(intent=intent)
        self._freeze(intent)

    def begin_typed(self, legs: str) -> None:
        """The legs as they were typed elsewhere, planned; none leaves the form as it is."""
        if legs:
            self._clear()
            self._form.line.value = legs
            self._form.submit()
        else:
            self._form.line.focus()

    # What is held

    def _show_held(self) -> None:
        self._changed = False
        self.follow(self._grid.show_held(self.desk), OWNER)
        self._paint()

    # From legs to plan to run

    def on_legs_form_ready(self, event: LegsForm.Ready) -> None:
        """Freeze, number and store the plan, and show it."""
        self._freeze(event.intent)

    def on_legs_form_edited(self, event: LegsForm.Edited) -> None:
        """What was planned is not what stands in the form."""
        if self._plan is not None:
            self._clear()

    def _clear(self) -> None:
        self._plan = self._run = None
        self._answer.clear()
        self._show_held()
        self.refresh_bindings()

    def _freeze(self, intent: Intent, why: str = "") -> None:
        self._work(partial(self._frozen, intent, why))

    async def _frozen(self, intent: Intent, why: str = "") -> None:
        in_rows = bool(why) and self.focused is self._grid
        old, plan = self._plan, await self.desk.plans.freeze(intent)
        said = (
            f"plan {plan.number} replaces {old.number}, {why}: {difference(old, plan)}" if old and why else ""
        )
        self.show_plan(plan, said, in_rows)

    def show_plan(self, plan: Plan, said: str = "", in_rows: bool = False) -> None:
        """A plan of several legs as a matrix, its answer empty; `said` is how it differs from the last.

        The focus goes to the answer, or stays `in_rows`.
        """
        self._plan, self._run = plan, None
        self._answer.clear()
        self._grid.show_plan(plan)
        self._outcome = basket_outcome_words(plan, list(self._grid.clients.values()))
        if not said:
            self._grid.to_top()
        else:
            self.shell.say(said)
        (self._answer if plan.orders and not in_rows else self._grid).focus()
        self.follow([part.instrument.key for part in plan.parts], OWNER)
        self._paint()
        self.refresh_bindings()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Send on the plan's own words; anything else changes nothing."""
        event.stop()
        plan, text = self._plan, " ".join(event.text.casefold().split())
        if plan is None or self._busy or self._run is not None:
            return
        event.field.clear()
        if not plan.orders:
            self.shell.say(f"nothing to send: no line of plan {plan.number} can go", "warning")
        elif text != plan.answer:
            self.shell.say(wrong_answer(plan.answer, "nothing has been sent"), "warning")
        else:
            self._work(partial(self._send, plan))

    def on_lines_grid_typed(self, event: LinesGrid.Typed) -> None:
        """An answer that is typed while the matrix has the focus goes where it belongs."""
        event.stop()
        self._answer.type_on(event.letter)

    async def _send(self, plan: Plan) -> None:
        try:
            run = await self.desk.runs.start(plan, confirm=plan.digest)
        except (PlanExpired, PlanDrifted, DuplicateIntent) as refusal:
            self.shell.say(f"not sent: {refusal_words(refusal)}", "warning")
            await self._frozen(plan.intent, "it was refused")
        else:
            self._run = run.number
            self._grid.focus()
            self._follow_run()
            self.refresh_bindings()

    def _follow_run(self) -> None:
        """Take the run's orders into their cells."""
        if self._run is not None:
            self._grid.take_orders(self.desk, self._run)
            self._paint()

    def _work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One thing at a time; what is asked for meanwhile is not done."""
        if self._busy:
            return
        self._busy = True

        async def guarded() -> None:
            try:
                await self.tell_refusal(work)
            finally:
                self._busy = False
                self._paint()

        self.carry_out(self.before_further_keys(guarded()))

    # Painting

    def on_frame(self) -> None:
        """Prices, fill states; a plan too old or too far from its prices is made anew."""
        changed, self._changed = self._changed, False
        if self._run is not None:
            if changed:
                self._follow_run()
            return
        if self._plan is None:
            if changed:
                self._show_held()
            elif self.desk.market.take_dirty(OWNER):
                self._grid.prices_moved()
            return
        self._paint()
        if not self._busy and self._remakes < UNWATCHED_REMAKES:
            self._look_at_age(self._plan)

    def _look_at_age(self, plan: Plan) -> None:
        for part in plan.parts:
            drift, limit = self.desk.plans.drift_bps(part), part.drift_limit_bps
            if drift is not None and limit is not None and abs(drift) > limit:
                self._remakes += 1
                symbol = part.instrument.tradingsymbol
                self._freeze(plan.intent, f"{symbol} moved {formats.signed_percent(drift)} %")
                return
        if self.desk.plans.expired(plan):
            self._remakes += 1
            self._freeze(plan.intent, "it was too old")

    def redraw(self) -> None:
        """Everything anew."""
        if not self.is_mounted:
            return
        if self._plan is None:
            self._show_held()
        else:
            self._follow_run()
            self._grid.apply_all()
            self._paint()

    def _paint(self) -> None:
        """The lines around the matrix."""
        if not self.is_mounted:
            return
        words = self._words()
        self.query_one("#matrix-title", SteadyStatic).update(Content(f" {plain(words.title)}"))
        self.query_one("#matrix-figures", SteadyStatic).update(words.figures)
        self.query_one("#matrix-sum", SteadyStatic).update(Content(f" {plain(words.total)}"))
        self.query_one("#answer-row").display = self._waits
        if self._waits and self._plan is not None:
            asked = "one moment…" if self._busy else answer_words(self.desk, self._plan)
            self._answer.set_label(asked)

    def _words(self) -> MatrixWords:
        plan, masked = self._plan, self.shell.privacy
        if plan is None:
            return held_words(self.desk, len(self._grid.shown_keys), self._grid.look, masked)
        if self._run is not None:
            return run_words(self.desk, plan, self._run, self._grid.look, self._brief)
        return plan_words(self.desk, plan, self._outcome, self._grid.look, masked, self._brief)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action in ("affordable", "drop_line"):
            return self._waits and self.focused is self._grid
        if action == "repair":
            return self._run is not None
        if action == "turn_look":
            return self.focused is self._grid
        if action in ("ticket", "bulk"):
            return not self._waits
        return super().check_action(action, parameters)

    def action_turn_look(self) -> None:
        """The next thing that cells show."""
        self._grid.turn_look()
        self._paint()

    def action_affordable(self) -> None:
        """Every client that is short of cash gets all its legs, smaller in the same measure."""
        if self._plan is None:
            return
        if not any(client.affordable for client in self._grid.clients.values()):
            self.shell.say("a: nobody is short of what a smaller basket would pay")
            return
        self._remakes = 0
        self._freeze(with_affordable(self._plan), "made affordable")

    def action_drop_line(self) -> None:
        """Drop the client under the cursor, or take it in again."""
        plan, client = self._plan, self._grid.clients.get(self._grid.client_id or 0)
        if plan is None or client is None:
            return
        kept = tuple(one for one in plan.intent.line_changes if one.client_id != client.client_id)
        if client.going:
            kept += tuple(LineChange(client.client_id, 0, leg=leg) for leg in client.lines)
        self._remakes = 0
        self._freeze(replace(plan.intent, line_changes=kept), f"{client.code} changed")

    def action_repair(self) -> None:
        """A plan for what provably failed of the run or was skipped, each leg for its own clients."""
        if self._run is not None:
            self._work(partial(self._repaired, self._run))

    async def _repaired(self, number: int) -> None:
        intent = await self.desk.runs.repair_intent(number)
        if intent is None:
            self.shell.say(f"run {number} has nothing that provably failed or was skipped")
        else:
            await self._frozen(intent)

    def action_close(self) -> None:
        """From the plan or the run back to the legs, from there to where the trader came from."""
        if self._plan is not None:
            self._clear()
            self._form.line.focus()
        elif self.focused is not self._grid:
            self._grid.focus()
        else:
            self.app.switch_mode(self._came_from)

    # What the cursor is on

    def here(self) -> Here:
        """The client under the cursor, and the run."""
        if not self.is_mounted:
            return Here()
        key = self._plan.instrument.key if self._plan is not None else None
        return Here(key=key, client_id=self._grid.client_id, run_number=self._run)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows as they are shown."""
        return self._grid.as_table

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The run, once there is one; else the client's page."""
        if self._run is not None:
            self.shell.open_run(self._run)
        elif (client_id := self._grid.client_id) is not None:
            self.shell.open_client(client_id)
