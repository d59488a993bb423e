"""The instruments dump and the quotes as Kite sends them."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.kite.books.rows import kite_token
from brokers.simulators.serving.answers import Row, rupees, stamp
from data.reference.instruments import KITE_COLUMNS

_LEVELS = 5
_NO_LEVEL: Row = {"price": 0, "quantity": 0, "orders": 0}


@dataclass(slots=True)
class Dump:
    """The instruments file of a day, made once."""

    day: str
    plain: bytes
    zipped: bytes


def instruments_csv(listings: Iterable[Listing]) -> bytes:
    """The dump with its twelve columns; an empty strike is written as 0, as the official client needs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(KITE_COLUMNS)
    for listing in listings:
        row = listing.instrument
        token = kite_token(row)
        facts = (token, token >> 8, row.tradingsymbol, row.name, _plain(listing.last_paise))
        terms = ("", 0, _plain(row.tick_paise), row.lot_size, "EQ", row.segment, row.exchange)
        writer.writerow((*facts, *terms))
    return text.getvalue().encode()


def _plain(paise: int) -> str:
    return f"{paise // 100}.{paise % 100:02d}".rstrip("0").rstrip(".")


def ltp_row(quote: Quote, token: int) -> Row:
    """`/quote/ltp` of one instrument."""
    return {"instrument_token": token, "last_price": rupees(quote.last_paise)}


def ohlc_row(quote: Quote, token: int) -> Row:
    """`/quote/ohlc` of one instrument; the close is the previous day's."""
    ohlc = {
        "open": rupees(quote.open_paise),
        "high": rupees(quote.high_paise),
        "low": rupees(quote.low_paise),
        "close": rupees(quote.prev_close_paise),
    }
    return {**ltp_row(quote, token), "ohlc": ohlc}


def quote_row(quote: Quote, token: int, at: datetime) -> Row:
    """`/quote` of one instrument; an index has no depth, no volume and no trades."""
    now = stamp(at)
    traded = bool(quote.bids or quote.asks)
    return {
        **ohlc_row(quote, token),
        "timestamp": now,
        "last_trade_time": now if traded else None,
        "last_quantity": 1 if traded else 0,
        "buy_quantity": sum(level.quantity for level in quote.bids),
        "sell_quantity": sum(level.quantity for level in quote.asks),
        "volume": quote.volume,
        "average_price": rupees(quote.average_paise),
        "oi": 0,
        "oi_day_high": 0,
        "oi_day_low": 0,
        "net_change": 0,
        "lower_circuit_limit": rupees(quote.lower_circuit_paise),
        "upper_circuit_limit": rupees(quote.upper_circuit_paise),
        "depth": {"buy": _levels(quote.bids), "sell": _levels(quote.asks)},
    }


def _levels(levels: tuple[DepthLevel, ...]) -> list[Row]:
    shown = [
        {"price": rupees(level.price_paise), "quantity": level.quantity, "orders": level.orders}
        for level in levels[:_LEVELS]
    ]
    return shown + [_NO_LEVEL] * (_LEVELS - len(shown))
