"""Setting a guard: which positions, at which loss and target, and what it does; words where it may sell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from data.records import replace
from data.vocabulary import FlattenWhat, GuardAction, HaltScope
from engine.guards.asked import GuardWish, answer_of, limit_from
from engine.words.formats import MASK, percent, typed
from engine.words.refusals import refusal_words
from engine.words.trading.guards import (
    action_words,
    at_once_words,
    bar_words,
    guard_line,
    limits_words,
    made_of_words,
    scope_title,
)
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.form import FormCard
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.watched.guard_views import GuardView
    from screens.frame.dock import DockHost

ROWS = 6

WORD = "set"
"""What is typed where the guard itself asks for no words: no Enter alone sets one."""

NO_LIMIT = "give a loss limit, a target or both, such as 2% or 5000"


class GuardCard(FormCard[None]):
    """A guard's terms; Enter goes from field to field, and at last sets it by the words it asks for."""

    TITLE_WORDS = "A guard"
    SAYS = "#guard-would"

    def __init__(self, wish: GuardWish) -> None:
        super().__init__()
        self._wish = wish
        self._stands = self._asks = ""
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """The terms, what it would show now, what it does, and the line for the words."""
        known = self._standing()
        terms = self._wish if self._wish.limited or known is None else _terms_of(known)
        yield SteadyStatic(id="guard-now", classes="would")
        with Horizontal(classes="row"):
            yield SteadyStatic("set")
            yield ChoiceField([what.value for what in FlattenWhat], self._wish.what.value, id="guard-set")
            yield SteadyStatic("loss")
            yield SteadyInput(_limit(terms.loss_bps, terms.loss_paise), id="guard-loss", **_FIELD)
            yield SteadyStatic("target")
            yield SteadyInput(_limit(terms.target_bps, terms.target_paise), id="guard-target", **_FIELD)
            yield SteadyStatic("does")
            yield ChoiceField(self._actions(), terms.action.value, id="guard-action")
        yield SteadyStatic(id="guard-would", classes="would")
        yield AnswerField("", monotonic=self.shell.monotonic)
        yield SteadyStatic(
            "2% of the day's base, or rupees  Tab next  ← → choose  Enter on  Esc back",
            classes="keys -always",
        )

    def _standing(self) -> GuardView | None:
        """The guard of this scope and set that is set; None where there is none."""
        try:
            return self.desk.guards.get(self._wish.scope, self._wish.value, self._wish.what)
        except BadInput:
            return None

    def _actions(self) -> list[str]:
        one = self._wish.scope is HaltScope.CLIENT
        return [action.value for action in GuardAction if one or action is GuardAction.BLOCK]

    def title(self) -> str:
        """Of whom."""
        return f"GUARD of {scope_title(self._wish.scope, self._named())}"

    def _named(self) -> str:
        if self._wish.scope is HaltScope.CLIENT:
            client = self.desk.clients.get(int(self._wish.value))
            return f"{client.code} {MASK if self.shell.privacy else client.name}"
        return self._wish.value or "desk"

    def begin(self) -> None:
        """In the loss limit, or at the end where the line had it all."""
        (self.query_one(AnswerField) if self._wish.limited else self.query_one("#guard-loss", Input)).focus()
        self.say()

    def on_frame(self) -> None:
        """Its figures follow the market."""
        self.paint()

    def _typed(self) -> GuardWish:
        """The guard as it stands in the fields. Raises `BadInput`."""
        loss = self._limit("guard-loss", "loss")
        target = self._limit("guard-target", "target")
        return replace(
            self._wish,
            what=FlattenWhat(self.query_one("#guard-set", ChoiceField).value),
            action=GuardAction(self.query_one("#guard-action", ChoiceField).value),
            loss_bps=loss[0],
            loss_paise=loss[1],
            target_bps=target[0],
            target_paise=target[1],
        )

    def _limit(self, field: str, name: str) -> tuple[int | None, int | None]:
        text = self.query_one(f"#{field}", Input).value.strip()
        return limit_from(text, name) if text else (None, None)

    def paint(self) -> None:
        """Besides, where it would stand now, and the words that set it."""
        self._stands = self._asks = ""
        super().paint()
        self.query_one("#guard-now", SteadyStatic).update(Content(plain(self._stands)))
        self.query_one(AnswerField).set_label(f"type  {self._asks or WORD}  and Enter to set it:")

    def comes_to(self) -> str:
        """What it does once it trips."""
        wish = self._typed()
        if not wish.limited:
            return NO_LIMIT
        view = self.desk.guards.prospect(wish)
        self._stands, self._asks = self._now(view), answer_of(wish, view.of, view.stands_broken)
        at_once = at_once_words(view, self.shell.privacy)
        return f"{at_once.upper()} · {action_words(wish.action)}" if at_once else action_words(wish.action)

    def _now(self, view: GuardView) -> str:
        """Where a guard of these terms would stand now."""
        masked = self.shell.privacy
        shown = (bar_words(view, masked), limits_words(view, masked), made_of_words(view, masked))
        return f"now {' · '.join(shown)}"

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Set it, where the words are right."""
        event.stop()
        self.keep(self._set(event.text))

    async def _set(self, answer: str) -> None:
        wish = self._typed()
        if not self.desk.guards.answer(wish) and answer.casefold() != WORD:
            raise BadInput("answer", answer, f"type {WORD}")
        view = await self.desk.guards.set(wish, answer)
        self.shell.say(f"guard of {view.of} is set: {guard_line(view, self.shell.privacy)}")
        self.close()


_FIELD = {"compact": True, "select_on_focus": False, "max_length": 12}


def _limit(bps: int | None, paise: int | None) -> str:
    """A limit as it is typed."""
    return f"{percent(bps)}%" if bps is not None else typed(paise)


def _terms_of(view: GuardView) -> GuardWish:
    """The terms of a guard that is set, as a wish."""
    loss = view.loss_limit_paise if view.loss_bps is None else None
    target = view.target_limit_paise if view.target_bps is None else None
    return GuardWish(
        view.scope, view.value, view.what, view.action, view.loss_bps, loss, view.target_bps, target
    )


def ask_off(screen: DockHost[Any], view: GuardView) -> None:
    """Ask before a guard is taken away."""

    async def off() -> None:
        try:
            await screen.desk.guards.remove(view.scope, view.value, view.what)
        except TradedeskError as problem:
            screen.shell.say(refusal_words(problem), "warning")
        else:
            screen.shell.say(f"the guard of {view.of}, {view.what.value}, is taken away")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(off())

    lines = [guard_line(view, screen.shell.privacy), "nothing watches these positions then"]
    screen.open_card(WordsCard(f"TAKE AWAY the guard of {view.of}", lines, "off"), answered)


def ask_arm(screen: DockHost[Any], view: GuardView) -> None:
    """Ask for the words that arm a guard again."""

    async def arm() -> None:
        try:
            made = await screen.desk.guards.arm(view.scope, view.value, view.what, f"arm {view.of}")
        except TradedeskError as problem:
            screen.shell.say(refusal_words(problem), "warning")
        else:
            screen.shell.say(f"guard of {made.of} is armed again: {guard_line(made, screen.shell.privacy)}")

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(arm())

    halt = "" if view.trip is None else f"; halt {view.trip.halt_number} ends with it"
    lines = [guard_line(view, screen.shell.privacy), f"it can trip again from then on{halt}"]
    card = WordsCard(f"ARM AGAIN the guard of {view.of}", lines, f"arm {view.of}".casefold())
    screen.open_card(card, answered)
