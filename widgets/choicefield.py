"""A field that holds one of a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from widgets.answerfield import AnswerField
from widgets.text import plain


class ChoiceField(Widget, can_focus=True, inherit_bindings=False):
    """Shows `‹CNC›`; left and right choose among the options, round the end to the start.

    An option's word may be typed in capitals, as it is shown. A capital that begins or goes on no word, and
    any other letter, is left to the screen.
    """

    DEFAULT_CSS = """
    ChoiceField {
        width: auto;
        height: 1;
        &:focus { background: $primary-muted; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "choose", key_display="←", show=False, id="choice.previous"),
        Binding("right", "choose(1)", "choose", key_display="→", show=False, id="choice.next"),
        Binding("enter", "submit", "go on", key_display="Enter", id="choice.submit"),
    ]

    left_alone: ClassVar[frozenset[str]] = frozenset("BS")
    """Capitals that are keys of the screens: they begin no word here, but go on with one."""

    @dataclass
    class Changed(Message):
        """The trader chose another option."""

        field: "ChoiceField"
        value: str

        @property
        def control(self) -> "ChoiceField":
            """The field, for selectors."""
            return self.field

    @dataclass
    class Submitted(Message):
        """The trader pressed Enter."""

        field: "ChoiceField"
        value: str

        @property
        def control(self) -> "ChoiceField":
            """The field, for selectors."""
            return self.field

    def __init__(
        self,
        options: Sequence[str],
        value: str | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._options: tuple[str, ...] = ()
        self._value = ""
        self._typed = ""
        self._refused = ""
        self.set_options(options, value)

    @property
    def options(self) -> tuple[str, ...]:
        """The words to choose from."""
        return self._options

    @property
    def value(self) -> str:
        """The chosen word, empty if there are no options; setting it tells nobody.

        Setting raises `ValueError` for a word that is no option.
        """
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        if value not in self._options:
            raise ValueError(f"{value!r} is none of {', '.join(self._options)}")
        self._value = value
        self.refresh()

    def set_options(self, options: Sequence[str], value: str | None = None) -> None:
        """Offer other words; the chosen one stays if it is among them, else the first is taken."""
        self._options = tuple(options)
        wanted = self._value if value is None else value
        self._value = wanted if wanted in self._options else next(iter(self._options), "")
        self.refresh(layout=True)
        if self.is_attached:  # where a first layout is still to come, it keeps the width that it asked before
            self.call_after_refresh(self.refresh, layout=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a second option there is nothing to choose."""
        return len(self._options) > 1 if action == "choose" else True

    def on_key(self, event: events.Key) -> None:
        """Take the letters of an option's word."""
        letter = event.character or ""
        if letter.isdigit():  # it would leave the form for a workspace
            event.stop()
            event.prevent_default()
            self._refused += letter
            self.post_message(AnswerField.Ignored("← → choose here; a digit is no choice"))
            return
        if event.key != "enter":
            self._refused = ""
        if not (letter.isupper() or letter == "-"):
            self._typed = ""
            return
        typed = self._typed + letter
        found = next((option for option in self._options if option.startswith(typed)), None)
        self._typed = typed if found is not None else ""
        if found is None or (len(typed) == 1 and letter in self.left_alone):
            return
        event.stop()
        event.prevent_default()
        if found != self._value:
            self._value = found
            self.refresh()
            self.post_message(self.Changed(self, found))

    def on_blur(self) -> None:
        """A word ends with the field."""
        self._typed = self._refused = ""

    def action_choose(self, step: int) -> None:
        """Take the next or previous option."""
        place = self._options.index(self._value)
        self._value = self._options[(place + step) % len(self._options)]
        self.refresh()
        self.post_message(self.Changed(self, self._value))

    def action_submit(self) -> None:
        """Tell that the trader goes on; not right behind digits, which were meant for another field."""
        refused, self._refused = self._refused, ""
        if refused:
            words = f"{refused} was not taken: ← → choose here; Enter again goes on without it"
            self.post_message(AnswerField.Ignored(words))
            return
        self.post_message(self.Submitted(self, self._value))

    def on_click(self, event: events.Click) -> None:
        """The left half chooses backwards, the right half forwards."""
        event.stop()
        if len(self._options) > 1:
            self.action_choose(-1 if event.x * 2 < self.size.width else 1)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as the longest option, so that nothing beside it moves."""
        return max((Content(plain(option)).cell_length for option in self._options), default=0) + 2

    def render(self) -> Content:
        """The option between its marks."""
        return Content(f"‹{plain(self._value)}›")
