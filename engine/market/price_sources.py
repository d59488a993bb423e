"""Says on the tape whose prices count where several brokers bring them, and of what two differ too much."""

import logging
from collections import Counter

from engine.book.kept import Kept
from engine.events import TapeLine
from engine.market.market_data import MarketData
from engine.market.several_quotes import PricesApart
from engine.market_news import PricesDiffer, PricesFrom
from engine.news import News
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""Seconds between two looks; what both of two have seen is told, so that one late packet is no news."""


class WhosePrices:
    """Looks once a second at the followed prices of a desk with several brokers."""

    def __init__(self, kept: Kept, timing: Timing, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._market_data = market_data
        self._seen: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._apart: dict[str, PricesApart] = {}
        self._told_apart = set[str]()

    async def keep(self) -> None:
        """Look for as long as the desk lives; where one broker alone brings prices nothing is to be seen."""
        while self._market_data.bringing[1:]:
            try:
                self.look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("whose prices count could not be looked at: %s", problem)
            await self._timing.wall.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once."""
        now, data = self._timing.wall.now(), self._market_data
        feed, followed = data.feed.broker.name, sorted(data.quotes.followed())
        by = Counter(data.told_by(key, now) for key in followed)
        others = frozenset(broker for broker in by if broker is not None and broker != feed)
        news: list[News] = []
        if others == self._seen and others != self._told:
            news += [PricesFrom(broker, by[broker], feed) for broker in sorted(others - self._told)]
            news += [] if others else [PricesFrom(feed, len(followed), "")]
            self._told = others
        self._seen = others
        apart = {key: told for key in followed if (told := data.apart(key, now)) is not None}
        for key in sorted(apart.keys() & self._apart.keys() - self._told_apart):
            told = apart[key]
            news.append(
                PricesDiffer(key, told.broker, told.last_paise, told.other, told.other_paise, told.bps)
            )
            self._told_apart.add(key)
        self._told_apart &= apart.keys()
        self._apart = apart
        self._kept.bus.publish([TapeLine(now, one) for one in news])
