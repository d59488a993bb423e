"""Upstox's instruments: a gzipped JSON array, read row by row, of which the desk trades shares and indices.

The unit of `tick_size` is not documented, and the file's own samples say 5.0 where 0.05 rupees are meant.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

from brokers.contract import BrokerError, InstrumentRow, UnreadRow
from brokers.wire.ticks import FileDump, FileRow, dump_of
from data.csvfiles import control_character

FILE = "/market-quote/instruments/exchange/complete.json.gz"

_SEGMENTS = {"NSE_EQ": "NSE", "BSE_EQ": "BSE", "NSE_INDEX": "NSE", "BSE_INDEX": "BSE"}
"""What the desk trades or follows, by exchange."""

_CHUNK = 1 << 18
_LONGEST_ROW = 1 << 16
_BETWEEN = re.compile(r"[\s,]*")


def read_dump(path: Path) -> FileDump:
    """Read the file. Raises `BrokerError` where it is damaged, cut short, or mostly odd; it may block."""
    found: dict[str, FileRow] = {}
    unread: list[UnreadRow] = []
    try:
        for number, fields in enumerate(_objects(path), start=1):
            exchange = _SEGMENTS.get(str(fields.get("segment")))
            if exchange is None:
                continue
            try:
                row = _row(fields, exchange)
                if found.setdefault(f"{exchange}:{row.listed.tradingsymbol}", row) is not row:
                    raise ValueError(f"trading_symbol: {row.listed.tradingsymbol} stands twice")
            except (ValueError, InvalidOperation) as odd:
                unread.append(UnreadRow(f"row {number}, {odd}"))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise BrokerError(f"Upstox's instruments cannot be read: {error}", "bad_instruments") from None
    return dump_of("Upstox", found, unread)


def _row(fields: Mapping[str, object], exchange: str) -> FileRow:
    """A row of a share or an index. Raises `ValueError` naming the field."""
    segment = str(fields["segment"])
    is_index = segment.endswith("_INDEX")
    token, symbol = _text(fields, "instrument_key"), _text(fields, "trading_symbol")
    if not token.startswith(f"{segment}|"):
        raise ValueError(f"instrument_key: {token!r} is not of {segment}")
    series = str(fields.get("instrument_type") or "EQ")
    if is_index:
        symbol = token.partition("|")[2].upper()
    elif exchange == "NSE" and series != "EQ" and not symbol.endswith(f"-{series}"):
        symbol = f"{symbol}-{series}"
    tick = None if is_index else _number(fields, "tick_size")
    lot = 1 if is_index else int(_number(fields, "lot_size"))
    listed = InstrumentRow(
        token=token,
        tradingsymbol=symbol,
        name=str(fields.get("name") or symbol),
        exchange=exchange,
        segment="INDICES" if is_index else exchange,
        instrument_type="EQ",
        tick_paise=0,
        lot_size=max(1, lot),
        last_paise=0,
        isin=str(fields.get("isin") or ""),
    )
    return FileRow(listed, tick)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip() or control_character(value):
        raise ValueError(f"{name}: {value!r}; it must be text")
    return value.strip()


def _number(fields: Mapping[str, object], name: str) -> Decimal:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{name}: {value!r}; it must be a number above zero")
    number = Decimal(str(value))
    if not number.is_finite() or number <= 0 or number > 10**9:
        raise ValueError(f"{name}: {value!r}; it must be a number above zero")
    return number


def _objects(path: Path) -> Iterator[Mapping[str, object]]:
    """The objects of a gzipped JSON array, one after another. Raises `ValueError` for what is none."""
    decode = json.JSONDecoder().raw_decode
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rest, at = text.read(_CHUNK).lstrip("\ufeff \r\n\t"), 1
        if not rest.startswith("["):
            raise ValueError("it must be a JSON array")
        while True:
            at = _BETWEEN.match(rest, at).end()  # pyright: ignore[reportOptionalMemberAccess] # it may be empty
            if rest[at : at + 1] == "]":
                return
            try:
                found, at = decode(rest, at)
            except json.JSONDecodeError:  # it goes on in the next part, or is damaged
                more = text.read(_CHUNK)
                if not more or len(rest) - at > _LONGEST_ROW:
                    raise ValueError("it is damaged or cut short") from None
                rest, at = rest[at:] + more, 0
                continue
            if not isinstance(found, dict):
                raise ValueError("each of its rows must be an object")
            yield cast("Mapping[str, object]", found)
