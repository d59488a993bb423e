"""Upstox's names of instruments: `NSE_EQ|INE002A01018` for a share, `NSE_INDEX|Nifty 50` for an index."""

from collections.abc import Mapping

from brokers.simulators.exchange.prices import Listing
from brokers.simulators.serving.venue import Venue
from data.reference.instruments import BrokerInstrument, Instrument

_INDICES = {"NIFTY 50": ("Nifty 50", "NIFTY"), "NIFTY BANK": ("Nifty Bank", "BANKNIFTY")}
"""The name in an index's key, and the symbol that it trades as."""


def segment_of(instrument: Instrument) -> str:
    """The segment in front of a key."""
    return f"{instrument.exchange}_{'EQ' if instrument.tradable else 'INDEX'}"


def instrument_key(instrument: Instrument) -> str:
    """What orders, quotes and streams name an instrument by; empty for a share without an ISIN."""
    if not instrument.tradable:
        name, _ = _INDICES.get(instrument.tradingsymbol, (instrument.tradingsymbol, ""))
        return f"{segment_of(instrument)}|{name}"
    return f"{segment_of(instrument)}|{instrument.isin}" if instrument.isin else ""


def trading_symbol(instrument: Instrument, index_names: str) -> str:
    """What an instrument is called; `index_names` is the switch of that name."""
    if instrument.tradable:
        return instrument.tradingsymbol
    name, short = _INDICES.get(instrument.tradingsymbol, (instrument.tradingsymbol, ""))
    return short if short and index_names == "short" else name


def exchange_token(instrument: BrokerInstrument) -> str:
    """The exchange's own number of an instrument, which is the upper part of the paper market's token."""
    return str(int(instrument.token or 0) >> 8)


class InstrumentKeys:
    """The venue's listings by Upstox's keys."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._known: Mapping[str, str] = {}

    async def find(self, key: str) -> Listing | None:
        """The listing of an instrument key; listings are read again for one that is not known."""
        listing = self._venue.listing(self._known.get(key, ""))
        if listing is None or instrument_key(listing.instrument) != key:
            instruments = [one.instrument for one in (await self._venue.listings()).values()]
            self._known = {name: one.key for one in instruments if (name := instrument_key(one))}
            listing = self._venue.listing(self._known.get(key, ""))
        return listing
