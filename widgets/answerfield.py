"""The field for typed words that let something happen: a count, `resume`."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

SETTLE_SECONDS = 0.05
"""Enter sooner than this after a character comes from a paste or a slipping hand, and is not taken."""
HELD_SECONDS = 0.7
"""Enters no further apart than this, with nothing typed between them, are one held key.

It is longer than the delay after which terminals begin to repeat a key.
"""


class _AnswerInput(SteadyInput):
    """An input that submits only a deliberate Enter."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._monotonic = monotonic
        self._typed_at = float("-inf")
        self._enter_at = float("-inf")

    def on_key(self, event: events.Key) -> None:
        """Remember when the last key other than Enter came."""
        if event.key != "enter":
            self._typed_at = self._monotonic()
            self._enter_at = float("-inf")

    def on_focus(self) -> None:
        """An Enter still held from where the focus was is no answer to what stands here."""
        self._enter_at = self._monotonic()

    def _on_paste(self, event: events.Paste) -> None:
        """An answer is typed: a paste is told to the trader and not taken."""
        event.stop()
        event.prevent_default()
        self.post_message(AnswerField.Ignored("type the words; a paste is not taken"))

    def action_paste(self) -> None:
        """The clipboard is a paste as well."""
        self.post_message(AnswerField.Ignored("type the words; a paste is not taken"))

    async def action_submit(self) -> None:
        """Submit if the Enter came by itself."""
        now = self._monotonic()
        held = now - self._enter_at < HELD_SECONDS
        self._enter_at = now
        if held or not self.value.strip():
            return
        if now - self._typed_at < SETTLE_SECONDS:
            self.post_message(
                AnswerField.Ignored("Enter came too fast after the last character; press it again")
            )
            return
        await super().action_submit()


class AnswerField(Horizontal):
    """A label and a line that takes letters, posts `Answered` on a deliberate Enter, and is left by Tab."""

    DEFAULT_CSS = """
    AnswerField {
        height: 1;
        width: 1fr;
        Static { width: auto; padding: 0 1; }
        Input { width: 1fr; max-width: 24; background: $surface; }
    }
    """

    @dataclass
    class Answered(Message):
        """The trader typed `text` and pressed Enter; blanks around it are gone."""

        field: "AnswerField"
        text: str

        @property
        def control(self) -> "AnswerField":
            """The field, for selectors."""
            return self.field

    @dataclass
    class Ignored(Message):
        """Something typed or pasted was not taken; `why` is for the trader."""

        why: str

    def __init__(
        self,
        label: str,
        *,
        monotonic: Callable[[], float],
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._label = SteadyStatic(Content(plain(label)))
        self._input = _AnswerInput(monotonic)

    def compose(self) -> ComposeResult:
        """The label and the line."""
        yield self._label
        yield self._input

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._input.value

    def set_label(self, label: str, answerable: bool = True) -> None:
        """Say something else in front of the line; there is no line where nothing can be answered."""
        self._label.update(Content(plain(label)))
        self._input.display = answerable

    def clear(self) -> None:
        """Empty the line, as when what was to be answered has changed."""
        self._input.value = ""

    def type_on(self, text: str) -> None:
        """Take up what was typed elsewhere though it was meant for this line, and the focus with it."""
        self._input.insert_text_at_cursor(text)
        self.focus()

    def focus(self, scroll_visible: bool = True) -> "AnswerField":
        """Put the focus into the line."""
        self._input.focus(scroll_visible)
        return self

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the inner line's messages inside."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the answer on."""
        event.stop()
        self.post_message(self.Answered(self, event.value.strip()))
