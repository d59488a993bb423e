"""A report as an Excel workbook: a sheet a part, figures as numbers, and charts on the first sheet."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, cast

from data.clock import IST
from data.spreadsheets.cells import safe_text
from tradedesk.reports.document import (
    BarChart,
    Beside,
    Cell,
    CellKind,
    LabelledList,
    Part,
    PrintedColumn,
    PrintedTable,
    Report,
    cell_words,
)
from tradedesk.reports.letterhead import Letterhead

_MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""What every workbook says of when it was made, so that the same report is the same bytes."""

_WIDEST = 44


def workbook_of(report: Report, head: Letterhead) -> bytes:
    """The report as the bytes of a file, the same for the same report."""
    from xlsxwriter import Workbook  # pyright: ignore[reportMissingTypeStubs]

    out = BytesIO()
    book: Any = cast("Any", Workbook)(out, {"in_memory": True})
    book.set_properties(
        {
            "title": report.title,
            "author": head.name,
            "company": head.name,
            "subject": report.subject,
            "created": _MADE,
        }
    )
    sheets = _Sheets(book, report, head)
    sheets.first()
    for part in report.parts:
        if isinstance(part, PrintedTable):
            sheets.table(part)
    sheets.charts([part for part in report.parts if isinstance(part, BarChart)])
    book.close()
    return out.getvalue()


class _Sheets:
    """Writes a report's parts into sheets, each format made once."""

    def __init__(self, book: Any, report: Report, head: Letterhead) -> None:
        self._book, self._report, self._head = book, report, head
        self._formats: dict[tuple[str, bool], Any] = {}
        self._first: Any = book.add_worksheet("Summary")
        self._row = 0

    def first(self) -> None:
        """The sheet of the firm, the facts and the labelled figures."""
        sheet = self._first
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 22)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, safe_text(self._head.name), self._format("", True, size=15))
        sheet.write_string(1, 0, safe_text(self._report.title), self._format("", True, size=12))
        row = 2
        if self._report.warning:
            sheet.write_string(row, 0, self._report.warning, self._format("", True, colour="#a61b1b"))
            row += 1
        facts = [*self._report.about, *((("day's hash", self._report.seal),) if self._report.seal else ())]
        for label, value in facts:
            sheet.write_string(row, 0, safe_text(label), self._format("", False))
            sheet.write_string(row, 1, safe_text(value), self._format("", False))
            row += 1
        for part in self._report.parts:
            for one in _lists(part):
                row = self._figures(one, row + 1)
        for note in self._report.notes:
            row += 1
            sheet.write_string(row, 0, note, self._format("", False, colour="#6b6b6b"))
        self._row = row + 2

    def _figures(self, part: LabelledList, row: int) -> int:
        self._first.write_string(row, 0, part.title, self._heading())
        self._first.write_string(row, 1, "₹", self._heading(right=True))
        row += 1
        for one in part.figures:
            self._first.write_string(
                row, 0, safe_text(f"  {one.label}" if one.inner else one.label), self._format("", one.strong)
            )
            self._cell(self._first, row, 1, one.value, one.kind, one.strong)
            row += 1
        return row

    def table(self, part: PrintedTable) -> None:
        """A table on a sheet of its own: headings that stay, a filter, the total in bold below."""
        sheet = self._book.add_worksheet(part.name)
        for place, column in enumerate(part.columns):
            sheet.write_string(0, place, _titled(column), self._heading(column.kind.is_figure))
            sheet.set_column(place, place, _wide(column, [row[place] for row in part.rows]))
        for number, row in enumerate(part.rows, start=1):
            for place, cell in enumerate(row):
                self._cell(sheet, number, place, cell, part.columns[place].kind, False)
        if part.total is not None:
            for place, cell in enumerate(part.total):
                self._cell(sheet, len(part.rows) + 1, place, cell, part.columns[place].kind, True)
        sheet.freeze_panes(1, 0)
        if part.rows:
            sheet.autofilter(0, 0, len(part.rows), len(part.columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def charts(self, parts: Sequence[BarChart]) -> None:
        """A column chart for each, its figures on a sheet of their own."""
        if not parts:
            return
        data = self._book.add_worksheet("Charts data")
        data.set_column(0, 2 * len(parts), 18)
        for number, part in enumerate(parts):
            at = 2 * number
            data.write_string(0, at, part.title, self._heading())
            data.write_string(0, at + 1, "₹", self._heading(right=True))
            for row, (name, paise) in enumerate(zip(part.names, part.paise, strict=True), start=1):
                data.write_string(row, at, safe_text(name))
                self._cell(data, row, at + 1, paise, CellKind.MONEY, False)
            chart = self._book.add_chart({"type": "column"})
            last = len(part.names)
            chart.add_series(
                {
                    "name": part.title,
                    "categories": ["Charts data", 1, at, last, at],
                    "values": ["Charts data", 1, at + 1, last, at + 1],
                    "fill": {"color": self._head.colour},
                    "invert_if_negative": True,
                    "invert_if_negative_color": "#a61b1b",
                    "gap": 60,
                }
            )
            chart.set_title({"name": part.title, "name_font": {"size": 11}})
            chart.set_legend({"none": True})
            chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True}})
            chart.set_x_axis({"label_position": "low", "num_font": {"size": 8}})
            chart.set_size({"width": 720, "height": 300})
            self._first.insert_chart(1 + number * 16, 3, chart)

    def _cell(self, sheet: Any, row: int, place: int, cell: Cell, kind: CellKind, strong: bool) -> None:
        if cell is None or cell == "":
            words = "" if cell == "" else cell_words(cell, kind)
            sheet.write_string(row, place, words, self._format("", strong))
        elif isinstance(cell, str):
            sheet.write_string(row, place, safe_text(cell), self._format("", strong))
        elif isinstance(cell, datetime):
            shown = "hh:mm:ss" if kind is CellKind.TIME else "dd mmm yyyy hh:mm:ss"
            local = cell.astimezone(IST).replace(tzinfo=None)
            sheet.write_datetime(row, place, local, self._format(shown, strong))
        elif isinstance(cell, date):
            sheet.write_datetime(row, place, cell, self._format("dd mmm yyyy", strong))
        elif kind is CellKind.MONEY:
            sheet.write_number(row, place, cell / 100, self._format(_grouping(cell, ".00"), strong))
        else:
            sheet.write_number(row, place, cell, self._format(_grouping(cell * 100, ""), strong))

    def _heading(self, right: bool = False) -> Any:
        shown = "heading right" if right else "heading"
        key = shown, True
        if key not in self._formats:
            self._formats[key] = self._book.add_format(
                {
                    "bold": True,
                    "font_color": "#ffffff",
                    "bg_color": self._head.colour,
                    "align": "right" if right else "left",
                }
            )
        return self._formats[key]

    def _format(self, shown: str, strong: bool, *, size: int = 10, colour: str = "") -> Any:
        key = f"{shown}|{size}|{colour}", strong
        if key not in self._formats:
            told: dict[str, Any] = {"bold": strong, "font_size": size}
            if shown:
                told["num_format"] = shown
            if strong and size == 10 and not colour:
                told["top"] = 1
            if size > 10 or colour:
                told["font_color"] = colour or self._head.colour
            self._formats[key] = self._book.add_format(told)
        return self._formats[key]


def _lists(part: Part) -> tuple[LabelledList, ...]:
    if isinstance(part, Beside):
        return part.left, part.right
    return (part,) if isinstance(part, LabelledList) else ()


def _grouping(paise: int, decimals: str) -> str:
    """The format of a figure in Indian groups: a workbook has none that groups by size and sign alike."""
    pairs = (len(str(abs(paise) // 100)) - 2) // 2
    grouped = "##\\," * pairs + "##0" if pairs > 1 else "#,##0"
    return f"{grouped}{decimals}"


def _titled(column: PrintedColumn) -> str:
    return f"{column.heading} (₹)" if column.kind is CellKind.MONEY else column.heading


def _wide(column: PrintedColumn, cells: Sequence[Cell]) -> float:
    """As wide as its longest cell of the first thousand, in characters."""
    longest = max((len(cell_words(cell, column.kind)) for cell in cells[:1000]), default=0)
    return min(_WIDEST, max(longest, len(_titled(column))) + 3)
