"""Prices and instruments of a desk, and the connection that brings both."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from brokers.connection import Connection
from brokers.contract import BrokerError, Tick
from brokers.outages import Outages
from data.clock import Clock
from data.reference.instrument_index import InstrumentIndex, index_of
from engine.market.quotes import QuoteMap

log = logging.getLogger(__name__)


@dataclass(slots=True)
class MarketData:
    """The last quotes and every instrument known; `index` is replaced whole when instruments are read.

    A price that nothing has confirmed for `price_age_limit_s` is no input for a decision.
    """

    feed: Connection
    quotes: QuoteMap
    price_age_limit_s: float
    index: InstrumentIndex = field(default_factory=lambda: index_of([]))
    _outages: Outages = field(default_factory=Outages)

    def young_price(self, key: str, now: datetime) -> int | None:
        """The last price in paise, None where none is young enough to act on; `now` is wall time."""
        quote = self.quotes.quote(key)
        if quote is None or self.too_old(self.quotes.age(key, now)) or quote.last_paise <= 0:
            return None
        return quote.last_paise

    async def young_quote(self, key: str, clock: Clock) -> Tick | None:
        """The market of an instrument, asked for where it is too old to act on; None where there is none."""
        if self.young_price(key, clock.now()) is None:
            await self.fetch([key])
        return None if self.young_price(key, clock.now()) is None else self.quotes.quote(key)

    def too_old(self, age_s: float | None) -> bool:
        """Whether a price of this age is no input for a decision; None is the age of one not known."""
        return age_s is None or age_s > self.price_age_limit_s

    def is_old(self, key: str, now: datetime) -> bool:
        """Whether an instrument's price is no input for a decision; `now` is wall time."""
        return self.quotes.is_older(key, self.price_age_limit_s, now)

    def old(self, keys: Iterable[str], now: datetime) -> list[str]:
        """Those of these instruments whose price is no input for a decision; `now` is wall time."""
        return self.quotes.older(keys, self.price_age_limit_s, now)

    async def fetch(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """Ask the feed for quotes and keep them. Returns none where they cannot be had now."""
        try:
            ticks = await self.feed.broker.quotes(keys)
        except BrokerError as problem:
            self._outages.failed(log, "prices", "prices", problem)
            return {}
        self._outages.over("prices", "prices")
        self.quotes.put_fetched(ticks.values())
        return ticks
