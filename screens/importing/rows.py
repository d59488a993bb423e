"""The grids of a list of clients on its way in: its columns, and its rows as they would become clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import ImportDoes
from engine.accounts.column_marks import FIXED
from engine.words.formats import MASK
from engine.words.imports import fields_words, source_words
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.importing import ImportLine, ImportPlan

NOT_TAKEN = "not taken"


class ColumnRow(Struct, frozen=True):
    """A column of a file: its header, its first cells, and what it is taken for.

    A field without a column stands as one, with its value for all rows, or empty where it is to be said.
    """

    header: str
    samples: tuple[str, ...]
    fields: tuple[str, ...]
    value: str = ""
    missing: bool = False


def column_rows(plan: ImportPlan) -> list[ColumnRow]:
    """What is yet to be said, what is the same for all rows, then the file's columns in their order."""
    sources = {field: source_words(of, plan.headers) for field, of in plan.columns.items()}
    rows = [ColumnRow("", (), (field,), missing=True) for field in plan.missing]
    rows += [
        ColumnRow("", (), (field,), of[1:]) for field, of in plan.columns.items() if of.startswith(FIXED)
    ]
    for place, header in enumerate(plan.headers):
        if header:
            fields = tuple(field for field, of in plan.columns.items() if _is_of(of, header))
            numbers = any(sources[field] != header for field in fields)
            samples = tuple(cells[place] for cells in plan.samples)
            rows.append(ColumnRow(header, samples, fields, "numbers as they are" if numbers else ""))
    return rows


def _is_of(source: str, header: str) -> bool:
    return source in (header, f"#{header}")


def column_columns(masked: Callable[[], bool]) -> list[Column]:
    """The file's header, what it is taken for, and its first cells."""

    def taken(row: ColumnRow) -> str:
        told = fields_words(row.fields) or NOT_TAKEN
        return f"{told}, {row.value}" if row.header and row.value else told

    def cells(row: ColumnRow) -> str:
        if row.missing:
            return "say which column it is, or one value for all rows: Enter"
        if not row.header:
            return f"{row.value} for all rows"
        return MASK if masked() else " · ".join(filter(None, row.samples))

    def style(row: ColumnRow) -> str | None:
        return "warn" if row.missing else None if row.fields else "dim"

    return [
        Column("header", "column", 16, lambda row: row.header or "—", style=style),
        Column("taken", "is taken for", 28, taken, style=style),
        Column("cells", "its first cells", 20, cells, flex=True, most=LINE_CELLS, style=style),
    ]


def line_columns(told: Callable[[ImportLine], str], masked: Callable[[], bool]) -> list[Column]:
    """Rows of the file: where they stand, what they do, of whom, and what changes or is against it."""

    def words(line: ImportLine) -> str:
        return MASK if masked() and not line.problems else told(line)

    def style(line: ImportLine) -> str | None:
        return {ImportDoes.REFUSED: "armed", ImportDoes.SAME: "dim"}.get(line.does)

    return [
        Column("row", "row", 6, lambda line: str(line.row), "right"),
        Column("does", "does", 8, lambda line: line.does.value, style=style),
        Column("code", "code", 10, lambda line: line.code),
        Column("name", "client", 18, lambda line: MASK if masked() else line.name, priority=1),
        Column("what", "as it would be", 20, words, flex=True, most=2 * LINE_CELLS, style=style),
    ]
