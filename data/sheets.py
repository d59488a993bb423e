"""A table that a trader keeps, as it is: CSV with any separator, or the first sheet of an Excel workbook."""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, control_character, decoded_lines, trimmed
from data.errors import BadInput

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
"""Endings of files that are read as workbooks."""

SEPARATORS = ",;\t|"

LARGEST_BYTES = 20 * 2**20
"""No list of clients is larger."""

MOST_ROWS = 20_000


class Sheet(Struct, frozen=True):
    """The headers of a table and its rows, each with its line in the file and as many cells as headers."""

    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(path: Path) -> Sheet:
    """Read a table whose first line that is not empty has its headers.

    Raises `FileProblem` with every fault, `BadInput` where workbooks cannot be read here, `OSError`.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise BadInput("file", path.name, f"it is larger than {LARGEST_BYTES // 2**20} MB")
    numbered = _workbook(path) if path.suffix.lower() in WORKBOOKS else _text(path)
    lines = [(number, cells) for number, cells in numbered if any(cells)]
    if len(lines) < 2:
        raise FileProblem(path, [Problem(1, "file", "no rows", "give a line of headers and a row below it")])
    if len(lines) > MOST_ROWS:
        raise FileProblem(path, [Problem(1, "file", str(len(lines)), f"give at most {MOST_ROWS} rows")])
    (first, headers), *rows = lines
    problems = _header_faults(first, headers)
    for number, cells in rows:
        if len(cells) > len(headers):
            problems.append(Problem(number, "fields", str(len(cells)), f"there are {len(headers)} headers"))
        problems += [
            Problem(number, headers[place], cell, f"remove the control character {sign}")
            for place, cell in enumerate(cells[: len(headers)])
            if (sign := control_character(cell)) is not None
        ]
    if problems:
        raise FileProblem(path, problems)
    empty = [""] * len(headers)
    return Sheet(
        tuple(headers), tuple((number, tuple((cells + empty)[: len(headers)])) for number, cells in rows)
    )


def _header_faults(number: int, headers: Sequence[str]) -> list[Problem]:
    named = [header.casefold() for header in headers if header]
    twice = {header for header in headers if header and named.count(header.casefold()) > 1}
    return [Problem(number, "column", header, "each column may stand once") for header in sorted(twice)]


def _text(path: Path) -> list[tuple[int, list[str]]]:
    lines = decoded_lines(path)
    head = next((line for line in lines if line.strip(" ,;|\t\r\n")), "")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=") + 1:
        separator, lines = head.strip()[-1], ["\n" if line == head else line for line in lines]
    else:
        separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    number = 1
    try:
        for cells in reader:
            found.append((number, trimmed(cells)))
            number = reader.line_num + 1
    except csv.Error as error:
        fault = Problem(reader.line_num, "line", str(error), "close every quote and keep one row a line")
        raise FileProblem(path, [fault]) from None
    return found


def _workbook(path: Path) -> list[tuple[int, list[str]]]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise BadInput(
            "file", path.name, "save it as CSV, or install the extra `excel` (`uv sync --extra excel`)"
        ) from None
    try:
        with CalamineWorkbook.from_filelike(BytesIO(path.read_bytes())) as book:
            rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as problem:
        raise BadInput("file", path.name, f"it cannot be read as a workbook: {problem}") from None
    return [(number, trimmed([_cell(cell) for cell in row])) for number, row in enumerate(rows, start=1)]


def _cell(value: Any) -> str:
    """A cell as it would be typed: whole numbers without a point, days as ISO."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time().isoformat() == "00:00:00":
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)
