"""A line to find one of many by typing: a symbol, a client."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from widgets.steady import SteadyInput
from widgets.text import fit, plain

SHOWN = 8
"""Suggestions offered at once."""

Suggest = Callable[[str], list[tuple[Hashable, str]]]
"""Returns keys and labels for what was typed, best first; a label begins with the code and a blank."""


class SuggestionList(Widget):
    """The open list, drawn over whatever is below the line."""

    DEFAULT_CSS = """
    SuggestionList {
        overlay: screen;
        constrain: none inside;
        display: none;
        width: 44;
        height: auto;
        background: $panel;
        color: $foreground;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Hashable, str]] = []
        self.place = 0

    def show(self, found: list[tuple[Hashable, str]], place: int = 0) -> None:
        """Open with these suggestions, or close if there are none."""
        self.found, self.place = found, place
        self.display = bool(found)
        self.refresh(layout=True)

    def render(self) -> Content:
        """A line a suggestion, the chosen one marked by a sign and in reverse."""
        lines: list[Content] = []
        for place, (_, label) in enumerate(self.found):
            here = place == self.place
            line = f"{'▸' if here else ' '}{fit(label, self.size.width - 1)}"
            lines.append(Content.styled(line, "reverse") if here else Content(line))
        return Content("\n").join(lines)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click takes the suggestion; at the press, before the line loses its focus."""
        event.stop()
        event.prevent_default()
        owner = self.parent
        if isinstance(owner, SymbolInput) and 0 <= event.y < len(self.found):
            owner.choose(event.y)


class _Line(SteadyInput):
    """The line itself; `leaves_digits` lets a first digit through to the bindings around it.

    The characters of `own_keys` are keys of the form around it wherever they are typed.
    """

    leaves_digits = False
    own_keys = ""
    enter_words = "next"

    def _leaves(self, character: str | None) -> bool:
        if character is None or character in self.own_keys:
            return character is not None
        return self.leaves_digits and not self.value and character.isdigit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An empty line has nothing to delete, so that the key is the form's."""
        return bool(self.value) if action == "delete_right" else super().check_action(action, parameters)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is typed into the line."""
        return not self._leaves(character) and super().check_consume_key(key, character)

    def on_key(self, event: events.Key) -> None:
        """Leave what is not taken to the bindings."""
        if self._leaves(event.character):
            event.prevent_default()


class SymbolInput(Widget):
    """A line with a list of suggestions under it; Enter posts `Chosen` with the key of the marked one.

    The first word of a chosen label stays in the line. Leaving the line with a code typed out in full
    chooses it as well.
    """

    DEFAULT_CSS = """
    SymbolInput {
        width: 1fr;
        height: 1;
        Input { width: 1fr; background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "mark_by(1)", "Next suggestion", show=False, id="suggest.next"),
        Binding("up", "mark_by(-1)", "Previous suggestion", show=False, id="suggest.previous"),
        Binding("escape", "close", "close the list", show=False, id="suggest.close"),
    ]

    @dataclass
    class Chosen(Message):
        """The trader chose a suggestion."""

        field: "SymbolInput"
        key: Hashable

        @property
        def control(self) -> "SymbolInput":
            """The field, for selectors."""
            return self.field

    @dataclass
    class Edited(Message):
        """The trader typed, and has chosen nothing by it yet."""

        field: "SymbolInput"

        @property
        def control(self) -> "SymbolInput":
            """The field, for selectors."""
            return self.field

    @dataclass
    class Unmatched(Message):
        """The trader pressed Enter on a text that nothing fits."""

        field: "SymbolInput"
        text: str

        @property
        def control(self) -> "SymbolInput":
            """The field, for selectors."""
            return self.field

    def __init__(
        self,
        suggest: Suggest,
        *,
        placeholder: str = "",
        own_keys: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """`own_keys` are characters that are keys of the form around it and never typed here."""
        super().__init__(name=name, id=id, classes=classes)
        self._suggest = suggest
        self._input = _Line(compact=True, placeholder=placeholder, max_length=60)
        self._input.own_keys = own_keys
        self._list = SuggestionList()
        self._chosen: Hashable | None = None

    def compose(self) -> ComposeResult:
        """The line and its list."""
        yield self._input
        yield self._list

    @property
    def leaves_digits(self) -> bool:
        """Whether a digit at the start is a key of the screens, as where nobody went into the line."""
        return self._input.leaves_digits

    @leaves_digits.setter
    def leaves_digits(self, leaves: bool) -> None:
        self._input.leaves_digits = leaves

    @property
    def chosen_key(self) -> Hashable | None:
        """The key chosen for the text in the line, `None` while it is not settled."""
        return self._chosen

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._input.value

    def set_chosen(self, key: Hashable | None, text: str) -> None:
        """Put a choice made elsewhere into the line; tells nobody."""
        self._chosen = key
        with self.prevent(Input.Changed):
            self._input.value = plain(text)
        self._input.cursor_position = len(self._input.value)
        self._list.show([])

    def focus(self, scroll_visible: bool = True) -> "SymbolInput":
        """Put the focus into the line."""
        self._input.focus(scroll_visible)
        return self

    def choose(self, place: int) -> None:
        """Take the suggestion at a place of the open list."""
        key, label = self._list.found[place]
        self.set_chosen(key, label.split(maxsplit=1)[0] if label.strip() else "")
        self.post_message(self.Chosen(self, key))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what fits the text."""
        event.stop()
        self._chosen = None
        text = event.value.strip()
        self._list.show(self._suggest(text)[:SHOWN] if text else [])
        self.refresh_bindings()
        self.post_message(self.Edited(self))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the marked suggestion, or the settled choice again."""
        event.stop()
        if self._list.found:
            self.choose(self._list.place)
        elif self._chosen is not None:
            self.post_message(self.Chosen(self, self._chosen))
        else:
            self.post_message(self.Unmatched(self, event.value))

    def on_descendant_blur(self) -> None:
        """Close the list; a code that was typed out in full is a choice."""
        typed = self._input.value.strip().casefold()
        for place, (_, label) in enumerate(self._list.found):
            if label.split(maxsplit=1)[:1] and label.split(maxsplit=1)[0].casefold() == typed:
                self.choose(place)
                return
        self._list.show([])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The list's keys are there while it is open."""
        return bool(self._list.found)

    def action_mark_by(self, step: int) -> None:
        """Mark the next or previous suggestion."""
        self._list.show(self._list.found, (self._list.place + step) % len(self._list.found))

    def action_close(self) -> None:
        """Close the list and keep the text."""
        self._list.show([])
        self.refresh_bindings()
