"""The exchange's view of its market at a moment: listings, session times, quotes and phases."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

from brokers.simulators.exchange.books import ExchangeBooks, State
from brokers.simulators.exchange.day_prices import DayPrices, quiet_quote
from brokers.simulators.exchange.depth_books import MarketStop
from brokers.simulators.exchange.history import PricesBefore
from brokers.simulators.exchange.index_walk import shares_of
from brokers.simulators.exchange.openings import ListedInstrument
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.exchange.schema import from_us, to_us
from data.errors import BadInput
from data.money import BPS, ceil_div
from data.records import replace
from data.reference.instruments import Instrument
from data.reference.phases import Calendar
from data.vocabulary import PhaseKind

SECOND_US = 1_000_000

_NO_SESSION = frozenset({PhaseKind.CLOSED, PhaseKind.UNKNOWN})


class OtherMarket(Protocol):
    """The market that an exchange follows instead of its own, where it stands beside another venue.

    It is asked on whichever thread works on the exchange.
    """

    @property
    def trading_day(self) -> date:
        """The date that is traded on there."""
        ...

    def now(self) -> datetime | None:
        """Aware UTC time there; None while it is not known."""
        ...

    def quote(self, key: str) -> Quote | None:
        """An instrument's prices there, without depth where they are too old to trade at; None if unknown."""
        ...

    def instrument(self, key: str) -> Instrument | None:
        """What is known of an instrument there."""
        ...


class PaperMarketClock:
    """The exchange's own time, as of the last advance that this process has seen."""

    def __init__(self, seen: Callable[[], tuple[int, date]]) -> None:
        self._seen = seen

    def now(self) -> datetime:
        """Aware UTC time of the simulated market."""
        return from_us(self._seen()[0])

    @property
    def trading_day(self) -> date:
        """The simulated trading date."""
        return self._seen()[1]


class ExchangeMarket:
    """What one process keeps of the stored market. `load` brings it up to date; moments are microseconds."""

    def __init__(self, books: ExchangeBooks, calendar: Calendar, state: State) -> None:
        self._books = books
        self._calendar = calendar
        self._loaded = (-1, "", -1)
        self.other: OtherMarket | None = None
        """The market whose prices count here, where it is not this exchange's own."""
        self.load(state)

    def load(self, state: State) -> None:
        """Read again what the stored state says has changed."""
        version = (state.listing_version, state.trading_day, state.pin_version)
        if version[:2] != self._loaded[:2]:
            self.listings = self._books.listings()
            self._seed = state.seed
            self._prices = DayPrices(state.seed, state.day, self.listings)
            self.day: date = state.day
            opening = self._calendar.session_open(self.day)
            self._open_us = to_us(opening)
            self.close_us = to_us(self._calendar.session_close(self.day))
            ends = {fno: self._calendar.phase(opening, fno).ends_at for fno in (False, True)}
            brokers = ("", *self._calendar.intraday_brokers(self.day))  # empty: any other
            self.intraday_ends_us = {
                (broker, fno): to_us(self._calendar.intraday_end(self.day, fno, broker))
                for broker in brokers
                for fno in (False, True)
            }
            self._end_us = {fno: self.close_us if end is None else to_us(end) for fno, end in ends.items()}
            self._loaded = (*version[:2], -1)
        if version != self._loaded:
            self._prices.set_pins(self._books.depth.pins())
            self._halts = self._books.depth.halts(state.trading_day)
            self._loaded = version

    def add(self, state: State, rows: Iterable[ListedInstrument]) -> None:
        """Add instruments, or bring the facts of known ones up to date; prices of known ones stand."""
        changed = False
        for row in rows:
            known = self.listings.get(row.instrument.key)
            if known is not None:
                kept = known.instrument
                facts = replace(row.instrument, prev_close_paise=kept.prev_close_paise)
                if replace(facts, security_id=kept.security_id) == kept:
                    continue
            figures = (row.last_paise, row.open_paise, row.high_paise, row.low_paise, row.volume)
            self._books.list_instrument(Listing(row.instrument, *figures))
            changed = True
        if changed:
            state.listing_version += 1
            self.load(state)

    def with_margins(self, margins: Mapping[str, int | None]) -> list[Listing]:
        """The known ones of these keys with other margins in MTF."""
        known = [(self.listings[key], bps) for key, bps in margins.items() if key in self.listings]
        return [replace(one, instrument=replace(one.instrument, mtf_margin_bps=bps)) for one, bps in known]

    def rename(self, state: State, names: Iterable[tuple[str, str, str]]) -> None:
        """Give listings other names, where the security is the one that stands there."""
        moved: list[tuple[str, Listing]] = []
        for before, now, security in names:
            known = self.listings.get(before)
            if known is None or known.instrument.security != security:
                continue
            instrument = replace(known.instrument, tradingsymbol=now.partition(":")[2], security_id=security)
            moved.append((before, replace(known, instrument=instrument, walks_as=known.walks_as or before)))
        if moved:
            self._books.rename(moved)
            state.listing_version += 1
            state.pin_version += 1
            self.load(state)

    def forget(self) -> None:
        """Make the next `load` read everything, after a transaction that was undone."""
        self._loaded = (-1, "", -1)

    def quote(self, key: str, at_us: int) -> Quote:
        """A symbol's market at a moment of the day; after continuous trading its last one.

        Beside another market it is the one there now; where none is known, its first price of the day.
        """
        if self.other is not None:
            return self.other.quote(key) or quiet_quote(self.listings[key])
        return self._prices.quote(key, self._elapsed(key, at_us))

    def last_paise(self, key: str, at_us: int) -> int:
        """A symbol's last price at a moment of the day, as its quote then has it."""
        if self.other is not None:
            return self.quote(key, at_us).last_paise
        return self._prices.last(key, self._elapsed(key, at_us))

    @property
    def seed(self) -> int:
        """What its prices are drawn from."""
        return self._seed

    def before(self, key: str, at_us: int) -> PricesBefore | None:
        """What a symbol's bars up to a moment follow from; None where its price is not this market's walk."""
        if self.other is not None or key not in self.listings or self._prices.is_pinned(key):
            return None
        elapsed, listing = self._elapsed(key, at_us), self.listings[key]
        shares = shares_of(listing.instrument, self.listings)
        return PricesBefore(self._seed, listing, self.day, elapsed, self._calendar, shares)

    def auction_band(self, key: str, at_us: int) -> tuple[int, int]:
        """The lowest and highest price of the closing auction; none stands out of it where none is known."""
        rules, last = self._calendar.auction_rules(self.day), self.last_paise(key, at_us)
        if rules is None or not last:
            return 0, 1 << 62
        return ceil_div(last * (BPS - rules.band_bps), BPS), last * (BPS + rules.band_bps) // BPS

    @property
    def auction_takes_disclosed(self) -> bool:
        """Whether today's closing auction takes orders over of which the market sees a part."""
        rules = self._calendar.auction_rules(self.day)
        return rules is None or rules.disclosed

    def broker_of(self, rates: str) -> str:
        """By whose table an account's intraday positions are ended; empty where no one listed."""
        return rates if (rates, True) in self.intraday_ends_us else ""

    def intraday_end_us(self, rates: str, fno: bool) -> int:
        """When an account's broker ends intraday buying today."""
        return self.intraday_ends_us[self.broker_of(rates), fno]

    def _elapsed(self, key: str, at_us: int) -> float:
        until = min(at_us, self._end_us[self.listings[key].instrument.fno])
        still = sum(min(until, one.reopens_us or until) - min(until, one.began_us) for one in self._halts)
        return (until - self._open_us - still) / SECOND_US

    def phase(self, instrument: Instrument, at_us: int) -> PhaseKind:
        """What the exchange allows for an instrument at a moment, under a halt of the whole market too."""
        kind = self._calendar.phase(from_us(at_us), instrument.fno).kind
        stop = next((one for one in reversed(self._halts) if one.stands_at(at_us)), None)
        if stop is None or kind in _NO_SESSION:
            return kind
        halted = stop.until_us is None or at_us < stop.until_us
        return PhaseKind.HALTED if halted else PhaseKind.REOPENING

    def stop_reached(self, at_us: int) -> MarketStop | None:
        """The halt that the market-wide breaker asks for at a moment, by the exchanges' table; None for none.

        Indices that walk by themselves stay far below its levels: only pinned ones are looked at. Beside
        another market nothing is halted here: where that one is, no price comes that an order could meet.
        """
        breaker, now = self._calendar.breaker(self.day), from_us(at_us)
        if breaker is None or not self._calendar.phase(now, fno=False).continuous:
            return None
        level = breaker.reached(max((self._moved_bps(key, at_us) for key in breaker.indices), default=0))
        if level is None or any(
            one.stands_at(at_us) or one.move_bps >= level.move_bps for one in self._halts
        ):
            return None
        terms = level.terms_at(now)
        until, reopens = terms.times(now)
        if not terms.halts:
            return None
        return MarketStop(level.move_bps, at_us, until and to_us(until), reopens and to_us(reopens))

    def _moved_bps(self, key: str, at_us: int) -> int:
        """By how much a pinned index has moved up or down, in whole basis points: no level comes early."""
        if self.other is not None or key not in self.listings or not self._prices.is_pinned(key):
            return 0
        quote = self.quote(key, at_us)
        if quote.prev_close_paise <= 0:
            return 0
        return abs(quote.last_paise - quote.prev_close_paise) * BPS // quote.prev_close_paise

    def listing(self, symbol: str) -> Listing:
        """A listing by tradingsymbol or `EXCHANGE:SYMBOL`. Raises `BadInput`."""
        for key in (symbol,) if ":" in symbol else (f"NSE:{symbol}", f"BSE:{symbol}"):
            if key in self.listings:
                return self.listings[key]
        raise BadInput("symbol", symbol, "name an instrument that the paper exchange lists")
