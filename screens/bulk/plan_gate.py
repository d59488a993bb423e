"""A pane in which a plan of several legs waits for its typed answer; nothing is sent before that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from engine.refusals import DuplicateIntent, PlanDrifted, PlanExpired
from engine.words import formats
from engine.words.forms import wrong_answer
from engine.words.refusals import refusal_words
from screens.bulk.plan_figures import answer_words
from screens.bulk.plan_lines import LinesGrid, has_use, nothing_to_send, soft_lines
from screens.frame.cards.override import ask_override
from screens.frame.pane import Pane
from screens.frame.shell import AtDesk
from widgets.answerfield import AnswerField

if TYPE_CHECKING:
    from engine.planning.plan import Plan
    from screens.frame.workspace import Framed

PASSED = "soft limits passed by a reason"
"""Why a plan replaces one of which soft limits had kept lines out."""

UNWATCHED_REMAKES = 5
"""Plans made anew by themselves before one waits for the trader to come back to it."""


class PlanGate(AtDesk, Pane):
    """Takes the answer of its plan, sends it, and has it made anew once it is too old or has drifted.

    Its rows stand in a `LinesGrid`, its answer in the field `answer` of the row `answer-row`.
    """

    def __init__(self, id: str, hint: str = "") -> None:  # noqa: A002 - Textual's own word
        super().__init__(id, hint=hint)
        self.plan: Plan | None = None
        """The plan that is shown; None while none is."""
        self._busy = False
        self._remakes = 0

    # What a pane does by itself

    def paint(self) -> None:
        """The lines around its rows."""
        raise NotImplementedError

    async def make_anew(self, plan: Plan, why: str) -> None:
        """Another plan in the place of this one, saying why."""
        raise NotImplementedError

    def show_sent(self, number: int) -> None:
        """The run that has become of its plan."""
        raise NotImplementedError

    @property
    def waits(self) -> bool:
        """Whether a plan waits for its answer."""
        return self.plan is not None

    # The answer

    @property
    def _answer(self) -> AnswerField:
        return self.query_one("#answer", AnswerField)

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    def on_lines_grid_typed(self, event: LinesGrid.Typed) -> None:
        """An answer that is typed while the rows have the focus goes where it belongs."""
        event.stop()
        if self.plan is not None and not self.plan.orders:
            self.shell.say(nothing_to_send(self.plan), "warning")
        else:
            self._answer.type_on(event.letter)

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Send on the plan's own words; anything else changes nothing."""
        event.stop()
        plan, text = self.plan, " ".join(event.text.casefold().split())
        if plan is None or self._busy or not self.waits:
            return
        event.field.clear()
        if text != plan.answer:
            self.shell.say(wrong_answer(plan.answer, "nothing has been sent"), "refused")
        else:
            self.work(partial(self._send, plan))

    async def _send(self, plan: Plan) -> None:
        try:
            run = await self.desk.runs.start(plan, confirm=plan.digest)
        except (PlanExpired, PlanDrifted, DuplicateIntent) as refusal:
            self.shell.say(f"not sent: {refusal_words(refusal)}", "refused")
            await self.make_anew(plan, "it was refused")
        else:
            self.show_sent(run.number)

    def work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One thing at a time; what is asked for meanwhile is not done."""
        if self._busy:
            return
        self._busy = True

        async def guarded() -> None:
            try:
                await self._screen.tell_refusal(work)
            finally:
                self._busy = False
                self.paint()

        self.carry_out(self.before_further_keys(guarded()))

    # What was left out, and goes by the trader's word

    @property
    def insists(self) -> bool:
        """Whether lines were left out that go by a word: beyond soft limits, or the same as just sent."""
        plan = self.plan
        return plan is not None and self.waits and has_use("send_again", plan, None)

    def insist(self) -> None:
        """Ask why what soft limits keep out may go; else insist on what was left out as just sent."""
        if soft := soft_lines(self.plan):
            ask_override(self._screen, soft, lambda why: self.change(PASSED, override=why))
        elif self.insists:
            self.change("sent again on purpose", again=True)

    def change(self, why: str, *, override: str = "", again: bool = False) -> None:
        """Another plan by this word in the place of this one, saying `why`."""
        raise NotImplementedError

    def paint_answer(self) -> None:
        """What is to be typed, while a plan waits for it."""
        self.query_one("#answer-row").display = self.waits
        if self.waits and self.plan is not None:
            words = "one moment…" if self._busy else answer_words(self.desk, self.plan)
            self._answer.set_label(words, answerable=self.plan.orders > 0)

    def look_at_age(self) -> None:
        """Have a plan that waits made anew, where it is too old or too far from its prices."""
        plan, plans = self.plan, self.desk.plans
        if plan is None or not self.waits or self._busy or self._remakes >= UNWATCHED_REMAKES:
            return
        drifted = next((part for part in plan.parts if plans.drifted(part)), None)
        if drifted is not None:
            moved = formats.signed_percent(plans.drift_bps(drifted))
            why = f"{drifted.instrument.tradingsymbol} moved {moved} %"
        elif plans.expired(plan):
            why = "it was too old"
        else:
            return
        self._remakes += 1
        self.work(partial(self.make_anew, plan, why))
