"""The constituents of an index as NSE publishes them: `ind_nifty50list.csv` and its like."""

import re
from pathlib import Path

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, read_rows

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&-]{0,19}")
_ISIN = re.compile(r"IN[A-Z0-9]{9}[0-9]")

MOST = 2_000
"""Rows that a list may have: no index of the exchanges has as many."""


class Constituent(Struct, frozen=True):
    """A share of an index, with the line of the file that names it."""

    row: int
    symbol: str
    isin: str


def read_index_file(path: Path) -> list[Constituent]:
    """The shares that a file lists: columns Symbol and ISIN Code, others are passed over.

    Raises `FileProblem` naming every bad row, `OSError` where the file cannot be read.
    """
    faults: list[Problem] = []
    rows = read_rows(path, ("symbol", "isin_code"), also_called={"isin": "isin_code"}, faults=faults)
    found: dict[str, Constituent] = {}
    isins: set[str] = set()
    for row in rows:
        symbol, isin = row.values["symbol"], row.values["isin_code"]
        for field, value, form, words in (
            ("symbol", symbol, _SYMBOL, "give an NSE symbol in capitals"),
            ("isin_code", isin, _ISIN, "give the ISIN of an Indian security, 12 letters and digits"),
        ):
            if not form.fullmatch(value):
                faults.append(Problem(row.number, field, value, words))
        if symbol in found:
            faults.append(Problem(row.number, "symbol", symbol, "each share may stand once"))
        if isin in isins:
            faults.append(Problem(row.number, "isin_code", isin, "each share may stand once"))
        isins.add(isin)
        found[symbol] = Constituent(row.number, symbol, isin)
    if len(found) > MOST:
        faults.append(Problem(1, "file", str(len(found)), f"give a list of {MOST} shares at most"))
    if faults:
        raise FileProblem(path, faults)
    return list(found.values())
