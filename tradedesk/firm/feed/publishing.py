"""The process that tells prices: the one that has the role takes what desks want from its own stream."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from data.clock import Clock
from data.leasing.roles import ROLE_BEAT_S, HeldRole
from engine.between.line import BooksName
from engine.desk import Desk
from tradedesk.firm.feed.reading import WANTED_S, FeedPlaces
from tradedesk.firm.feed.telling import OWNER, STEP_S, FeedStep, Telling
from tradedesk.firm.line import ANEW_S, asked, client_at, first_to_end

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often it looks what desks want."""


class Publisher:
    """Tells what a desk's stream brings, for as long as it has the role; else it stands by."""

    def __init__(self, desk: Desk, address: str, books: BooksName, own: Clock) -> None:
        self._desk, self._address, self._books, self._own = desk, address, books, own
        inside = desk.workings
        self._broker = inside.connections.feed.broker.name
        self._quotes = inside.market_data.quotes
        self._telling = Telling(self._quotes, inside.timing.wall, inside.engine.id)
        self.role = HeldRole(inside.kept.store.database, f"feed:{self._broker}", inside.engine.id)
        self._had = False

    async def keep(self, told: Callable[[str], None]) -> None:
        """Tell until this is cancelled, however often Redis is lost; `told` hears of what changes."""
        try:
            await first_to_end(self._keep_role(told), self._keep_telling(told))
        finally:
            await asyncio.to_thread(self.role.end)

    async def _keep_role(self, told: Callable[[str], None]) -> None:
        while True:
            has = await asyncio.to_thread(self.role.keep)
            if has != self._had:
                self._had = has
                told(f"feed of {self._broker}: {f'leads, term {self.role.epoch}' if has else 'stands by'}")
            await self._own.sleep(ROLE_BEAT_S)

    async def _keep_telling(self, told: Callable[[str], None]) -> None:
        before = ""
        while True:
            try:
                books = await asyncio.to_thread(self._books)
                await self._tell(FeedPlaces(books, self._broker))
            except ImportError:
                raise
            except Exception as problem:
                words = f"Redis does not answer: {problem or type(problem).__name__}"
                if words != before:
                    before = words
                    told(words)
            await self._own.sleep(ANEW_S)

    async def _tell(self, places: FeedPlaces) -> None:
        redis = await client_at(self._address)
        self._telling.tell_all()
        try:
            await first_to_end(self._follow(redis, places), self._publish(redis, places))
        finally:
            with suppress(Exception):
                await redis.aclose()

    async def _follow(self, redis: Any, places: FeedPlaces) -> None:
        """Follow what desks want, whether it leads or stands by."""
        while True:
            at = self._own.now().timestamp()
            wanted = await asked(redis.zrangebyscore(places.wanted, at - WANTED_S, "+inf"))
            index = self._desk.workings.market_data.index
            keys = {key.decode() for key in wanted}
            await self._desk.market.follow({key for key in keys if index.get(key) is not None}, OWNER)
            await asked(redis.zremrangebyscore(places.wanted, "-inf", at - 10 * WANTED_S))
            await self._own.sleep(LOOK_S)

    async def _publish(self, redis: Any, places: FeedPlaces) -> None:
        due = self._own.monotonic()
        while True:
            due = max(due + STEP_S, self._own.monotonic())
            if self.role.holds:
                step = self._telling.step(self.role.epoch)
                if self.role.holds:  # a term that ran out meanwhile is another's
                    await put(redis, places, step)
            await self._own.sleep(due - self._own.monotonic())


async def put(redis: Any, places: FeedPlaces, step: FeedStep) -> None:
    """Put a step into the hash, and tell it, at once."""
    async with redis.pipeline(transaction=True) as pipe:
        if step.anew:
            pipe.delete(places.quotes)
        if step.gone:
            pipe.hdel(places.quotes, *step.gone)
        if step.changed:
            pipe.hset(places.quotes, mapping=step.changed)
        pipe.publish(places.quotes, step.message)
        await asked(pipe.execute())
