"""Prices and instruments of a desk, and the connections that bring both."""

import asyncio
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
from engine.market.several_quotes import PricesApart, SeveralQuotes
from engine.market.shared_prices import SharedPrices

log = logging.getLogger(__name__)

ANSWERS_S = 1.0
"""How long brokers are waited for that are asked for prices beside each other."""


@dataclass(slots=True)
class MarketData:
    """The last quotes and every instrument known; `index` is replaced whole when instruments are read.

    A price that nothing has confirmed for `price_age_limit_s` is no input for a decision, nor are two that
    brokers tell too far apart.
    """

    feed: Connection
    quotes: QuoteMap
    price_age_limit_s: float
    index: InstrumentIndex = field(default_factory=lambda: index_of([]))
    shared: SharedPrices | None = None
    """The firm's feed in place of the first connection's stream; None where there is none."""
    _outages: Outages = field(default_factory=Outages)
    _late: set[asyncio.Task[Mapping[str, Tick]]] = field(
        default_factory=set[asyncio.Task[Mapping[str, Tick]]]
    )

    @property
    def _several(self) -> SeveralQuotes | None:
        return self.quotes if isinstance(self.quotes, SeveralQuotes) else None

    @property
    def of_firm(self) -> bool:
        """Whether the firm's feed brings the prices now; what the own stream says of them counts nothing."""
        return self.shared is not None and self.shared.in_use

    @property
    def bringing(self) -> list[tuple[Connection, QuoteMap]]:
        """Every connection that brings prices, the feed first, and where it keeps them."""
        several = self._several
        beside = () if several is None else several.beside
        return [(self.feed, self.quotes), *((one.connection, one.quotes) for one in beside)]

    def told_by(self, key: str, now: datetime) -> str | None:
        """The broker whose price of an instrument counts now; None where one alone brings prices."""
        return None if self._several is None else self._several.told_by(key, now)

    def apart(self, key: str, now: datetime) -> PricesApart | None:
        """Prices that brokers tell too far apart; None where they agree, or one alone brings prices."""
        return None if self._several is None else self._several.apart(key, now)

    def quote_by(self, key: str, broker: str | None) -> Tick | None:
        """The last packet of a broker; where none is named, of the one whose price counts."""
        several = self._several
        if several is None or not broker:
            return self.quotes.quote(key)
        theirs = several.of(broker)
        return several.first_quote(key) if theirs is None else theirs.quote(key)

    def age_by(self, key: str, broker: str | None, now: datetime) -> float | None:
        """Seconds since a broker last confirmed its price; where none is named, whose price counts."""
        several = self._several
        if several is None or not broker:
            return self.quotes.age(key, now)
        theirs = several.of(broker)
        return several.first_age(key, now) if theirs is None else theirs.age(key, now)

    def young_price(self, key: str, now: datetime, broker: str | None = None) -> int | None:
        """The last price in paise, None where none is young enough to act on; `now` is wall time.

        Of one broker where it is named: what was planned at its price is held against no other's.
        """
        quote = self.quote_by(key, broker)
        if quote is None or self.too_old(self.age_by(key, broker, now)) or quote.last_paise <= 0:
            return None
        return None if self.apart(key, now) else quote.last_paise

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
        if self.quotes.is_older(key, self.price_age_limit_s, now):
            return True
        return self.apart(key, now) is not None

    def old(self, keys: Iterable[str], now: datetime) -> list[str]:
        """Those of these instruments whose price is no input for a decision; `now` is wall time."""
        several = self._several
        if several is None:
            return self.quotes.older(keys, self.price_age_limit_s, now)
        return [key for key in keys if self.is_old(key, now)]

    async def fetch(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """Ask for quotes and keep them. Returns none where they cannot be had now.

        Brokers are asked beside each other, and those that hang are not waited for: what comes later is kept.
        """
        several = self._several
        if several is None:
            return await self._asked(self.feed, self.quotes, keys)
        tasks = [asyncio.create_task(self._asked(*one, keys)) for one in self.bringing]
        self._late.update(tasks)
        for task in tasks:
            task.add_done_callback(self._late.discard)
        patience = asyncio.create_task(several.clock.sleep(ANSWERS_S))
        answered = asyncio.create_task(asyncio.wait(tasks))
        try:
            await asyncio.wait({answered, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
            patience.cancel()
        found: dict[str, Tick] = {}
        for task in reversed(tasks):
            if task.done():
                found |= task.result()
        return found

    async def _asked(self, of: Connection, quotes: QuoteMap, keys: Collection[str]) -> Mapping[str, Tick]:
        what = "prices" if of is self.feed else f"prices at {of.broker.name}"
        try:
            ticks = await of.broker.quotes(keys)
        except BrokerError as problem:
            self._outages.failed(log, what, what, problem)
            return {}
        self._outages.over(what, what)
        quotes.put_fetched(ticks.values())
        return ticks
