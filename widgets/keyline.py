"""The bottom line: the keys that do something here and now."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import ActiveBinding, Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.drawing import PartStyles

if TYPE_CHECKING:
    from textual.screen import Screen

CANCEL_ALL = "F9 F9 CANCEL ALL"
"""What the line always ends in, but where nothing can be cancelled."""
CANCELS_NOTHING = "LOOK: F9 cancels nothing"
CANCEL_KEY = "f9"
TYPED_ONLY = "y"
"""The key that sends. A click presses all others that the line shows."""

_NAMES = {"enter": "Enter", "escape": "Esc", "space": "space", "tab": "Tab", "delete": "Del"}
_NAMES |= {"up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn"}
_CHARACTERS = {"question_mark": "?", "slash": "/", "colon": ":", "full_stop": ".", "exclamation_mark": "!"}
_CHARACTERS |= {"asterisk": "*", "left_square_bracket": "[", "right_square_bracket": "]", "plus": "+"}
_CHARACTERS |= {
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "minus": "-",
    "comma": ",",
    "at": "@",
    "semicolon": ";",
}


def key_name(binding: Binding) -> str:
    """How a key is written for the trader: `Enter`, `^p`, `?`, `F3`, `b`."""
    if binding.key_display:
        return binding.key_display
    modifiers, key = binding.parse_key()
    name = _NAMES.get(key) or _CHARACTERS.get(key) or (key if len(key) == 1 else key.capitalize())
    return "".join("^" if modifier == "ctrl" else f"{modifier}+" for modifier in modifiers) + name


def hinted_key(hint: str, x: int) -> str:
    """The key under cell `x` of a hint such as `{ } list  Enter opens`; empty where there is none.

    An entry of several keys has one under each of them; its words press the first.
    """
    start = 0
    for entry in hint.split("  "):
        if start <= x < start + cell_len(entry):
            keys = list(takewhile(_is_key, entry.split(" ")))
            place = entry[: max(0, x - start)].count(" ")
            return _hinted(keys[place if place < len(keys) else 0]) if keys else ""
        start += cell_len(entry) + 2
    return ""


def _is_key(word: str) -> bool:
    return len(word) == 1 or word in _NAMES.values()


def _hinted(word: str) -> str:
    names = {shown: key for key, shown in (_NAMES | _CHARACTERS).items()}
    return names.get(word, word)


@dataclass(frozen=True)
class KeyEntry:
    """One or several keys with one meaning."""

    keys: tuple[str, ...]
    """Textual's names, for pressing them by mouse."""
    shown: str
    """As written in the line, before the words."""
    words: str

    @property
    def width(self) -> int:
        """Cells taken."""
        return cell_len(self.shown) + 1 + cell_len(self.words)


def entries_of(bindings: list[Binding]) -> list[KeyEntry]:
    """Entries for the line: keys of one action are named once, keys of one group share its words."""
    chosen: dict[str, Binding] = {}
    for binding in bindings:
        if binding.show and binding.description and binding.key != CANCEL_KEY:
            chosen.setdefault(binding.action, binding)
    grouped: dict[str, list[Binding]] = {}
    for binding in chosen.values():
        words = binding.group.description if binding.group else binding.description
        grouped.setdefault(words, []).append(binding)
    return [
        KeyEntry(tuple(b.key for b in members), " ".join(key_name(b) for b in members), words)
        for words, members in grouped.items()
    ]


def _worded(found: ActiveBinding) -> Binding:
    """The binding in the words of who owns it, where its `key_words` say what the action does now.

    One that the line leaves out otherwise is shown where there are such words.
    """
    key_words: Callable[[str], str | None] | None = getattr(found.node, "key_words", None)
    words = key_words(found.binding.action) if key_words else None
    return replace(found.binding, description=words, show=True) if words else found.binding


class KeyLine(Widget):
    """Draws the active bindings that are shown and possible, and at the right always what F9 does."""

    @dataclass
    class NotClicked(Message):
        """A click on a key that must be typed."""

        key: str

    ALLOW_SELECT = False
    PARTS: ClassVar[tuple[str, ...]] = ("key", "cancel")
    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        width: 1fr;
        dock: bottom;
        background: $panel;
        color: $text-muted;
        .keyline--key { color: $foreground; text-style: bold; }
        .keyline--cancel { color: $armed; text-style: bold; }
    }
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
        ends_in: str = CANCEL_ALL,
        leaves_out: Callable[[str], bool] = lambda action: False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._ends_in = ends_in
        self._leaves_out = leaves_out
        self._parts = PartStyles(self, "keyline", self.PARTS)
        self._entries: list[KeyEntry] = []

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: "Screen[object]") -> None:
        if not self.is_attached or screen is not self.screen:
            return
        entries = entries_of(
            [
                _worded(found)
                for found in screen.active_bindings.values()
                if self._fires(found) and not self._leaves_out(found.binding.action)
            ]
        )
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def _fires(self, found: ActiveBinding) -> bool:
        """Whether the key does something: a field in focus takes some keys as text.

        Textual leaves out most of those itself, but not keys such as `slash` whose name is not Unicode's.
        """
        focused = self.screen.focused
        character = _CHARACTERS.get(found.binding.key)
        if not found.enabled or focused is None or focused is found.node or character is None:
            return found.enabled
        return not focused.check_consume_key(found.binding.key, character)

    def _placed(self) -> list[tuple[int, KeyEntry]]:
        """The entries that fit before the cancel key, with their places."""
        room = self.size.width - cell_len(self._ends_in) - 2
        placed: list[tuple[int, KeyEntry]] = []
        x = 1
        for entry in self._entries:
            if x + entry.width <= room:
                placed.append((x, entry))
                x += entry.width + 2
        return placed

    def render_line(self, y: int) -> Strip:
        """The entries, blanks, and cancel all."""
        base = self._parts.ground
        key_style = self._parts.drawn("key")
        cancel_style = self._parts.drawn("cancel")
        parts: list[Segment] = []
        x = 0
        for start, entry in self._placed():
            parts += (Segment(" " * (start - x), base), Segment(entry.shown, key_style))
            parts.append(Segment(f" {entry.words}", base))
            x = start + entry.width
        blanks = max(0, self.size.width - x - cell_len(self._ends_in) - 1)
        parts += (Segment(" " * blanks, base), Segment(self._ends_in, cancel_style), Segment(" ", base))
        return Strip(parts).adjust_cell_length(self.size.width, base)

    def on_click(self, event: events.Click) -> None:
        """A click presses the key it is on; of several keys in one entry, the one under the mouse."""
        event.stop()
        if event.x >= self.size.width - cell_len(self._ends_in) - 1:
            self.app.simulate_key(CANCEL_KEY)
            return
        for start, entry in self._placed():
            if start <= event.x < start + entry.width:
                before = entry.shown[: max(0, event.x - start)]
                self._press(entry.keys[min(before.count(" "), len(entry.keys) - 1)])
                return

    def _press(self, key: str) -> None:
        if key == TYPED_ONLY:
            self.post_message(self.NotClicked(key))
        else:
            self.app.simulate_key(key)
