"""Tables written to files for spreadsheets: CSV, or a workbook whose figures are numbers."""

import csv
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from data.errors import BadInput
from data.spreadsheets.cells import safe_text
from data.vocabulary import ExportKind

MOST_WORKBOOK_ROWS = 1_048_575
"""Rows under the headers that a sheet of a workbook has room for."""

_FIGURE = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?")
"""What a workbook keeps as a number to the last digit."""

_TEXTS = frozenset(
    (
        "code",
        "client",
        "account",
        "symbol",
        "security",
        "tag",
        "broker's order",
        "phone",
        "digest",
        "ISIN",
        "details",
    )
)
"""Columns that are texts, whatever their digits are."""

WriteRow = Callable[[Sequence[str]], None]


@contextmanager
def written_rows(path: Path, names: Sequence[str], kind: ExportKind) -> Generator[WriteRow]:
    """What writes row after row under these names; the file is there, for its owner alone, once all are.

    Raises `BadInput` where it cannot be written, or holds more rows than a workbook can.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.touch(mode=0o600)
        with _csv_rows(part, names) if kind is ExportKind.CSV else _workbook_rows(part, names) as write:
            yield write
        part.replace(path)
    except OSError as problem:
        raise BadInput("file", str(path), f"it cannot be written: {problem.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _csv_rows(path: Path, names: Sequence[str]) -> Generator[WriteRow]:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        yield lambda row: writer.writerow([safe_text(cell) for cell in row])


@contextmanager
def _workbook_rows(path: Path, names: Sequence[str]) -> Generator[WriteRow]:
    from xlsxwriter import Workbook  # pyright: ignore[reportMissingTypeStubs]

    with Workbook(str(path), {"constant_memory": True, "in_memory": False}) as book:
        sheet: Any = cast("Any", book).add_worksheet()
        sheet.freeze_panes(1, 0)
        bold = cast("Any", book).add_format({"bold": True})
        for column, name in enumerate(names):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, max(10, len(name) + 2))
        number = 0

        def write(row: Sequence[str]) -> None:
            nonlocal number
            number += 1
            if number > MOST_WORKBOOK_ROWS:
                raise BadInput(
                    "file", path.name, f"a workbook has room for {MOST_WORKBOOK_ROWS} rows: choose csv"
                )
            for column, (name, cell) in enumerate(zip(names, row, strict=True)):
                if name not in _TEXTS and _FIGURE.fullmatch(cell):
                    sheet.write_number(number, column, float(cell))
                elif cell:
                    sheet.write_string(number, column, cell)

        yield write
