"""Modifying the limits of many live orders, or having them chase: the wish, the frozen list, the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from data.errors import BadInput
from data.money import rupees_of
from data.records import replace
from data.vocabulary import LimitTo, RequestState
from engine.execution.changes.new_limits import NewLimit, new_limit_from
from engine.words import formats
from engine.words.formats import MASK, counted
from engine.words.forms import wrong_answer
from engine.words.refusals import refusal_words
from engine.words.trading.modify_words import beyond_soft, ended_words, line_words, plan_words
from screens.frame.cards.override import OverrideCard
from screens.frame.dock import Card, DockHost
from screens.frame.workspace import Framed
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.execution.changes.new_limits import ModifyLine, ModifyPlan

UP, DOWN = "up by ticks", "down by ticks"
WISHES = {
    "to price": LimitTo.PRICE,
    UP: LimitTo.TICKS,
    DOWN: LimitTo.TICKS,
    "to LTP": LimitTo.LAST,
    "chase to": LimitTo.CHASE,
}
"""What the choice says, and where it has limits go."""

PATIENCE_S = 15.0
"""Seconds after which a list's result is told as it stands by then."""

HEAD_ROWS = 4
"""Rows of the review beside its lines: summary, column heads, answer, and one for what changed."""


class ModifyManyCard(Card[None]):
    """One wish for all of them above, what it would come to below; Enter freezes the list and never sends."""

    TITLE_WORDS = "Modify many orders"

    def __init__(self, orders: Sequence[OrderView]) -> None:
        super().__init__()
        self._orders = tuple(orders)
        self._plan: ModifyPlan | None = None
        self._complaint = ""
        self._changed = True
        self._looking = False

    def compose(self) -> ComposeResult:
        """The wish, and what it would do."""
        first = self.desk.market.index.get(self._orders[0].key)
        with Horizontal(classes="row"):
            yield SteadyStatic("limits")
            yield ChoiceField(list(WISHES), id="many-to")
            yield NumberField(
                formats.typed(self._orders[0].limit_paise),
                step=rupees_of(first.tick_paise) if first else Decimal("0.05"),
                decimals=2,
                id="many-value",
            )
        yield SteadyStatic(id="many-plan")
        yield SteadyStatic(id="many-problem")
        yield KeyHint("Tab field  ←→ choose  ↑↓ step  Enter the list  Esc back", classes="keys")

    def title(self) -> str:
        """How many orders of how many clients."""
        clients = {order.client_id for order in self._orders}
        return f"MODIFY {counted(len(self._orders), 'live order')} of {counted(len(clients), 'client')}"

    def begin(self) -> None:
        """In the price, which is what is changed most; Tab leads to where else limits may go."""
        self.query_one("#many-value", NumberField).focus()

    def _wish(self) -> NewLimit:
        """What the fields say. Raises `BadInput`."""
        word = self.query_one("#many-to", ChoiceField).value
        typed = self.query_one("#many-value", NumberField).value
        return new_limit_from(WISHES[word], f"-{typed}" if word == DOWN else typed)

    def on_frame(self) -> None:
        """What is typed is looked at."""
        if self._changed and not self._looking:
            self._changed, self._looking = False, True
            self.run_worker(self._look(), exit_on_error=False)

    async def _look(self) -> None:
        try:
            self._plan, self._complaint = await self._looked(), ""
        except BadInput as bad:
            self._plan, self._complaint = None, f"{bad.field}: {bad.expected}"
        finally:
            self._looking = False
            self._paint()

    async def _looked(self) -> ModifyPlan:
        return await self.desk.modifies.look([order.id for order in self._orders], self._wish())

    def _paint(self) -> None:
        if not (self.is_mounted and self.is_attached):
            return
        plan, masked = self._plan, self.shell.privacy
        self._say("plan", plan_words(plan, masked) if plan else "")
        first = next(iter(plan.left), None) if plan else None
        problem = f"{order_name(self.desk, first.order)}: {line_words(first, masked)}" if first else ""
        self._say("problem", self._complaint or problem)

    def _say(self, name: str, words: str) -> None:
        self.query_one(f"#many-{name}", SteadyStatic).update(Content(plain(words)))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Ticks are whole, and the last price asks for no number."""
        event.stop()
        value, to = self.query_one("#many-value", NumberField), WISHES[event.value]
        value.display = to is not LimitTo.LAST
        ticks = to is LimitTo.TICKS
        if ticks == bool(value.decimals):
            first = self._orders[0]
            value.decimals = 0 if ticks else 2
            value.value = "1" if ticks else formats.typed(first.limit_paise)
            instrument = self.desk.market.index.get(first.key)
            value.step = Decimal(1) if ticks or instrument is None else rupees_of(instrument.tick_paise)
        self._changed = True

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """Look again with the next frame."""
        event.stop()
        self._changed = True

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Enter leads to the list."""
        event.stop()
        self._go_on()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter leads to the list."""
        event.stop()
        self._go_on()

    def _go_on(self) -> None:
        self.run_worker(self.before_further_keys(self._review()), exclusive=True, exit_on_error=False)

    async def _review(self) -> None:
        try:
            self._plan = plan = await self._looked()
        except BadInput as bad:
            self._complaint = f"{bad.field}: {bad.expected}"
            self._paint()
            return
        self.host.open_card(ModifyReview(plan), lambda done: self._reviewed(done), over=self)

    def _reviewed(self, done: bool | None) -> None:
        self._changed = True
        if done:
            self.close()


class ModifyReview(Card[bool]):
    """The frozen list, problems first, and the line for its answer. Closes with True once that was given."""

    DISCARDS_EARLY_KEYS = True
    TITLE_WORDS = "The list of modifies"

    def __init__(self, plan: ModifyPlan) -> None:
        super().__init__()
        self._plan = plan
        self._busy = False
        self.rows = len(plan.lines) + HEAD_ROWS

    def compose(self) -> ComposeResult:
        """The summary, an order a line, the answer."""
        yield SteadyStatic(id="many-plan")
        yield LiveGrid(
            columns(self.desk, lambda: self.shell.privacy),
            monotonic=self.shell.monotonic,
            markable=False,
            id="many-lines",
        )
        yield AnswerField("", monotonic=self.shell.monotonic)

    def title(self) -> str:
        """What is about to be done."""
        return f"{self._plan.answer.upper()}, limits {plan_words(self._plan, self.shell.privacy)}"

    def on_mount(self) -> None:
        """Show it."""
        plan = self._plan
        words = "nothing can be modified; Esc goes back"
        if plan.going:
            words = f"what fills meanwhile stays filled · valid {self.desk.rules.plan_valid_s:g} s"
        self.query_one("#many-plan", SteadyStatic).update(Content(words))
        self.query_one(LiveGrid).set_rows(dict(enumerate(plan.lines)))
        field = self.query_one(AnswerField)
        field.display = bool(plan.going)
        field.set_label(f"{self.desk.mode}  type  {plan.answer}  and Enter:")

    def begin(self) -> None:
        """In the line for the answer; in the list where there is none."""
        if self._plan.going:
            self.query_one(AnswerField).focus()
        else:
            self.query_one(LiveGrid).focus()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """The words have it done; other words do nothing."""
        event.stop()
        if " ".join(event.text.casefold().split()) != self._plan.answer:
            event.field.clear()
            self.shell.say(wrong_answer(self._plan.answer, "nothing was modified"), "refused")
        elif not self._busy:
            self._busy = True
            self.carry_out(self._send())

    async def _send(self) -> None:
        plan, desk, shell, host = self._plan, self.desk, self.shell, self.host
        try:
            if plan.wish.to is LimitTo.CHASE:
                chases = await desk.chases.start(plan, plan.digest)
                shell.say(f"{counted(len(chases), 'order', 'follow')} the market; p lets one stand")
                self.close(True)
                return
            asked = await desk.modifies.start(plan, plan.digest)
        except Exception as problem:
            shell.say(f"not modified: {refusal_words(problem)}", "error")
            self.close(False)
            return
        self.close(True)
        ends = await desk.modifies.ended(asked, PATIENCE_S)
        fine = all(end.state is RequestState.CONFIRMED for end in ends)
        shell.say(f"{plan.answer}: {ended_words(ends)}", "information" if fine else "error")
        if (beyond := beyond_soft(ends)) and host.is_current and host.card is None:
            _ask_why(host, plan, beyond)


def _ask_why(host: DockHost[Any], plan: ModifyPlan, beyond: Mapping[int, str]) -> None:
    """Ask why these may go beyond soft limits; with a reason their list comes again, for its own answer."""
    desk = host.desk
    ids = sorted(beyond)
    one = desk.clients.get(desk.orders.get(ids[0]).client_id).code
    whose = one if len(ids) == 1 else counted(len(ids), "order")

    async def again(reason: str) -> None:
        try:
            found = await desk.modifies.look(ids, replace(plan.wish, override=reason))
        except BadInput as bad:
            host.shell.say(f"{bad.field}: {bad.expected}", "refused")
        else:
            host.open_card(ModifyReview(found))

    def typed(reason: str | None) -> None:
        if reason:
            host.run_worker(again(reason), exit_on_error=False)

    host.open_card(OverrideCard(whose, beyond[ids[0]], "the list"), typed)


def order_name(desk: Desk, order: OrderView) -> str:
    """An order in a few words, the client's code first."""
    return f"{desk.clients.get(order.client_id).code} {order.side.value} {order.tradingsymbol}"


def columns(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """The list's columns: whose, what, from where to where, what that blocks more, or why not."""

    def more(line: ModifyLine) -> str:
        paise = line.needs.money_paise if line.needs else 0
        return MASK if masked() and paise else formats.or_blank(formats.amount, paise)

    def style(line: ModifyLine) -> str | None:
        return None if line.ok else "warn"

    def words(line: ModifyLine) -> str:
        return line_words(line, masked()) or "ok"

    return [
        Column("code", "code", 6, lambda line: desk.clients.get(line.order.client_id).code),
        Column("side", "side", 4, lambda line: line.order.side.value),
        Column("symbol", "symbol", 10, lambda line: line.order.tradingsymbol),
        Column("open", "open", 6, lambda line: formats.quantity(line.order.leaves), "right", priority=1),
        Column("old", "limit", 9, lambda line: formats.price(line.order.limit_paise), "right"),
        Column("new", "new", 9, lambda line: formats.price(line.limit_paise), "right"),
        Column("last", "LTP", 9, lambda line: formats.price(line.last_paise), "right", priority=2),
        Column("more", "blocks more", 11, more, "right"),
        Column("why", "verdict (problems first)", 14, words, style=style, flex=True),
    ]


def ask_modify_many(screen: Framed[None], orders: Sequence[OrderView]) -> None:
    """Open the form for live orders, where there are any."""
    live = [order for order in orders if order.live]
    if live:
        screen.open_card(ModifyManyCard(live))
    else:
        screen.shell.say("nothing live to modify here", "warning")
