"""For how long an alert is put off: one choice, taken by Enter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from engine.colon.alerts import AT_FIRST, offered
from engine.words.alerts import PUT_OFF_WORDS, alert_words
from screens.frame.dock import Card
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.book.watched.alert_views import AlertView


class PutOffCard(Card[str]):
    """Choose how long; closes with what the desk takes, such as `30m`, or with none after Esc."""

    TITLE_WORDS = "Put off"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, alert: AlertView) -> None:
        super().__init__()
        self._alert = alert
        self.rows = 2

    def compose(self) -> ComposeResult:
        """The choice, and the alert that it is about."""
        self._offered = {PUT_OFF_WORDS[one]: one for one in offered(self.desk.market.now())}
        with Horizontal(classes="row"):
            yield SteadyStatic("not shown")
            yield ChoiceField(list(self._offered), PUT_OFF_WORDS[AT_FIRST], id="put-off")
            yield KeyHint(" ←→ choose  Enter takes  Esc back")
        yield SteadyStatic(Content(plain(alert_words(self._alert))))

    def title(self) -> str:
        """What is asked."""
        return "PUT OFF: for how long?"

    def begin(self) -> None:
        """In the choice."""
        self.query_one(ChoiceField).focus()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Take it."""
        event.stop()
        self.shell.after_key(partial(self.close, self._offered[event.value]))
