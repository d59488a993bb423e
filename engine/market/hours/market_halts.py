"""Halts of the whole market: told by an index and the exchanges' table, or typed by a trader.

While one stands no instrument is in continuous trading (`Timing.phase`), and runs keep their unsent orders.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date

from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.records import values_of
from data.reference.files.calendar_file import Breaker, BreakerLevel, HaltTerms
from data.repositories.market_halts import NewMarketHalt, add_market_halt, end_market_halts
from data.store import Unit
from data.vocabulary import AlertKind
from engine.book.kept import Kept
from engine.book.market_halt import MarketHalt
from engine.book.reading import read_market_halts
from engine.book.watched.alert_views import AlertIndex
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.market.market import Market
from engine.market_news import MarketHalted, MarketMoved, MarketOpened
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""Seconds between two looks at the indices; a move counts once two looks in a row have seen it."""

FOLLOWER = "breaker"
"""Under this name the indices of the breaker are followed."""


class MarketHalts:
    """Knows whether the market is halted, and has it so by an index or by a trader's word."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market: Market) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market = market
        self._seen: Mapping[str, int] = {}
        self._warned: date | None = None

    @property
    def standing(self) -> MarketHalt | None:
        """What halts the market now, its pre-open session after a halt among it; None where nothing does."""
        return self._timing.market_halt()

    def of_day(self) -> Sequence[MarketHalt]:
        """The halts of the trading day, oldest first."""
        return [one for one in self._kept.book.market_halts if one.trading_date == self._day]

    def moves(self) -> dict[str, int]:
        """By how much each index of the breaker has moved since its previous close, in basis points.

        Only of those that have a young price.
        """
        breaker, market = self._breaker, self._market
        found = {key: market.change_bps(key) for key in breaker.indices} if breaker else {}
        return {key: bps for key, bps in found.items() if bps is not None and not market.stale(key)}

    async def fetch(self) -> None:
        """Have the prices of the breaker's indices fetched, for a command that follows none."""
        breaker = self._breaker
        if breaker is not None:
            await self._market.fetch(
                [key for key in breaker.indices if self._market.index.get(key) is not None]
            )

    @property
    def first_level_bps(self) -> int:
        """The move at which the market is halted first; 0 where that is not known."""
        return self._breaker.level[0].move_bps if self._breaker else 0

    @property
    def _day(self) -> date:
        return self._timing.market.trading_day

    @property
    def _breaker(self) -> Breaker | None:
        return self._timing.calendar.breaker(self._day)

    # --- by a trader ---

    async def halt(self, percent: int | None = None, reason: str = "") -> MarketHalt:
        """Have the market halted by a trader's word, at a level of the breaker where one is named.

        Without one it is halted until `open_again` or the end of the day. Raises `BadInput` for what is no
        level, or where the level halts nothing at this hour.
        """
        level = None if percent is None else self._level(percent)
        now = self._timing.market.now()
        terms = None if level is None else level.terms_at(now)
        if terms is not None and not terms.halts:
            raise BadInput(
                "level", percent, f"at {now.astimezone(IST):%H:%M} a move of {percent} % halts nothing"
            )
        number = await self._engine.write_signed_on(
            lambda unit: self._write(unit, level, terms, "", None, reason.strip())
        )
        assert number is not None, "what a trader types is always written"
        return next(one for one in self._kept.book.market_halts if one.number == number)

    def _level(self, percent: int) -> BreakerLevel:
        levels = self._breaker.level if self._breaker else ()
        found = next((one for one in levels if one.move_bps == percent * 100), None)
        if found is None:
            there = ", ".join(str(one.move_bps // 100) for one in levels)
            raise BadInput("level", percent, f"give {there}, or none")
        return found

    async def open_again(self, reason: str = "") -> MarketHalt:
        """Keep that the market is open, by a trader's word; returns what stood.

        Raises `BadInput` where nothing does.
        """
        standing = self.standing
        if standing is None:
            raise BadInput("market", "open", "the market is not halted")
        actor, day = self._engine.actor, self._day

        def unit_of_work(unit: Unit) -> None:
            end_market_halts(unit, day, unit.now, actor)
            details = {
                "halt": standing.number,
                "market_time": self._timing.market.now(),
                "reason": reason.strip(),
            }
            unit.audit(AuditEntry(AuditAction.MARKET_OPENED, actor, details=details))
            unit.touched.halts = True
            unit.publish(TapeLine(unit.now, MarketOpened(actor)))

        await self._engine.write_signed_on(unit_of_work)
        return standing

    # --- by an index ---

    async def keep(self) -> None:
        """Look at the indices for as long as the desk lives; each move counts once two looks have seen it."""
        while True:
            try:
                await self.look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("the indices could not be looked at: %s", problem)
            await self._timing.wall.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once: warn of an index near the breaker, and have the market halted by one that reached it."""
        breaker = self._breaker
        if breaker is None:
            return
        await self._follow(breaker)
        before, self._seen = self._seen, self.moves()
        twice = {key: min(abs(bps), abs(before.get(key, 0))) for key, bps in self._seen.items()}
        key = max(twice, key=twice.__getitem__, default=None)
        if key is None or twice[key] < breaker.warn_bps or not self._timing.phase_of(fno=False).continuous:
            return
        level = breaker.reached(twice[key])
        if level is not None and not self._is_told(level):
            terms = level.terms_at(self._timing.market.now())
            if terms.halts:
                moved = self._seen[key]
                await self._engine.write_signed_on(
                    lambda unit: self._write(unit, level, terms, key, moved, "")
                )
                return
        await self._warn(key, breaker)

    async def _follow(self, breaker: Breaker) -> None:
        keys = [key for key in breaker.indices if self._market.index.get(key) is not None]
        if frozenset(keys) != self._market.followed_by(FOLLOWER):
            await self._market.follow(keys, FOLLOWER)

    def _is_told(self, level: BreakerLevel) -> bool:
        return any(one.move_bps >= level.move_bps for one in self.of_day())

    async def _warn(self, key: str, breaker: Breaker) -> None:
        told = AlertIndex(key, self._seen[key], breaker.level[0].move_bps)
        raised = AlertTold(
            AlertKind.MARKET_FALL,
            told={"index": key, "moved_bps": told.moved_bps},
            named=[values_of(told)],
            urgent=True,
            news=MarketMoved(key, told.moved_bps, told.level_bps),
        )
        if self._warned != self._day:
            day, actor = self._day, self._engine.actor
            await self._kept.store.write(lambda unit: raise_alert(unit, raised, day, actor))
            self._warned = self._day

    # --- both ---

    def _write(
        self,
        unit: Unit,
        level: BreakerLevel | None,
        terms: HaltTerms | None,
        index_key: str,
        index_bps: int | None,
        reason: str,
    ) -> int | None:
        """Keep a halt; None where an index told what another engine has kept of this level."""
        day, now, actor = self._day, self._timing.market.now(), self._engine.actor
        if index_key and level is not None:
            kept = read_market_halts(unit, day)
            if any(one.move_bps >= level.move_bps for one in kept):
                return None
        until, reopens = (None, None) if terms is None else terms.times(now)
        number = unit.take_ids("market_halt", 1)[0]
        move = 0 if level is None else level.move_bps
        halt = NewMarketHalt(
            number, day, now, until, reopens, move, index_key, index_bps, reason, unit.now, actor
        )
        add_market_halt(unit, halt)
        unit.audit(AuditEntry(AuditAction.MARKET_HALTED, actor, details=values_of(halt)))
        unit.touched.halts = True
        unit.publish(TapeLine(unit.now, MarketHalted(actor, move, index_key, index_bps, until, reopens)))
        return number
