"""The columns of the watchlist, as they are chosen by their words."""

from collections.abc import Sequence

from data.csvfiles import nearest
from data.errors import BadInput
from data.vocabulary import WatchColumn

ALL = tuple(WatchColumn)
"""Every column, in the order in which they stand where nobody has chosen."""

_WORDS = [column.value for column in WatchColumn]


def columns_from(text: str) -> tuple[WatchColumn, ...]:
    """The columns named, in that order; none for no word. Raises `BadInput` naming the word."""
    found: list[WatchColumn] = []
    for word in text.replace(",", " ").split():
        if word.casefold() not in _WORDS:
            raise BadInput("column", word, nearest(word.casefold(), _WORDS))
        column = WatchColumn(word.casefold())
        if column in found:
            raise BadInput("column", word, "name each column once")
        found.append(column)
    return tuple(found)


def words_of(columns: Sequence[WatchColumn]) -> str:
    """The words that name these columns."""
    return " ".join(column.value for column in columns)


def known_columns(stored: str) -> tuple[WatchColumn, ...]:
    """Stored columns, without words that this version does not know."""
    return tuple(WatchColumn(word) for word in stored.split() if word in _WORDS)
