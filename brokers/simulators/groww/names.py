"""Groww's names of instruments: an exchange, a segment and a trading symbol."""

from collections.abc import Mapping

from brokers.simulators.exchange.prices import Listing
from brokers.simulators.groww.answers import bad_request
from brokers.simulators.serving.answers import rupees
from brokers.simulators.serving.venue import Venue
from data.reference.instruments import BrokerInstrument, Instrument

CASH = "CASH"
"""The segment of shares and indices, which alone trades here."""

SEGMENTS = (CASH, "FNO", "COMMODITY", "CURRENCY")
EXCHANGES = ("NSE", "BSE", "MCX")

_INDICES = {"NIFTY 50": "NIFTY", "NIFTY BANK": "BANKNIFTY"}
"""The symbol, and the exchange's token, that an index goes by."""

_INDEX_NAMES = {short: name for name, short in _INDICES.items()}


def trading_symbol(instrument: Instrument) -> str:
    """What an instrument is called in orders and quotes."""
    return _INDICES.get(instrument.tradingsymbol, instrument.tradingsymbol)


def exchange_token(instrument: BrokerInstrument) -> str:
    """The exchange's own number of an instrument, which names it on the feed; an index has a word."""
    if not instrument.tradable:
        return trading_symbol(instrument)
    # The paper market's token has it in its upper part.
    return str(int(instrument.token or 0) >> 8)


def groww_symbol(instrument: Instrument) -> str:
    """What candles name an instrument by."""
    return f"{instrument.exchange}-{trading_symbol(instrument)}"


async def find(venue: Venue, exchange: object, symbol: object) -> Listing | None:
    """The listing of a trading symbol; listings are read again for one that is not known."""
    if not isinstance(symbol, str):
        return None
    key = f"{exchange}:{_INDEX_NAMES.get(symbol, symbol)}"
    return venue.listing(key) or (await venue.listings()).get(key)


def check_segment(given: Mapping[str, object], *, needed: bool = True) -> str | None:
    """The segment that a call names. Raises `Turned` where it names none, or one that there is not."""
    segment = given.get("segment")
    if segment is None and not needed:
        return None
    if segment not in SEGMENTS:
        raise bad_request("segment is required" if not segment else f"Invalid segment: {segment}")
    return str(segment)


def amount(paise: int) -> int | float:
    """Paise as the JSON number that Groww sends: rupees, whole ones without decimals."""
    return paise // 100 if paise % 100 == 0 else rupees(paise)
