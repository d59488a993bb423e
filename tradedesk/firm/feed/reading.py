"""The feed's prices as a desk reads them from Redis: subscribed first, then the hash, then what is newer."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from brokers.contract import Ticks, UnreadTick
from data.clock import Clock
from engine.between.line import BooksName
from engine.between.prices import QuoteHearer
from tradedesk.firm.feed.order import FeedOrder
from tradedesk.firm.feed.packets import FeedArrival, NotAPacket, moment_of, received_in, unpacked
from tradedesk.firm.line import ANEW_S, SILENT_S, asked, client_at, first_to_end

log = logging.getLogger(__name__)

WANTED_S = 15.0
"""For how long the feed carries what a desk has asked for once."""

WANT_EVERY_S = 3.0
"""How often a desk asks for what it follows."""

READ_S = 5.0
"""Seconds that a read of the hash may take: of thousands of quotes, on a machine that is busy."""

READ_EVERY_S = 5.0
"""How often the hash is read again while a quote that is wanted was not told."""


class FeedPlaces:
    """Where in Redis the feed of a broker is: its hash and channel, and what desks want of it."""

    def __init__(self, books: str, broker: str) -> None:
        self.quotes = f"td:{books}:quotes:{broker}"
        self.wanted = f"td:{books}:wanted:{broker}"


class FeedReader:
    """Reads one broker's prices for one desk."""

    def __init__(self, address: str, books: BooksName, broker: str, clock: Clock, own: Clock) -> None:
        """`clock` is the desk's, by which prices age; `own` the machine's, by which calls are waited for."""
        self._address, self._books, self._broker = address, books, broker
        self._clock, self._own = clock, own
        self._wanted = frozenset[str]()
        self._to_want = asyncio.Event()
        self._heard = FeedOrder()
        self._read_s = float("-inf")

    def want(self, keys: Collection[str]) -> None:
        """Have the feed carry these."""
        self._wanted = frozenset(keys)
        self._to_want.set()

    async def keep(self, hearer: QuoteHearer) -> None:
        """Read until this is cancelled, however often Redis is lost."""
        told = words = ""
        while True:
            try:
                books = await asyncio.to_thread(self._books)
                await self._read(FeedPlaces(books, self._broker), hearer)
            except ImportError as problem:
                log.error("the feed cannot be read: %s", problem)
                return
            except Exception as problem:  # prices age then, and the desk's own stream brings others
                words = f"the feed cannot be read: {problem or type(problem).__name__}"
            if words != told:
                told = words
                log.warning("%s", words)
            await self._own.sleep(ANEW_S)

    async def _read(self, places: FeedPlaces, hearer: QuoteHearer) -> None:
        redis = await client_at(self._address, READ_S)
        pubsub = redis.pubsub()
        self._heard.rejoined()
        try:
            await asked(pubsub.subscribe(places.quotes))
            await first_to_end(self._hear(redis, pubsub, places, hearer), self._want(redis, places))
        finally:
            with suppress(Exception):
                await pubsub.aclose()
            with suppress(Exception):
                await redis.aclose()

    async def _want(self, redis: Any, places: FeedPlaces) -> None:
        while True:
            self._to_want.clear()
            if wanted := self._wanted:
                at = self._own.now().timestamp()
                await asked(redis.zadd(places.wanted, dict.fromkeys(wanted, at)))
            with suppress(TimeoutError):
                async with self._own.timeout(WANT_EVERY_S):
                    await self._to_want.wait()

    async def _hear(self, redis: Any, pubsub: Any, places: FeedPlaces, hearer: QuoteHearer) -> None:
        await self._read_hash(redis, places, hearer)
        while True:
            message = await asked(pubsub.get_message(timeout=SILENT_S))
            if message is None:
                await asked(redis.ping())  # no feed tells anything; where Redis is gone, this says so
            elif message["type"] == "message" and self._take(message["data"], hearer):
                await self._read_hash(redis, places, hearer)
            if self._own.monotonic() - self._read_s > READ_EVERY_S and not self._heard.knows(self._wanted):
                await self._read_hash(redis, places, hearer)

    def _take(self, body: bytes, hearer: QuoteHearer) -> bool:
        """Take a message; returns whether the hash must be read again."""
        try:
            message = unpacked(body)
        except NotAPacket as problem:
            log.warning("what came from the feed is none of its messages: %s", problem)
            return False
        counts, gap = self._heard.take(message)
        if not counts:
            return False
        head = message.head
        self._keep([(key, received_in(one), one) for key, one in message.records.items()], hearer)
        self._heard.told(message.records)
        if head.vouched_at and (keys := self._heard.vouched(message)):
            hearer.vouched(keys, moment_of(head.vouched_at))
        if head.heard_at:
            hearer.alive(moment_of(head.heard_at))
        return gap

    async def _read_hash(self, redis: Any, places: FeedPlaces, hearer: QuoteHearer) -> None:
        self._read_s = self._own.monotonic()
        found: dict[bytes, bytes] = await asked(redis.hgetall(places.quotes))
        read = list[tuple[str, int, bytes]]()
        for body in found.values():
            with suppress(NotAPacket):
                message = unpacked(body)
                if self._heard.is_of_now(message.head):
                    read += [(key, message.head.at, record) for key, record in message.records.items()]
        self._keep(read, hearer)
        self._heard.told({key: record for key, _, record in read})

    def _keep(self, quotes: Iterable[tuple[str, int, bytes]], hearer: QuoteHearer) -> None:
        """Hand on quotes with the moments from which they count."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        packets = dict[str, UnreadTick]()
        first, last = now, None
        for key, micro, record in quotes:
            at = moment_of(micro)
            age = max(timedelta(), now - at).total_seconds()
            packets[key] = ((0, record), FeedArrival(at, now_s - age))
            first, last = min(first, at), at if last is None else max(last, at)
        if last is not None:
            hearer.took(Ticks(packets, first, last))
