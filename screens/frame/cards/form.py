"""What every form of the dock does: say what its fields come to, go on by Enter, keep what was typed."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from textual.content import Content
from textual.widgets import Input

from data.errors import TradedeskError
from engine.words.refusals import refusal_words
from screens.frame.dock import Answer, Card
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from textual.widget import Widget


class FormCard(Card[Answer]):
    """Fields, and a line that says what they come to; what is wrong stands there until a field changes."""

    SAYS: ClassVar[str] = ".would"
    """The line that says it, as a selector."""

    _wrong = ""
    """Why what was typed was not kept."""

    # Hooks

    def comes_to(self) -> str:
        """What the fields come to, in words. Raises what is wrong with them."""
        return ""

    def wrong_words(self, problem: Exception) -> str:
        """What is wrong, in words."""
        return refusal_words(problem)

    def entered(self, field: Widget) -> None:
        """Enter in a field goes on to the next; a form's last one keeps what was typed."""
        self.screen.focus_next()

    def paint(self) -> None:
        """Show what the fields come to; called at each change."""
        words, problem = "", self._wrong
        try:
            words = self.comes_to()
        except (TradedeskError, LookupError) as wrong:
            problem = problem or self.wrong_words(wrong)
        line = self.query_one(self.SAYS, SteadyStatic)
        line.set_class(bool(problem), "-problem")
        line.update(Content(plain(problem or words)))

    # What forms do

    def say(self, wrong: str = "") -> None:
        """Show what the fields come to, or why it was not kept."""
        self._wrong = wrong
        self.paint()

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what was typed before any further key; where it is refused the form stays and says why."""

        async def kept() -> None:
            try:
                await work
            except (TradedeskError, LookupError) as problem:
                if self.is_attached:
                    for field in self.query(AnswerField):
                        field.clear()
                    self.say(self.wrong_words(problem))

        self.carry_out(self.before_further_keys(kept()))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it comes to."""
        event.stop()
        self.say()

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        """Say what it comes to."""
        event.stop()
        self.say()

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Say what it comes to."""
        event.stop()
        self.say()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on, or keep it."""
        event.stop()
        self.entered(event.input)

    def on_number_field_submitted(self, event: NumberField.Submitted) -> None:
        """Go on, or keep it."""
        event.stop()
        self.entered(event.field)

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Go on, or keep it."""
        event.stop()
        self.entered(event.field)
