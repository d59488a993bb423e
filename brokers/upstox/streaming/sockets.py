"""One WebSocket to Upstox: kept open, pinged, watched for silence, its address asked for anew each time.

Upstox API documentation, market data feed and portfolio stream: an authorize route tells an address that
holds a code which is good once. The market's feed forgets every subscription when a connection ends.
"""

import asyncio
import logging
import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from brokers.contract import BrokerAccount, BrokerError
from brokers.meter import CallKind
from brokers.upstox.answers.rows import UpstoxRow
from brokers.upstox.calls import UpstoxCalls
from brokers.wire.access import is_loopback
from brokers.wire.calls import Call
from brokers.wire.reading import Reading
from brokers.wire.sockets import KeptSocket, SocketWaits
from data.clock import Clock

log = logging.getLogger(__name__)

MAX_FRAME = 16 * 1024 * 1024
"""Bytes; a first message of 2,000 instruments in full is about one million."""

CHUNK = 500
"""Instruments named in one message to the server."""

CLOSE_S = 1.0
"""How long a peer may take to say that it closes too."""

MARKET_FEED = "/v3/feed/market-data-feed/authorize"
ORDER_STREAM = "/v2/feed/portfolio-stream-feed/authorize"


class SocketListener(Protocol):
    """Who is told what comes in. None of these may wait."""

    def opened(self, socket: "UpstoxSocket", again: bool) -> None:
        """The handshake is done, `again` after an earlier connection."""
        ...

    def took(self, socket: "UpstoxSocket", message: str | bytes, received_at: datetime) -> None:
        """A message came."""
        ...

    def alive(self, socket: "UpstoxSocket") -> None:
        """The line was heard, and nothing came by it."""
        ...

    def lost(self, socket: "UpstoxSocket", problem: BrokerError) -> None:
        """The connection ended, or none could be made."""
        ...


class Lines(Struct, frozen=True):
    """What every socket is made with; the `door` bounds how many handshakes are under way."""

    calls: UpstoxCalls
    reading: Reading
    clock: Clock
    rng: random.Random
    door: asyncio.Semaphore


class UpstoxSocket(KeptSocket):
    """One connection of one client's session; of the market's feed with the instruments that it carries."""

    broker = "Upstox"

    def __init__(
        self,
        account: BrokerAccount,
        route: str,
        lines: Lines,
        waits: SocketWaits,
        owner: SocketListener,
    ) -> None:
        super().__init__(account, lines.clock, lines.rng, waits)
        self.tokens: Mapping[str, str] = {}
        self._route = route
        self._calls, self._reading, self._door = lines.calls, lines.reading, lines.door
        self._owner = owner
        self._damaged = False
        self._left: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def is_market(self) -> bool:
        """Whether it is the market's feed."""
        return self._route == MARKET_FEED

    def carry(self, tokens: Mapping[str, str]) -> None:
        """Replace what it is subscribed to: the desk's keys by Upstox's."""
        self._left |= self.tokens.keys() - tokens.keys()
        self.tokens = tokens
        self._changed.set()

    def damaged(self) -> None:
        """Subscribe to everything anew, since a message was not whole."""
        self._damaged = True
        self._changed.set()

    def _lost(self, problem: BrokerError) -> None:
        self._owner.lost(self, problem)

    async def _connection(self) -> None:
        """One connection from its address to its end. Raises what ended it, unless it was closed properly."""
        async with self._door:
            address = await self._address()
            route = self._calls.route_of(self.account)
            async with self._clock.timeout(self._waits.open_s):
                line = await self._calls.ways.session(route).ws_connect(
                    address,
                    proxy=route.proxy or None,
                    autoping=False,
                    max_msg_size=MAX_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),  # pyright: ignore[reportCallIssue]
                )
        helpers: list[asyncio.Task[None]] = []
        try:
            self._owner.opened(self, self._stands())
            helpers = [asyncio.create_task(self._watch(line))]
            if self.is_market:
                helpers.append(asyncio.create_task(self._keep_subscribed(line)))
            while await self._took(line, await line.receive()):
                pass
        finally:
            try:
                await self._end(helpers)
            finally:
                await line.close()

    async def _address(self) -> str:
        """Where to connect, once. Raises `BrokerError` for an address that is not Upstox's."""
        query = {} if self.is_market else {"update_types": "order"}
        answer = await self._reading.answer(
            self.account, Call(CallKind.SIGN_IN, "GET", self._route, query=query)
        )
        row = UpstoxRow("authorized stream", answer)
        address = row.get("authorized_redirect_uri") or row.get("authorizedRedirectUri")
        parts = urlsplit(address if isinstance(address, str) else "")
        if self._calls.roots.is_local:
            fits = parts.scheme == "ws" and is_loopback(parts.hostname)
        else:
            host = parts.hostname or ""
            fits = parts.scheme == "wss" and (host == "upstox.com" or host.endswith(".upstox.com"))
        if not fits or not isinstance(address, str):
            raise BrokerError("Upstox names an address for its stream that is none of its own", "bad_row")
        return address

    async def _took(self, line: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> bool:
        """Take what came; False once the connection has ended."""
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                self._owner.took(self, message.data, self._heard())
            case aiohttp.WSMsgType.PING:
                await line.pong(message.data)
                self._heard()
                self._owner.alive(self)
            case aiohttp.WSMsgType.PONG:
                self._heard()
                self._owner.alive(self)
            case aiohttp.WSMsgType.ERROR:
                raise BrokerError("The connection to Upstox broke.")
            case _:
                return False
        return True

    async def _watch(self, line: aiohttp.ClientWebSocketResponse) -> None:
        """Ask whether the line stands, and cut it when nothing at all has come for too long."""
        while not self._silent:
            await line.ping()
            await self._clock.sleep(self._waits.ping_s)
        log.warning("Upstox's stream for %s was silent for %g s", self.account.user_id, self._waits.silence_s)
        await line.close()

    async def _keep_subscribed(self, line: aiohttp.ClientWebSocketResponse) -> None:
        """Bring the server's subscriptions to what is wanted, whenever that changes.

        What was given up and taken again before this could tell the server is made anew, and after a message
        that was not whole everything: nothing vouches for a price until its market is sent again.
        """
        held: set[str] = set()
        while True:
            if self._damaged and held:
                await self._clock.sleep(self._waits.first_retry_s)
                self._left |= held
            self._damaged = False
            self._changed.clear()
            wanted = set(self.tokens)
            left, self._left = self._left, set()
            await self._say(line, "unsub", held & left)
            held -= left
            await self._say(line, "sub", wanted - held)
            held = wanted
            await self._changed.wait()

    async def _say(self, line: aiohttp.ClientWebSocketResponse, method: str, tokens: set[str]) -> None:
        for some in _chunks(tokens):
            data: dict[str, object] = {"instrumentKeys": some}
            if method == "sub":
                data["mode"] = "full"
            told = {"guid": f"{self._rng.getrandbits(64):016x}", "method": method, "data": data}
            await line.send_bytes(msgspec.json.encode(told))


def _chunks(tokens: set[str]) -> Iterator[list[str]]:
    ordered = sorted(tokens)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
