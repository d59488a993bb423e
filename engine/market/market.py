"""The market service: instruments, quotes with ages, phases, and who needs which prices."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from brokers.connection import Connection
from brokers.contract import Bar, BrokerError, Tick
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.home import classes_file
from data.money import moved_bps
from data.proving.readable import UNREADABLE
from data.records import replace
from data.reference.classes import Classes, classes, classes_with
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import BrokerInstrument, BrokerListing, Instrument
from data.reference.names import Rename
from data.reference.phases import Phase
from data.repositories.base import Reader
from data.repositories.instrument_source import StoredInstruments
from data.repositories.instruments import read_renames, save_instrument
from data.repositories.listings import listed_as, listed_otherwise, listed_under, true_to_names
from data.store import Unit
from engine.book.kept import Kept
from engine.events import InstrumentsRenamed
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.market.bars import MinuteBars
from engine.market.day_lines import DayLines
from engine.market.finding import MOST, Found, candidates, narrowed, within
from engine.market.market_data import MarketData
from engine.market.quotes import StockDetail, detail
from engine.market.renames import Taken, ToldInstruments, list_at, take
from engine.market.search_words import Search
from engine.market.several_quotes import PricesApart
from engine.timing import Timing

log = logging.getLogger(__name__)

NOTE_EVERY_S = 5.0
"""Seconds between two notes of the followed prices."""


class Market:
    """Prices and instruments as the desk sees them."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._subscribed: frozenset[str] = frozenset()
        self._stale_for: dict[str, set[str]] = {}
        self._renames: frozenset[Rename] | None = None
        self._day_lines = DayLines()
        self._minute_bars = MinuteBars()
        self._classes: Classes | None = None

    @property
    def index(self) -> InstrumentIndex:
        """Every instrument known, found by symbol or name."""
        return self._market_data.index

    @property
    def classes(self) -> Classes:
        """Which index a share is of, its sector and size: the program's lists, and the home's own."""
        return self._classes if self._classes is not None else self.read_classes()

    def read_classes(self) -> Classes:
        """Read those lists again; a file of the home that is none is passed over, which the log tells."""
        try:
            self._classes = classes_with(classes_file(self._kept.home))
        except BadInput as problem:
            log.warning("the lists of the home are passed over: %s", problem)
            self._classes = classes()
        return self._classes

    def now(self) -> datetime:
        """Market time."""
        return self._timing.market.now()

    def phase(self, instrument: Instrument) -> Phase:
        """What the exchange allows for an instrument now."""
        return self._timing.phase(instrument)

    def phase_of(self, fno: bool) -> Phase:
        """What the exchange allows now for stocks with live derivatives (`fno`), or for those without."""
        return self._timing.phase_of(fno)

    def quote(self, key: str) -> Tick | None:
        """The last known market of an instrument."""
        return self._market_data.quotes.quote(key)

    def age(self, key: str) -> float | None:
        """Seconds since the feed last confirmed this price."""
        return self._market_data.quotes.age(key, self._timing.wall.now())

    def stale(self, key: str) -> bool:
        """Whether the price of an instrument is too old for a plan, or not known."""
        return self._market_data.is_old(key, self._timing.wall.now())

    def feed_stale(self) -> bool:
        """Whether the feed has been silent for longer than a price may be old."""
        return self._too_old(self.feed_age())

    def _too_old(self, age: float | None) -> bool:
        return self._market_data.too_old(age)

    def change_bps(self, key: str) -> int | None:
        """An instrument's change against its previous close, in basis points; None while it is unknown."""
        quote, instrument = self.quote(key), self._market_data.index.get(key)
        close = (quote.prev_close_paise if quote else 0) or (instrument.prev_close_paise if instrument else 0)
        return moved_bps(close, quote.last_paise if quote else 0)

    def distance_bps(self, key: str, price_paise: int) -> int | None:
        """How far a price is from an instrument's last one, in basis points; None while that is unknown."""
        quote = self.quote(key)
        return moved_bps(quote.last_paise if quote else 0, price_paise)

    def day_line(self, key: str, points: int | None = None) -> list[int | None]:
        """An instrument's prices in paise over the trading day, oldest first, since it was first followed.

        None where none was known that was young enough. With `points` they are that many, evenly chosen.
        """
        return self._day_lines.of(key, points)

    def minute_bars(self, key: str) -> list[Bar]:
        """An instrument's bars of a minute of this trading day, oldest first, since it was first followed."""
        return self._minute_bars.of(key)

    async def keep_courses(self) -> None:
        """Note the followed prices for as long as the desk lives; those that are too old are left out."""
        while True:
            now = self.now().astimezone(IST)
            day, minute = now.date(), now.hour * 60 + now.minute
            for key in self._market_data.quotes.followed():
                quote = self.quote(key)
                if quote is not None and quote.last_paise > 0 and not self.stale(key):
                    self._day_lines.note(key, now, quote.last_paise)
                    self._minute_bars.note(day, minute, quote)
            await self._timing.wall.sleep(NOTE_EVERY_S)

    def feed_age(self) -> float | None:
        """Seconds since the feed said anything."""
        return self._market_data.quotes.feed_age(self._timing.wall.now())

    def feed_source(self) -> str:
        """Whose prices count: `firm` for the firm's feed, `own` while that is away; empty for none."""
        data = self._market_data
        return "" if data.shared is None else "firm" if data.of_firm else "own"

    async def fetch(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """Ask for quotes once; they are kept too. What cannot be had now stays as it is, and ages."""
        return await self._market_data.fetch(keys)

    async def follow(self, keys: Collection[str], owner: str) -> None:
        """Have the stream carry these instruments for `owner`, in place of those it had asked for."""
        if self._market_data.quotes.follow(owner, keys):
            wanted = frozenset(self._market_data.quotes.followed())
            if wanted != self._subscribed:
                self._subscribed = wanted
                await self.follow_again()

    def followed_by(self, owner: str) -> frozenset[str]:
        """The instruments whose prices this owner follows."""
        return self._market_data.quotes.followed_by(owner)

    async def follow_again(self) -> None:
        """Ask for all that is followed once more, as after a sign-in that brought the feed back.

        Each broker is asked for what it lists. Raises `BrokerError` where the feed cannot be.
        """
        feed = self._market_data.feed
        for connection, _ in self._market_data.bringing:
            if connection is feed:
                continue
            try:
                await connection.broker.subscribe(self._listed_at(connection))
            except BrokerError as problem:
                log.warning("%s cannot be asked for prices: %s", connection.name, problem)
        if (shared := self._market_data.shared) is not None:
            shared.want(self._subscribed)
        await feed.broker.subscribe(frozenset() if self._market_data.of_firm else self._subscribed)

    def _listed_at(self, connection: Connection) -> frozenset[str]:
        if connection.capabilities.lists_all:
            return self._subscribed
        index, broker = self._market_data.index, connection.broker.name
        known = ((key, index.get(key)) for key in self._subscribed)
        return frozenset(key for key, one in known if one is not None and index.lists(broker, one))

    def told_by(self, key: str) -> str | None:
        """The broker whose price of an instrument counts now; None where one alone brings prices."""
        return self._market_data.told_by(key, self._timing.wall.now())

    def apart(self, key: str) -> PricesApart | None:
        """Prices of an instrument that brokers tell too far apart, so that none counts."""
        return self._market_data.apart(key, self._timing.wall.now())

    def take_dirty(self, owner: str) -> set[str]:
        """The owner's instruments that changed, or whose price turned stale or fresh, since it last asked."""
        return self._market_data.quotes.take_dirty(owner) | self.take_turned(owner)

    def take_turned(self, owner: str) -> set[str]:
        """The owner's instruments whose price turned stale or fresh since it last asked."""
        data = self._market_data
        stale = set(data.old(data.quotes.followed_by(owner), self._timing.wall.now()))
        turned = stale ^ self._stale_for.get(owner, set())
        self._stale_for[owner] = stale
        return turned

    def old(self, keys: Iterable[str]) -> set[str]:
        """Those of these instruments whose price is no input for a decision now."""
        return set(self._market_data.old(keys, self._timing.wall.now()))

    def any_stale(self, keys: Iterable[str]) -> bool:
        """Whether one of these prices is too old. One that was never known has no figure to mislead by."""
        data = self._market_data
        return any(map(data.quotes.knows, data.old(keys, self._timing.wall.now())))

    async def read_names(self) -> None:
        """Read beside the event loop what a search looks through: the first search waits for it otherwise."""
        await asyncio.to_thread(self.read_classes)
        if not self._market_data.index.is_searched:
            await asyncio.to_thread(self._market_data.index.read_names)

    def search(self, text: str, limit: int = 20) -> list[Instrument]:
        """Instruments by symbol or name, of each kind of match first those whose prices the desk follows."""
        return self._market_data.index.search(text, limit, self._market_data.quotes.followed())

    async def find(self, wanted: Search, most: int = MOST) -> Found:
        """What a search with words finds, `most` of it; prices that are too old are asked for once.

        Prices are asked for of `finding.MOST` instruments at the most, and only where the words need them.
        """
        index, first, unknown = self._market_data.index, self._market_data.quotes.followed(), Counter[str]()

        def look() -> tuple[int, list[str]]:
            looked = candidates(index, wanted.text, first)
            return len(looked), [one.key for one in narrowed(looked, wanted, self.classes, unknown)]

        count, keys = await asyncio.to_thread(look)
        if not wanted.limits:
            return Found(tuple(keys[:most]), count, unknown)
        asked = keys[:MOST]
        if old := [key for key in asked if self.stale(key)]:
            await self.fetch(old)
        found = within(asked, wanted, self.quote, self.change_bps, unknown)
        return Found(tuple(found[:most]), count, unknown, len(keys) - len(asked))

    def detail(self, key: str) -> StockDetail:
        """One instrument with its change, MTF amount per share and who holds it. Raises `BadInput`."""
        instrument = self._market_data.index.get(key) or self._market_data.index.resolve(key)
        held = [
            holding
            for holdings in self._kept.book.holdings.values()
            for holding in holdings
            if holding.security == instrument.security
        ]
        return detail(
            instrument,
            self.quote(instrument.key),
            sum(holding.quantity for holding in held),
            len({holding.client_id for holding in held}),
        )

    async def store_instruments(
        self,
        instruments: Iterable[Instrument],
        source: str,
        gone: Collection[Instrument] = (),
        complete: bool = True,
        unlisted: Collection[str] = (),
    ) -> Taken:
        """Keep instruments in place of those known, by token, name or ISIN (`data.reference.names`).

        What a dump does not carry (ISIN, sector, margins, F&O, band) is kept from what was known; those that
        are `gone` are taken off, and stay where they are `unlisted` here and listed elsewhere. A file that is
        not `complete` proves no other gone.
        """
        lister = self._market_data.feed.broker.name
        file = ToldInstruments(
            list(instruments), source, lister, [one.key for one in gone], unlisted, complete
        )
        taken = await self._engine.write_signed_on(lambda unit: take(unit, file, self._engine.actor))
        await self.load()
        return taken

    async def store_listings(
        self, told: Sequence[BrokerInstrument], source: str, broker: str, complete: bool
    ) -> int:
        """Keep how a broker that is not the feed's lists the instruments known; returns of how many."""
        file = ToldInstruments(told, source, broker, complete=complete)
        count = await self._engine.write_signed_on(lambda unit: list_at(unit, file, self._engine.actor))
        await self.load()
        return count

    def listings(self, broker: str, keys: Collection[str]) -> Sequence[BrokerListing]:
        """How a broker lists these instruments, without what is under no name of the instrument."""
        return self._listed(broker, lambda reader: listed_as(reader, broker, keys))

    def listed_under(self, broker: str, tokens: Collection[str]) -> Sequence[BrokerListing]:
        """What a broker lists under these tokens, without what is under no name of the instrument."""
        return self._listed(broker, lambda reader: listed_under(reader, broker, tokens))

    def listed_otherwise(self, broker: str) -> Sequence[BrokerListing]:
        """What a broker lists under another symbol than the desk's, which must be one that it had."""
        return self._listed(broker, lambda reader: listed_otherwise(reader, broker))

    def _listed(self, broker: str, look: Callable[[Reader], list[BrokerListing]]) -> Sequence[BrokerListing]:
        def read(reader: Reader) -> tuple[list[BrokerListing], list[BrokerListing]]:
            found = look(reader)
            return found, true_to_names(reader, found)

        try:
            found, true = self._kept.store.glance(read)
        except UNREADABLE as problem:
            log.error("what %s lists could not be read: %s", broker, problem)
            return []
        for one in found if len(true) < len(found) else ():
            if one not in true and one.token:  # else it says itself that it is another security
                log.error("%s is not known at %s as %s: run the doctor", one.key, broker, one.symbol)
        return true

    async def accept(self, key: str, reason: str) -> str:
        """Let an instrument in doubt be bought again; returns what was in doubt. Raises `BadInput`."""
        reason = reason_from(reason, "say in a few words why it may be bought")
        instrument = self._market_data.index.get(key) or self._market_data.index.resolve(key)
        if not instrument.doubt:
            raise BadInput("symbol", instrument.key, "nothing about it is in doubt")

        def unit_of_work(unit: Unit) -> None:
            save_instrument(unit, replace(instrument, doubt=""), "doubt")
            details: dict[str, object] = {"key": instrument.key, "doubt": instrument.doubt, "reason": reason}
            unit.audit(AuditEntry(AuditAction.INSTRUMENT_ACCEPTED, self._engine.actor, details=details))
            unit.touched.market = True

        await self._engine.write_signed_on(unit_of_work)
        await self.load()
        return instrument.doubt

    async def load(self) -> None:
        """Have the instruments looked up anew, and read the names that they had and the lists of the home."""
        self._classes = None
        async with self._kept.store.reader() as connection:
            renames = await read_renames(connection)
        known, self._renames = self._renames, frozenset(renames)
        former = {one.key_before: one.key for one in renames}
        index = InstrumentIndex(StoredInstruments(self._kept.store), former)
        if self._market_data.index.is_searched:  # nor does the next search wait
            await asyncio.to_thread(index.read_names)
        self._market_data.index = index
        moved = {one.key_before: one.key for one in renames if known is not None and one not in known}
        if moved:
            self._market_data.quotes.rename(moved)
            self._minute_bars.rename(moved)
            self._subscribed = frozenset(moved.get(key, key) for key in self._subscribed)
            self._kept.bus.publish([InstrumentsRenamed(moved)])

    def renames(self) -> Collection[Rename]:
        """The names that securities had, each with the one of now."""
        return self._renames or frozenset()
