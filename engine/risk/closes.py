"""Adjusted closes of instruments: as days were closed here, as brokers told them, as they have them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from brokers.connection import Connection
from brokers.contract import BarSpan, BrokerError, HasCloses, TellsHistory
from data.clock import IST
from data.reference.calendar_rows import CalendarNotLoaded
from data.repositories.history.closes import (
    BrokersClose,
    actions_of,
    keep_told_closes,
    official_closes,
    told_closes,
)
from data.vocabulary import RAW_CLOSES
from engine.book.kept import Kept
from engine.market.bars import begin_of
from engine.risk.adjusting import Action, ToldClose, adjusted
from engine.risk.moves import MOST_MOVES, Closes
from engine.timing import Timing

DAYS_BACK = 420
"""Days of the calendar that closes are asked over: enough for `MOST_MOVES` with weekends and holidays."""

FILL_S = 60.0
"""Seconds that a broker is asked for missing closes at a time; the rest comes with the next look."""


class DailyCloses:
    """Knows what instruments closed at, and asks the feed's broker for what is missing, once a day each."""

    def __init__(self, kept: Kept, timing: Timing, feed: Connection) -> None:
        self._kept = kept
        self._timing = timing
        self._feed = feed
        self._asked: dict[str, date] = {}

    async def of(self, keys: Collection[str]) -> dict[str, Closes]:
        """The closes of days before today, in shares of today, by key; empty of one that has none."""
        since = self._timing.market.trading_day - timedelta(days=DAYS_BACK)
        told = await self._told(keys, since)
        lacking = [key for key in keys if self._lacks(key, told.get(key, {}))]
        if lacking and await self._fill(lacking, told, since):
            told = await self._told(keys, since)
        async with self._kept.store.reader() as reader:
            actions = await actions_of(reader, keys, since)
        by_key: dict[str, list[Action]] = defaultdict(list)
        for one in actions:
            by_key[one.key].append(Action(one.ex_date, one.kind, one.purpose))
        today = self._timing.market.trading_day
        return {
            key: adjusted(
                {day: close for day, close in told.get(key, {}).items() if day < today},
                [one for one in by_key.get(key, ()) if one.ex_date <= today],
            )
            for key in keys
        }

    async def _told(self, keys: Collection[str], since: date) -> dict[str, dict[date, ToldClose]]:
        """What is known of each; a day that was closed here stands before what a broker told of it."""
        found: dict[str, dict[date, ToldClose]] = defaultdict(dict)
        broker = self._feed.broker
        if isinstance(broker, HasCloses):
            for key, closes in (await broker.closes(keys)).items():
                newest = max(closes)
                found[key] = {day: ToldClose(paise, newest) for day, paise in closes.items() if day >= since}
        async with self._kept.store.reader() as reader:
            for one in await told_closes(reader, keys, since):
                found[one.key][one.day] = ToldClose(one.close_paise, one.told_on)
            for one in await official_closes(reader, keys, since):
                told_on = one.day if one.source in RAW_CLOSES else self._day_after(one.day)
                found[one.key][one.day] = ToldClose(one.close_paise, told_on)
        return found

    def _day_after(self, day: date) -> date:
        try:
            return self._timing.calendar.next_trading_day(day)
        except CalendarNotLoaded:
            return day

    def _lacks(self, key: str, closes: Mapping[date, ToldClose]) -> bool:
        today = self._timing.market.trading_day
        if self._asked.get(key) == today:
            return False
        before = self._timing.calendar.previous_trading_day(today)
        return len(closes) <= MOST_MOVES or max(closes) < before

    async def _fill(
        self, keys: Iterable[str], told: Mapping[str, Mapping[date, ToldClose]], since: date
    ) -> bool:
        """Ask the broker for what is missing and keep it; whether anything was told."""
        broker, timing = self._feed.broker, self._timing
        if not (self._feed.capabilities.history and isinstance(broker, TellsHistory)):
            return False
        today, until = timing.market.trading_day, begin_of(timing.market.now(), BarSpan.DAY)
        ends_s, found = timing.wall.monotonic() + FILL_S, list[BrokersClose]()
        for key in keys:
            known = told.get(key, {})
            first = max(known) + timedelta(days=1) if len(known) > MOST_MOVES else since
            begins = until - timedelta(days=(today - first).days)
            try:
                async with timing.wall.timeout(timing.waits.read_timeout_s):
                    bars = await broker.bars(key, BarSpan.DAY, begins, until)
            except (BrokerError, TimeoutError):
                continue  # asked again with the next look: an estimate has no business in the log
            self._asked[key] = today
            days = [(bar.at.astimezone(IST).date(), bar.close_paise) for bar in bars]
            found += [BrokersClose(key, day, paise, today, self._feed.name) for day, paise in days]
            if timing.wall.monotonic() > ends_s:
                break
        if found:
            await self._kept.store.write(lambda unit: keep_told_closes(unit, found))
        return bool(found)
