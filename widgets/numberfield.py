"""A field for one number. A letter typed into it is no key of the screens around, and makes it no number."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.answerfield import AnswerField
from widgets.drawing import PartStyles
from widgets.text import DASH, ELLIPSIS, clip, plain

TAKEN = frozenset("0123456789.,")
"""The characters of a number."""
MINUS = "-"
SIGNS = frozenset({"+", MINUS})
"""What is typed with numbers elsewhere: no key of what lies around the field, and no part of its number."""
NO_NUMBER = "✗"
"""Stands before a text that is no number."""
_BELOW_ZERO = re.compile(r"-[0-9.,]*")

MAX_LENGTH = 18
"""Characters that fit the largest amount with its grouping."""
MANY_STEPS = 10
"""Steps of one PgUp or PgDn."""


class NumberField(Widget, can_focus=True, inherit_bindings=False):
    """One line for an integer or, with `decimals`, a decimal number; up and down change it by `step`.

    The value stays text, for the owner to convert, who refuses what is no number. A letter freezes the field:
    the digits behind it are part of a word, such as a client's code that was meant for another field. So does
    a minus before digits: without it they would be another number. What
    was typed stays in sight, the value is no number, and Enter is refused, until ctrl+u empties the field.
    """

    PARTS: ClassVar[tuple[str, ...]] = ("cursor", "empty", "frozen")
    DEFAULT_CSS = """
    NumberField {
        width: 10;
        height: 1;
        background: $surface;
        .numberfield--cursor { text-style: reverse; }
        .numberfield--empty { color: $text-muted; }
        .numberfield--frozen { color: $text-error; text-style: bold; }
        &:focus { background: $primary-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor_by(-1)", "Left", show=False, id="number.left"),
        Binding("right", "cursor_by(1)", "Right", show=False, id="number.right"),
        Binding("home", "cursor_home", "Start", show=False, id="number.home"),
        Binding("end", "cursor_end", "End", show=False, id="number.end"),
        Binding("backspace", "delete_left", "Delete left", show=False, id="number.delete_left"),
        Binding("delete", "delete_right", "Delete right", show=False, id="number.delete_right"),
        Binding("up", "step(1)", "step", key_display="↑", show=False, id="number.up"),
        Binding("down", "step(-1)", "step", key_display="↓", show=False, id="number.down"),
        Binding("pageup", f"step({MANY_STEPS})", "ten steps up", show=False, id="number.page_up"),
        Binding("pagedown", f"step(-{MANY_STEPS})", "ten steps down", show=False, id="number.page_down"),
        Binding("ctrl+u", "clear", "empty", show=False, id="number.clear"),
        Binding("enter", "submit", "go on", key_display="Enter", id="number.submit"),
    ]

    @dataclass
    class Changed(Message):
        """The trader changed the text."""

        field: "NumberField"
        value: str

        @property
        def control(self) -> "NumberField":
            """The field, for selectors."""
            return self.field

    @dataclass
    class Submitted(Message):
        """The trader pressed Enter."""

        field: "NumberField"
        value: str

        @property
        def control(self) -> "NumberField":
            """The field, for selectors."""
            return self.field

    def __init__(
        self,
        value: str = "",
        *,
        step: Decimal | int = 1,
        decimals: int = 0,
        own_keys: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        """Two `own_keys` one behind the other, and then a digit, are a word all the same."""
        super().__init__(name=name, id=id, classes=classes)
        self._parts = PartStyles(self, "numberfield", self.PARTS)
        self.step = Decimal(step)
        """A tick or a lot, in the units of the field."""
        self.decimals = decimals
        """Decimals of a stepped value."""
        self.own_keys = own_keys
        """Letters that are keys of the form around the field, and do their work there."""
        self._letters = ""
        self._value = value
        self._place = len(value)
        self._replace_all = False
        self._own_width = 0
        """How wide it is by the style sheet while it is wider, for a long value; else 0."""

    @property
    def value(self) -> str:
        """The text, empty for nothing; setting it tells nobody."""
        return self._value

    @value.setter
    def value(self, text: str) -> None:
        self._value = text
        self._place = len(text)
        self._replace_all = self.has_focus and bool(text) and not self.frozen
        self._make_room()
        self.refresh()

    @property
    def number(self) -> Decimal | None:
        """The text as a plain number, `None` if it is none; commas in it are the owner's to judge."""
        if self.frozen:
            return None
        try:
            return Decimal(self._value)
        except InvalidOperation:
            return None

    @property
    def frozen(self) -> bool:
        """Whether something stands in the field that is no part of a number above zero."""
        return not TAKEN.issuperset(self._value)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is typed into the field, so that outer bindings are not shown for it."""
        if character is None or not (character in TAKEN | SIGNS or character.isalnum()):
            return False
        return self.frozen or character not in self.own_keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A frozen field is emptied as a whole; an empty one has nothing to delete."""
        if action == "delete_right" and not self._value:
            return False
        return not self.frozen or action in ("clear", "submit")

    def on_resize(self) -> None:
        """What stands there from the beginning has room as well."""
        self._make_room()

    def _make_room(self) -> None:
        """Be as wide as a value that is longer than the field, with the cursor behind it."""
        width, wanted = self._own_width or self.size.width, len(self._value) + 1 + self.frozen
        if width and wanted > width:
            self._own_width, self.styles.min_width = width, wanted
        elif self._own_width:
            self._own_width, self.styles.min_width = 0, None

    def on_focus(self) -> None:
        """The first character typed replaces what stands there."""
        self._replace_all = bool(self._value) and not self.frozen
        self._place, self._letters = len(self._value), ""

    def on_key(self, event: events.Key) -> None:
        """Take digits, point and comma, and leave the form's own keys; all else freezes it."""
        character = event.character
        if not self.check_consume_key(event.key, character) or character is None:
            self._letters = self._letters + event.key if event.key in self.own_keys else ""
            return
        event.stop()
        event.prevent_default()
        letters, self._letters = self._letters, ""
        if len(letters) > 1:
            self._freeze(letters + character)
        elif character in SIGNS and not self.frozen:
            self._letters = character
            self.post_message(AnswerField.Ignored(f"{character} is no part of this number"))
        elif letters == MINUS:
            self._freeze(("" if self._replace_all else self._value) + letters + character)
        elif self.frozen or character not in TAKEN:
            self._freeze(("" if self._replace_all else self._value) + character)
        else:
            self._insert(character)

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted number; anything else freezes the field. A paste never submits."""
        event.stop()
        text = event.text.strip()
        if text and not self.frozen and TAKEN.issuperset(text):
            self._replace_all = True
            self._insert(text)
        elif text:
            self._freeze(self._value * self.frozen + text)

    def _freeze(self, text: str) -> None:
        """Keep what was typed in sight; it is no number."""
        self._change(plain(text)[:MAX_LENGTH], 0)
        self._say_frozen()

    def _say_frozen(self) -> None:
        called = self.name or (self.id or "").rpartition("-")[2].replace("_", " ")
        what = "below zero" if _BELOW_ZERO.fullmatch(self._value) else "no number"
        self.post_message(
            AnswerField.Ignored(f"{called} {self._value} is {what}: ctrl+u empties the field".lstrip())
        )

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is."""
        offset = event.get_content_offset(self)
        if offset is not None:
            self._replace_all = False
            self._place = min(len(self._value), offset.x + self._first_shown())
            self.refresh()

    def _insert(self, text: str) -> None:
        old, place = ("", 0) if self._replace_all else (self._value, self._place)
        if len(old) + len(text) > MAX_LENGTH:
            return
        self._change(old[:place] + text + old[place:], place + len(text))

    def _change(self, value: str, place: int) -> None:
        changed = value != self._value
        self._value, self._place, self._replace_all = value, place, False
        self._make_room()
        self.refresh()
        if changed:
            self.post_message(self.Changed(self, value))

    def action_cursor_by(self, cells: int) -> None:
        """Move the cursor."""
        self._change(self._value, max(0, min(len(self._value), self._place + cells)))

    def action_cursor_home(self) -> None:
        """Move the cursor to the start."""
        self._change(self._value, 0)

    def action_cursor_end(self) -> None:
        """Move the cursor to the end."""
        self._change(self._value, len(self._value))

    def action_delete_left(self) -> None:
        """Delete the character before the cursor, or all of a value just entered upon."""
        if self._replace_all:
            self._change("", 0)
        elif self._place:
            self._change(self._value[: self._place - 1] + self._value[self._place :], self._place - 1)

    def action_delete_right(self) -> None:
        """Delete the character under the cursor, or all of a value just entered upon."""
        if self._replace_all:
            self._change("", 0)
        else:
            self._change(self._value[: self._place] + self._value[self._place + 1 :], self._place)

    def action_step(self, steps: int) -> None:
        """Go to the next multiple of the step, and on by the rest, not below zero; text with commas stays."""
        number = self.number if self._value else Decimal(0)
        if number is None:
            return
        whole, rest = divmod(number, self.step)
        if rest and steps < 0:
            whole += 1
        stepped = (whole + steps) * self.step
        text = f"{max(Decimal(0), stepped):.{self.decimals}f}"
        self._change(text, len(text))

    def action_clear(self) -> None:
        """Empty the field, whatever stands in it."""
        self._change("", 0)

    def action_submit(self) -> None:
        """Tell that the trader goes on; not with letters in the field."""
        if self.frozen:
            self._say_frozen()
            return
        self.post_message(self.Submitted(self, self._value))

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    def _first_shown(self) -> int:
        """Place of the first character in view, so that the cursor always is; without one the beginning."""
        return max(0, self._place - self.size.width + 1) if self.has_focus else 0

    def render_line(self, y: int) -> Strip:
        """The number with the cursor on it, or a dash for nothing."""
        width, style = self.size.width, self.rich_style
        cursor = self._parts.partial("cursor")
        if not self._value and not self.has_focus:
            empty = self._parts.whole("empty")
            return Strip([Segment(DASH.ljust(width)[:width], empty)], width)
        if self.frozen:
            frozen = style + self._parts.partial("frozen")
            return Strip([Segment(clip(f"{NO_NUMBER}{self._value}", width).ljust(width), frozen)], width)
        first = self._first_shown()
        text = clip(self._value[first:], width).ljust(width)
        text = f"{ELLIPSIS}{text[1:]}" if first else text  # part of a number must not look like one
        if not self.has_focus:
            return Strip([Segment(text, style)], width)
        if self._replace_all:
            shown = len(self._value[first:])
            return Strip([Segment(text[:shown], style + cursor), Segment(text[shown:], style)], width)
        at = self._place - first
        return Strip(
            [
                Segment(text[:at], style),
                Segment(text[at : at + 1], style + cursor),
                Segment(text[at + 1 :], style),
            ],
            width,
        )
