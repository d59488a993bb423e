"""Bars of the demo market, made of the very walk that its prices go, for days before its first one too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.contract import Bar, BarSpan
from brokers.simulators.exchange.index_walk import walk_of
from brokers.simulators.exchange.prices import DEMO_SEED, Listing, Walk
from brokers.simulators.exchange.schema import to_us
from data.clock import IST
from data.records import replace
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.phases import Calendar
from data.reference.seed import demo_closes

if TYPE_CHECKING:
    from brokers.simulators.exchange.exchange import PaperExchange


class PricesBefore(Struct, frozen=True):
    """What all bars of one instrument follow from; `ended_s` is how far into the session its day is.

    `shares` are those of an index.
    """

    seed: int
    listing: Listing
    day: date
    ended_s: float
    calendar: Calendar
    shares: Sequence[Listing] = ()

    def bars(self, span: BarSpan, since: datetime, until: datetime) -> list[Bar]:
        """The bars that begin from `since` on and before `until`, oldest first."""
        found: list[list[Bar]] = []
        first = since.astimezone(IST).date()
        if self.ended_s > 0:
            found.append(self._of_day(self._walk(self.day, self.listing), self.day, self.ended_s, span))
        for day, walk in self._walked_back(first):
            found.append(self._of_day(walk, day, self._session_s(day), span))
        return [bar for bars in reversed(found) for bar in bars if since <= bar.at < until]

    def _walked_back(self, first: date) -> Iterator[tuple[date, Walk]]:
        """The days before, newest first, each begun where it leads to the close that is known."""
        close, day = self.listing.instrument.prev_close_paise or self.listing.last_paise, self.day
        while close > 0:
            try:
                day = self.calendar.previous_trading_day(day)
                ended_s = self._session_s(day)
            except CalendarNotLoaded:
                return
            if day < first:
                return
            walk = self._walk(day, self._begun(close))
            begun = walk.begun_from(close, ended_s)
            yield day, walk.starting_at(self._begun(begun))
            close = begun

    def _walk(self, day: date, listing: Listing) -> Walk:
        return walk_of(self.seed, day, listing, self.shares)

    def _begun(self, paise: int) -> Listing:
        instrument = replace(self.listing.instrument, prev_close_paise=paise)
        return replace(self.listing, instrument=instrument, last_paise=paise, high_paise=0, low_paise=0)

    def _session_s(self, day: date) -> float:
        opens = self.calendar.session_open(day)
        ends = self.calendar.phase(opens, self.listing.instrument.fno).ends_at
        return ((ends or self.calendar.session_close(day)) - opens).total_seconds()

    def _of_day(self, walk: Walk, day: date, ended_s: float, span: BarSpan) -> list[Bar]:
        """The bars of one day; of a day or some minutes by the turns of its walk, which are its extremes."""
        end = walk.slot(ended_s)
        if span is BarSpan.DAY:
            quote = walk.quote(ended_s)
            prices = (walk.last(0), quote.high_paise, quote.low_paise, quote.last_paise)
            volume = quote.volume - self.listing.volume
            return [Bar(datetime.combine(day, time(), IST).astimezone(UTC), *prices, volume)]
        slots = range(end + 1) if span is BarSpan.MINUTE else walk.turns(end)
        return _bars(walk, slots, self.calendar.session_open(day), span)


def _bars(walk: Walk, slots: Iterable[int], opens: datetime, span: BarSpan) -> list[Bar]:
    bars: list[Bar] = []
    traded = walk.traded(0)
    for slot in slots:
        at = opens + timedelta(minutes=int(walk.moment(slot) / 60) // span.minutes * span.minutes)
        price, before, traded = walk.price(slot), traded, walk.traded(slot)
        if bars and bars[-1].at == at:
            bar = bars[-1]
            high, low = max(bar.high_paise, price), min(bar.low_paise, price)
            bars[-1] = Bar(at, bar.open_paise, high, low, price, bar.volume + traded - before)
        else:
            bars.append(Bar(at, price, price, price, price, traded - before))
    return bars


def closes_before(exchange: "PaperExchange", keys: Iterable[str]) -> Mapping[str, Mapping[date, int]]:
    """The closes of instruments before the exchange's first day, by key and day in paise.

    They are those of the walks of the demonstration's seed, made beforehand; another seed has none at hand.
    """
    market = exchange.market
    if market.other is not None or market.seed != DEMO_SEED:
        return {}
    shipped, listings = demo_closes(), market.listings
    first = {key: listings[key].walks_as or key for key in keys if key in listings}
    return {key: shipped[walked] for key, walked in first.items() if walked in shipped}


def prices_before(exchange: "PaperExchange", key: str) -> PricesBefore | None:
    """What an instrument's bars follow from, after an advance; None where it has none."""
    with exchange.transaction():
        return exchange.market.before(key, to_us(exchange.market_clock.now()))
