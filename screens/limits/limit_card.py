"""Setting a limit: of what, at which figure, how strict; said in words before Enter sets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from data.vocabulary import LimitKind, LimitScope, LimitStrength, LimitUnit
from engine.planning.limits.typed import LimitWish, figure_from
from engine.words.formats import typed
from engine.words.refusals import refusal_words
from engine.words.trading.limits import figure_words, kind_words, limit_wish_words, place_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.form import FormCard
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from engine.book.watched.limit_views import LimitView
    from screens.frame.dock import DockHost

ROWS = 5

WORD = "set"
"""What is typed to set it."""

OFFERED = tuple(kind for kind in LimitKind if kind is not LimitKind.DAILY_LOSS_PERCENT)
"""What may be limited; a daily loss in percent is a daily loss that is typed so."""

STRENGTHS = {
    LimitStrength.HARD: "nothing beyond it leaves",
    LimitStrength.SOFT: "beyond it by a typed reason",
    LimitStrength.OFF: "not looked for",
}
"""What each strength does."""

UNITS = {
    LimitUnit.PAISE: "in rupees, such as 5,00,000",
    LimitUnit.BPS: "in percent, such as 25%",
    LimitUnit.COUNT: "a count, such as 500",
    LimitUnit.NONE: "it has no figure",
}

_FIELD: dict[str, Any] = {"compact": True, "select_on_focus": False}


class FigureInput(SteadyInput):
    """A limit's figure, which has no letters: they go to the line of the answer."""

    @dataclass
    class Lettered(Message):
        """A letter was typed."""

        letter: str

    def on_key(self, event: events.Key) -> None:
        """Take no letter."""
        if event.character is not None and event.character.isalpha():
            event.stop()
            event.prevent_default()
            self.post_message(self.Lettered(event.character))


class LimitCard(FormCard[None]):
    """A limit's terms; Enter goes from field to field, and at last sets it."""

    TITLE_WORDS = "A limit"

    def __init__(self, wish: LimitWish, asks: bool = False) -> None:
        """With what is known of it; where all of it is, it `asks` at once for the word that sets it."""
        super().__init__()
        self._asks = asks
        self._wish = wish
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """The terms, what it would be, and the line that sets it."""
        wish = self._wish
        kind = LimitKind.DAILY_LOSS if wish.kind is LimitKind.DAILY_LOSS_PERCENT else wish.kind
        with Horizontal(classes="row"):
            yield SteadyStatic("limit")
            yield ChoiceField([one.word for one in self._kinds()], kind.word, id="limit-kind")
            yield SteadyStatic("figure")
            yield FigureInput(_figure(wish), id="limit-figure", max_length=14, **_FIELD)
            yield SteadyStatic("list", classes="of-list")
            yield SteadyInput(wish.list_name, id="limit-list", max_length=16, classes="of-list", **_FIELD)
            yield ChoiceField(self._strengths(), wish.strength.value, id="limit-strength")
        yield SteadyStatic(id="limit-would", classes="would")
        yield AnswerField(f"type  {WORD}  and Enter to set it:", monotonic=self.shell.monotonic)
        yield SteadyStatic(
            "Tab next  ← → choose  Enter goes on  Esc back, nothing is set", classes="keys -always"
        )

    def _kinds(self) -> list[LimitKind]:
        one = self._wish.scope is LimitScope.CLIENT
        return [kind for kind in OFFERED if not (one and kind.together)]

    def _strengths(self) -> list[str]:
        wide = self._wish.scope is LimitScope.DESK
        return [one.value for one in LimitStrength if wide or one is not LimitStrength.OFF]

    def title(self) -> str:
        """Of whom."""
        return f"LIMIT of {place_words(self._wish.scope, self._wish.whose) or 'the desk'}"

    def begin(self) -> None:
        """In the kind, or in the figure where the kind is known."""
        known = self._wish.figure is not None
        if self._asks:
            self.query_one(AnswerField).focus()
        else:
            self.query_one("#limit-figure" if known else "#limit-kind").focus()
        self.say()

    def on_figure_input_lettered(self, event: FigureInput.Lettered) -> None:
        """A letter is of the word that sets it."""
        event.stop()
        self.query_one(AnswerField).type_on(event.letter)

    def _typed(self) -> LimitWish:
        """The limit as it stands in the fields. Raises `BadInput`."""
        kind = LimitKind(self.query_one("#limit-kind", ChoiceField).value.replace("-", "_"))
        strength = LimitStrength(self.query_one("#limit-strength", ChoiceField).value)
        name, figure = "", None
        if kind is LimitKind.LIST:
            name = self.query_one("#limit-list", Input).value.strip().casefold()
            if not name:
                raise BadInput("list", "", "name the list, such as gsm; :lists shows them")
        elif kind.unit is not LimitUnit.NONE:
            text = self.query_one("#limit-figure", Input).value.strip()
            if not text:
                raise BadInput("figure", "", UNITS[kind.unit])
            kind, figure = figure_from(kind, text)
        return LimitWish(self._wish.scope, self._wish.whose, kind, strength, figure, name)

    def paint(self) -> None:
        """Besides, there is a list to be named for a limit of one alone."""
        of_list = self.query_one("#limit-kind", ChoiceField).value == LimitKind.LIST.value
        for part in self.query(".of-list"):
            part.display = of_list
        super().paint()

    def comes_to(self) -> str:
        """The limit in words; what is yet to be typed is no fault."""
        try:
            wish = self._typed()
        except BadInput as wrong:
            if wrong.value:
                raise
            return f"{wrong.field}: {wrong.expected}"
        return f"{limit_wish_words(wish)} · {STRENGTHS[wish.strength]}{self._before(wish)}"

    def _before(self, wish: LimitWish) -> str:
        """What stands in its place."""
        limits = self.desk.limits
        for one in limits.all():
            place = (one.scope, limits.whose_words(one), one.kind, one.list_name)
            same = place == (wish.scope, wish.whose, wish.kind, wish.list_name)
            if same and (one.figure, one.strength) == (wish.figure, wish.strength):
                return " · as it stands"
            if same and (one.figure is None or one.strength is wish.strength):
                was = f"{figure_words(one.kind, one.figure)} {one.strength.value}".strip()
                return f" · in the place of {was}"
        return ""

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Set it."""
        event.stop()
        self.keep(self._set(event.text))

    async def _set(self, answer: str) -> None:
        wish = self._typed()
        if answer.casefold() != WORD:
            raise BadInput("answer", answer, f"type {WORD}")
        await self.desk.limits.set(wish)
        self.shell.say(limit_wish_words(wish))
        self.close()


def _figure(wish: LimitWish) -> str:
    """A figure as it is typed."""
    if wish.figure is None:
        return ""
    match wish.kind.unit:
        case LimitUnit.PAISE:
            return typed(wish.figure)
        case LimitUnit.BPS:
            return f"{wish.figure / 100:g}%"
        case _:
            return str(wish.figure)


def _wish_of(whose: str, limit: LimitView) -> LimitWish:
    return LimitWish(limit.scope, whose, limit.kind, limit.strength, limit.figure, limit.list_name)


def change_limit(screen: DockHost[Any], limit: LimitView) -> None:
    """Open the form of a limit that is set."""
    screen.open_card(LimitCard(_wish_of(screen.desk.limits.whose_words(limit), limit)))


def ask_remove_here(screen: DockHost[Any], limit: LimitView) -> None:
    """Ask before a limit that is set is taken away."""
    ask_remove(screen, _wish_of(screen.desk.limits.whose_words(limit), limit))


def ask_remove(screen: DockHost[Any], wish: LimitWish) -> None:
    """Ask before a limit is taken away."""

    async def remove() -> None:
        try:
            await screen.desk.limits.remove(wish)
        except TradedeskError as problem:
            screen.shell.say(refusal_words(problem), "warning")
        else:
            screen.shell.say(limit_wish_words(wish, removes=True))

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(remove())

    what = kind_words(wish.kind, wish.list_name)
    lines = [limit_wish_words(wish), "nothing is held against it then"]
    screen.open_card(WordsCard(f"TAKE AWAY the limit of {what}", lines, "off"), answered)
