"""The first sheet of an Excel workbook as texts, once it is known that reading it fits into memory.

A workbook is an archive: it can be a thousand times as large unpacked, and one cell in the last row makes the
reader lay out every cell above it. So its parts are measured before it is read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from data.errors import BadInput
from data.keeping.zipped import DamagedZip, opened_zip

ENDINGS = (".xlsx", ".xlsm", ".xls")
"""Endings of files that are read as workbooks."""

UNREAD_ENDINGS = (".xlsb", ".ods", ".numbers")
"""Endings of other workbooks, which have to be saved as `.xlsx`."""

MOST_UNPACKED_BYTES = 64 * 2**20
"""What the parts of a workbook may take together, and its texts where cells share them."""

MOST_CELLS = 4_000_000
"""Cells from the first to the last that holds something, empty ones between them included."""

_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,3})(\d{1,7})[\"']")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\b([^>]*\bt\s*=\s*[\"']e[\"'][^>]*)>(?:<(?:\w+:)?f\b[^>]*>(?:[^<]*</(?:\w+:)?f>)?)?"
    rb"<(?:\w+:)?v>([^<]{1,20})<"
)
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*\b\w+:id\s*=\s*[\"']([^\"']+)[\"']")
_PART = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*[\"']([^\"']*)[\"']")
_SHARED = re.compile(rb"\bt\s*=\s*[\"']s[\"'][^>]*>\s*<(?:\w+:)?v>(\d{1,9})<")
_TEXT = re.compile(rb"<(?:\w+:)?si\b")


class Numeral(str):
    """A cell that a workbook holds as a number: zeros in front of it, if there were any, are lost."""

    __slots__ = ()


class Unworked(str):
    """A cell whose formula came to an error, such as `#REF!`."""

    __slots__ = ()


def workbook_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of the first sheet that can be seen, by number; what is merged downwards stands in each.

    Raises `BadInput` where it cannot be read here, is no workbook or is too large.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum
    except ImportError:
        raise BadInput(
            "file", path.name, "save it as CSV, or install the extra `excel` (`uv sync --extra excel`)"
        ) from None
    raw = path.read_bytes()
    parts = {} if path.suffix.lower() == ".xls" else _parts(path, raw)
    try:
        with CalamineWorkbook.from_filelike(BytesIO(raw)) as book:
            seen = [one.name for one in book.sheets_metadata if one.visible is SheetVisibleEnum.Visible]
            name = (seen or book.sheet_names)[0]
            sheet = book.get_sheet_by_name(name)
            rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
            place = book.sheet_names.index(name)
    except (CalamineError, IndexError) as problem:
        raise BadInput("file", path.name, f"it cannot be read as a workbook: {problem}") from None
    for (column, row), told in _errors(parts, place):
        if row <= len(rows) and column <= len(rows[row - 1]):
            rows[row - 1][column - 1] = Unworked(told)
    for (top, left), (bottom, _) in merged:
        for below in range(top + 1, min(bottom + 1, len(rows))):
            rows[below][left] = rows[top][left]
    return [(number, [_text(cell) for cell in row]) for number, row in enumerate(rows, start=1)]


def _parts(path: Path, raw: bytes) -> dict[str, bytes]:
    """The parts of a workbook by name, once they fit. Raises `BadInput`."""
    try:
        with opened_zip(BytesIO(raw)) as archive:
            listed = archive.infolist()
            if sum(part.file_size for part in listed) > MOST_UNPACKED_BYTES:
                size = f"more than {MOST_UNPACKED_BYTES // 2**20} MB"
                raise BadInput(
                    "file", path.name, f"it unpacks to {size}: keep the list of clients alone in it"
                )
            parts = {part.filename: archive.read(part) for part in listed if not part.is_dir()}
    except DamagedZip:
        raise BadInput(
            "file", path.name, "it is damaged, locked by a password or no workbook: save it again as .xlsx"
        ) from None
    strings = next((text for name, text in parts.items() if name.lower().endswith("sharedstrings.xml")), b"")
    lengths = [len(one) for one in _TEXT.split(strings)[1:]]
    for text in parts.values():
        if b"sheetData" in text:
            _measure(path, text, lengths)
    return parts


def _measure(path: Path, text: bytes, lengths: Sequence[int]) -> None:
    """Hold what a sheet takes laid out against what fits. Raises `BadInput`."""
    cells = [_place(one) for one in _tags(_CELL, text)]
    rows = [row for _, row in (*cells, *map(_place, _tags(_ROW, text)))]
    across, down = max((column for column, _ in cells), default=0) or len(cells), max(rows, default=0)
    if across * down > MOST_CELLS:
        words = f"it reaches to row {down} and column {across}: clear what lies below and beside the list"
        raise BadInput("file", path.name, words)
    shared = sum(lengths[at] for one in _SHARED.findall(text) if (at := int(one)) < len(lengths))
    if shared > MOST_UNPACKED_BYTES:
        raise BadInput("file", path.name, "its texts are too long: keep the list alone in it")


def _errors(parts: Mapping[str, bytes], place: int) -> list[tuple[tuple[int, int], str]]:
    """Where formulas of the sheet at this place came to an error, and which: the reader leaves them out."""
    book = next((text for name, text in parts.items() if name.lower().endswith("xl/workbook.xml")), b"")
    links = next((text for name, text in parts.items() if name.lower().endswith("workbook.xml.rels")), b"")
    ids = _SHEET.findall(book)
    targets = {
        one[b"Id"]: one[b"Target"] for one in map(_attributes, _PART.findall(links)) if b"Target" in one
    }
    target = targets.get(ids[place], b"").decode("utf-8", "replace") if place < len(ids) else ""
    text = next((text for name, text in parts.items() if target and name.endswith(target.lstrip("/."))), b"")
    return [(_place(found), told.decode("utf-8", "replace")) for found, told in _ERROR.findall(text)]


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


def _tags(pattern: re.Pattern[bytes], text: bytes) -> Iterator[bytes]:
    """What stands in tags that hold something."""
    return (found for found in pattern.findall(text) if not found.rstrip().endswith(b"/"))


def _place(found: bytes) -> tuple[int, int]:
    """The column and row that a tag names, counted from 1; 0 for one that it does not."""
    reference = _REFERENCE.search(found)
    if reference is None:
        return 0, 0
    column = 0
    for letter in reference[1].upper():
        column = column * 26 + letter - ord("A") + 1
    return column, int(reference[2])


def _text(value: Any) -> str:
    """A cell as it would be typed: days as ISO, numbers to the 15 digits that a spreadsheet keeps."""
    match value:
        case Unworked():
            return value
        case bool():
            return "yes" if value else "no"
        case float() | int():
            digits = f"{value:.15g}"
            return Numeral(digits if "e" not in digits else f"{value:f}".rstrip("0").rstrip("."))
        case datetime() if value.time().isoformat() == "00:00:00":
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value).strip()
