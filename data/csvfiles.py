"""Strict reading of CSV files that people made: every fault of a file is found and told at once."""

import csv
import difflib
import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from data.errors import BadInput, quoted

_JOINERS = frozenset("\u200c\u200d")

_NO_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)
"""How files begin that are often taken for CSV files, and what they are."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What programs put between columns in place of commas."""


class CsvRow(Struct, frozen=True):
    """One data row: its line in the file (the header is line 1) and its trimmed values by column."""

    number: int
    values: Mapping[str, str]


class Problem(Struct, frozen=True):
    """One fault of a file. `row` is the line in the file, `field` the column or what was expected there."""

    row: int
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.field}: {quoted(self.value)} is not valid; {self.expected}"


class FileProblem(BadInput):
    """A file that cannot be taken, with all its faults in `problems`, in file order."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: problem.row))
        super().__init__("file", path.name, "\n".join(str(problem) for problem in self.problems))


def control_character(text: str) -> str | None:
    """The name of the first control, bidirectional or invisible character in `text`, or `None`.

    The two joiners that Indian scripts need are let through.
    """
    if text.isprintable() and text.isascii():
        return None
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf") and character not in _JOINERS:
            return f"U+{ord(character):04X}"
    return None


_LIKE_LATIN = ("ARMENIAN", "CHEROKEE", "CYRILLIC", "FULLWIDTH", "GREEK", "LISU", "MATHEMATICAL")
"""How letters are named that are taken for Latin ones."""


def look_alike(text: str) -> str | None:
    """The first letter that is taken for a Latin one, such as the Cyrillic `U+0410`, or `None`."""
    if text.isascii():
        return None
    for character in text:
        if unicodedata.name(character, "").startswith(_LIKE_LATIN):
            return f"U+{ord(character):04X}"
    return None


def column_name(text: str) -> str:
    """A column's name as files are asked for it: `Broker User ID` is `broker_user_id`."""
    return re.sub(r"[\s-]+", "_", text.strip().lower())


def no_text(raw: bytes) -> str:
    """What a file is that begins so and is no UTF-8 text; empty where it may be one."""
    return next((words for mark, words in _NO_TEXT if raw.startswith(mark)), "")


def other_separator(header: str) -> str:
    """What separates the columns of a header line where commas do not, such as `semicolons`; else empty."""
    if "," in header:
        return ""
    return next((words for sign, words in _SEPARATORS.items() if sign in header), "")


def trimmed(cells: Sequence[str], columns: int | None = None) -> list[str]:
    """The cells of a row without the blanks around them, and without empty ones beyond the `columns` named.

    Spreadsheets write as many cells in each row as the widest of a sheet has.
    """
    row = [cell.strip() for cell in cells]
    while row and not row[-1] and (columns is None or len(row) > columns):
        row.pop()
    return row


def nearest(name: str, known: Sequence[str]) -> str:
    """`did you mean X` for the known name closest to `name`, or the list of known names."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def read_rows(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    also_called: Mapping[str, str] | None = None,
    faults: list[Problem] | None = None,
) -> list[CsvRow]:
    """Read a comma-separated UTF-8 file (with or without byte order mark) whose first line names its columns.

    A line `sep=,`, which Excel puts before the header, is passed over; capitals, spaces and hyphens in names
    of columns are their small letters and `_`; empty cells beyond the columns are left out. In a file that
    others made columns are `also_called` by other names, and those that are not asked for are ignored.

    Every `required` column must be there and filled in each row, every other column must be one of
    `optional`; an optional column that is missing is absent from `CsvRow.values`. Blank lines are passed
    over. A caller that gives `faults` finds those of rows added to it, judges the others and raises itself.
    Raises `FileProblem` with all faults found, `OSError` where the file cannot be read.
    """
    problems: list[Problem] = []
    reader = csv.reader(decoded_lines(path), strict=True)
    rows: list[CsvRow] = []
    of_rows = [] if faults is None else faults
    header: list[str] | None = None
    first_line = 1
    try:
        for cells in reader:
            number, first_line = first_line, reader.line_num + 1
            cells = trimmed(cells, None if header is None else len(header))
            if not any(cells) or (header is None and [cell.lower() for cell in cells] == ["sep="]):
                continue
            if header is None:
                separator = other_separator(",".join(cells))
                if separator:
                    words = f"separate the columns by commas, not by {separator}"
                    problems.append(Problem(number, "separator", ",".join(cells), words))
                    break
                header = [column_name(cell) for cell in cells]
                if also_called is not None:
                    known = {*required, *optional}
                    header = [also_called.get(name, name) for name in header]
                    header = [name if name in known else "" for name in header]
                _check_header(header, number, required, optional, problems)
                if problems:
                    break
                continue
            faulty = list(_faults_of_row(number, header, cells, required))
            of_rows.extend(faulty)
            if not faulty:
                values = zip(header, cells, strict=True)
                rows.append(CsvRow(number, {name: cell for name, cell in values if name}))
    except csv.Error as error:
        of_rows.append(
            Problem(reader.line_num, "line", str(error), "close every quote and keep one row a line")
        )
    if not problems and not of_rows and not rows:
        columns = ", ".join(required)
        problems.append(
            Problem(1, "file", "no rows", f"give a header line with {columns} and a row below it")
        )
    if problems or (of_rows and faults is None):
        raise FileProblem(path, problems + of_rows)
    return rows


def decoded_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text. Raises `FileProblem` for another file and for other bytes, `OSError`."""
    problems: list[Problem] = []
    lines = _decoded(path.read_bytes(), problems)
    if problems:
        raise FileProblem(path, problems)
    return lines


def _decoded(raw: bytes, problems: list[Problem]) -> list[str]:
    """The lines of a file as text; a line that is not UTF-8 becomes a problem naming its byte."""
    wrong = no_text(raw)
    if wrong:
        problems.append(Problem(1, "file", wrong, "save it as CSV UTF-8 (comma delimited)"))
        return []
    lines: list[str] = []
    offset = len(BOM_UTF8) if raw.startswith(BOM_UTF8) else 0
    for number, line in enumerate(raw[offset:].splitlines(keepends=True), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            where = f"byte {offset + error.start} of the file; save the file as UTF-8"
            problems.append(Problem(number, "encoding", f"0x{line[error.start]:02x}", where))
        offset += len(line)
    return lines


def _check_header(
    header: list[str], number: int, required: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> None:
    known = [*required, *optional]
    for index, name in enumerate(header):
        if not name:
            continue
        if name in header[:index]:
            problems.append(Problem(number, "column", name, "each column may stand once"))
        elif control_character(name):
            problems.append(Problem(number, "column", name, "remove the control character"))
        elif name not in known:
            problems.append(Problem(number, "column", name, nearest(name, known)))
    problems.extend(
        Problem(number, "column", name, "this column is missing") for name in required if name not in header
    )


def _faults_of_row(
    number: int, header: Sequence[str], cells: Sequence[str], required: Sequence[str]
) -> Iterator[Problem]:
    if len(cells) != len(header):
        yield Problem(number, "fields", str(len(cells)), f"the header has {len(header)} columns")
        return
    for name, cell in zip(header, cells, strict=True):
        control = control_character(cell)
        if control and name:
            yield Problem(number, name, cell, f"remove the control character {control}")
        elif not cell and name in required:
            yield Problem(number, name, cell, "a value is needed")
