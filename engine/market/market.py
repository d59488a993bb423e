"""The market service: instruments, quotes with ages, phases, and who needs which prices."""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import update

from brokers.contract import BrokerError, Tick
from data.audit import AuditEntry
from data.columns import table
from data.errors import BadInput
from data.money import moved_bps
from data.reference.instruments import Instrument, InstrumentIndex
from data.reference.names import Rename
from data.reference.phases import CalendarNotLoaded, Phase
from data.store import Unit
from data.tables import InstrumentRecord
from engine.events import InstrumentsRenamed
from engine.market.quotes import StockDetail, detail
from engine.market.renames import Taken, read_instruments, read_renames, take
from engine.parts import Parts

log = logging.getLogger(__name__)


class Market:
    """Prices and instruments as the desk sees them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._subscribed: frozenset[str] = frozenset()
        self._stale_for: dict[str, set[str]] = {}
        self._renames: frozenset[Rename] | None = None

    @property
    def index(self) -> InstrumentIndex:
        """Every instrument known, found by symbol or name."""
        return self._parts.index

    def now(self) -> datetime:
        """Market time."""
        return self._parts.market_clock.now()

    def phase(self, instrument: Instrument) -> Phase:
        """What the exchange allows for an instrument now."""
        return self._parts.calendar.phase(self.now(), instrument.fno)

    def intraday_end(self, key: str) -> datetime | None:
        """When brokers sell intraday shares (MIS) of an instrument out today; None where it is not known."""
        instrument = self._parts.index.get(key)
        return None if instrument is None else intraday_end(self._parts, instrument.fno)

    @property
    def takes_after_market(self) -> bool:
        """Whether orders may wait at the broker for the next session (AMO)."""
        return self._parts.connections.feed.broker.capabilities.after_market

    def quote(self, key: str) -> Tick | None:
        """The last known market of an instrument."""
        return self._parts.quotes.quote(key)

    def age(self, key: str) -> float | None:
        """Seconds since the feed last confirmed this price."""
        return self._parts.quotes.age(key, self._parts.clock.now())

    def stale(self, key: str) -> bool:
        """Whether the price of an instrument is too old for a plan, or not known."""
        return self._too_old(self.age(key))

    def feed_stale(self) -> bool:
        """Whether the feed has been silent for longer than a price may be old."""
        return self._too_old(self.feed_age())

    def _too_old(self, age: float | None) -> bool:
        return age is None or age > self._parts.rules.price_age_limit_s

    def change_bps(self, key: str) -> int | None:
        """An instrument's change against its previous close, in basis points; None while it is unknown."""
        quote, instrument = self.quote(key), self._parts.index.get(key)
        close = (quote.prev_close_paise if quote else 0) or (instrument.prev_close_paise if instrument else 0)
        return moved_bps(close, quote.last_paise if quote else 0)

    def feed_age(self) -> float | None:
        """Seconds since the feed said anything."""
        return self._parts.quotes.feed_age(self._parts.clock.now())

    async def fetch(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """Ask for quotes once; they are kept too. What cannot be had now stays as it is, and ages."""
        return await fetch_quotes(self._parts, keys)

    async def follow(self, keys: Collection[str], owner: str) -> None:
        """Have the stream carry these instruments for `owner`, in place of those it had asked for."""
        if self._parts.quotes.follow(owner, keys):
            wanted = frozenset(self._parts.quotes.followed())
            if wanted != self._subscribed:
                self._subscribed = wanted
                await self._parts.connections.feed.broker.subscribe(wanted)

    async def follow_again(self) -> None:
        """Ask the feed once more for all that is followed, as after a sign-in that brought the feed back."""
        await self._parts.connections.feed.broker.subscribe(self._subscribed)

    def take_dirty(self, owner: str) -> set[str]:
        """The owner's instruments that changed, or whose price turned stale or fresh, since it last asked."""
        return self._parts.quotes.take_dirty(owner) | self.take_turned(owner)

    def take_turned(self, owner: str) -> set[str]:
        """The owner's instruments whose price turned stale or fresh since it last asked."""
        stale = {key for key in self._parts.quotes.followed_by(owner) if self.stale(key)}
        turned = stale ^ self._stale_for.get(owner, set())
        self._stale_for[owner] = stale
        return turned

    def any_stale(self, keys: Iterable[str]) -> bool:
        """Whether one of these prices is too old. One that was never known has no figure to mislead by."""
        return any((age := self.age(key)) is not None and self._too_old(age) for key in keys)

    def detail(self, key: str) -> StockDetail:
        """One instrument with its change, MTF amount per share and who holds it. Raises `BadInput`."""
        instrument = self._parts.index.get(key) or self._parts.index.resolve(key)
        held = [
            holding
            for holdings in self._parts.book.holdings.values()
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
    ) -> Taken:
        """Keep instruments in place of those known, by token, name or ISIN (`data.reference.names`).

        What a dump does not carry (ISIN, sector, margins, F&O, band) is kept from what was known; those that
        are `gone` are taken off. A file that is not `complete` proves no other gone.
        """
        parts, told, off = self._parts, list(instruments), [one.key for one in gone]
        lister = parts.connections.feed.broker.name
        taken = await parts.write_signed_on(
            lambda unit: take(unit, told, source, parts.actor, lister, off, complete)
        )
        await self.load()
        return taken

    async def accept(self, key: str, reason: str) -> str:
        """Let an instrument in doubt be bought again; gives what was in doubt. Raises `BadInput`."""
        parts, reason = self._parts, reason.strip()
        instrument = parts.index.get(key) or parts.index.resolve(key)
        if not reason:
            raise BadInput("reason", reason, "say in a few words why it may be bought")
        if not instrument.doubt:
            raise BadInput("symbol", instrument.key, "nothing about it is in doubt")

        def unit_of_work(unit: Unit) -> None:
            records = table(InstrumentRecord)
            unit.connection.execute(
                update(records)
                .where(
                    records.c.exchange == instrument.exchange,
                    records.c.tradingsymbol == instrument.tradingsymbol,
                )
                .values(doubt="")
            )
            details: dict[str, object] = {"key": instrument.key, "doubt": instrument.doubt, "reason": reason}
            unit.audit(AuditEntry("INSTRUMENT_ACCEPTED", parts.actor, details=details))

        await parts.write_signed_on(unit_of_work)
        await self.load()
        return instrument.doubt

    async def load(self) -> None:
        """Read the instruments into the index, with the names that they had."""
        async with self._parts.store.reader() as connection:
            found = await connection.run_sync(read_instruments)
            renames = await connection.run_sync(read_renames)
        known, self._renames = self._renames, frozenset(renames)
        self._parts.index = InstrumentIndex(found, {one.key_before: one.key for one in renames})
        moved = {one.key_before: one.key for one in renames if known is not None and one not in known}
        if moved:
            self._parts.quotes.rename(moved)
            self._subscribed = frozenset(moved.get(key, key) for key in self._subscribed)
            self._parts.bus.publish([InstrumentsRenamed(moved)])

    def renames(self) -> Collection[Rename]:
        """The names that securities had, each with the one of now."""
        return self._renames or frozenset()


async def fetch_quotes(parts: Parts, keys: Collection[str]) -> Mapping[str, Tick]:
    """Ask the feed's broker for quotes and keep them; gives none where they cannot be had now."""
    try:
        ticks = await parts.connections.feed.broker.quotes(keys)
    except BrokerError as problem:
        parts.outages.failed(log, "prices", "prices", problem)
        return {}
    parts.outages.over("prices", "prices")
    parts.quotes.put_fetched(ticks.values())
    return ticks


def awaited_day(parts: Parts) -> date | None:
    """The trading day whose session has not begun; None while one is on, or past the calendar's end."""
    try:
        return parts.calendar.awaited_day(parts.market_clock.now())
    except CalendarNotLoaded:
        return None


def intraday_end(parts: Parts, fno: bool) -> datetime | None:
    """When today's intraday buying ends for instruments with (`fno`) or without live derivatives.

    None on a day without trading, or past the calendar's end.
    """
    try:
        return parts.calendar.intraday_end(parts.market_clock.trading_day, fno)
    except BadInput:
        return None
