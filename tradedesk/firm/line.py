"""The line between desks over Redis: what one tells is published, and flags of halts are keys beside that.

Redis is imported when the line is first held, in a thread. Each of its calls ends within a second, so that a
server that is frozen is known to be lost as one that is gone is.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from data.clock import Clock
from engine.between.line import BooksName, Hearer, LineState

log = logging.getLogger(__name__)

T = TypeVar("T")

CALL_S = 1.0
"""Seconds for which one call waits for Redis."""

PING_S = 0.5
"""How often it is asked whether it still answers."""

SILENT_S = 2.0
"""After so many seconds without a word it is lost."""

ANEW_S = 0.25
"""Seconds between two tries for a server."""

LOOK_S = 5.0
"""Seconds for which a look may take, the library's import among them."""

END_S = 1.0
"""Seconds for which a desk that closes waits until its flags are told."""


def plain_address(address: str) -> str:
    """The address as the client of Redis takes it, of one that may be written as Celery takes it."""
    if not address.startswith("redis+socket://"):
        return address
    parts = urlsplit(address)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return f"unix://{parts.path}?db={number}"


async def client_at(address: str, call_s: float = CALL_S) -> Any:
    """A client of the server at an address, not connected yet; each of its calls ends within so many seconds.

    Raises `ImportError` without the library.
    """
    redis = await asyncio.to_thread(import_module, "redis.asyncio")
    retry = import_module("redis.asyncio.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    return redis.Redis.from_url(
        plain_address(address),
        socket_connect_timeout=call_s,
        socket_timeout=call_s,
        retry=retry,
    )


class RedisLine:
    """Holds the line of one desk. What is told of commits while it is lost is dropped; flags are kept."""

    def __init__(self, address: str, books: BooksName, clock: Clock) -> None:
        self._address, self._books, self._clock = address, books, clock
        self.hearer: Hearer | None = None
        self.prefix = ""
        """What all its channels and keys begin with, once the books have told it."""
        self._held = self._reached = False
        self._answered_s: float | None = None
        self._why = "not tried yet"
        self._moved: dict[int, tuple[int, set[str]]] = {}
        self._flags = deque[tuple[str, str, str]]()
        self._to_send = asyncio.Event()

    def state(self) -> LineState:
        """Whether Redis answers."""
        age = None if self._answered_s is None else max(0.0, self._clock.monotonic() - self._answered_s)
        return LineState(True, self._reached, age, "" if self._reached else self._why)

    async def look(self) -> LineState:
        """Whether Redis answers, asked for once where the line is not held."""
        if self._held:
            return self.state()
        redis: Any = None
        try:
            async with asyncio.timeout(LOOK_S):
                redis = await client_at(self._address)
                await asked(redis.ping())
                return LineState(True, True, 0.0)
        except Exception as problem:  # whatever keeps it from answering is what is asked for
            self._why = _words(problem)
            return self.state()
        finally:
            if redis is not None:
                with suppress(Exception):
                    await redis.aclose()

    # --- what this desk tells ---

    def moved(self, desk: int, seq: int, topics: Collection[str]) -> None:
        """Tell that this desk has committed; of several that wait the newest."""
        if self._reached:
            told = self._moved.get(desk, (0, set[str]()))[1]
            self._moved[desk] = seq, told | set(topics)
            self._to_send.set()

    def raise_flag(self, halt: str, before: str = "") -> None:
        """Raise a flag, once Redis can be reached."""
        self._flags.append(("up", halt, before))
        self._to_send.set()

    def lower_flag(self, halt: str) -> None:
        """Lower a flag, once Redis can be reached."""
        self._flags.append(("down", halt, ""))
        self._to_send.set()

    # --- the line ---

    async def keep(self) -> None:
        """Hold it until this is cancelled."""
        told, self._held = "", True
        while True:
            try:
                await self._hold()
            except ImportError as problem:
                self._why = _words(problem)
                log.error("%s", self._why)
                return
            except Exception as problem:  # without it the desk goes by the books, whatever it was
                self._why = _words(problem)
            finally:
                self._lose()
            if self._why != told:
                told = self._why
                log.warning("%s", told)
            await self._clock.sleep(ANEW_S)

    def _lose(self) -> None:
        self._moved.clear()
        if self._reached:
            self._reached = False
            if self.hearer is not None:
                self.hearer.lost()

    async def _hold(self) -> None:
        """Connect, hear and tell until something fails."""
        redis = await client_at(self._address)
        pubsub = redis.pubsub()
        try:
            await self._learn_name()
            await asked(pubsub.subscribe(self.prefix + "moved", self.prefix + "halts"))
            flags = await asked(self._standing(redis))
            self._answered()
            self._reached = True
            log.info("Redis answers")
            if self.hearer is not None:
                self.hearer.joined(flags)
            await first_to_end(self._hear(pubsub), self._ping(pubsub), self._tell(redis))
        finally:
            with suppress(Exception):
                await pubsub.aclose()
            with suppress(Exception):
                await redis.aclose()

    async def _learn_name(self) -> None:
        if not self.prefix:
            self.prefix = f"td:{await asyncio.to_thread(self._books)}:"

    async def _standing(self, redis: Any) -> dict[str, str]:
        """The flags that are up, with the names that they had before."""
        begins = f"{self.prefix}halt:"
        keys = [key async for key in redis.scan_iter(match=f"{begins}*", count=1000)]
        values = await asked(redis.mget(keys)) if keys else []
        pairs = zip(keys, values, strict=True)
        return {
            key.decode().removeprefix(begins): value.decode() for key, value in pairs if value is not None
        }

    def _answered(self) -> None:
        self._answered_s = self._clock.monotonic()

    async def _ping(self, pubsub: Any) -> None:
        while True:
            await self._clock.sleep(PING_S)
            await asked(pubsub.ping())

    async def _hear(self, pubsub: Any) -> None:
        takes: dict[str, Callable[[list[str]], None]] = {
            self.prefix + "moved": self._heard_moved,
            self.prefix + "halts": self._heard_flag,
        }
        while True:
            message = await asked(pubsub.get_message(timeout=SILENT_S))
            if message is None:
                raise TimeoutError(f"nothing was heard for {SILENT_S:g} s")
            self._answered()
            if message["type"] != "message" or self.hearer is None:
                continue
            with suppress(ValueError, UnicodeDecodeError):  # nothing that a desk of ours tells
                takes[message["channel"].decode()](message["data"].decode().split(" "))

    def _heard_moved(self, words: list[str]) -> None:
        desk, seq = int(words[0]), int(words[1])
        assert self.hearer is not None
        self.hearer.moved(desk, seq)

    def _heard_flag(self, words: list[str]) -> None:
        what, halt, before = words
        assert self.hearer is not None
        if before:
            self.hearer.renamed(before, halt)
        if what == "up":
            self.hearer.flagged(halt)
        else:
            self.hearer.moved(0, 0)  # the books say whether it has ended

    async def _tell(self, redis: Any) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            await self._tell_flags(redis)
            moved, self._moved = self._moved, {}
            for desk, (seq, topics) in moved.items():
                told = f"{desk} {seq} {','.join(sorted(topics))}"
                await asked(redis.publish(self.prefix + "moved", told))
                self._answered()

    async def _tell_flags(self, redis: Any) -> None:
        while self._flags:
            what, halt, before = self._flags[0]
            key = f"{self.prefix}halt:{halt}"
            changed = await asked(redis.set(key, before) if what == "up" else redis.delete(key))
            if before:
                await asked(redis.delete(f"{self.prefix}halt:{before}"))
            if changed:
                await asked(redis.publish(self.prefix + "halts", f"{what} {halt} {before}"))
            self._answered()
            self._flags.popleft()

    async def end(self) -> None:
        """Tell the flags that wait, for a second at the most."""
        if not self._flags:
            return
        with suppress(Exception):
            async with asyncio.timeout(END_S):
                redis = await client_at(self._address)
                try:
                    await self._learn_name()
                    await self._tell_flags(redis)
                finally:
                    await redis.aclose()


def _words(problem: BaseException) -> str:
    """Why the line does not stand."""
    if isinstance(problem, ImportError):
        return f"it takes redis ({problem}): install tradedesk-workstation[firm]"
    return f"Redis does not answer: {problem or type(problem).__name__}"


async def asked(call: Awaitable[T]) -> T:
    """What a call of Redis returns. Raises `CancelledError` where its client has swallowed one meanwhile."""
    answer = await call
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return answer


async def first_to_end(*works: Any) -> None:
    """Do these beside each other until one ends, which raises what it raised; the others end with it."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
