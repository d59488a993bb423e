"""The review of one order: one sentence that takes `y`, Esc and F9, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from data.vocabulary import OrderState, Right, Side
from engine.refusals import DuplicateIntent, Forbidden, PlanDrifted, PlanExpired
from engine.words import formats
from engine.words.formats import MASK
from engine.words.refusals import ONLY_SHOWS, refusal_words
from engine.words.trading.halted import halted_words
from engine.words.trading.orders import STATE_WORDS
from engine.words.trading.plans import difference
from engine.words.trading.tickets import problem_lines, review_sentence
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import Here
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.plan import Plan
    from screens.frame.shell import Shell

SENTENCE_ROWS = 2
"""Rows of the sentence."""

PATIENCE_S = 10.0
"""Seconds in which the order's result is told; after that the tape and Orders have it."""


class ReviewCard(Card[int]):
    """Stands in the ticket's place. Returns the run's number once `y` sent it, nothing after Esc."""

    DISCARDS_EARLY_KEYS = True
    ONLY_YES = True
    TITLE_WORDS = "Review of one order"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("review.yes", "close")]

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._changed = ""
        self._busy = False

    def compose(self) -> ComposeResult:
        """The sentence, the price now, and the two keys."""
        yield SteadyStatic(id="sentence")
        yield SteadyStatic(id="review-price")
        yield SteadyStatic(id="review-change")
        keys = "y sends   Esc back"
        if self.desk.looks_only:
            keys = f"{ONLY_SHOWS}   Esc back"
        elif (refusal := self.shell.refusal_of(Right.SEND)) is not None:
            keys = f"{refusal_words(refusal)}   Esc back"
        yield KeyHint(keys, classes="keys -always")

    @property
    def side(self) -> Side:
        """The side of the order."""
        return self._plan.intent.side

    def title(self) -> str:
        """What stands to be sent."""
        line = self._plan.lines[0]
        name = MASK if self.shell.privacy else line.name
        return f"REVIEW {self.side.value} {self._plan.instrument.tradingsymbol} for {line.code} {name}"

    def on_mount(self) -> None:
        """Show it."""
        self._paint()

    def on_frame(self) -> None:
        """The price moves while one reads."""
        self._paint()

    def _paint(self) -> None:
        """The sentence and the price beside the frozen one."""
        if not (self.is_mounted and self.is_attached):
            return
        desk, plan = self.desk, self._plan
        if plan.orders:
            sentence = plain(review_sentence(plan, self.shell.privacy))
        else:
            lines = problem_lines(plan.lines[0], self.side, self.shell.privacy, self.size.width - 2)
            sentence = "\n".join(lines[:SENTENCE_ROWS])
        self.query_one("#sentence", SteadyStatic).update(Content(sentence))
        key = plan.instrument.key
        quote, drift = desk.market.quote(key), desk.plans.drift_bps(plan)
        left = max(0, int(desk.plans.left_s(plan)))
        whose = [desk.clients.get(plan.lines[0].client_id)]
        halted = halted_words(desk.halt.active(), whose, key)
        self.query_one("#review-price", SteadyStatic).update(
            Content(
                f"{halted}{' · ' if halted else ''}LTP {formats.price(quote.last_paise if quote else None)} "
                f"{formats.age(desk.market.age(key))} {formats.signed_percent(drift)} % since "
                f"{formats.time_of_day(plan.market_at)} · valid {left} s"
            )
        )
        self.query_one("#review-change", SteadyStatic).update(Content(plain(self._changed)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to yes where nothing can be sent."""
        return bool(self._plan.orders) if action == "yes" else True

    def action_yes(self) -> None:
        """Send it."""
        if not self._busy:
            self._busy = True
            self.carry_out(self._send())

    async def _send(self) -> None:
        try:
            run = await self.desk.runs.start(self._plan, confirm=self._plan.digest)
        except (PlanExpired, PlanDrifted, DuplicateIntent):
            await self._again()
        except Exception as problem:
            self._changed = f"not sent: {refusal_words(problem)}"
            if isinstance(problem, Forbidden):  # the screen may lock before anybody reads it here
                self.shell.say(self._changed, "error")
        else:
            words = plain(review_sentence(self._plan, self.shell.privacy))
            self.shell.say(f"sent as run {run.number}: {words}")
            self.app.run_worker(_tell_result(self.desk, self.shell, run.number), exit_on_error=False)
            self.close(run.number)
        finally:
            self._busy = False
            self._paint()

    async def _again(self) -> None:
        """Too old, off the price, or sent elsewhere: another plan, and nothing typed before it counts."""
        old = self._plan
        try:
            self._plan = await self.desk.plans.freeze(old.intent)
        except Exception as problem:
            self._changed = f"not sent: {refusal_words(problem)}"
            return
        self._changed = f"NOT SENT, made anew: {difference(old, self._plan)}. Read it again."
        self.shell.discard_typed()
        if self.is_attached:
            self.host.refresh_bindings()

    def action_close(self) -> None:
        """Back to the fields; not while it is being sent, since nobody would be told how that went."""
        if not self._busy:
            self.close()

    def here(self) -> Here:
        """What is reviewed."""
        return Here(key=self._plan.instrument.key, client_id=self._plan.lines[0].client_id)


async def _tell_result(desk: Desk, shell: Shell, number: int) -> None:
    """One toast for the one order, once it is known how it went."""
    run = await desk.runs.settled(number, PATIENCE_S)
    for order_id in run.order_ids:
        order = desk.orders.get(order_id)
        words = f"{desk.clients.get(order.client_id).code} {order.side.value} {order.tradingsymbol}: "
        words += STATE_WORDS[order.state]
        if order.filled_quantity:
            words += f" {formats.quantity(order.filled_quantity)} at {formats.price(order.average_paise)}"
        if order.reason_text:
            words += f" · {order.reason_text}"
        fine = order.state in (OrderState.FILLED, OrderState.OPEN, OrderState.CANCELLED)
        shell.say(words, "information" if fine else "error")
