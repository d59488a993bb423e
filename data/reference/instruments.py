"""Instruments: what can be traded, read from files."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from data.csvfiles import column_name, control_character, no_text, other_separator, trimmed
from data.errors import BadInput
from data.money import BPS, decimal_from_text
from data.records import field_names
from data.vocabulary import Product

KITE_COLUMNS = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "last_price",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
"""The header of Kite's instrument dump."""

EXCHANGES = ("NSE", "BSE")
"""Where the desk trades, the preferred one first."""

TRADE_TO_TRADE_SERIES = frozenset({"BE", "BZ", "ST", "SZ"})
"""NSE series in which every trade is delivered and nothing may be netted."""

USUAL_BAND_BPS = 2_000
"""The daily price band of a share for which no other is known, in basis points of the previous close."""

_SERIES_SUFFIX = re.compile(r".+-([A-Z][A-Z0-9])")
_PROGRESS_EVERY = 2_000
_GZIP = b"\x1f\x8b"

MOST_ODD = 0.01
"""A dump of which a larger part is odd is not the format that is asked for, and is refused."""


_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")


def is_isin(text: str) -> bool:
    """Whether this is written as an ISIN is."""
    return _ISIN.fullmatch(text) is not None


class Instrument(Struct, frozen=True):
    """One tradable security or index on one exchange.

    `isin` is empty where the source (Kite's dump) has none. `mtf_margin_bps` and `mis_margin_bps` are the
    client's own share in basis points, `None` where the product is not offered or no margin is known.
    `band_bps` is the daily price band around the previous close; `fno` says that live derivatives exist,
    which brings a closing auction. `prev_close_paise` is the last known close and 0 if unknown.

    Its key names it here, whatever each broker calls it (`BrokerListing`). `security_id` is what
    the security was at first sight, empty before it is stored; `doubt` says why none of it is bought until
    the trader has looked.
    """

    exchange: str
    tradingsymbol: str
    name: str
    tick_paise: int
    lot_size: int = 1
    isin: str = ""
    segment: str = "NSE"
    series: str = "EQ"
    sector: str = ""
    mtf_margin_bps: int | None = None
    mis_margin_bps: int | None = None
    fno: bool = False
    band_bps: int = USUAL_BAND_BPS
    trade_to_trade: bool = False
    prev_close_paise: int = 0
    security_id: str = ""
    doubt: str = ""

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`, the desk's name for it."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def security(self) -> str:
        """What holdings are keyed by, whatever it is called: what it was at first sight."""
        return self.security_id or self.isin or self.key

    @property
    def tradable(self) -> bool:
        """Whether orders may be placed; indices only have prices."""
        return self.segment != "INDICES"

    def margin_bps(self, product: Product) -> int | None:
        """The client's own share in a buy with `product`; `None` where the product is not offered.

        Trade-to-trade securities settle gross and are bought for delivery in full alone.
        """
        if product is Product.CNC:
            return BPS
        if self.trade_to_trade:
            return None
        return self.mtf_margin_bps if product is Product.MTF else self.mis_margin_bps

    @property
    def margins_unknown(self) -> bool:
        """Whether a share that may be sold within the day has no margin at all: then nobody has told them."""
        return not self.trade_to_trade and self.mtf_margin_bps is None and self.mis_margin_bps is None


class BrokerInstrument(Instrument, frozen=True):
    """An instrument as one broker lists it, under its token there.

    The token is empty where none is known, or where it names another security now.
    """

    token: str = ""


class BrokerListing(Struct, frozen=True):
    """An instrument of the desk, by its key, at one broker.

    `token` is what the broker numbers it by, None where that is not known or names another security now;
    `symbol` is what it is called there, `isin` and `series` what the broker says of it, empty where it does
    not.
    """

    broker: str
    key: str
    token: str | None
    symbol: str
    isin: str = ""
    series: str = ""


def as_listed(broker: str, key: str, row: BrokerInstrument) -> BrokerListing:
    """How a broker lists the instrument of a key by a row of its own file."""
    return BrokerListing(broker, key, row.token or None, row.tradingsymbol, row.isin, row.series)


def at_broker(instrument: Instrument, token: str) -> BrokerInstrument:
    """An instrument as a broker lists it under this token."""
    return BrokerInstrument(
        **{name: getattr(instrument, name) for name in field_names(Instrument)}, token=token
    )


# --- Kite's dump --------------------------------------------------------------------------------------


class InstrumentFile(Struct, frozen=True):
    """What a dump held: the instruments taken, the rows passed over by segment and type, and all rows.

    `unread` says of each odd row of a share or an index what is wrong with it.
    """

    instruments: list[BrokerInstrument]
    skipped: dict[str, int]
    rows: int
    unread: tuple[str, ...] = ()


def read_kite_instruments(
    path: Path, on_progress: Callable[[int, int], None] | None = None
) -> InstrumentFile:
    """Read Kite's instrument dump, plain or gzipped (`.gz`), taking NSE and BSE shares and indices.

    `on_progress` is told the bytes read and the file's size. The dump has no ISIN, margins or bands, so
    those stay at their defaults; the series follows from the symbol's suffix. Blank rows are passed over. An
    odd row, whose values are not as documented or whose symbol stands twice, is left out and named in
    `unread`, as long as it is one of few. Raises `BadInput` naming row (as editors count), column and value
    where more are odd, and for a file that is cut short; `OSError` where it cannot be read.
    """
    total = path.stat().st_size
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        zipped = head.startswith(_GZIP)
        wrong = "" if zipped else no_text(head)
        if wrong:
            raise BadInput("file", wrong, "give the CSV file itself, in UTF-8, or gzipped")
        reader = csv.reader(_lines(raw, zipped), strict=True)
        try:
            numbered = ((reader.line_num, cells) for row in reader if any(cells := trimmed(row)))
            return _read_rows(numbered, raw, total, on_progress or _silent)
        except csv.Error as error:
            raise BadInput(f"row {reader.line_num}", str(error), "the file is cut short or damaged") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput("file", path.name, f"the archive is cut short or damaged: {error}") from None


def _silent(_read: int, _total: int) -> None:
    return


def _lines(raw: BinaryIO, zipped: bool) -> Iterator[str]:
    stream = gzip.GzipFile(fileobj=raw) if zipped else raw
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            wrong = f"0x{error.object[error.start]:02x}"
            raise BadInput(f"row {number}, byte {error.start + 1}", wrong, "the file must be UTF-8") from None


def _read_rows(
    rows: Iterator[tuple[int, list[str]]],
    raw: BinaryIO,
    total: int,
    on_progress: Callable[[int, int], None],
) -> InstrumentFile:
    header = _header(rows)
    at = {name: header.index(name) for name in KITE_COLUMNS}
    instruments: list[BrokerInstrument] = []
    skipped: dict[str, int] = {}
    row_of: dict[str, int] = {}
    odd: list[BadInput] = []
    count, number = 0, 1
    row: list[str] = []
    for count, (number, row) in enumerate(rows, start=1):
        try:
            found = _instrument_of(row, header, at, number)
            if found is None:
                segment, exchange = row[at["segment"]], row[at["exchange"]]
                name = segment if segment == exchange else f"{segment} {exchange}"
                skipped[name] = skipped.get(name, 0) + 1
            elif (first := row_of.setdefault(found.key, number)) != number:
                raise BadInput(f"row {number}, tradingsymbol", found.key, f"row {first} has it already")
            else:
                instruments.append(found)
        except BadInput as bad:
            odd.append(bad)
        if count % _PROGRESS_EVERY == 0:
            on_progress(raw.tell(), total)
    if count == 0:
        raise BadInput("file", "no rows", "the dump must have rows below its header")
    _check_end(row, at, number)
    if len(odd) > MOST_ODD * (len(instruments) + len(odd)):
        raise odd[0]
    on_progress(total, total)
    return InstrumentFile(instruments, skipped, count, tuple(str(bad) for bad in odd))


def _header(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """The names of the columns. Raises `BadInput`."""
    number, cells = next(rows, (1, list[str]()))
    if [cell.lower() for cell in cells] == ["sep="]:
        number, cells = next(rows, (2, list[str]()))
    separator = other_separator(",".join(cells))
    if separator:
        raise BadInput(
            f"row {number}", ",".join(cells), f"separate the columns by commas, not by {separator}"
        )
    header = [column_name(cell) for cell in cells]
    missing = [name for name in KITE_COLUMNS if header.count(name) != 1]
    if missing:
        raise BadInput(f"row {number}", ",".join(cells), f"the header must name once: {', '.join(missing)}")
    return header


def _instrument_of(
    row: list[str], header: list[str], at: dict[str, int], number: int
) -> BrokerInstrument | None:
    """The instrument of a row, None where it is not one the desk trades. Raises `BadInput` for an odd one."""
    if max(at.values()) < len(row) < len(header):  # empty cells of further columns were trimmed
        row.extend([""] * (len(header) - len(row)))
    if len(row) != len(header):
        raise BadInput(f"row {number}", f"{len(row)} fields", f"the header has {len(header)}")
    segment, exchange = row[at["segment"]], row[at["exchange"]]
    if (segment in EXCHANGES or exchange in EXCHANGES) and not _belongs(segment, exchange):
        raise BadInput(f"row {number}, exchange", exchange, f"segment {segment} does not trade there")
    traded = exchange in EXCHANGES and row[at["instrument_type"]] == "EQ"
    return _instrument(row, at, number) if traded else None


def _check_end(row: list[str], at: dict[str, int], number: int) -> None:
    """Refuse a file whose last row is incomplete: what came behind it is lost. Raises `BadInput`."""
    value = f"{len(row)} fields"
    if len(row) > max(at.values()):
        segment, value = row[at["segment"]], row[at["exchange"]]
        if value in EXCHANGES or _belongs(segment, value):
            return
    raise BadInput(f"row {number}", value, "the last row is incomplete; the file is cut short")


def _belongs(segment: str, exchange: str) -> bool:
    if segment == "INDICES":
        return len(exchange) >= 3
    return segment == exchange or segment.startswith(f"{exchange}-")


def _instrument(row: Sequence[str], at: dict[str, int], number: int) -> BrokerInstrument:
    symbol, name = row[at["tradingsymbol"]], row[at["name"]]
    for field, text in (("tradingsymbol", symbol), ("name", name)):
        control = control_character(text)
        if control:
            raise BadInput(f"row {number}, {field}", text, f"must be free of the control character {control}")
    if not symbol.strip():
        raise BadInput(f"row {number}, tradingsymbol", symbol, "a symbol is needed")
    index = row[at["segment"]] == "INDICES"
    exchange = row[at["exchange"]]
    series = series_of(exchange, symbol, index)
    tick = _paise(row[at["tick_size"]], "tick_size", number)
    if tick == 0 and not index:
        raise BadInput(f"row {number}, tick_size", row[at["tick_size"]], "must be above zero")
    return BrokerInstrument(
        token=str(_whole(row[at["instrument_token"]], "instrument_token", number)),
        exchange=exchange,
        tradingsymbol=symbol,
        name=name or symbol,
        # Indices are published in paise and have no tick of their own.
        tick_paise=tick or 1,
        lot_size=1 if index else _whole(row[at["lot_size"]], "lot_size", number),
        segment=row[at["segment"]],
        series=series,
        trade_to_trade=series in TRADE_TO_TRADE_SERIES,
        prev_close_paise=_paise(row[at["last_price"]], "last_price", number),
    )


def series_of(exchange: str, symbol: str, index: bool = False) -> str:
    """The series that a symbol of Kite's dump names by its suffix, as in `CENTRALBK-BE`; EQ without one."""
    suffix = _SERIES_SUFFIX.fullmatch(symbol) if exchange == "NSE" and not index else None
    return suffix.group(1) if suffix else "EQ"


_MOST_DIGITS = 15
"""Of a token or a lot: more than any exchange has, and a number that SQLite takes."""


def _whole(text: str, field: str, number: int) -> int:
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        raise BadInput(f"row {number}, {field}", text, "must be a whole number above zero")
    if len(text) > _MOST_DIGITS:
        raise BadInput(f"row {number}, {field}", text, f"must have at most {_MOST_DIGITS} digits")
    return int(text)


def _paise(text: str, field: str, number: int) -> int:
    expected = "must be rupees with at most two decimals, zero or more"
    paise = decimal_from_text(text, f"row {number}, {field}", expected) * 100
    if paise < 0 or paise > 10**16 or paise != int(paise):
        raise BadInput(f"row {number}, {field}", text, expected)
    return int(paise)
