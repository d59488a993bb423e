"""The shapes of what taking a list of clients in would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.records import values_of

if TYPE_CHECKING:
    from datetime import datetime

    from data.repositories.accounts.column_maps import ColumnMapRow
    from data.vocabulary import ImportDoes
    from engine.accounts.client_edit import ClientEdit
    from engine.accounts.importing import ImportPlan


class ColumnShape(Struct, frozen=True):
    """Which header a field is read from; `=` stands before what is the same for all rows."""

    field: str
    header: str


class ChangeShape(Struct, frozen=True):
    """A field that would be another, and what it would be."""

    field: str
    value: object


class ImportLineShape(Struct, frozen=True):
    """What one row of a list would do; `changes` are the fields that would be others."""

    row: int
    code: str
    name: str
    does: ImportDoes
    changes: list[ChangeShape]
    problems: list[ProblemShape]


class ProblemShape(Struct, frozen=True):
    """One fault of a row."""

    row: int
    field: str
    value: str
    expected: str


class ImportShape(Struct, frozen=True):
    """What taking a list would do: which header is which field, fields yet to be said, and each row."""

    columns: list[ColumnShape]
    known: str
    map_name: str
    header_row: int
    missing: list[str]
    lines: list[ImportLineShape]


class KeptColumnsShape(Struct, frozen=True):
    """Columns that are kept for files with the same headers, and under which name."""

    name: str
    columns: list[ColumnShape]
    made_by: str
    made_at: datetime


def kept_columns_shape(kept: ColumnMapRow) -> KeptColumnsShape:
    """Kept columns in that shape."""
    columns = [ColumnShape(*one) for one in kept.columns.items()]
    return KeptColumnsShape(kept.name, columns, kept.made_by, kept.made_at)


def import_shape(looked: ImportPlan) -> ImportShape:
    """The look in that shape."""
    return ImportShape(
        columns=[ColumnShape(*one) for one in looked.columns.items()],
        known=looked.known,
        map_name=looked.map_name,
        header_row=looked.header_row,
        missing=list(looked.missing),
        lines=[
            ImportLineShape(
                row=one.row,
                code=one.code,
                name=one.name,
                does=one.does,
                changes=[] if one.edit is None else _given(one.edit),
                problems=[ProblemShape(p.row, p.field, p.value, p.expected) for p in one.problems],
            )
            for one in looked.lines
        ],
    )


def _given(edit: ClientEdit) -> list[ChangeShape]:
    return [ChangeShape(name, value) for name, value in values_of(edit).items() if value is not None]
