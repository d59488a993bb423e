"""The market that a desk's paper exchange follows where the home has another connection beside it."""

from datetime import date, datetime

from brokers.contract import Tick
from brokers.simulators.exchange.prices import Quote
from data.records import field_names, replace
from data.reference.instruments import Instrument
from engine.desk import Desk

_FIELDS = [name for name in field_names(Quote) if name != "pinned"]


class DeskMarket:
    """Implements `OtherMarket` of the exchange by the desk's clock, its quotes and its instruments.

    A price that the desk takes for too old shows no depth, so that nothing trades at it.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def trading_day(self) -> date:
        """The desk's trading day."""
        return self._desk.market_clock.trading_day

    def now(self) -> datetime | None:
        """The desk's market time; None where the venue that has it does not answer."""
        return None if self._desk.connections.feed.life.trouble else self._desk.market_clock.now()

    def quote(self, key: str) -> Quote | None:
        """What the desk last heard of an instrument."""
        tick = self._desk.market.quote(key)
        if tick is None:
            return None
        quote = quote_of(tick)
        if not self._desk.market.stale(key):
            return quote
        return replace(quote, bid_paise=0, ask_paise=0, bids=(), asks=())

    def instrument(self, key: str) -> Instrument | None:
        """An instrument of the desk."""
        return self._desk.market.index.get(key)


def quote_of(tick: Tick) -> Quote:
    """A packet of the feed as the exchange's matching reads it."""
    return Quote(**{name: getattr(tick, name) for name in _FIELDS}, pinned=False)
