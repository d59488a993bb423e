"""The instruments file of the local Groww (documentation, "instruments")."""

import csv
import io
from collections.abc import Iterable

from brokers.simulators.exchange.prices import Listing
from brokers.simulators.exchange.rms import MAX_QUANTITY
from brokers.simulators.groww.names import CASH, amount, exchange_token, groww_symbol, trading_symbol
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving.answers import Row

COLUMNS = (
    "exchange",
    "exchange_token",
    "trading_symbol",
    "groww_symbol",
    "name",
    "instrument_type",
    "segment",
    "series",
    "isin",
    "underlying_symbol",
    "underlying_exchange_token",
    "expiry_date",
    "strike_price",
    "lot_size",
    "tick_size",
    "freeze_quantity",
    "is_reserved",
    "buy_allowed",
    "sell_allowed",
)
"""The header as it is documented."""


def instruments_file(listings: Iterable[Listing], switches: GrowwSwitches) -> bytes:
    """The file as text separated by commas."""
    columns = (
        [*reversed(COLUMNS), "feed_key", "internal_trading_symbol"] if switches.more_columns else COLUMNS
    )
    written = io.StringIO()
    rows = csv.DictWriter(written, columns, restval="", extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    rows.writerows(_row(one, switches) for one in listings)
    return written.getvalue().encode()


def _row(listing: Listing, switches: GrowwSwitches) -> Row:
    instrument = listing.instrument
    told: Row = {
        "exchange": instrument.exchange,
        "exchange_token": exchange_token(instrument),
        "trading_symbol": trading_symbol(instrument),
        "groww_symbol": groww_symbol(instrument),
        "name": instrument.name,
        "instrument_type": "EQ" if instrument.tradable else "IDX",
        "segment": CASH,
        "feed_key": exchange_token(instrument),
        "internal_trading_symbol": instrument.tradingsymbol,
        "is_reserved": 0,
        "buy_allowed": int(instrument.tradable),
        "sell_allowed": int(instrument.tradable),
    }
    if not instrument.tradable:
        return told
    tick = instrument.tick_paise
    return told | {
        "series": instrument.series,
        "isin": instrument.isin,
        "lot_size": instrument.lot_size,
        "tick_size": tick if switches.tick_in_paise else amount(tick),
        "freeze_quantity": MAX_QUANTITY,
    }
