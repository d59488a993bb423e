"""A frozen plan: its lines, problems first, the keys that mend them, and the typed words that send it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from data.errors import BadInput
from data.records import replace
from data.vocabulary import Reason, Right, SessionState, Side
from engine.planning.plan import Plan
from engine.refusals import DuplicateIntent, PlanDrifted, PlanExpired, Refusal
from engine.words import formats
from engine.words.formats import MASK
from engine.words.forms import wrong_answer
from engine.words.refusals import refusal_words
from engine.words.trading.plans import difference
from screens.bulk import plan_changes
from screens.bulk.plan_figures import answer_words, drift_part, figures_content, intent_content, sum_content
from screens.bulk.plan_gate import PASSED
from screens.bulk.plan_lines import MENDING, LinesGrid, has_use, nothing_to_send, soft_lines, why_not
from screens.bulk.plan_rows import GroupRow, lines_of, plan_columns, plan_rows
from screens.bulk.quantity_edit import QuantityEdit
from screens.clients.sign_in import SignInScreen
from screens.clients.sign_in_round import begin_round
from screens.frame.cards.override import ask_override
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import line_record
from screens.frame.shell import HasRights, Here, Table
from widgets.answerfield import AnswerField
from widgets.keyline import KeyHint
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.intent import Intent
    from engine.planning.plan import PlanLine
    from screens.frame.workspace import Framed

UNWATCHED_REMAKES = 5
"""Plans made anew by themselves before one waits for the trader to come back to it."""


class PlanView(HasRights, Vertical):
    """Takes the plan's answer and changes of its lines; makes it anew when too old or the price moved."""

    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.PLAN}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.affordable", "plan.mtf", "plan.drop", "order.modify", "plan.again", "close")
    ]

    @dataclass
    class Sent(Message):
        """The plan became a run."""

        number: int

    @dataclass
    class Left(Message):
        """The trader goes back to the form, with the plan's intent."""

        intent: Intent

    def __init__(self) -> None:
        super().__init__(id="plan")
        self.plan: Plan | None = None
        self._busy = False
        self._remakes = 0
        self._seen: tuple[str, Any] = ("", None)
        self._rows: dict[Any, PlanLine | GroupRow] = {}

    def compose(self) -> ComposeResult:
        """The intent, its figures, the lines, the sum, the answer."""
        clock = self._screen.shell.monotonic
        yield SteadyStatic(id="intent")
        yield SteadyStatic(id="figures")
        yield SteadyStatic(id="difference")
        with Pane("lines-pane", hint="Tab  a m affordable, MTF  e quantity  d drop"):
            hint = "the plan has no line: Esc goes back to the form"
            yield LinesGrid(self._columns(Side.BUY), monotonic=clock, markable=False, hint=hint, id="lines")
        yield SteadyStatic(id="sum")
        yield QuantityEdit()
        with Horizontal(id="answer-row"):
            yield AnswerField("", monotonic=clock, id="answer")
            yield KeyHint(id="rows-hint")

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    @property
    def grid(self) -> LinesGrid:
        """The lines."""
        return self.query_one(LinesGrid)

    @property
    def _edit(self) -> QuantityEdit:
        return self.query_one(QuantityEdit)

    @property
    def _answer(self) -> AnswerField:
        return self.query_one(AnswerField)

    def _columns(self, side: Side) -> list[Any]:
        shell, width = self._screen.shell, self._screen.size.width
        return plan_columns(side, lambda: self._brief, lambda: shell.privacy, width)

    @property
    def _brief(self) -> bool:
        return self._screen.size.width < 110

    # Showing

    def show(self, plan: Plan, changed: str = "", stay_in_rows: bool = False) -> None:
        """Put a plan on the screen, its answer empty; `changed` says how it differs from the one before.

        One that stands in another's place leaves the cursor where it was, any other begins at its top.
        """
        self.plan = plan
        self._edit.end()
        self._answer.clear()
        self._rows = dict(plan_rows(plan))
        self.grid.set_columns(self._columns(plan.intent.side))
        self.grid.set_rows(self._rows)
        if not changed:
            self.grid.to_top()
        self.query_one("#difference", SteadyStatic).update(Content(plain(changed)))
        self.query_one("#difference").display = bool(changed)
        self.set_class(plan.intent.side is Side.BUY, "-buy")
        self.set_class(plan.intent.side is Side.SELL, "-sell")
        self.paint()
        if not plan.orders:
            self.grid.focus()
        elif not stay_in_rows:
            self._answer.focus()
        self.refresh_bindings()

    def redraw(self) -> None:
        """Everything anew, as after privacy was turned on."""
        if self.plan is not None:
            self.grid.apply(set(self.grid.shown_keys))
            self.paint()

    def paint(self) -> None:
        """The lines around the grid: intent with the live price, figures, sum, answer."""
        plan = self.plan
        if plan is None:
            return
        desk, brief = self._screen.desk, self._brief
        drift = drift_part(plan, desk.plans.drift_bps(plan))
        masked, width = MASK if self._screen.shell.privacy else "", self._screen.size.width
        self.query_one("#intent", SteadyStatic).update(intent_content(desk, plan, drift, brief, width))
        self.query_one("#figures", SteadyStatic).update(figures_content(plan, drift, brief, masked, width))
        self.query_one("#sum", SteadyStatic).update(sum_content(plan, brief))
        self.query_one(Pane).set_title(f"Plan {plan.number}", [f"{plan.orders} of {len(plan.lines)} can go"])
        self._paint_answer(plan)

    def _paint_answer(self, plan: Plan) -> None:
        words = "one moment…" if self._busy else answer_words(self._screen.desk, plan)
        self._answer.set_label(words, answerable=plan.orders > 0)
        hint = (
            "Tab to the answer" if self._screen.focused is self.grid else "Tab to the lines, to change them"
        )
        hint = "" if self._brief or not plan.orders else hint
        self.query_one("#rows-hint", SteadyStatic).update(Content(hint))

    def on_frame(self) -> None:
        """Follow the price; a plan too old or too far from it is made anew while the trader looks at it."""
        plan = self.plan
        if plan is None:
            return
        self.paint()
        if self._busy or self._edit.line is not None:
            return
        desk = self._screen.desk
        seen = (self._answer.text, self.grid.cursor_key)
        if seen != self._seen:
            # Whoever types or moves is there: plans may be made anew by themselves again.
            self._seen, self._remakes = seen, 0
        if self._remakes >= UNWATCHED_REMAKES:
            return
        if desk.plans.drifted(plan):
            drift = desk.plans.drift_bps(plan)
            self._remake(plan.intent, f"the price moved {formats.signed_percent(drift)} %")
        elif desk.plans.expired(plan):
            self._remake(plan.intent, "it was too old")

    def _remake(self, intent: Intent, why: str, by_hand: bool = False) -> None:
        """Make the plan anew and say what is different; the answer begins from nothing."""
        self._remakes = 0 if by_hand else self._remakes + 1
        self._answer.clear()
        self._work(partial(self._made_anew, intent, why))

    def _work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One thing at a time; what is asked for meanwhile is not done."""
        if not self._busy:
            self._busy = True
            self._screen.carry_out(self._screen.before_further_keys(self._guarded(work)))

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except (BadInput, Refusal) as problem:
            self._screen.shell.say(refusal_words(problem), "refused")
        except Exception as problem:
            self._screen.shell.say(f"{type(problem).__name__}: {problem}", "error")
        finally:
            self._busy = False
            self.paint()

    async def _made_anew(self, intent: Intent, why: str) -> None:
        old = self.plan
        assert old is not None
        in_rows = self._screen.focused is self.grid
        fresh = await self._screen.desk.plans.freeze(intent)
        words = f"plan {fresh.number} replaces {old.number}, {why}: {difference(old, fresh)}"
        self.show(fresh, words, stay_in_rows=in_rows)

    # The answer

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Send on the plan's own words; anything else changes nothing."""
        event.stop()
        plan = self.plan
        if plan is None or self._busy:
            return
        event.field.clear()
        if " ".join(event.text.casefold().split()) != plan.answer:
            self._screen.shell.say(wrong_answer(plan.answer, "nothing has been sent"), "refused")
        else:
            self._work(partial(self._send, plan))

    def on_lines_grid_typed(self, event: LinesGrid.Typed) -> None:
        """An answer that is typed while the lines have the focus goes where it belongs."""
        event.stop()
        plan = self.plan
        if plan is None or self._edit.line is not None:
            return
        if plan.orders:
            self._answer.type_on(event.letter)
        else:
            self._screen.shell.say(nothing_to_send(plan), "warning")

    async def _send(self, plan: Plan) -> None:
        try:
            run = await self._screen.desk.runs.start(plan, confirm=plan.digest)
        except (PlanExpired, PlanDrifted, DuplicateIntent) as refusal:
            self._screen.shell.say(f"not sent: {refusal_words(refusal)}", "refused")
            await self._made_anew(plan.intent, "it was refused")
        else:
            self.post_message(self.Sent(run.number))

    # Changes by hand

    @property
    def _here(self) -> PlanLine | GroupRow | None:
        return self._rows.get(self.grid.cursor_key)

    @property
    def line(self) -> PlanLine | None:
        """The client's line under the cursor; `None` on a group's."""
        here = self._here
        return None if isinstance(here, GroupRow) else here

    def here(self) -> Here:
        """The symbol, and the client under the cursor."""
        line = self.line
        key = self.plan.instrument.key if self.plan else None
        return Here(key=key, client_id=line.client_id if line else None)

    def table(self) -> Table | None:
        """The plan's lines."""
        if self.plan is None:
            return None
        plan, record = self.plan, partial(line_record, self._screen.desk, self.plan)
        return Table(f"plan-{plan.number}", tuple(self.grid.columns), plan.lines, self.line, record)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use on this line is absent."""
        if action not in MENDING.values():
            return True
        plan = self.plan
        return plan is not None and self._screen.focused is self.grid and has_use(action, plan, self._here)

    def on_key(self, event: events.Key) -> None:
        """A key of the lines that has nothing to do on this one says why; it would look broken otherwise."""
        action = MENDING.get(event.key)
        plan, here = self.plan, self._here
        if action is None or plan is None or here is None or self._screen.focused is not self.grid:
            return
        if self.check_action(action, ()) is False:
            event.stop()
            event.prevent_default()
            self._screen.shell.say(why_not(action, plan, here))

    def action_affordable(self) -> None:
        """The quantity the client can afford, for the line or for all lines of a reason."""
        self._change(plan_changes.to_affordable(self._intent, lines_of(self._here)), "made affordable")

    def action_toggle_mtf(self) -> None:
        """MTF where it is a way out; else from CNC to MTF and back."""
        changed = plan_changes.to_mtf(self._intent, lines_of(self._here))
        if changed is None and self.line is not None:
            changed = plan_changes.other_product(self._intent, self.line)
        self._change(changed, "product changed")

    def action_drop_line(self) -> None:
        """Drop the line, or restore one that was changed."""
        if self.line is not None:
            self._change(plan_changes.dropped_or_restored(self._intent, self.line), "line changed")

    def action_send_again(self) -> None:
        """Insist on what was left out as just sent, or for a typed reason on what a soft limit kept out."""
        if soft := soft_lines(self.plan):
            ask_override(
                self._screen, soft, lambda why: self._change(replace(self._intent, override=why), PASSED)
            )
        else:
            self._change(replace(self._intent, again=True), "sent again on purpose")

    @property
    def _intent(self) -> Intent:
        assert self.plan is not None
        return self.plan.intent

    def _change(self, intent: Intent | None, why: str) -> None:
        if intent is not None:
            self._remake(intent, why, by_hand=True)

    def action_modify_here(self) -> None:
        """Type another quantity for the line."""
        line = self.line
        if line is None:
            return
        self.query_one("#answer-row").display = False
        self._edit.begin(line, self.plan.instrument.lot_size if self.plan else 1)

    def on_quantity_edit_typed(self, event: QuantityEdit.Typed) -> None:
        """Take the typed quantity, whose lots the plan judges; nothing typed changes nothing."""
        event.stop()
        self._stop_editing()
        if event.quantity is not None:
            self._change(
                plan_changes.to_quantity(self._intent, event.line, event.quantity), "quantity changed"
            )

    def _stop_editing(self) -> None:
        self._edit.end()
        self.query_one("#answer-row").display = True
        self.grid.focus()

    def action_close(self) -> None:
        """Leave the quantity, else go back to the form."""
        if self._edit.line is not None:
            self._stop_editing()
        elif self.plan is not None:
            self.post_message(self.Left(self.plan.intent))

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Keys depend on the line."""
        self.refresh_bindings()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page, or its sign-in where that is what it lacks."""
        event.stop()
        line = self.line
        if line is not None and line.reason is Reason.SESSION_EXPIRED:
            self._sign_in(line)
        elif line is not None:
            self._screen.shell.open_client(line.client_id)

    def _sign_in(self, line: PlanLine) -> None:
        """Sign the line's client in, and make the plan anew with it; where no token is asked for at once."""
        desk = self._screen.desk

        def signed_in(_: None) -> None:
            plan = self.plan
            if plan is not None and desk.clients.get(line.client_id).session is SessionState.OK:
                self._remake(plan.intent, f"{line.code} signed in", by_hand=True)

        if desk.sessions.needs_sign_in(line.client_id):
            self.app.push_screen(SignInScreen(begin_round(desk, [line.client_id])), signed_in)
        else:
            self._work(partial(self._taken_up, line))

    async def _taken_up(self, line: PlanLine) -> None:
        await self._screen.desk.sessions.sign_in(line.client_id, "")
        if self.plan is not None:
            await self._made_anew(self.plan.intent, f"{line.code} signed in")
