"""Text and fields that change often, and lay nothing out for it."""

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.visual import VisualType
from textual.widgets import Input, Static


class SteadyStatic(Static):
    """A Static that neither lays out nor paints while what it is given is what it shows."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show `content`, unless the same text with the same styles is shown already."""
        shown = self.content
        if isinstance(content, Content) and isinstance(shown, Content) and shown.is_same(content):
            return
        super().update(content, layout=layout)


class SteadyInput(Input):
    """An Input that lays nothing out for what is typed; its width must not be that of its words.

    Textual has the whole screen laid out at each key, since the size of the words changes, which moves
    nothing but what is seen of a line too long for its field.
    """

    virtual_size = Reactive(Size(0, 0), layout=False)
    enter_words = ""
    """What the key line says of Enter, where its owner tells."""

    @dataclass
    class TooLong(Message):
        """What was typed or pasted does not fit the field, which took none of it."""

        most: int

    def restricted(self) -> None:
        """Have it told: a paste that is cut short would be another answer than the one meant."""
        if self.max_length is not None:
            self.post_message(self.TooLong(self.max_length))

    def key_words(self, action: str) -> str | None:
        """The words of a key that the key line leaves out otherwise."""
        return self.enter_words or None if action == "submit" else None
