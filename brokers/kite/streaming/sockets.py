"""One WebSocket to Kite: kept open, watched for silence, subscribed anew after every reconnect.

Kite Connect documentation, WebSocket streaming: the URL's query signs in, the server forgets every
subscription when a connection ends, and sends one byte every other second when it has nothing to say.
"""

import asyncio
import logging
import random
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from json import dumps
from traceback import format_tb
from typing import Protocol
from urllib.parse import urlencode

from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from brokers.contract import BrokerAccount, BrokerError, RawPacket
from brokers.kite.streaming.packets import decode
from brokers.wire.access import AccountRoute
from data.clock import Clock

log = logging.getLogger(__name__)

# The library writes handshakes to its log, and the request line holds the access token.
_UNHEARD = logging.Logger("kite.wire", logging.CRITICAL + 1)

MAX_FRAME = 4 * 1024 * 1024
"""Bytes; 3,000 full packets are 558,002."""

_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}

CHUNK = 500
"""Instruments named in one message to the server."""


REFUSING = frozenset({400, 401, 403})
"""Statuses of a handshake that Kite refuses for who asks; they prove nothing of the session. An api key of
the free plan has no stream (Kite's staff), and is refused so while REST goes on."""


class StreamRefusedError(BrokerError):
    """Kite does not open a socket with this api key and session."""


class StreamWaits(Struct, frozen=True):
    """Every wait of the stream, in seconds.

    Retries double from `first_retry_s` to `longest_retry_s`, to `prices_retry_s` on a socket that carries
    prices, and start over once a connection has stood for `stable_s`. `crowded_s` is the wait after the
    server said that there are too many connections. A call that Kite answers has a lost connection tried at
    once,
    `hurried_s` after the last try at the soonest.
    """

    open_s: float = 10.0
    close_s: float = 1.0
    silence_s: float = 8.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    prices_retry_s: float = 4.0
    hurried_s: float = 2.0
    stable_s: float = 60.0
    crowded_s: float = 120.0


class SocketOwner(Protocol):
    """Who is told what comes in. None of these may wait."""

    def opened(self, socket: "KiteSocket") -> None:
        """The handshake is done."""
        ...

    def took_packets(self, socket: "KiteSocket", packets: list[RawPacket], received_at: datetime) -> None:
        """A frame was read; no packets means that the server only said it is alive."""
        ...

    def took_text(self, socket: "KiteSocket", text: str) -> None:
        """A text frame came."""
        ...

    def faulty(self, ignored: int, fault: str) -> None:
        """A frame held packets of unknown length, or was not whole."""
        ...

    def lost(self, socket: "KiteSocket", problem: BrokerError) -> None:
        """The connection ended, or none could be made: `StreamRefusedError` where none will be tried."""
        ...


class KiteSocket:
    """One connection for one client's session, with the instruments it carries in full mode.

    It hears the order updates of that client alone. `seat` and `door` bound how many connections of its
    api key are open and how many handshakes are under way.
    """

    def __init__(
        self,
        url: str,
        account: BrokerAccount,
        route: AccountRoute,
        token: str,
        clock: Clock,
        rng: random.Random,
        waits: StreamWaits,
        owner: SocketOwner,
        seat: asyncio.Semaphore,
        door: asyncio.Semaphore,
    ) -> None:
        self.account = account
        self.tokens: Mapping[int, str] = {}
        self.heard_at: datetime | None = None
        self._url = f"{url}?{urlencode({'api_key': route.api_key, 'access_token': token})}"
        self._route = route
        self._clock = clock
        self._rng = rng
        self._waits = waits
        self._owner = owner
        self._seat = seat
        self._door = door
        self._open = False
        self._last_s = 0.0
        self._damaged = False
        self._silent = False
        self._left: set[int] = set()
        self._changed = asyncio.Event()
        self._hurried = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether a connection stands."""
        return self._open

    def carry(self, tokens: Mapping[int, str]) -> None:
        """Replace what it is subscribed to: keys by instrument token, 3,000 at most."""
        self._left |= self.tokens.keys() - tokens.keys()
        self.tokens = tokens
        self._changed.set()

    def hurry(self) -> None:
        """Try a lost connection now: Kite can be reached again."""
        self._hurried.set()

    async def run(self) -> None:
        """Keep a connection until cancelled or until the server refuses it for who asks."""
        failures = 0
        while True:
            begun = self._clock.monotonic()
            shortest, reached = 0.0, False
            try:
                async with self._seat:
                    await self._connection()
                problem = BrokerError("Kite closed the connection.")
            except InvalidStatus as refusal:
                status = refusal.response.status_code
                if status in REFUSING:
                    words = f"Kite opens no stream for {self.account.user_id} (status {status})."
                    self._owner.lost(self, StreamRefusedError(words, str(status)))
                    return
                reached = True
                if status == 429:
                    shortest = self._waits.crowded_s
                problem = BrokerError(f"Kite refused the connection with status {status}.", str(status))
            except Exception as failure:
                # Its text may quote the address, and the address holds the token.
                silent = f"Kite's stream was silent for {self._waits.silence_s:g} s."
                ended = f"The connection to Kite ended ({type(failure).__name__})."
                problem = BrokerError(silent if self._silent else ended)
                if not isinstance(failure, (OSError, WebSocketException)):
                    log.error("%s in Kite's stream\n%s", type(failure).__name__, _place_of(failure))
            finally:
                stood = self._open and self._clock.monotonic() - begun >= self._waits.stable_s
                self._open = False
                self.heard_at = None
            self._owner.lost(self, problem)
            failures = 0 if stood else failures
            longest = self._waits.prices_retry_s if self.tokens else self._waits.longest_retry_s
            wait = max(shortest, min(longest, self._waits.first_retry_s * 2 ** min(failures, 16)))
            failures += 1
            await self._pause(wait * self._rng.uniform(0.75, 1.0), begun, reached)

    async def _pause(self, seconds: float, begun: float, reached: bool) -> None:
        """Wait for the next try, shorter where Kite is heard again; not if it was `reached` and said no."""
        self._hurried.clear()
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait({pause} if reached else {pause, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if not pause.done():
                await self._clock.sleep(begun + self._waits.hurried_s - self._clock.monotonic())
        finally:
            pause.cancel()
            hurried.cancel()

    async def _connection(self) -> None:
        """One connection from handshake to end. Raises what ended it, unless it was closed properly."""
        async with self._door:
            connection = await connect(
                self._url,
                additional_headers={"X-Kite-Version": "3"},
                compression=None,
                proxy=self._route.proxy or None,
                open_timeout=self._waits.open_s,
                close_timeout=self._waits.close_s,
                ping_interval=None,  # whether Kite answers is not documented; silence is watched instead
                max_size=MAX_FRAME,
                logger=_UNHEARD,
                local_addr=(self._route.local_address, 0) if self._route.local_address else None,
                family=_FAMILIES[self._route.ip_version],
            )
        helpers: list[asyncio.Task[None]] = []
        try:
            self._open = True
            self._silent = False
            self._last_s = self._clock.monotonic()
            self._owner.opened(self)
            helpers = [
                asyncio.create_task(self._keep_subscribed(connection)),
                asyncio.create_task(self._watch(connection)),
            ]
            async for frame in connection:
                self._take(frame)
        finally:
            for helper in helpers:
                helper.cancel()
            await connection.close()
            for ended in await asyncio.gather(*helpers, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.error("%s beside Kite's stream\n%s", type(ended).__name__, _place_of(ended))

    def _take(self, frame: str | bytes) -> None:
        self._last_s = self._clock.monotonic()
        self.heard_at = received_at = self._clock.now()
        if isinstance(frame, str):
            self._owner.took_text(self, frame)
            return
        packets, ignored, fault = decode(frame)
        if ignored or fault:
            self._owner.faulty(ignored, fault)
        if fault:
            self._damaged = True
            self._changed.set()
        self._owner.took_packets(self, packets, received_at)

    async def _watch(self, connection: ClientConnection) -> None:
        """Cut the connection when nothing at all has come for too long."""
        while (rest := self._last_s + self._waits.silence_s - self._clock.monotonic()) > 0:
            await self._clock.sleep(rest)
        self._silent = True
        connection.transport.abort()

    async def _keep_subscribed(self, connection: ClientConnection) -> None:
        """Bring the server's subscriptions to what is wanted, whenever that changes.

        After a frame that was not whole all are made anew, since the server sends the market with them: what
        the frame has lost would else be shown as it was until it changes again. Likewise what was given up
        and taken again before this could tell the server: nothing vouches for it until its market is sent.
        """
        held: set[int] = set()
        try:
            while True:
                if self._damaged and held:
                    await self._clock.sleep(self._waits.first_retry_s)
                    for lost in _chunks(held):
                        await connection.send(dumps({"a": "unsubscribe", "v": lost}))
                    held = set()
                self._damaged = False
                self._changed.clear()
                wanted = set(self.tokens)
                left, self._left = self._left, set()
                for gone in _chunks(held & left):
                    await connection.send(dumps({"a": "unsubscribe", "v": gone}))
                held -= left
                for fresh in _chunks(wanted - held):
                    await connection.send(dumps({"a": "subscribe", "v": fresh}))
                    # The mode after a bare subscribe is not documented.
                    await connection.send(dumps({"a": "mode", "v": ["full", fresh]}))
                held = wanted
                await self._changed.wait()
        except ConnectionClosed:
            return  # the reader of this connection tells


def _place_of(failure: Exception) -> str:
    """Where a failure comes from, without its text."""
    return "".join(format_tb(failure.__traceback__))


def _chunks(tokens: set[int]) -> Iterator[list[int]]:
    ordered = sorted(tokens)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
