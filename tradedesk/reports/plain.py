"""A table as CSV: raw figures in rupees, days as ISO, texts that no spreadsheet takes for a formula."""

import csv
from datetime import date, datetime
from io import StringIO

from data.clock import IST
from data.money import rupees_of
from data.spreadsheets.cells import safe_text
from tradedesk.reports.document import Cell, CellKind, PrintedTable


def csv_of(table: PrintedTable) -> bytes:
    """A table without its total, with the byte order mark by which spreadsheets know UTF-8."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([column.heading for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows([_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows)
    return written.getvalue().encode("utf-8-sig")


def _cell(cell: Cell, kind: CellKind) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        local = cell.astimezone(IST)
        return local.strftime("%H:%M:%S") if kind is CellKind.TIME else local.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return str(rupees_of(cell)) if kind is CellKind.MONEY else str(cell)
    return safe_text(cell)
