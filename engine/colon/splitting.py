"""A line cut into words, and words written so that they are cut that way."""

import re
from collections.abc import Sequence

from data.errors import BadInput

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
"""What stands between blanks; within double quotes a blank is a letter, and a quote may be left open."""


def words_of(line: str) -> list[str]:
    """The words of a line, without the colon before it and the quotes around blanks."""
    return [word.replace('"', "") for word in _WORD.findall(line.strip().removeprefix(":"))]


def last_word(line: str) -> str:
    """The word that is being typed at the end of a line, quotes and all; empty behind a blank."""
    found = list(_WORD.finditer(line))
    return found[-1].group() if found and found[-1].end() == len(line) else ""


def quoted(text: str) -> str:
    """A name as a word of its own, in quotes where it has blanks; quotes within it cannot be typed."""
    return f'"{text}"' if not text or any(letter.isspace() for letter in text) else text


def at_most(words: Sequence[str], most: int, form: str) -> None:
    """Take no word too many. Raises `BadInput` with the first of those, and the form that would be right."""
    if len(words) > most:
        raise BadInput("word", words[most], f"give {form}")
