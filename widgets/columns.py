"""What a column of a grid is, which columns fit a width, and in which order rows stand."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

GAP = 1
"""Blank cells between two columns."""
ROOMY = 40
"""Cells from which on a grid without a frame leaves a blank before its scroll bar."""
WIDEST_GAP = 3
"""Blank cells between two columns of a screen that has room to spare."""
TEXT_CELLS = 28
"""Cells at which a column of names or words stops growing."""
LINE_CELLS = 1_000
"""The same of a column of whole sentences, which take what there is."""
SQUEEZED = 4
"""Cells a flexible column keeps where the columns that never drop do not fit."""


@dataclass(frozen=True)
class Column:
    """One column of a `LiveGrid`; `cell`, `style` and `sort` are called with the row object."""

    key: str
    """Name of the column, unique in its grid."""
    title: str
    """Words of the header."""
    width: int
    """Cells; for `flex` the least, as long as all that never drops has room."""
    cell: Callable[[Any], str]
    """The text shown, plain and never markup."""
    align: Literal["left", "right"] = "left"
    style: Callable[[Any], str | None] | None = None
    """Suffix of a component class of the grid, such as `up`, `down`, `stale` or `dim`."""
    sort: Callable[[Any], Any] | None = None
    """What rows are sorted by, `None` for a blank; without it the column cannot be sorted."""
    priority: int = 0
    """Zero is always shown; of the others the highest is dropped first on a narrow screen."""
    flex: bool = False
    """Takes the width that the others leave, up to `most`."""
    most: int = TEXT_CELLS
    """Cells at which a `flex` column stops growing."""
    grows: bool = False
    """Gets the cells of the longest figure shown, where `width` is too few for it."""


@dataclass(frozen=True)
class PlacedColumn:
    """A column with its place in the line."""

    column: Column
    x: int
    width: int


def room_for(width: int, bar: int, framed: bool) -> int:
    """The cells of a grid's `width` that are for columns: none touches a scroll bar or a frame."""
    return width - bar - (GAP if framed or (bar and width >= ROOMY) else 0)


def place_columns(
    columns: Sequence[Column], width: int, gutter: int = 0, skip: int | None = None
) -> tuple[PlacedColumn, ...]:
    """The columns that fit `width` cells after `gutter`, in their order, with their places.

    With `skip` that many droppable columns are left out from the left and the rest drops from the right,
    which is how a narrow screen pans. What is left when flexible columns are as wide as they may be goes
    between the columns, as far as that still reads as one row.
    """
    droppable = [column for column in columns if column.priority > 0]
    kept = [column for column in columns if column not in droppable[: skip or 0]]

    def needed() -> int:
        return gutter + sum(column.width for column in kept) + GAP * max(0, len(kept) - 1)

    while needed() > width:
        victims = [
            (column.priority if skip is None else 0, place)
            for place, column in enumerate(kept)
            if column.priority > 0
        ]
        if not victims:
            break
        del kept[max(victims)[1]]
    flexible = [column for column in kept if column.flex]
    squeeze = sum(max(0, column.width - SQUEEZED) for column in flexible)
    # A column cut by the edge would show another figure than is meant: it goes as a whole.
    while needed() - squeeze > width and len(kept) > 1:
        gone = kept.pop()
        if gone in flexible:
            flexible.remove(gone)
            squeeze -= max(0, gone.width - SQUEEZED)
    spare = width - needed()
    grown = _grown(flexible, spare)
    left = spare - sum(grown.values())
    gap = min(WIDEST_GAP, GAP + max(0, left) // max(1, len(kept) - 1))
    placed: list[PlacedColumn] = []
    x = gutter
    for column in kept:
        column_width = max(1, column.width + grown.get(column.key, 0))
        placed.append(PlacedColumn(column, x, column_width))
        x += column_width + gap
    return tuple(placed)


def with_room(columns: Sequence[Column], rows: Sequence[Any]) -> tuple[Column, ...]:
    """The columns, those that grow as wide as what they show of these rows."""
    return tuple(
        replace(column, width=most)
        if column.grows and (most := max((len(column.cell(row)) for row in rows), default=0)) > column.width
        else column
        for column in columns
    )


def _grown(flexible: Sequence[Column], spare: int) -> dict[str, int]:
    """By how many cells each flexible column grows; a negative `spare` shrinks them all alike."""
    if not flexible:
        return {}
    share, rest = divmod(spare, len(flexible))
    if spare <= 0:
        return {column.key: share + (rest if column is flexible[0] else 0) for column in flexible}
    grown = {column.key: 0 for column in flexible}
    growing = [column for column in flexible if column.width < column.most]
    while growing and spare > 0:
        for column in growing[:spare]:
            grown[column.key] += 1
            spare -= 1
        growing = [column for column in growing if column.width + grown[column.key] < column.most]
    return grown


def sorted_keys(
    keys: Iterable[Hashable], rows: Mapping[Any, Any], column: Column | None, descending: bool
) -> list[Hashable]:
    """Row keys by the column's sort value, blanks last either way, equals in the given order."""
    if column is None or column.sort is None:
        return list(keys)
    valued: list[tuple[Any, Hashable]] = []
    blank: list[Hashable] = []
    for key in keys:
        row = rows.get(key)
        value = None if row is None else column.sort(row)
        if value is None:
            blank.append(key)
        else:
            valued.append((value, key))
    valued.sort(key=lambda pair: pair[0], reverse=descending)
    return [key for _, key in valued] + blank
