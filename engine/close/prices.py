"""What shares closed at: as kept, as quoted, or as the feed's broker tells of days before."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta

from msgspec import Struct

from brokers.connection import Connection
from brokers.contract import BarSpan, BrokerError, TellsHistory
from data.clock import IST
from data.money import half_up
from data.reference.calendar_rows import CalendarNotLoaded
from data.reference.company_actions import shares_of_one
from data.repositories.accounts.actions import read_actions_between
from data.repositories.close.prices import StoredClose, closes_kept, keep_closes, read_closes
from data.store import Unit
from data.vocabulary import RAW_CLOSES, CloseSource
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.timing import Timing


class FoundClose(Struct, frozen=True):
    """A closing price in paise and where it is from."""

    close_paise: int
    source: CloseSource


def keep_found(unit: Unit, day: date, found: Mapping[str, FoundClose]) -> None:
    """Keep closing prices of a day; what is kept of an instrument already stands."""
    known = closes_kept(unit, day, found)
    keep_closes(
        unit,
        [
            StoredClose(day, key, 1, one.close_paise, one.source, unit.now)
            for key, one in sorted(found.items())
            if key not in known
        ],
    )


class ClosingPrices:
    """Finds closing prices; what cannot be found is left out."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, market: Market, feed: Connection
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._noted: tuple[date | None, frozenset[str]] = None, frozenset()
        self._market = market
        self._feed = feed

    async def of(self, day: date, keys: Collection[str]) -> Mapping[str, FoundClose]:
        """What these instruments closed at on a day, or last traded at while it goes on."""
        today = self._timing.market.trading_day
        found = await self._kept_of(day, keys)
        missing = [key for key in keys if key not in found]
        if missing and day == today:
            await self._market.fetch(missing)
            found |= self._quoted(missing, day)
        elif missing and day == self.before(today):
            await self._market.fetch(missing)
            found |= self._previous(missing)
        missing = [key for key in missing if key not in found]
        if missing and day < today:
            found |= await self._from_history(day, missing)
        return found

    async def note_before(self) -> int:
        """Keep what clients' shares closed at before today, for whoever closes today only tomorrow.

        Returns how many were kept; what is kept already stands. Raises `StoreError`.
        """
        today = self._timing.market.trading_day
        before = self.before(today)
        held = {one.key for of in self._kept.book.holdings.values() for one in of}
        wanted = held if self._noted[0] != today else held - self._noted[1]
        if before is None or not wanted:
            return 0
        known = await self._kept_of(before, wanted)
        missing = [key for key in wanted if key not in known]
        await self._market.fetch(missing)
        found = self._previous(missing)
        if found:
            await self._engine.write_signed_on(lambda unit: keep_found(unit, before, found))
        self._noted = today, frozenset(known) | frozenset(found) | self._noted[1]
        return len(found)

    async def before_of(self, day: date, keys: Collection[str]) -> Mapping[str, FoundClose]:
        """What they closed at before a day, as adjusted for it where the exchange has done so."""
        if day == self._timing.market.trading_day:
            await self._market.fetch(list(keys))
            found = self._previous(keys)
        else:
            found = {}
        missing = [key for key in keys if key not in found]
        before = self.before(day)
        if before is None:
            return found
        if missing:
            found = {**await self.of(before, missing), **found}
        return {**found, **await self._adjusted(before, day, keys)}

    async def _adjusted(self, before: date, day: date, keys: Collection[str]) -> dict[str, FoundClose]:
        """Closes of the day before in shares of the day, where an action lies between and they are raw."""
        wanted = frozenset(keys)
        async with self._kept.store.reader() as reader:
            told = [one for one in await read_actions_between(reader, before, day) if one.key in wanted]
            kept = await read_closes(reader, before, {one.key for one in told})
        found: dict[str, FoundClose] = {}
        for one in told:
            close, shares = kept.get(one.key), shares_of_one(one.kind, one.purpose)
            if close is None or close.source not in RAW_CLOSES or shares is None or shares == 1:
                continue
            paise = found[one.key].close_paise if one.key in found else close.close_paise
            adjusted = half_up(paise * shares.denominator, shares.numerator)
            found[one.key] = FoundClose(adjusted, close.source)
        return found

    def before(self, day: date) -> date | None:
        """The trading day before one; None past the calendar's end."""
        try:
            return self._timing.calendar.previous_trading_day(day)
        except CalendarNotLoaded:
            return None

    async def _kept_of(self, day: date, keys: Collection[str]) -> dict[str, FoundClose]:
        async with self._kept.store.reader() as reader:
            kept = await read_closes(reader, day, keys)
        return {key: FoundClose(one.close_paise, one.source) for key, one in kept.items()}

    def _quoted(self, keys: Collection[str], day: date) -> dict[str, FoundClose]:
        began = datetime.combine(day, time(), IST)
        found: dict[str, FoundClose] = {}
        for key in keys:
            quote = self._market.quote(key)
            if quote is None:
                continue
            if quote.last_paise > 0 and quote.market_at >= began:
                found[key] = FoundClose(quote.last_paise, CloseSource.QUOTED)
            elif quote.prev_close_paise > 0:  # nothing of it traded today
                found[key] = FoundClose(quote.prev_close_paise, CloseSource.QUOTED)
        return found

    def _previous(self, keys: Collection[str]) -> dict[str, FoundClose]:
        """What today's quotes say of the day before; one of an earlier day says it of the day before that."""
        began = datetime.combine(self._timing.market.trading_day, time(), IST)
        quotes = {key: self._market.quote(key) for key in keys}
        return {
            key: FoundClose(quote.prev_close_paise, CloseSource.NEXT_DAY)
            for key, quote in quotes.items()
            if quote is not None and quote.prev_close_paise > 0 and quote.market_at >= began
        }

    async def _from_history(self, day: date, keys: Collection[str]) -> dict[str, FoundClose]:
        broker = self._feed.broker
        if not (self._feed.capabilities.history and isinstance(broker, TellsHistory)):
            return {}
        begins = datetime.combine(day, time(), IST)

        async def told(key: str) -> FoundClose | None:
            try:
                async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                    bars = await broker.bars(key, BarSpan.DAY, begins, begins + timedelta(days=1))
            except (BrokerError, TimeoutError):
                return None
            return FoundClose(bars[-1].close_paise, CloseSource.HISTORY) if bars else None

        answers = await asyncio.gather(*map(told, keys))
        return {key: one for key, one in zip(keys, answers, strict=True) if one is not None}
