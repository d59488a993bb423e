"""Closing prices from a file: an exchange's daily list of prices (bhavcopy), or columns made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from data.csvfiles import FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import paise_from_text
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import EXCHANGES, Instrument

OPTIONAL = ("exchange", "series", "isin")

_ALSO_CALLED = {
    "tradingsymbol": "symbol",
    "tckrsymb": "symbol",
    "sctysrs": "series",
    "src": "exchange",
    "close_price": "close",
    "clspric": "close",
}
"""What the lists of NSE and BSE call these columns (`sec_bhavdata_full`, and the common format of both)."""

_NO_PRICE = frozenset({"", "-", "0", "0.00"})


class Close(Struct, frozen=True):
    """What a share closed at, in paise; exchange, series and ISIN are empty where the file has none."""

    symbol: str
    paise: int
    exchange: str = ""
    series: str = ""
    isin: str = ""


def read_closes(path: Path) -> list[Close]:
    """The closes of a file; a row without a price is passed over.

    Raises `FileProblem` with every bad row, `OSError` where the file cannot be read.
    """
    problems: list[Problem] = []
    closes: list[Close] = []
    for row in read_rows(path, ("symbol",), ("close", *OPTIONAL), _ALSO_CALLED, problems):
        values = row.values
        if "close" not in values:
            raise FileProblem(path, [Problem(1, "column", "close", "this column is missing")])
        if values["close"] in _NO_PRICE:
            continue
        try:
            paise = paise_from_text(values["close"], "close")
        except BadInput as bad:
            problems.append(Problem(row.number, "close", values["close"], bad.expected))
            continue
        if paise <= 0:
            problems.append(Problem(row.number, "close", values["close"], "give a price above zero"))
        words = (values.get(name, "").upper() for name in OPTIONAL)
        closes.append(Close(values["symbol"].upper(), paise, *words))
    if problems:
        raise FileProblem(path, problems)
    return closes


def closes_of(index: InstrumentIndex, closes: Sequence[Close]) -> Mapping[str, int]:
    """The closes of known instruments, in paise by key: by ISIN where the row has one, else by symbol."""
    by_isin: dict[str, list[Instrument]] = {}
    for one in index:
        if one.isin:
            by_isin.setdefault(one.isin, []).append(one)
    found: dict[str, int] = {}
    for close in closes:
        named = [one for one in by_isin.get(close.isin, ()) if close.exchange in ("", one.exchange)]
        for one in named or _by_symbol(index, close):
            found[one.key] = close.paise
    return found


def _by_symbol(index: InstrumentIndex, close: Close) -> list[Instrument]:
    """The instrument of a row; on NSE the dump's symbols of other series than EQ end in the series."""
    for exchange in (close.exchange,) if close.exchange else EXCHANGES:
        suffixed = exchange == "NSE" and close.series not in ("", "EQ")
        one = index.get(f"{exchange}:{close.symbol}{f'-{close.series}' if suffixed else ''}")
        if one is not None:
            return [one]
    return []
