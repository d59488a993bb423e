"""One socket of a client's session at a broker: kept open, tried again, hurried when the broker is heard."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from traceback import format_tb
from typing import ClassVar, Generic, TypeVar

import aiohttp
from msgspec import Struct

from brokers.contract import BrokerAccount, BrokerError, SessionExpired
from data.clock import Clock

log = logging.getLogger(__name__)


class SocketWaits(Struct, frozen=True):
    """Every wait of a socket, in seconds.

    Retries double from `first_retry_s` to `longest_retry_s` and start over once a connection has stood for
    `stable_s`; `refused_s` is the wait after the broker turned down the client's own address. A call that is
    answered has a lost connection tried at once, `hurried_s` after the last try at the soonest.
    """

    open_s: float = 10.0
    ping_s: float = 20.0
    silence_s: float = 50.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    refused_s: float = 120.0
    hurried_s: float = 2.0
    stable_s: float = 60.0


REFUSED = "feed_refused"
"""Code of a connection that the broker does not take from this client, which is not tried again at once."""

OF_MARKET = SocketWaits(ping_s=1.0, silence_s=8.0, longest_retry_s=4.0, refused_s=15.0)
"""Prices age within seconds, so that the line is asked each second whether it stands."""


class KeptSocket(ABC):
    """A connection of one client's session, made anew whenever it ends; each adapter says how.

    `is_open` says that a connection stands, `heard_at` when something came by it, None while it does not.
    """

    broker: ClassVar[str]

    def __init__(self, account: BrokerAccount, clock: Clock, rng: random.Random, waits: SocketWaits) -> None:
        self.account = account
        self.heard_at: datetime | None = None
        self.is_open = False
        self._clock, self._rng, self._waits = clock, rng, waits
        self._stood = False
        self._last_s = 0.0
        self._hurried = asyncio.Event()

    @abstractmethod
    async def _connection(self) -> None:
        """One connection from its address to its end. Raises what ended it, unless it was closed properly."""

    @abstractmethod
    def _lost(self, problem: BrokerError) -> None:
        """Say that the connection ended, or that none could be made."""

    def hurry(self) -> None:
        """Try a lost connection now: the broker can be reached again."""
        self._hurried.set()

    def _stands(self) -> bool:
        """Take the connection for open; returns whether it is one after an earlier one."""
        self.is_open = True
        self._last_s = self._clock.monotonic()
        again, self._stood = self._stood, True
        return again

    def _heard(self) -> datetime:
        """Note that something came now."""
        self._last_s, self.heard_at = self._clock.monotonic(), self._clock.now()
        return self.heard_at

    @property
    def _silent(self) -> bool:
        """Whether nothing at all has come for too long."""
        return self._last_s + self._waits.silence_s <= self._clock.monotonic()

    async def run(self) -> None:
        """Keep a connection until cancelled or until the client's session is over."""
        failures = 0
        while True:
            begun = self._clock.monotonic()
            shortest = 0.0
            try:
                await self._connection()
                problem = BrokerError(f"{self.broker} closed the connection.")
            except SessionExpired as over:
                self._lost(over)
                return  # told by the call itself; a later sign-in makes another socket
            except BrokerError as failure:
                problem = failure
                shortest = self._waits.refused_s if failure.code == REFUSED else 0.0
            except aiohttp.WSServerHandshakeError as refusal:
                shortest = self._waits.refused_s if refusal.status in (401, 403) else 0.0
                words = f"{self.broker} refused the connection with status {refusal.status}."
                problem = BrokerError(words, str(refusal.status))
            except Exception as failure:
                # Its text may quote the address, and the address may hold a code.
                problem = BrokerError(f"The connection to {self.broker} ended ({type(failure).__name__}).")
                if not isinstance(failure, aiohttp.ClientError | OSError | TimeoutError):
                    self._log_fault(failure)
            finally:
                stood = self.is_open and self._clock.monotonic() - begun >= self._waits.stable_s
                self.is_open = False
                self.heard_at = None
            self._lost(problem)
            failures = 0 if stood else failures
            longest = self._waits.longest_retry_s
            wait = max(shortest, min(longest, self._waits.first_retry_s * 2 ** min(failures, 16)))
            failures += 1
            await self._pause(wait * self._rng.uniform(0.75, 1.0), begun, bool(shortest))

    async def _pause(self, seconds: float, begun: float, reached: bool) -> None:
        """Wait for the next try; less where the broker is heard again, not where it was `reached`."""
        self._hurried.clear()
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait({pause} if reached else {pause, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if not pause.done():
                await self._clock.sleep(max(0.0, begun + self._waits.hurried_s - self._clock.monotonic()))
        finally:
            pause.cancel()
            hurried.cancel()

    async def _end(self, helpers: list[asyncio.Task[None]]) -> None:
        """End what runs beside a connection, and log what went wrong there."""
        for helper in helpers:
            helper.cancel()
        for ended in await asyncio.gather(*helpers, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, aiohttp.ClientError | OSError):
                self._log_fault(ended)

    def _log_fault(self, failure: BaseException) -> None:
        """Where a failure comes from, without its text."""
        place = "".join(format_tb(failure.__traceback__))
        log.error("%s in the stream of %s\n%s", type(failure).__name__, self.broker, place)


K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=KeptSocket)


class KeptSockets(Generic[K, S]):
    """The sockets of a stream by their places, each run until its session is another one or it is not wanted.

    `made` makes that of a place; `gone` is told which one is taken away. A socket that takes another's place
    waits until that one has ended: a user may have but one of its kind.
    """

    def __init__(self, made: Callable[[K], S], gone: Callable[[S], None]) -> None:
        self._made = made
        self._gone = gone
        self._sockets: dict[K, S] = {}
        self._signed: dict[K, str] = {}
        self._tasks: dict[S, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._before: dict[K, asyncio.Task[None]] = {}
        self._down: set[S] = set()

    def all(self) -> list[S]:
        """Every one."""
        return list(self._sockets.values())

    def get(self, place: K) -> S | None:
        """The one of a place; None where there is none."""
        return self._sockets.get(place)

    def want(self, tokens: Mapping[K, str]) -> None:
        """Have sockets at these places, with these access tokens; one whose token is the same goes on."""
        for place in [place for place in self._sockets if tokens.get(place) != self._signed.get(place)]:
            self._stop(place)
        for place, token in tokens.items():
            if place not in self._sockets:
                socket = self._sockets[place] = self._made(place)
                self._signed[place] = token
                self._tasks[socket] = asyncio.create_task(_run_after(self._before.pop(place, None), socket))

    def stands(self, socket: S) -> None:
        """Note that a connection stands."""
        self._down.discard(socket)

    def lost(self, socket: S) -> bool:
        """Note that one ended; returns whether it is the first of its client's that is down, for the log."""
        first = all(other.account != socket.account for other in self._down)
        self._down.add(socket)
        return first

    def hurry(self, wanted: Callable[[S], bool]) -> None:
        """Try those now that are down and wanted."""
        for socket in self._down:
            if wanted(socket):
                socket.hurry()

    async def close(self) -> None:
        """End every one."""
        for place in list(self._sockets):
            self._stop(place)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _stop(self, place: K) -> None:
        socket = self._sockets.pop(place)
        self._signed.pop(place, None)
        self._down.discard(socket)
        self._gone(socket)
        task = self._tasks.pop(socket)
        task.cancel()
        self._before[place] = task
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _run_after(before: "asyncio.Task[None] | None", socket: KeptSocket) -> None:
    if before is not None:
        await asyncio.wait([before])
    await socket.run()
