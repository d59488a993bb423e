"""A table that a trader keeps, as it is: CSV with any separator, or the first sheet of an Excel workbook."""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, column_name, control_character, decoded_lines
from data.errors import BadInput
from data.spreadsheets.workbooks import ENDINGS, UNREAD_ENDINGS, Numeral, Unworked, workbook_rows

SEPARATORS = ",;\t|"

LARGEST_BYTES = 20 * 2**20
"""No list of clients is larger."""

MOST_ROWS = 20_000

MOST_ABOVE = 20
"""Lines among which the headers are looked for: titles, dates and addresses may stand above them."""

_Line = tuple[int, list[str]]
"""A row's number in the file, and its cells."""


class Sheet(Struct, frozen=True):
    """The headers of a table and its rows, each with its line in the file and as many cells as headers.

    A row of which a cell cannot be taken is left out, and its faults are in `problems`.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    header_row: int = 1
    problems: tuple[Problem, ...] = ()


def read_sheet(path: Path, known: Callable[[str], str | None] = lambda _: None) -> Sheet:
    """Read a table whose headers are the line of which most is `known`, else the first that may be them.

    `known` returns what a header means, None where it says nothing.
    Raises `FileProblem` where there is no table, `BadInput` where workbooks cannot be read here, `OSError`.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise BadInput("file", path.name, f"it is larger than {LARGEST_BYTES // 2**20} MB")
    ending = path.suffix.lower()
    if ending in UNREAD_ENDINGS:
        raise BadInput("file", path.name, "save it as .xlsx, or as CSV")
    is_workbook = ending in ENDINGS
    numbered = workbook_rows(path) if is_workbook else _text_rows(path)
    lines = [(number, _trimmed(cells)) for number, cells in numbered if any(cells)]
    at = _headers_at(lines, known) if lines else 0
    (first, headers), rows = lines[at] if lines else (1, []), lines[at + 1 :]
    if not rows:
        raise FileProblem(path, [Problem(1, "file", "no rows", "give a line of headers and a row below it")])
    if len(rows) > MOST_ROWS:
        raise FileProblem(path, [Problem(1, "file", str(len(rows)), f"give at most {MOST_ROWS} rows")])
    headers = _told_apart(headers)
    problems = [one for number, cells in rows for one in _faults(number, cells, headers, is_workbook)]
    faulty = {one.row for one in problems}
    empty = [""] * len(headers)
    good = (
        (number, tuple((cells + empty)[: len(headers)])) for number, cells in rows if number not in faulty
    )
    return Sheet(tuple(headers), tuple(good), first, tuple(problems))


def _headers_at(lines: Sequence[_Line], known: Callable[[str], str | None]) -> int:
    """The place of the line of which most is known; else of the first that is no title."""
    above = [cells for _, cells in lines[:MOST_ABOVE]]
    meant = [len({known(cell) for cell in cells} - {None}) for cells in above]
    if max(meant) >= 2:
        return meant.index(max(meant))
    filled = [sum(bool(cell) for cell in cells) for cells in above]
    wide = max(2, (max(filled) + 1) // 2)
    return next((place for place, count in enumerate(filled) if count >= wide), 0)


def _told_apart(headers: Sequence[str]) -> list[str]:
    """The headers; those that stand twice have the number of their column behind them."""
    named = [column_name(header) for header in headers]
    return [
        f"{header} (column {place})" if header and named.count(name) > 1 else header
        for place, (header, name) in enumerate(zip(headers, named, strict=True), start=1)
    ]


def _faults(number: int, cells: Sequence[str], headers: Sequence[str], is_workbook: bool) -> list[Problem]:
    """What keeps a row from being read. Beside a workbook's table there may be notes."""
    found: list[Problem] = []
    if len(cells) > len(headers) and not is_workbook:
        words = f"there are {len(headers)} headers; put a value with the separator in it into quotes"
        found.append(Problem(number, "fields", str(len(cells)), words))
    for header, cell in zip(headers, cells, strict=False):
        sign = control_character(cell)
        if sign is not None:
            found.append(Problem(number, header, cell, f"remove the control character {sign}"))
    return found


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Cells in one line each, without empty ones at the end."""
    row = [cell if isinstance(cell, Numeral | Unworked) else " ".join(cell.split()) for cell in cells]
    while row and not row[-1]:
        row.pop()
    return row


def _text_rows(path: Path) -> list[_Line]:
    lines = _lines(path)
    head = next((line for line in lines if line.strip(" ,;|\t\r\n")), "")
    if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=") + 1:
        separator, lines = head.strip()[-1], ["\n" if line == head else line for line in lines]
    else:
        separator = max(SEPARATORS, key="".join(lines[:MOST_ABOVE]).count)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    found: list[_Line] = []
    number = 1
    try:
        for cells in reader:
            found.append((number, cells))
            number = reader.line_num + 1
    except csv.Error as error:
        fault = Problem(number, "line", str(error), "close the quote that is opened here")
        raise FileProblem(path, [fault]) from None
    return found


def _lines(path: Path) -> list[str]:
    """The lines of a text in UTF-8, or in UTF-16 as spreadsheets save "Unicode text"."""
    with path.open("rb") as file:
        begins = file.read(2)
    if begins not in (BOM_UTF16_LE, BOM_UTF16_BE):
        return decoded_lines(path)
    try:
        return path.read_text("utf-16").splitlines(keepends=True)
    except UnicodeError:
        raise BadInput(
            "file", path.name, "it begins as UTF-16 and goes on otherwise: save it as UTF-8"
        ) from None
