"""All quotes of a trading day, some of them held still by pins."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from brokers.contract import DepthLevel
from brokers.simulators.exchange.index_walk import IndexWalk, shares_of
from brokers.simulators.exchange.prices import Listing, Quote, Walk, circuits
from data.errors import BadInput
from data.money import BPS, bps_from_percent_text, ceil_div, paise_from_text
from data.records import replace
from data.reference.instruments import Instrument

PINNED_DEPTH = 1_000_000_000
"""Shares shown on each side of a pinned price; matching treats it as without end."""


class Pin(Struct, frozen=True):
    """A price held still, at zero spread and without end of depth."""

    last_paise: int
    prev_close_paise: int


def pinned_quote(listing: Listing, pin: Pin) -> Quote:
    """The market of a pinned instrument; at a circuit nobody is on the side that would leave the band."""
    instrument = listing.instrument
    lower, upper = circuits(pin.prev_close_paise, instrument.band_bps, instrument.tick_paise)
    level = (DepthLevel(pin.last_paise, PINNED_DEPTH, 1),) if instrument.tradable else ()
    buyers, sellers = pin.last_paise != lower, pin.last_paise != upper
    return Quote(
        key=instrument.key,
        last_paise=pin.last_paise,
        prev_close_paise=pin.prev_close_paise,
        open_paise=pin.last_paise,
        high_paise=pin.last_paise,
        low_paise=pin.last_paise,
        volume=listing.volume,
        bid_paise=pin.last_paise if buyers else 0,
        ask_paise=pin.last_paise if sellers else 0,
        lower_circuit_paise=lower,
        upper_circuit_paise=upper,
        pinned=True,
        bids=level if buyers else (),
        asks=level if sellers else (),
    )


def quiet_quote(listing: Listing) -> Quote:
    """The market of an instrument that nobody quotes: the price its day started from, and no depth."""
    close = listing.instrument.prev_close_paise or listing.last_paise
    still = pinned_quote(listing, Pin(listing.last_paise or close, close))
    return replace(still, bid_paise=0, ask_paise=0, bids=(), asks=(), pinned=False)


def check_pinned(instrument: Instrument, last_paise: int, prev_close_paise: int) -> None:
    """Refuse a price to hold still that is off the tick or outside the day's band. Raises `BadInput`.

    An index has no band: its level may be any.
    """
    tick = instrument.tick_paise
    if not instrument.band_bps and last_paise % tick == 0 < last_paise:
        return
    lower, upper = circuits(prev_close_paise, instrument.band_bps, tick)
    if not lower <= last_paise <= upper or last_paise % tick:
        expected = f"give a multiple of {tick} paise from {lower} to {upper} paise"
        raise BadInput(f"pinned price of {instrument.key}", last_paise, expected)


WALKS = "walks"
"""What is said to have a price held still no longer."""


def price_from(word: str, listing: Listing) -> int | None:
    """The price that a word names, in paise: rupees, or `-10.2%` of the previous close; None for `walks`.

    A percentage is rounded away from that close to the tick. Raises `BadInput`.
    """
    typed = word.strip().casefold()
    if typed == WALKS:
        return None
    if not typed.endswith("%"):
        return paise_from_text(typed, "price")
    instrument, bps = listing.instrument, bps_from_percent_text(typed, "price")
    close, tick = instrument.prev_close_paise or listing.last_paise, instrument.tick_paise
    level, step = close * (BPS + bps), tick * BPS
    return (level // step if bps < 0 else ceil_div(level, step)) * tick


class DayPrices:
    """All instruments' quotes on one trading date, under the pins in force."""

    def __init__(self, seed: int, day: date, listings: Mapping[str, Listing]) -> None:
        self._seed = seed
        self._day = day
        self._listings = listings
        self._walks: dict[str, Walk] = {}
        self._pinned: dict[str, Quote] = {}

    def set_pins(self, pins: Mapping[str, Pin]) -> None:
        """Replace the pins."""
        self._pinned = {key: pinned_quote(self._listings[key], pin) for key, pin in pins.items()}

    def is_pinned(self, key: str) -> bool:
        """Whether an instrument's price is held still."""
        return key in self._pinned

    def quote(self, key: str, elapsed: float) -> Quote:
        """One instrument's market `elapsed` seconds into its continuous trading. Raises `KeyError`.

        Asking for an earlier moment than before is allowed, at the price of computing a block again.
        """
        pinned = self._pinned.get(key)
        return pinned if pinned is not None else self._walk(key).quote(elapsed)

    def last(self, key: str, elapsed: float) -> int:
        """An instrument's last price in paise, as its quote then has it. Raises `KeyError`."""
        pinned = self._pinned.get(key)
        return pinned.last_paise if pinned is not None else self._walk(key).last(elapsed)

    def _walk(self, key: str) -> Walk:
        """An instrument's walk, begun when it is first asked for: most of a day's are never looked at."""
        walk = self._walks.get(key)
        if walk is None:
            walk = self._walks[key] = self._begun(self._listings[key])
        return walk

    def _begun(self, listing: Listing) -> Walk:
        shares = shares_of(listing.instrument, self._listings)
        if not shares:
            return Walk(self._seed, self._day, listing)
        walks = [self._walk(share.instrument.key) for share in shares]
        return IndexWalk(self._seed, self._day, listing, walks)
