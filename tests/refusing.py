"""Expecting that the desk refuses something, in words that a trader reads."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.refusals import Refusal
from engine.words.refusals import refusal_words


@contextmanager
def refuses(kind: type[Refusal], words: str) -> Iterator[None]:
    """A refusal of that kind is raised inside; its words match `words`, a regular expression."""
    with pytest.raises(kind) as refused:
        yield
    told = refusal_words(refused.value)
    assert re.search(words, told), told
