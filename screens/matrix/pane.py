"""The matrix in its frame: what is held, or a plan of several legs from its answer to how its cells fill."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from data.records import replace
from engine.planning.by_client import with_affordable
from engine.planning.intent import LineChange
from engine.words.trading.baskets import basket_outcome_words
from engine.words.trading.plans import difference
from screens.bulk.plan_gate import PlanGate
from screens.bulk.run_words import reversing_side
from screens.matrix.columns import CellLook
from screens.matrix.grid import MatrixGrid
from screens.matrix.words import MatrixWords, held_words, plan_words, run_words
from widgets.answerfield import AnswerField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from data.vocabulary import Side
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan

OWNER = "matrix-screen"
"""Under this name the prices of the legs, or of what is held, are followed."""

HELD_EVERY_S = 1.0
"""Seconds between two times that what is held is worked out anew, while orders trade."""


class MatrixPane(PlanGate):
    """Figures, matrix, sum and answer. Nothing is sent before the answer that a plan asks for."""

    def __init__(self, brief: Callable[[], bool]) -> None:
        """`brief` says that space is short."""
        super().__init__("matrix-pane")
        self._brief = brief
        self.run: int | None = None
        """Its run, once it was sent."""
        self.changed = False
        """Whether the desk has told of something that may show here."""
        self._outcome = ""
        self._held_at = float("-inf")

    def compose(self) -> ComposeResult:
        """From the top."""
        clock = self.shell.monotonic
        yield SteadyStatic(id="matrix-figures")
        yield MatrixGrid(self.desk, clock, lambda: self.shell.privacy, self._brief)
        yield KeyHint(id="matrix-sum")
        with Horizontal(id="answer-row"):
            yield AnswerField("", monotonic=clock, id="answer")

    @property
    def grid(self) -> MatrixGrid:
        """The cells."""
        return self.query_one(MatrixGrid)

    @property
    def waits(self) -> bool:
        """Whether a plan waits for its answer."""
        return self.plan is not None and self.run is None

    # What is held

    def show_held(self) -> None:
        """What is held now."""
        self.changed, self._held_at = False, self.shell.monotonic()
        self._screen.follow(self.grid.show_held(), OWNER)
        self.paint()

    def turn_across(self) -> None:
        """Sectors in place of stocks, or stocks again."""
        self._screen.follow(self.grid.turn_across(), OWNER)
        self.paint()

    def turn_look(self) -> None:
        """The next thing that cells show."""
        self.grid.turn_look()
        self.paint()

    def clear(self) -> None:
        """No plan: what is held."""
        self.plan = self.run = None
        self._answer.clear()
        self._screen.set_focus(self.grid)  # at once: a form that opens behind it goes back to there
        self.show_held()
        self._screen.refresh_bindings()

    # From legs to plan to run

    def freeze(self, intent: Intent, why: str = "") -> None:
        """Freeze, number and store a plan, and show it; `why` says why it replaces the last."""
        self.work(partial(self._frozen, intent, why))

    async def _frozen(self, intent: Intent, why: str = "") -> None:
        in_rows = bool(why) and self.screen.focused is self.grid
        old, plan = self.plan, await self.desk.plans.freeze(intent)
        said = (
            f"plan {plan.number} replaces {old.number}, {why}: {difference(old, plan)}" if old and why else ""
        )
        self.show_plan(plan, said, in_rows)

    def show_plan(self, plan: Plan, said: str = "", in_rows: bool = False) -> None:
        """A plan of several legs as a matrix, its answer empty; `said` is how it differs from the last.

        The focus goes to the answer, or stays `in_rows`.
        """
        self.plan, self.run = plan, None
        self._answer.clear()
        self.grid.show_plan(plan)
        self._outcome = basket_outcome_words(plan, list(self.grid.clients.values()))
        if not said:
            self.grid.to_top()
        else:
            self.shell.say(said)
        (self._answer if plan.orders and not in_rows else self.grid).focus()
        self._screen.follow([part.instrument.key for part in plan.parts], OWNER)
        self.paint()
        self._screen.refresh_bindings()

    async def make_anew(self, plan: Plan, why: str) -> None:
        """The same legs at the prices of now."""
        await self._frozen(plan.intent, why)

    def show_sent(self, number: int) -> None:
        """The cells say how the orders stand from now on."""
        self.run = number
        self.grid.focus()
        self._follow_run()
        self._screen.refresh_bindings()

    def _follow_run(self) -> None:
        """Take the run's orders into their cells."""
        self.changed = False
        if self.run is not None:
            self.grid.take_orders(self.run)
            self.paint()

    async def show_run(self, number: int) -> None:
        """A run of several legs, whenever it was."""
        plan = await self.desk.plans.get(self.desk.runs.get(number).plan_number)
        self.show_plan(plan, in_rows=True)
        self.run = number
        self._follow_run()
        self._screen.refresh_bindings()

    # A plan changed by hand, and a run mended

    def make_affordable(self) -> None:
        """Every client that is short of cash gets all its legs, smaller in the same measure."""
        if self.plan is None:
            return
        if not any(client.affordable for client in self.grid.clients.values()):
            self.shell.say("a: nobody is short of what a smaller basket would pay")
            return
        self._remakes = 0
        self.freeze(with_affordable(self.plan), "made affordable")

    def drop_client(self) -> None:
        """Drop the client under the cursor, or take it in again."""
        plan, client = self.plan, self.grid.clients.get(self.grid.client_id or 0)
        if plan is None or client is None:
            return
        kept = tuple(one for one in plan.intent.line_changes if one.client_id != client.client_id)
        if client.going:
            kept += tuple(LineChange(client.client_id, 0, leg=leg) for leg in client.lines)
        self._remakes = 0
        self.freeze(replace(plan.intent, line_changes=kept), f"{client.code} changed")

    def change(self, why: str, *, override: str = "", again: bool = False) -> None:
        """The same legs by the trader's word."""
        if self.plan is not None:
            self._remakes = 0
            intent = self.plan.intent
            told = {"override": override or intent.override, "again": again or intent.again}
            self.freeze(replace(intent, **told), why)

    def repair(self) -> None:
        """A plan for what provably failed of the run or was skipped, each leg for its own clients."""
        if self.run is not None:
            self.work(partial(self._repaired, self.run))

    async def _repaired(self, number: int) -> None:
        intent = await self.desk.runs.repair_intent(number)
        if intent is None:
            self.shell.say(f"run {number} has nothing left to repair")
        else:
            await self._frozen(intent)

    def is_against(self, side: Side) -> bool:
        """Whether all that the run filled was traded on the other side."""
        if self.run is None:
            return False
        orders = map(self.desk.orders.get, self.desk.runs.get(self.run).order_ids)
        return reversing_side(orders) is side

    def reverse(self) -> None:
        """A plan of the opposite of what the run filled, leg by leg."""
        if self.run is not None:
            self.work(partial(self._reversed, self.run))

    async def _reversed(self, number: int) -> None:
        intent = await self.desk.runs.reverse_intent(number)
        if intent is None:
            self.shell.say(f"run {number} has nothing left to reverse")
        elif intent.in_legs:
            await self._frozen(intent)
        else:
            self.shell.open_bulk(intent.side, intent=intent)

    # Painting

    def on_frame(self) -> None:
        """Prices, fill states; a plan too old or too far from its prices is made anew."""
        changed, dirty = self.changed, self.desk.market.take_dirty(OWNER)
        if self.plan is None:
            if changed and self.shell.monotonic() - self._held_at >= HELD_EVERY_S:
                self.show_held()
            else:
                self.paint()
                if dirty:
                    self.grid.prices_moved()
        elif self.run is None:
            self.paint()
            self.look_at_age()
        else:
            if changed:
                self._follow_run()
            if dirty and self.grid.look is CellLook.NET:
                self.grid.prices_moved()

    def redraw(self) -> None:
        """Everything anew."""
        if self.plan is None:
            self.show_held()
        else:
            self._follow_run()
            self.grid.apply_all()
            self.paint()

    def paint(self) -> None:
        """The lines around the matrix."""
        if not self.is_mounted:
            return
        words = self._words()
        self.set_title(words.title, words.frame)
        self.query_one("#matrix-figures", SteadyStatic).update(words.figures)
        self.query_one("#matrix-sum", SteadyStatic).update(Content(f" {plain(words.total)}"))
        self.paint_answer()

    def _words(self) -> MatrixWords:
        plan, masked = self.plan, self.shell.privacy
        if plan is None:
            return held_words(self.desk, self.grid, masked)
        if self.run is not None:
            return run_words(self.desk, plan, self.run, self.grid.look, self._brief())
        room, brief = self.size.width, self._brief()
        return plan_words(self.desk, plan, self._outcome, self.grid.look, masked, brief, room)
