"""A report before it is a file: titled parts of typed cells, which each writer lays out in its own way.

Money is integer paise, days are dates, times aware; `None` is a cell that is not known.
"""

from datetime import date, datetime
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from data.clock import IST
from data.money import amount_words, grouped

NOT_KNOWN = "—"


class CellKind(Enum):
    """What the cells of a column are."""

    TEXT = "text"
    MONEY = "money"
    """Paise, with two decimals in rupees."""
    COUNT = "count"
    DAY = "day"
    TIME = "time"
    """A time of day in India."""

    @property
    def is_figure(self) -> bool:
        """Whether it stands at the right of its column."""
        return self in (CellKind.MONEY, CellKind.COUNT)


Cell: TypeAlias = str | int | date | datetime | None


class PrintedColumn(Struct, frozen=True):
    """A column of a table."""

    heading: str
    kind: CellKind = CellKind.TEXT


class PrintedTable(Struct, frozen=True):
    """Rows under headings. `name` is that of its sheet and file; `total` stands below, as wide as a row."""

    name: str
    title: str
    columns: tuple[PrintedColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None
    empty: str = "none"
    """What is said where there is no row."""


class Labelled(Struct, frozen=True):
    """A labelled figure; a `strong` one is a sum of those above it, an `inner` one a part of it."""

    label: str
    value: Cell
    kind: CellKind = CellKind.MONEY
    strong: bool = False
    inner: bool = False


class LabelledList(Struct, frozen=True):
    """Labelled figures one below the other."""

    name: str
    title: str
    figures: tuple[Labelled, ...]


class Beside(Struct, frozen=True):
    """Two parts of labelled figures that stand beside each other where there is room."""

    left: LabelledList
    right: LabelledList


class BarChart(Struct, frozen=True):
    """A chart of money by name, in paise; only workbooks draw it."""

    title: str
    names: tuple[str, ...]
    paise: tuple[int, ...]


Part: TypeAlias = PrintedTable | LabelledList | Beside | BarChart


class Report(Struct, frozen=True):
    """One document. `subject` says whom and which day it is of, for the heads of later pages.

    `about` are labelled facts beneath the title, `warning` says in red that figures are not final, `notes`
    stand at the end and `seal` on every page.
    """

    title: str
    subject: str
    about: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    warning: str = ""
    seal: str = ""


def cell_words(cell: Cell, kind: CellKind) -> str:
    """A cell as people read it, with Indian digit grouping; never masked, since files are for others."""
    if cell is None:
        return NOT_KNOWN
    if kind is CellKind.MONEY and isinstance(cell, int):
        return amount_words(cell)
    if kind is CellKind.COUNT and isinstance(cell, int):
        return grouped(cell)
    if isinstance(cell, datetime):
        return cell.astimezone(IST).strftime("%H:%M:%S" if kind is CellKind.TIME else "%d %b %Y %H:%M:%S")
    if isinstance(cell, date):
        return cell.strftime("%d %b %Y")
    return str(cell)
