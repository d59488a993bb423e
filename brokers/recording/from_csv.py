"""Real ticks of a CSV file as a recording, so that they can be the paper exchange's prices."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from brokers.contract import DepthLevel, Tick
from brokers.recording.files import RecordingFile, block_of
from brokers.simulators.exchange.prices import circuits
from data.clock import IST
from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import count_from_text, paise_from_text
from data.reference.instruments import Instrument

REQUIRED = ("time", "symbol", "price")
OPTIONAL = ("exchange", "volume", "bid", "ask", "prev_close")

USUAL_TICK_PAISE = 5
"""Of a share that is not known: the finest there is, so that no price is off it."""

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&_ -]{0,29}")
_IN_A_BLOCK = 2_000
_DEPTH = 1_000_000
"""Shares that are offered at a bid or an ask, of which a file tells the price alone."""


class _GivenTick(Struct, frozen=True):
    at: datetime
    instrument: Instrument
    price_paise: int
    volume: int
    bid_paise: int
    ask_paise: int
    prev_close_paise: int


def record_csv(source: Path, to: Path, instrument: Callable[[str], Instrument | None]) -> int:
    """Write the ticks of a CSV file as a recording of their day; returns how many.

    Columns are `time` (ISO, India's where it names no zone), `symbol` and `price` in rupees, and as you like
    `exchange` (NSE), `volume` (of the day so far), `bid`, `ask`, `prev_close`. Rows may be in any order. What
    `instrument` does not know is a share by the usual rules. Raises `FileProblem` naming each bad row.
    """
    problems: list[Problem] = []
    rows = [
        found
        for row in read_rows(source, REQUIRED, OPTIONAL, faults=problems)
        if (found := _row(row, instrument, problems)) is not None
    ]
    days = sorted({row.at.astimezone(IST).date() for row in rows})
    if not problems and len(days) != 1:
        told = "no day" if not days else f"{days[0]} and {days[-1]}"
        problems.append(Problem(1, "time", told, "the ticks of one day go into one file"))
    if problems:
        raise FileProblem(source, problems)
    rows.sort(key=lambda row: row.at)
    ticks, told = _ticks(rows), {row.instrument.key: row.instrument for row in reversed(rows)}
    file = RecordingFile(to, 1 << 62)
    try:
        for first in range(0, len(ticks), _IN_A_BLOCK):
            instruments = list(told.values()) if first == 0 else []
            file.write(block_of(days[0], timedelta(), instruments, ticks[first : first + _IN_A_BLOCK]))
    finally:
        file.close()
    return len(ticks)


def _row(
    row: CsvRow, instrument: Callable[[str], Instrument | None], problems: list[Problem]
) -> _GivenTick | None:
    values, before = row.values, len(problems)
    exchange, symbol = (values.get("exchange") or "NSE").upper(), values["symbol"].upper()
    if exchange not in ("NSE", "BSE"):
        problems.append(Problem(row.number, "exchange", exchange, "NSE or BSE"))
    if not _SYMBOL.fullmatch(symbol):
        problems.append(Problem(row.number, "symbol", symbol, "give a tradingsymbol, such as RELIANCE"))
    at = _moment(values["time"])
    if at is None:
        problems.append(Problem(row.number, "time", values["time"], "give it as 2026-11-18T09:15:00.250"))
    figures: dict[str, int] = {}
    for name, read in (
        *((name, paise_from_text) for name in ("price", "bid", "ask", "prev_close")),
        ("volume", count_from_text),
    ):
        try:
            figures[name] = read(values[name], name) if values.get(name) else 0
        except BadInput as problem:
            problems.append(Problem(row.number, name, values[name], problem.expected))
    if at is None or len(problems) > before:
        return None
    if figures["price"] <= 0:
        problems.append(Problem(row.number, "price", values["price"], "a price is above nothing"))
        return None
    known = instrument(f"{exchange}:{symbol}")
    close = figures["prev_close"] or (known.prev_close_paise if known else 0) or figures["price"]
    if known is None:
        known = Instrument(exchange, symbol, symbol, USUAL_TICK_PAISE, prev_close_paise=close)
    return _GivenTick(
        at,
        known,
        figures["price"],
        figures["volume"],
        figures["bid"] or figures["price"],
        figures["ask"] or figures["price"],
        close,
    )


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=IST)).astimezone(UTC)


def _ticks(rows: list[_GivenTick]) -> list[Tick]:
    """Each row with the day's open, high and low until then."""
    spans: dict[str, tuple[int, int, int, int]] = {}
    made: list[Tick] = []
    for row in rows:
        key, price, share = row.instrument.key, row.price_paise, row.instrument
        opened, high, low, volume = spans.get(key, (price, price, price, 0))
        spans[key] = span = (opened, max(high, price), min(low, price), max(volume, row.volume))
        lower, upper = circuits(row.prev_close_paise, share.band_bps, share.tick_paise)
        bids = (DepthLevel(row.bid_paise, _DEPTH, 1),) if share.tradable else ()
        asks = (DepthLevel(row.ask_paise, _DEPTH, 1),) if share.tradable else ()
        made.append(
            Tick(
                key,
                price,
                row.prev_close_paise,
                *span,
                row.bid_paise if bids else 0,
                row.ask_paise if asks else 0,
                lower,
                upper,
                row.at,
                row.at,
                bids,
                asks,
            )
        )
    return made
