"""Groww's instruments: a CSV file for all exchanges, of which the desk takes NSE's and BSE's shares and
indices.

Columns are taken by their names, since their order and number have changed. Its samples show ticks of
0.05 and of 5 (Groww Trading API documentation, instruments; files that others have kept).
"""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from brokers.contract import BrokerError, InstrumentRow, UnreadRow
from brokers.groww.answers.rows import CASH
from brokers.groww.listings import INDEX, Listed
from brokers.wire.ticks import FileDump, FileRow, dump_of
from data.csvfiles import control_character
from data.reference.instruments import EXCHANGES

FILE = "/instruments/instrument.csv"

COLUMNS = (
    *("exchange", "exchange_token", "trading_symbol", "name", "instrument_type", "segment"),
    *("series", "isin", "lot_size", "tick_size"),
)
"""What a file must have; more is let be."""

_INDICES = ("IDX", "INDEX")

_INDEX_NAMES = {
    "NIFTY FINANCIAL SERVICES": "NIFTY FIN SERVICE",
    "NIFTY MIDCAP SELECT": "NIFTY MID SELECT",
    "BSE SENSEX": "SENSEX",
    "S&P BSE SENSEX": "SENSEX",
    "NIFTY": "NIFTY 50",
    "BANKNIFTY": "NIFTY BANK",
    "FINNIFTY": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "INDIAVIX": "INDIA VIX",
}
"""What other brokers call an index, by its name where that is written out here, else by its symbol."""

_NOTHING = ("", "nan", "null", "none")
"""What stands for an empty cell."""


def read_dump(path: Path) -> FileDump:
    """Read the file. Raises `BrokerError` where it is damaged, cut short, or mostly odd; it may block.

    A symbol that stands in two series is that of the usual one; what has none of its own is passed over.
    """
    found: dict[str, FileRow] = {}
    unread: list[UnreadRow] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            for number, fields in _rows(text):
                if fields["segment"] != CASH or fields["exchange"] not in EXCHANGES:
                    continue
                try:
                    row = _row(fields)
                except (ValueError, InvalidOperation) as odd:
                    unread.append(UnreadRow(f"row {number}, {odd}"))
                    continue
                key = f"{row.listed.exchange}:{row.listed.tradingsymbol}"
                if key not in found or found[key].listed.series != "EQ" == row.listed.series:
                    found[key] = row
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise BrokerError(f"Groww's instruments cannot be read: {error}", "bad_instruments") from None
    return dump_of("Groww", found, unread)


def _rows(text: Iterator[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows by the names of their columns, each with its number. Raises `ValueError`."""
    reader = csv.reader(text, strict=True)
    header = [cell.strip().lower() for cell in next(reader, list[str]())]
    if missing := [name for name in COLUMNS if header.count(name) != 1]:
        raise ValueError(f"the header must name once: {', '.join(missing)}")
    cells: list[str] = []
    for cells in reader:
        if len(cells) != len(header) and any(cells):
            raise ValueError(f"row {reader.line_num}: {len(cells)} fields, the header has {len(header)}")
        if cells:
            yield reader.line_num, dict(zip(header, map(_cell, cells), strict=True))
    if not cells:
        raise ValueError("it has no rows")


def _cell(text: str) -> str:
    given = text.strip()
    return "" if given.lower() in _NOTHING else given


def _row(fields: Mapping[str, str]) -> FileRow:
    """A row of a share or an index. Raises `ValueError` naming the field."""
    exchange, symbol, number = (
        _text(fields, name) for name in ("exchange", "trading_symbol", "exchange_token")
    )
    if "|" in symbol + number:
        raise ValueError(f"trading_symbol: {symbol!r}; it must have no |")
    index = fields["instrument_type"] in _INDICES
    name = fields["name"] or symbol
    listed = Listed(exchange, INDEX if index else CASH, number, symbol)
    called = _INDEX_NAMES.get(name.upper(), name.upper()) if index else symbol
    return FileRow(
        InstrumentRow(
            token=listed.token,
            tradingsymbol=called,
            name=name,
            exchange=exchange,
            segment="INDICES" if index else exchange,
            instrument_type="EQ",
            tick_paise=0,
            lot_size=1 if index else max(1, int(_number(fields, "lot_size"))),
            last_paise=0,
            isin="" if index else fields["isin"],
            series="" if index else (fields["series"] or "EQ") if exchange == "NSE" else "EQ",
        ),
        None if index else _number(fields, "tick_size"),
    )


def _text(fields: Mapping[str, str], name: str) -> str:
    value = fields[name]
    if not value or control_character(value):
        raise ValueError(f"{name}: {value!r}; it must be text")
    return value


def _number(fields: Mapping[str, str], name: str) -> Decimal:
    value = fields[name]
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{name}: {value!r}; it must be a number above zero") from None
    if not number.is_finite() or number <= 0 or number > 10**9:
        raise ValueError(f"{name}: {value!r}; it must be a number above zero")
    return number
