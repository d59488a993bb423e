"""A masked line for a secret that is pasted and used once."""

from textual import events

from widgets.answerfield import AnswerField
from widgets.steady import SteadyInput

FALLS_THROUGH = frozenset("{}")
"""Characters no token or address holds; they reach the bindings around the field."""


class TokenField(SteadyInput):
    """Shows dots for what is typed or pasted; nothing of it can be copied out of the field."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(password=True, compact=True, select_on_focus=False, id=id)

    def take(self) -> str:
        """What stands in the line, which is empty from then on."""
        text, self.value = self.value, ""
        return text

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is typed into the field."""
        return character not in FALLS_THROUGH and super().check_consume_key(key, character)

    def on_key(self, event: events.Key) -> None:
        """Leave what is not taken to the bindings."""
        if event.character in FALLS_THROUGH:
            event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        """Take a paste as one line: an address copied off a terminal may come in several."""
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor("".join(event.text.split()))

    def action_paste(self) -> None:
        """What lies in the program's own clipboard is the link, never a token."""
        self.post_message(AnswerField.Ignored("paste with the terminal's own keys, such as ctrl+shift+v"))

    def action_copy(self) -> None:
        """Copy nothing."""

    def action_cut(self) -> None:
        """Copy nothing."""
