"""The instruments files of the local Upstox (developer documentation, "instruments")."""

import gzip
import json
from collections.abc import Iterable
from typing import Any

from brokers.simulators.exchange.prices import Listing
from brokers.simulators.exchange.rms import MAX_QUANTITY
from brokers.simulators.serving.answers import Row
from brokers.simulators.upstox.keys import exchange_token, instrument_key, segment_of, trading_symbol
from brokers.simulators.upstox.switches import UpstoxSwitches
from data.money import BPS

FILES = ("complete", "NSE", "BSE", "MCX", "MTF", "suspended-instrument")
"""The files that there are, each as `NAME.json.gz`."""


def instruments_file(name: str, listings: Iterable[Listing], switches: UpstoxSwitches) -> bytes:
    """One of `FILES`: a gzipped array. A share without an ISIN has no key here and is left out."""
    rows = [_row(one, switches) for one in listings if instrument_key(one.instrument)]
    match name:
        case "complete":
            kept = rows
        case "MTF":
            kept = [row for row in rows if row.get("mtf_enabled")]
        case "suspended-instrument":
            kept = list[Row]()
        case _:
            kept = [row for row in rows if row["exchange"] == name]
    return gzip.compress(json.dumps(kept, separators=(",", ":")).encode(), 6, mtime=0)


def _row(listing: Listing, switches: UpstoxSwitches) -> Row:
    instrument = listing.instrument
    name = instrument_key(instrument).partition("|")[2]
    row: dict[str, Any] = {
        "segment": segment_of(instrument),
        "name": instrument.name.upper() if instrument.tradable else name,
        "exchange": instrument.exchange,
        "instrument_type": instrument.series if instrument.tradable else "INDEX",
        "instrument_key": instrument_key(instrument),
        "exchange_token": exchange_token(instrument),
        "trading_symbol": trading_symbol(instrument, switches.index_names),
    }
    if not instrument.tradable:
        return row
    margin_bps = instrument.mtf_margin_bps
    return row | {
        "isin": instrument.isin,
        "lot_size": instrument.lot_size,
        "freeze_quantity": float(switches.freeze_quantities.get(instrument.key, MAX_QUANTITY)),
        "tick_size": float(instrument.tick_paise) if switches.tick_in_paise else instrument.tick_paise / 100,
        "short_name": instrument.name,
        "security_type": "NORMAL",
        "qty_multiplier": 1.0,
        "mtf_enabled": margin_bps is not None,
        "mtf_bracket": None if margin_bps is None else margin_bps * 100 / BPS,
    }
