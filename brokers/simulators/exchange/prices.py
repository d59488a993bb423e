"""The demo market's prices: a pure function of seed, trading date, seconds into the session and pins.

Every process that computes a quote gets the same one. Floats are used inside the walk only; what leaves
is integer paise on the instrument's tick.
"""

from collections.abc import Iterator
from copy import copy
from datetime import date
from functools import lru_cache
from math import exp
from typing import NamedTuple, Self

from msgspec import Struct

from brokers.contract import DepthLevel
from data.money import BPS, ceil_div, half_up, tick_down
from data.reference.instruments import BrokerInstrument

DEMO_SEED = 20_261_118
"""What an exchange's prices are drawn from, unless another is asked for."""

BLOCK = 64
"""Changes of price between two knots of a symbol's walk."""

NO_BAND = 10**15
"""Stands for the highest price of what has none, in paise."""

_MASK = (1 << 64) - 1
_LEVELS = 5
_LEVEL_VALUE_PAISE = 100_000_000
"""About what the best level is worth; deeper levels are worth more. A demo client's order of a few lakh
rupees is filled at once, a bulk of many clients over some seconds."""


class Listing(Struct, frozen=True):
    """An instrument and what its trading day starts from; `last_paise` is its price at the opening.

    `walks_as` is the key whose path its price goes, its first one; empty for one that was never renamed.
    """

    instrument: BrokerInstrument
    last_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    volume: int
    walks_as: str = ""


class Quote(Struct, frozen=True):
    """One instrument's market between two changes. Prices in paise; depth best first, empty for an index."""

    key: str
    last_paise: int
    prev_close_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    volume: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    pinned: bool
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]

    @property
    def average_paise(self) -> int:
        """What stands for the day's average price: the mean of open, high, low and last; 0 for an index.

        The synthetic market keeps no single trades.
        """
        if not (self.bids or self.asks):
            return 0
        return half_up(self.open_paise + self.high_paise + self.low_paise + self.last_paise, 4)


def mix(*parts: int) -> int:
    """64 well-mixed bits that depend on nothing but `parts` (the splitmix64 finaliser, chained)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state + part + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def _part(dice: int, number: int) -> float:
    """One of the four fractions in [0, 1) that 64 mixed bits hold."""
    return ((dice >> (16 * number)) & 0xFFFF) / 65_536


@lru_cache(maxsize=8192)
def circuits(prev_close_paise: int, band_bps: int, tick_paise: int) -> tuple[int, int]:
    """The lowest and highest price allowed today: the previous close and its band, on the tick."""
    lower = ceil_div(prev_close_paise * (BPS - band_bps), BPS * tick_paise) * tick_paise
    upper = tick_down(prev_close_paise * (BPS + band_bps) // BPS, tick_paise)
    return max(tick_paise, lower), max(tick_paise, upper)


class _Block(NamedTuple):
    """A stretch of the walk: its extremes, the one that comes first, after how many changes, and how busy."""

    low: float
    high: float
    one: float
    two: float
    first: int
    second: int
    busy: float


class Walk:
    """One instrument's day, with the knots that this process has already computed."""

    def __init__(self, seed: int, day: date, listing: Listing) -> None:
        instrument = listing.instrument
        name = int.from_bytes((listing.walks_as or instrument.key).encode(), "big") & ((1 << 512) - 1)
        self._base = mix(seed, day.toordinal(), *_words(name))
        traits = mix(self._base)
        self._period = 1.2 + 1.6 * _part(traits, 0)
        self._offset = self._period * _part(traits, 1)
        lively = (0.5 + _part(traits, 2)) * (1.0 if instrument.tradable else 0.5)
        self._step = 0.0016 * lively
        self._noise = 0.0003 * lively
        self._knots = [0.0]
        self._block: tuple[int, _Block] | None = None
        self._start(listing)

    def _start(self, listing: Listing) -> None:
        """Stand where the day begins at a listing's prices."""
        self.listing, instrument = listing, listing.instrument
        self.prev_close = instrument.prev_close_paise or listing.last_paise
        if instrument.tradable:
            self.lower, self.upper = circuits(self.prev_close, instrument.band_bps, instrument.tick_paise)
        else:  # an index has no band
            self.lower, self.upper = instrument.tick_paise, NO_BAND
        self._flow = max(listing.volume // 170, 50 if instrument.tradable else 0)
        self._highs = [max(listing.high_paise, listing.last_paise)]
        self._lows = [min(listing.low_paise or listing.last_paise, listing.last_paise)]
        self._volumes = [listing.volume]
        self._seen_slot = -1
        self._seen_high = 0
        self._seen_low = 0
        self._quote: tuple[int, Quote] | None = None

    def slot(self, elapsed: float) -> int:
        """How often the price has changed `elapsed` seconds into the session."""
        return int((elapsed + self._offset) / self._period) if elapsed > 0 else 0

    def quote(self, elapsed: float) -> Quote:
        """The market `elapsed` seconds into continuous trading; the same object until it changes."""
        slot = self.slot(elapsed)
        if self._quote is None or self._quote[0] != slot:
            self._quote = (slot, self._compute(slot))
        return self._quote[1]

    def last(self, elapsed: float) -> int:
        """The last price alone, in paise: where nobody looks at the rest, the way there is a short one."""
        return self._last(self.slot(elapsed))

    # --- what bars are made of --------------------------------------------------------------------

    def moment(self, slot: int) -> float:
        """The seconds into the session at which the price changes for the `slot`th time."""
        return max(0.0, slot * self._period - self._offset)

    def price(self, slot: int) -> int:
        """The last price after so many changes, in paise."""
        return self._last(slot)

    def traded(self, slot: int) -> int:
        """The day's volume after so many changes."""
        return self._volume(slot)

    def turns(self, until: int) -> Iterator[int]:
        """The changes up to `until` at which the price turns, and that one: all extremes are among them."""
        for index in range(until // BLOCK + 1):
            block = self._block_at(index)
            for slot in (index * BLOCK, index * BLOCK + block.first, index * BLOCK + block.second):
                if slot < until:
                    yield slot
        yield until

    def moved(self, elapsed: float) -> float:
        """The logarithm of the price beside that of the opening, off the tick and without a band."""
        return self._log_price(self.slot(elapsed))

    def begun_from(self, close_paise: int, elapsed: float) -> int:
        """The price in paise from which this walk comes to a close `elapsed` seconds into the session."""
        tick = self.listing.instrument.tick_paise
        return max(tick, round(close_paise / exp(self.moved(elapsed)) / tick) * tick)

    def starting_at(self, listing: Listing) -> Self:
        """The same path from another price; what is known of the path is not computed again."""
        other = copy(self)
        other._start(listing)  # noqa: SLF001 - one of its own kind
        return other

    # --- the walk ---------------------------------------------------------------------------------

    def _reach(self, knot: int) -> None:
        """Compute the knots up to this one."""
        knots, step, base = self._knots, self._step, self._base ^ (1 << 40)
        while len(knots) <= knot:
            dice = mix(base ^ (len(knots) - 1))
            shock = ((dice & 0xFFFF) + (dice >> 16 & 0xFFFF) + (dice >> 32 & 0xFFFF)) / 65_536
            knots.append(0.985 * knots[-1] + step * (shock - 1.5) * 2.0)

    def _block_at(self, index: int) -> _Block:
        if self._block is not None and self._block[0] == index:
            return self._block[1]
        self._reach(index + 1)
        start, end = self._knots[index : index + 2]
        dice = mix(self._base ^ (1 << 40) ^ index)
        more = mix(dice)
        high = max(start, end) + self._step * 0.4 * _part(dice, 3)
        low = min(start, end) - self._step * 0.4 * _part(more, 0)
        one, two = (low, high) if more & 1 else (high, low)
        turns = 8 + (more >> 16) % 20, 36 + (more >> 32) % 20
        block = _Block(low, high, one, two, *turns, 0.5 + _part(more, 3))
        self._block = (index, block)
        return block

    def _extend(self, block: int) -> None:
        """Compute the day's extremes and volumes after all blocks up to and including `block`."""
        while len(self._volumes) <= block + 1:
            passed = self._block_at(len(self._volumes) - 1)
            self._highs.append(max(self._highs[-1], self._price(passed.high)))
            self._lows.append(min(self._lows[-1], self._price(passed.low)))
            traded = int(self._flow * passed.busy) // BLOCK * BLOCK
            self._volumes.append(self._volumes[-1] + traded)

    def _log_price(self, slot: int) -> float:
        """The walk's logarithm at a change: from knot to knot, through the block's low and high."""
        index, at = divmod(slot, BLOCK)
        if at == 0:
            self._reach(index)
            return self._knots[index]
        block = self._block_at(index)
        if at == block.first:
            return block.one
        if at == block.second:
            return block.two
        if at < block.first:
            start = self._knots[index]
            value = start + (block.one - start) * at / block.first
        elif at < block.second:
            value = block.one + (block.two - block.one) * (at - block.first) / (block.second - block.first)
        else:
            left = (at - block.second) / (BLOCK - block.second)
            value = block.two + (self._knots[index + 1] - block.two) * left
        value += self._noise * (2.0 * _part(mix(self._base ^ (2 << 40) ^ slot), 0) - 1.0)
        return min(max(value, block.low), block.high)

    def _price(self, log_price: float) -> int:
        tick = self.listing.instrument.tick_paise
        price = round(self.listing.last_paise * exp(log_price) / tick) * tick
        return min(max(price, self.lower), self.upper)

    def _last(self, slot: int) -> int:
        # The seed's own last stands until the first change, even where it is not on the tick.
        return self.listing.last_paise if slot == 0 else self._price(self._log_price(slot))

    def _range(self, slot: int, last: int) -> tuple[int, int]:
        """The day's high and low up to a change."""
        block = slot // BLOCK
        self._extend(block)
        first = block * BLOCK
        if self._seen_slot < first or self._seen_slot > slot:
            self._seen_slot, self._seen_high, self._seen_low = first, self._last(first), self._last(first)
        for passed in range(self._seen_slot + 1, slot):
            price = self._last(passed)
            self._seen_high = max(self._seen_high, price)
            self._seen_low = min(self._seen_low, price)
        self._seen_slot = slot
        self._seen_high = max(self._seen_high, last)
        self._seen_low = min(self._seen_low, last)
        return max(self._highs[block], self._seen_high), min(self._lows[block], self._seen_low)

    def _volume(self, slot: int) -> int:
        block, at = divmod(slot, BLOCK)
        self._extend(block)
        return self._volumes[block] + (self._volumes[block + 1] - self._volumes[block]) // BLOCK * at

    def _compute(self, slot: int) -> Quote:
        listing = self.listing
        last = self._last(slot)
        high, low = self._range(slot, last)
        bid, ask, bids, asks, band = last, last, (), (), (0, 0)
        if listing.instrument.tradable:
            band = self.lower, self.upper
            bids, asks = self._depth(slot, last)
            bid = bids[0].price_paise if bids else 0
            ask = asks[0].price_paise if asks else 0
        return Quote(
            key=listing.instrument.key,
            last_paise=last,
            prev_close_paise=self.prev_close,
            open_paise=listing.open_paise or listing.last_paise,
            high_paise=high,
            low_paise=low,
            volume=self._volume(slot),
            bid_paise=bid,
            ask_paise=ask,
            lower_circuit_paise=band[0],
            upper_circuit_paise=band[1],
            pinned=False,
            bids=bids,
            asks=asks,
        )

    def _depth(self, slot: int, last: int) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
        """Five levels a side. The last trade was at the best bid or the best ask."""
        tick = self.listing.instrument.tick_paise
        dice = mix(self._base ^ (3 << 40) ^ slot)
        widest = max(1, last // (5_000 * tick))
        spread = tick * (1 + dice % widest)
        on_tick = tick_down(last, tick)
        bid = on_tick - spread if dice & (1 << 32) else on_tick
        bids = self._side(bid, -spread, mix(dice), last)
        asks = self._side(bid + spread, spread, mix(dice ^ 1), last)
        return bids, asks

    def _side(self, best: int, step: int, dice: int, last: int) -> tuple[DepthLevel, ...]:
        levels: list[DepthLevel] = []
        for number in range(_LEVELS):
            price = best + number * step
            if not self.lower <= price <= self.upper:
                break
            share = 50 + ((dice >> (8 * number)) & 0xFF) * 100 // 255
            quantity = max(1, _LEVEL_VALUE_PAISE * (1 + 2 * number) * share // (100 * last))
            levels.append(DepthLevel(price, quantity, min(quantity, 1 + quantity % (7 + 3 * number))))
        return tuple(levels)


def _words(number: int) -> list[int]:
    """A long number in 64-bit words."""
    words: list[int] = []
    while number:
        words.append(number & _MASK)
        number >>= 64
    return words


def protected_price(
    quote: Quote, buying: bool, protection_bps: int, tick_paise: int, trigger_paise: int | None = None
) -> int:
    """The limit that a market order with protection becomes: within the percentage, tick and circuit.

    The percentage counts from the last price, or from the trigger of a stop order.
    """
    start = quote.last_paise if trigger_paise is None else trigger_paise
    if buying:
        limit = tick_down(start * (BPS + protection_bps) // BPS, tick_paise)
        return min(limit, quote.upper_circuit_paise)
    limit = ceil_div(start * (BPS - protection_bps), BPS * tick_paise) * tick_paise
    return max(limit, quote.lower_circuit_paise, tick_paise)


def average_paise(notional_paise: int, quantity: int) -> int:
    """The average price of fills for display, half up; 0 without fills."""
    return half_up(notional_paise, quantity) if quantity else 0
