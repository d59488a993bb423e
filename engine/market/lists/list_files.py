"""CSV files of watchlists: an instrument a row, in the order of the list."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from data.csvfiles import CsvRow, Problem, read_rows
from data.errors import BadInput
from data.reference.instrument_index import InstrumentIndex

NEEDED, ALLOWED = ("symbol",), ("exchange", "isin", "name")
"""The columns of such a file: the one that it needs, and those that it may have; `name` is for readers."""


def read_list(path: Path, index: InstrumentIndex) -> tuple[list[str], list[Problem]]:
    """The keys of a file in its order, and what is wrong with each row that cannot be taken.

    Raises `FileProblem` for a file that has other columns or no row, `OSError` where it cannot be read.
    """
    problems: list[Problem] = []
    row_of: dict[str, int] = {}
    for row in read_rows(path, NEEDED, ALLOWED, faults=problems):
        try:
            key = _key_of(row, index)
        except BadInput as wrong:
            problems.append(Problem(row.number, wrong.field, str(wrong.value), wrong.expected))
            continue
        if key in row_of:
            words = f"row {row_of[key]} has it already: give each once"
            problems.append(Problem(row.number, "symbol", row.values["symbol"], words))
        row_of.setdefault(key, row.number)
    return list(row_of), sorted(problems, key=lambda problem: problem.row)


def _key_of(row: CsvRow, index: InstrumentIndex) -> str:
    told = row.values
    instrument = index.resolve(told["symbol"], told.get("exchange") or None)
    isin = told.get("isin", "").upper()
    if isin and instrument.isin and isin != instrument.isin:
        raise BadInput("isin", isin, f"{instrument.key} is {instrument.isin} here")
    return instrument.key


def list_text(keys: Sequence[str], index: InstrumentIndex) -> str:
    """A list as the text of such a file."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow((*NEEDED, *ALLOWED))
    for key in keys:
        known = index.get(key)
        exchange, _, symbol = key.partition(":")
        rows.writerow((symbol, exchange, known.isin if known else "", known.name if known else ""))
    return out.getvalue()
