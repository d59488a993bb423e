"""The bottom line: the keys that do something here and now."""

import re
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
from widgets.steady import SteadyStatic

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


_HINTED = {shown: key for key, shown in (_NAMES | _CHARACTERS).items()}
_HINTED |= {"Delete": "delete", "Insert": "insert"}
_ENTRY = re.compile(r"[^\s·]\S*(?: (?!·)\S+)*")
_FUNCTION_KEY = re.compile(r"F\d+")


def key_name(binding: Binding) -> str:
    """How a key is written for the trader: `Enter`, `^p`, `?`, `F3`, `b`."""
    if binding.key_display:
        return binding.key_display
    modifiers, key = binding.parse_key()
    name = _NAMES.get(key) or _CHARACTERS.get(key) or (key if len(key) == 1 else key.capitalize())
    return "".join("^" if modifier == "ctrl" else f"{modifier}+" for modifier in modifiers) + name


def hinted_key(hint: str, x: int) -> str:
    """The key under cell `x` of a hint such as `{ } list  Enter opens`; empty where there is none.

    Entries stand two blanks or a dot apart. An entry of several keys has one under each of them; its words,
    which may themselves stand two blanks away, press the first.
    """
    before: list[str] = []
    for found in _ENTRY.finditer(hint):
        words = found.group().split(" ")
        keys = list(takewhile(_is_key, words))
        if found.start() <= x < found.end():
            left, place = hint[found.start() : x], hint.count(" ", found.start(), x)
            if place < len(keys) and hint[x] != " ":
                return _hinted(keys[place], len(left) - left.rfind(" ") - 1)
            return _hinted((keys or before)[0]) if keys or before else ""
        before = keys if len(keys) == len(words) else []
    return ""


def _is_key(word: str) -> bool:
    return (
        len(word) == 1 or word in _HINTED or set(word) <= set("←→↑↓") or bool(_FUNCTION_KEY.fullmatch(word))
    )


def _hinted(word: str, x: int = 0) -> str:
    """The key of a word of a hint; of several arrows the one under its cell `x`."""
    if _FUNCTION_KEY.fullmatch(word):
        return word.lower()
    name = word if word in _HINTED or len(word) == 1 else word[x]
    return _HINTED.get(name, name)


def press(widget: Widget, key: str) -> None:
    """Press a key for a click on `widget` that names it, but none that sends or that a field takes as text.

    From the app: a key does not rise above the widget that it was sent by.
    """
    focused = widget.screen.focused
    if key == TYPED_ONLY:
        widget.post_message(KeyLine.NotClicked(f"{key} is typed: no click sends"))
    elif focused is not None and len(key) == 1 and focused.check_consume_key(key, key):
        widget.post_message(KeyLine.NotClicked(f"{key} is a letter in this field: Tab out of it first"))
    else:
        widget.app.call_next(widget.app.simulate_key, key)


@dataclass(frozen=True)
class KeyEntry:
    """One or several keys with one meaning."""

    keys: tuple[str, ...]
    """Textual's names, for pressing them by mouse."""
    shown: str
    """As written in the line, before the words."""
    words: str
    rank: int = 0
    """Which leave first where there is no room for all: the highest, and of one rank the last."""

    @property
    def width(self) -> int:
        """Cells taken."""
        return cell_len(self.shown) + 1 + cell_len(self.words)


def entries_of(bindings: list[Binding], rank_of: Callable[[str | None], int]) -> list[KeyEntry]:
    """Entries for the line: keys of one action are named once, keys of one group share its words.

    `rank_of` is asked the id of a binding.
    """
    chosen: dict[str, Binding] = {}
    for binding in bindings:
        if binding.show and binding.description and binding.key != CANCEL_KEY:
            chosen.setdefault(binding.action, binding)
    grouped: dict[str, list[Binding]] = {}
    for binding in chosen.values():
        words = binding.group.description if binding.group else binding.description
        grouped.setdefault(words, []).append(binding)
    return [
        KeyEntry(
            tuple(b.key for b in members),
            " ".join(key_name(b) for b in members),
            words,
            min(rank_of(b.id) for b in members),
        )
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
        """A click on a key that it did not press; `why` is for the trader."""

        why: str

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
        rank_of: Callable[[str | None], int] = lambda command: 0,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._ends_in = ends_in
        self._leaves_out = leaves_out
        self._rank_of = rank_of
        self._parts = PartStyles(self, "keyline", self.PARTS)
        self._entries: list[KeyEntry] = []
        self._is_asked = False

    def notify_style_update(self) -> None:
        """Have the parts drawn in the styles of now."""
        super().notify_style_update()
        self._parts.forget()

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._read()

    def _bindings_changed(self, screen: "Screen[object]") -> None:
        """Read the keys once a frame: a focus that moves tells of several changes."""
        if not self._is_asked and self.is_attached and screen is self.screen:
            self._is_asked = self.call_after_refresh(self._read)

    def _read(self) -> None:
        self._is_asked = False
        if not self.is_attached:
            return
        entries = entries_of(
            [
                _worded(found)
                for found in self.screen.active_bindings.values()
                if self._fires(found) and not self._leaves_out(found.binding.action)
            ],
            self._rank_of,
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
        room = self.size.width - cell_len(self._ends_in) - 3
        staying: set[int] = set()
        for place in sorted(range(len(self._entries)), key=lambda place: self._entries[place].rank):
            width = self._entries[place].width
            if width <= room:
                staying.add(place)
                room -= width + 2
        placed: list[tuple[int, KeyEntry]] = []
        x = 1
        for place in sorted(staying):
            placed.append((x, self._entries[place]))
            x += self._entries[place].width + 2
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
                press(self, entry.keys[min(before.count(" "), len(entry.keys) - 1)])
                return


class KeyHint(SteadyStatic):
    """Words that name keys and say what they do; a click presses the key that it is on."""

    ALLOW_SELECT = False

    def on_click(self, event: events.Click) -> None:
        """Press it."""
        event.stop()
        if key := hinted_key(self.render_line(event.y).text, event.x):
            press(self, key)
