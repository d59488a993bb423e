"""Lists of shares as the exchange publishes them, told apart by their header.

NSE: the surveillance indicator `REG1_INDddmmyy.csv` (circular NSE/SURV/65097; 100 stands for not under a
measure, any other number is its stage), `fo_mktlots.csv`, `fo_secban.csv`, `sec_list.csv` and `EQUITY_L.csv`
with each share's series, and constituents of an index (`ind_nifty500list.csv`) with their industry, which is
the sector of 22. Any other file needs a column Symbol, and a name to be kept under.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, decoded_lines
from data.errors import BadInput

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&*-]{0,19}")
_ISIN = re.compile(r"IN[A-Z0-9]{9}[0-9]")

MOST = 20_000
"""Rows that a file may have; the exchange lists about three thousand shares."""

NOT_UNDER = 100
"""What the surveillance indicator says of a share that is not under a measure."""

GROSS_SERIES = frozenset({"BE", "BZ", "ST", "SZ"})
"""Series that settle trade by trade."""

MEASURES: Mapping[str, str] = {
    "gsm": "gsm",
    "long_term_additional": "asm_long",
    "short_term_additional": "asm_short",
    "esm": "esm",
    "insolvency": "insolvency",
}
"""How a column of the surveillance indicator begins, and the list that is made of it."""


class ListedIn(Struct, frozen=True):
    """A share of a list: its NSE symbol, its ISIN where the file tells it, what the list says of it."""

    symbol: str
    isin: str
    told: str


class FileList(Struct, frozen=True):
    """A list of a file, under its name, as of the day that the file says, if it does."""

    name: str
    as_of: date | None
    shares: list[ListedIn]


class _Rows:
    """The rows of a file below its header, with what is wrong of them."""

    def __init__(self, path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.path = path
        self.header = [" ".join(name.split()).casefold() for name in header]
        self.rows = rows
        self.faults: list[Problem] = []

    def column(self, *begins: str) -> int | None:
        """The first column whose name is one of these, or begins so."""
        for begin in begins:
            for place, name in enumerate(self.header):
                if name == begin or name.startswith(begin):
                    return place
        return None

    def cells(self, *places: int | None) -> Iterable[tuple[int, list[str]]]:
        """Number and cells of each row at these places; what is not there is empty."""
        for number, row in enumerate(self.rows, 2):
            if any(cell.strip() for cell in row):
                yield number, [row[p].strip() if p is not None and p < len(row) else "" for p in places]

    def listed(self, number: int, symbol: str, isin: str, told: str) -> ListedIn | None:
        """A share of a row; None, with its fault kept, where it is none."""
        for name, value, form in (("symbol", symbol, _SYMBOL), ("isin", isin, _ISIN)):
            if (value or name == "symbol") and not form.fullmatch(value):
                self.faults.append(Problem(number, name, value, f"give the {name} as NSE writes it"))
                return None
        return ListedIn(symbol, isin, told)


def read_share_file(path: Path, name: str = "") -> list[FileList]:
    """The lists of a file; `name` is for one of no known layout, or for a list of its own.

    Raises `FileProblem` naming every bad row, `BadInput` where a name is missing, `OSError`.
    """
    lines = list(csv.reader(decoded_lines(path)))
    if not lines or len(lines) > MOST:
        raise FileProblem(path, [Problem(1, "file", str(len(lines)), f"give 1 to {MOST} rows")])
    if (banned := re.match(r"securities in ban for trade date (\S+)", lines[0][0].strip(), re.I)) is not None:
        rows = _Rows(path, ["", "symbol"], lines[1:])
        day = _day_from(banned[1].rstrip(":"))
        return _checked(
            rows, [FileList(name or "fno_ban", day, _plain(rows, 1, None, None))], may_be_empty=True
        )
    rows = _Rows(path, lines[0], lines[1:])
    found = _known_layout(rows, name)
    if found is None:
        symbol = rows.column("symbol")
        if symbol is None:
            raise FileProblem(path, [Problem(1, "header", ",".join(lines[0])[:60], "give a column Symbol")])
        if not name:
            raise BadInput("as", "", f"{path.name} is no list that is known: give --as NAME")
        told = rows.column("stage", "reason", "remark", "series")
        found = [FileList(name, None, _plain(rows, symbol, rows.column("isin"), told))]
    day = _day_of_name(path.name)
    dated = [FileList(one.name, one.as_of or day, one.shares) for one in found]
    return _checked(rows, dated, may_be_empty=len(dated) > 1)


def _checked(rows: _Rows, found: list[FileList], may_be_empty: bool) -> list[FileList]:
    if not may_be_empty and not any(one.shares for one in found) and not rows.faults:
        rows.faults.append(Problem(1, "file", rows.path.name, "it lists no share"))
    if rows.faults:
        raise FileProblem(rows.path, rows.faults)
    return found


def _known_layout(rows: _Rows, name: str) -> list[FileList] | None:
    symbol, series, isin = rows.column("symbol"), rows.column("series"), rows.column("isin")
    if symbol is None or name not in ("", "sectors", "fno", "t2t"):
        return None
    if rows.column("long_term_additional") is not None and rows.column("gsm") is not None:
        return _indicator(rows, symbol, series)
    if rows.header[0] == "underlying":
        return [FileList("fno", None, _of_stocks(rows, symbol))]
    if rows.column("industry") is not None:
        return [FileList("sectors", None, _plain(rows, symbol, isin, rows.column("industry")))]
    if series is not None and (rows.column("band") is not None or rows.column("date of listing") is not None):
        return [FileList("t2t", None, _gross(rows, symbol, series, isin))]
    return None


def _plain(rows: _Rows, symbol: int, isin: int | None, told: int | None) -> list[ListedIn]:
    found: dict[str, ListedIn] = {}
    for number, (name, code, says) in rows.cells(symbol, isin, told):
        one = rows.listed(number, name, code, says)
        if one is not None:
            found[one.symbol] = one
    return list(found.values())


def _indicator(rows: _Rows, symbol: int, series: int | None) -> list[FileList]:
    found: list[FileList] = []
    for begin, name in MEASURES.items():
        shares: list[ListedIn] = []
        for number, (listed, stage) in rows.cells(symbol, rows.column(begin)):
            if not stage.isdigit():
                rows.faults.append(Problem(number, begin, stage, "give a stage, or 100 for none"))
            elif int(stage) != NOT_UNDER and (one := rows.listed(number, listed, "", f"stage {stage}")):
                shares.append(one)
        found.append(FileList(name, None, shares))
    if series is not None:
        found.append(FileList("t2t", None, _gross(rows, symbol, series, None)))
    return found


def _gross(rows: _Rows, symbol: int, series: int, isin: int | None) -> list[ListedIn]:
    """The shares that settle trade by trade; one that is listed in another series too does not."""
    gross: dict[str, ListedIn] = {}
    others: set[str] = set()
    for number, (name, kind, code) in rows.cells(symbol, series, isin):
        if kind not in GROSS_SERIES:
            others.add(name)
        elif (one := rows.listed(number, name, code, f"series {kind}")) is not None:
            gross[name] = one
    return [one for name, one in gross.items() if name not in others]


def _of_stocks(rows: _Rows, symbol: int) -> list[ListedIn]:
    """The stocks of the file of lots, which stand behind the indices."""
    found: list[ListedIn] = []
    stocks = False
    for number, (underlying, name) in rows.cells(0, symbol):
        if underlying.casefold().startswith("derivatives on individual"):
            stocks = True
        elif stocks and (one := rows.listed(number, name, "", "")) is not None:
            found.append(one)
    return found


def _day_of_name(name: str) -> date | None:
    """The day that a file's name says: `REG1_IND171126`, `sec_list_17112026`, `…-17-Nov-2026`."""
    for digits in re.findall(r"(?<!\d)(\d{8}|\d{6})(?!\d)", name):
        try:
            form = "%d%m%Y" if len(digits) == 8 else "%d%m%y"
            return datetime.strptime(digits, form).date()  # noqa: DTZ007 - a day of the exchange
        except ValueError:
            continue
    named = re.search(r"\d{1,2}-[A-Za-z]{3}-\d{4}", name)
    return None if named is None else _day_from(named[0])


def _day_from(text: str) -> date | None:
    try:
        return datetime.strptime(text.title(), "%d-%b-%Y").date()  # noqa: DTZ007 - a day of the exchange
    except ValueError:
        return None
