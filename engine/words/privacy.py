"""Privacy: while it is on, no amount leaves the formats and no client's name leaves what is painted.

It is worn by a context and by all tasks begun in it: the screens of one app. A command that the app answers
takes it off for its own.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MASK = "•••"
"""What stands for a name or an amount while privacy is on."""

_SIGN = "•"
_RUPEES = re.compile(r"₹ ?-?[\d,]+(\.\d+)?")
_LARGE = re.compile(r"(?<![\w.,])[+-]?\d[\d,]*(\.\d+)? (L|cr)\b")
_WORD = re.compile(r"[^\s|│,;:·()‹›]+")


@dataclass
class Privacy:
    """Whether names and amounts are hidden, and the words that clients' names are made of."""

    on: bool = False
    name_words: frozenset[str] = field(default_factory=frozenset[str])

    def know(self, names: Iterable[str]) -> None:
        """Take up the names that are to be hidden. Single letters in them are no names."""
        self.name_words = frozenset(word for name in names for word in _WORD.findall(name) if len(word) > 1)

    def hides(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in a line names and amounts stand, in order: a word cut short by `…` counts as its whole."""
        spans = [found.span() for pattern in (_RUPEES, _LARGE) for found in pattern.finditer(text)]
        last = -2
        for found in _WORD.finditer(text):
            word, (start, end) = found.group(), found.span()
            cut = word.endswith("…")
            least = 2 if start > last + 1 else 1
            begins = cut and len(word) > least and any(one.startswith(word[:-1]) for one in self.name_words)
            if word in self.name_words or begins:
                spans.append((start, end))
                last = end
        yield from sorted(spans)

    def hidden(self, text: str) -> str:
        """The text with what is to be hidden in it masked, as long as it is."""
        for start, end in self.hides(text):
            text = f"{text[:start]}{_SIGN * (end - start)}{text[end:]}"
        return text


_OFF = Privacy()
_worn: ContextVar[Privacy] = ContextVar("privacy", default=_OFF)


def wear(privacy: Privacy) -> None:
    """Have this context, and the tasks begun in it, hide what this privacy hides."""
    _worn.set(privacy)


def is_private() -> bool:
    """Whether names and amounts are hidden here."""
    return _worn.get().on


def unless_private(words: str) -> str:
    """A name or an amount, or what stands for it."""
    return MASK if is_private() else words


def hidden(text: str) -> str:
    """A text that leaves the screen, such as for the clipboard or a file, as privacy has it."""
    privacy = _worn.get()
    return privacy.hidden(text) if privacy.on else text


@contextmanager
def without_privacy() -> Generator[None, None, None]:
    """Say all within this: a command's answer is not the screen's."""
    token = _worn.set(_OFF)
    try:
        yield
    finally:
        _worn.reset(token)
