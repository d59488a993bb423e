"""Prices of the firm's feed as a desk uses them: in place of its own stream's, while the feed lives."""

import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from brokers.contract import BrokerError, Heartbeat, Ticks
from data.clock import Clock
from engine.between.prices import QuoteSource
from engine.market.quotes import QuoteMap

log = logging.getLogger(__name__)

FEED_GONE_S = 5.0
"""After so many seconds without a feed that hears its broker a desk's own stream carries its prices."""

LOOK_S = 0.25
"""How often that is looked at."""

SOURCE = "feed"
"""Under which name the feed vouches for prices, beside what the desk's own stream says."""


class SharedPrices:
    """Keeps the feed's prices in the map of the first connection, and says whose prices are asked for."""

    def __init__(self, source: QuoteSource, quotes: QuoteMap, clock: Clock) -> None:
        self._source, self._quotes, self._clock = source, quotes, clock
        self._heard_s = clock.monotonic()
        self._keys = frozenset[str]()
        self.in_use = True
        """Whether prices are the feed's; else the desk's own stream carries them."""

    def want(self, keys: Collection[str]) -> None:
        """Have the feed carry what this desk follows."""
        self._source.want(keys)

    async def keep(self, follow_again: Callable[[], Awaitable[None]]) -> None:
        """Change over as the feed goes and comes; `follow_again` asks the own stream for what it carries."""
        while True:
            await self._clock.sleep(LOOK_S)
            alive = self._clock.monotonic() - self._heard_s <= FEED_GONE_S
            if alive == self.in_use:
                continue
            self.in_use = alive
            log.warning("prices come from %s", "the firm's feed" if alive else "this desk's own stream")
            if not alive:
                self._quotes.reopened()  # a heartbeat of its own says nothing of what the feed has told
            try:
                await follow_again()
            except BrokerError as problem:
                log.warning("the stream cannot be asked for prices: %s", problem)
                self.in_use = not alive  # tried again at the next look

    async def bring(self) -> None:
        """Take prices for as long as the desk lives."""
        await self._source.keep(self)

    # --- what the feed says ---

    def took(self, ticks: Ticks) -> None:
        """Keep quotes."""
        self._quotes.put_all(ticks)

    def vouched(self, keys: frozenset[str], at: datetime) -> None:
        """Renew the age of quotes that have not changed; the same set is one object while it does not."""
        self._quotes.heartbeat(Heartbeat(at, keys, SOURCE))

    def alive(self, heard_at: datetime) -> None:
        """Know that the feed lives, as of when it heard its broker last."""
        age = max(0.0, (self._clock.now() - heard_at).total_seconds())
        self._heard_s = max(self._heard_s, self._clock.monotonic() - age)
