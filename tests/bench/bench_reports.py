"""A statement as a PDF against the same page laid out by reportlab's own tables, in the same run.

Each page has as many trades as fit. Printed beside the ratio are milliseconds a page of ours and theirs, and
a page of small statements, each a file of its own, which carries the font anew.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from tests.bench.frame import Aim, Bench, Figures
from tests.tradedesk.sample_day import ACCOUNTS, CLIENTS, HEAD, REPORT
from tradedesk.reports.document import CellKind, PrintedColumn, PrintedTable, Report, cell_words
from tradedesk.reports.paper import BOLD, REGULAR, faces
from tradedesk.reports.pdf import pdf_of
from tradedesk.reports.statements import client_statement

AIMS = (Aim("of reportlab's own tables", 0.5), Aim("ms a page", 10.0, "ms"))

COLUMNS = (
    *(
        PrintedColumn("Time"),
        PrintedColumn("Trade no."),
        PrintedColumn("Symbol"),
        PrintedColumn("ISIN"),
        PrintedColumn("Side"),
    ),
    *(
        PrintedColumn("Product"),
        PrintedColumn("Quantity", CellKind.COUNT),
        PrintedColumn("Price", CellKind.MONEY),
    ),
    PrintedColumn("Value", CellKind.MONEY),
)


def rows_of(count: int) -> tuple[tuple[str | int, ...], ...]:
    """Trades as they stand in a statement."""
    return tuple(
        ("09:31:30", f"7{at:05d}", "TCS", "INE467B01029", "BUY", "CNC", at, 2_499_90, at * 2_499_90)
        for at in range(1, count + 1)
    )


def theirs(rows: tuple[tuple[str | int, ...], ...]) -> bytes:
    """The same table by reportlab's platypus."""
    from reportlab.platypus import SimpleDocTemplate, TableStyle
    from reportlab.platypus import Table as PlatypusTable

    out = BytesIO()
    kinds = [column.kind for column in COLUMNS]
    body = [[cell_words(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows]
    table: Any = PlatypusTable([[column.heading for column in COLUMNS], *body], repeatRows=1)
    styles = [("FONT", (0, 0), (-1, -1), REGULAR, 7.6), ("FONT", (0, 0), (-1, 0), BOLD, 7.6)]
    styles += [("ALIGN", (6, 0), (-1, -1), "RIGHT"), ("LINEBELOW", (0, 0), (-1, -1), 0.35, "#d9dde3")]
    styles += [("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]
    table.setStyle(TableStyle(styles))
    SimpleDocTemplate(out).build([table])
    return out.getvalue()


def _a_page(made: Callable[[], bytes]) -> float:
    """Milliseconds of processor time for each page of a file."""
    began = time.process_time()
    raw = made()
    took = time.process_time() - began
    return took * 1000 / len(PdfReader(BytesIO(raw)).pages)


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """The same trades for both."""
    faces()
    rows = rows_of(options.trades)
    report = Report("Trades", "of a day", (), (PrintedTable("Trades", "Trades", COLUMNS, rows),))
    statement = client_statement(REPORT, CLIENTS[0], ACCOUNTS[1])

    def measure() -> Figures:
        own, other = _a_page(lambda: pdf_of(report, HEAD, None)), _a_page(lambda: theirs(rows))
        small = _a_page(lambda: pdf_of(statement, HEAD, None))
        return {
            "of reportlab's own tables": own / other,
            "ms a page": own,
            "theirs, ms a page": other,
            "a statement of one page, ms": small,
        }

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"trades": 2000}).run(__doc__))
