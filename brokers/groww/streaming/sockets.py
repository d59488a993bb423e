"""One connection of a client's session to Groww's feed: its order updates, and of one client the prices.

Each connection takes a key of its own and a token that a call makes of it. The server forgets every
subscription when a connection ends, and repeats nothing that was missed.
"""

import asyncio
import logging
import random
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

import aiohttp
from msgspec import Struct
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from brokers.contract import BrokerAccount, BrokerError
from brokers.groww.answers.rows import GrowwRow
from brokers.groww.calls import GrowwCalls
from brokers.groww.listings import Listed
from brokers.groww.streaming.line import FeedLine, NatsKey, WebSocketLine
from brokers.meter import CallKind
from brokers.wire.calls import Call
from brokers.wire.reading import Reading
from brokers.wire.sockets import REFUSED, KeptSocket, SocketWaits
from data.clock import Clock

log = logging.getLogger(__name__)

TOKEN = "/v1/api/apex/v1/socket/token/create/"

MOST_SUBJECTS = 1_000
"""Subscriptions of one connection (Groww Trading API documentation, feed)."""

MAX_FRAME = 16 * 1024 * 1024
CLOSE_S = 1.0
"""How long a peer may take to say that it closes too."""


class GrowwListener(Protocol):
    """Who is told what comes in. None of these may wait."""

    def opened(self, socket: "GrowwSocket", again: bool) -> None:
        """The handshake is done, `again` after an earlier connection."""
        ...

    def priced(self, socket: "GrowwSocket", key: str, data: bytes, received_at: datetime) -> None:
        """A price or a book of an instrument came."""
        ...

    def ordered(self, socket: "GrowwSocket", data: bytes) -> None:
        """An update of an order came."""
        ...

    def carried(self, socket: "GrowwSocket", keys: Collection[str]) -> None:
        """Whatever changes of these instruments from here on is brought; what they stand at is not told."""
        ...

    def alive(self, socket: "GrowwSocket") -> None:
        """The line was heard."""
        ...

    def lost(self, socket: "GrowwSocket", problem: BrokerError) -> None:
        """The connection ended, or none could be made."""
        ...


class GrowwLines(Struct, frozen=True):
    """What every socket is made with; the `door` bounds how many handshakes are under way."""

    calls: GrowwCalls
    reading: Reading
    clock: Clock
    rng: random.Random
    door: asyncio.Semaphore


class GrowwSocket(KeptSocket):
    """One connection of one client's session; `is_market` says that it brings the prices too."""

    broker = "Groww"

    def __init__(
        self,
        account: BrokerAccount,
        is_market: bool,
        lines: GrowwLines,
        waits: SocketWaits,
        owner: GrowwListener,
    ) -> None:
        super().__init__(account, lines.clock, lines.rng, waits)
        self.is_market = is_market
        self._calls, self._reading, self._door = lines.calls, lines.reading, lines.door
        self._owner = owner
        self._wanted: Mapping[str, str] = {}
        self._changed = asyncio.Event()
        self._brought: frozenset[str] = frozenset()

    def carry(self, listed: Mapping[str, Listed]) -> None:
        """Replace the instruments whose prices it brings; books come of as many as there is room for."""
        prices = {subject_of(one, "price"): key for key, one in listed.items()}
        books = {subject_of(one, "book"): key for key, one in listed.items() if not one.is_index}
        room = MOST_SUBJECTS - 1 - len(prices)
        self._wanted = prices | dict(list(books.items())[: max(0, room)])
        self._changed.set()

    def brings(self, key: str) -> bool:
        """Whether the server has subscribed it to an instrument's prices."""
        return self.is_open and key in self._brought

    def _lost(self, problem: BrokerError) -> None:
        self._owner.lost(self, problem)

    async def _connection(self) -> None:
        """One connection from its token to its end. Raises what ended it, unless it was closed properly."""
        async with self._door:
            key = NatsKey()
            token, account_word = await self._token(key)
            route = self._calls.route_of(self.account)
            address = self._calls.roots.feed
            async with self._clock.timeout(self._waits.open_s):
                opened = await self._calls.ways.session(route).ws_connect(
                    address,
                    proxy=route.proxy or None,
                    max_msg_size=MAX_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),  # pyright: ignore[reportCallIssue]
                )
            line = FeedLine(WebSocketLine(opened, self._heard_line))
            try:
                await self._begun(line, address, key, token)
            except BaseException:
                await opened.close()
                raise
        helpers: list[asyncio.Task[None]] = []
        try:
            self._owner.opened(self, self._stands())
            helpers = [
                asyncio.create_task(self._watch(line)),
                asyncio.create_task(self._keep_subscribed(line, account_word)),
            ]
            await line.ended.wait()
        finally:
            try:
                await self._end(helpers)
            finally:
                await line.close()
                await opened.close()

    async def _begun(self, line: FeedLine, address: str, key: NatsKey, token: str) -> None:
        try:
            async with self._clock.timeout(self._waits.open_s):
                await line.begin(address, key, token, self._waits.open_s)
        except NatsError:  # its text may quote what the server was told
            raise BrokerError("Groww's feed does not take the connection.", REFUSED) from None

    async def _token(self, key: NatsKey) -> tuple[str, str]:
        """The token of a connection with this key, and the word for the account in subjects."""
        call = Call(CallKind.SIGN_IN, "POST", TOKEN, body={"socketKey": key.public}, bare=True)
        answer = await self._reading.answer(self.account, call)
        row = GrowwRow("feed token", answer)
        if isinstance(row.get("payload"), Mapping):
            row = GrowwRow("feed token", row.get("payload"))
        number = row.get("subscriptionId")
        word = f"{number}" if isinstance(number, int | str) and number else ""
        if not word:
            raise row.wrong("subscriptionId", "the account's word in subjects")
        token = row.get("token")  # as it came: words for people are cut to a length
        if not isinstance(token, str) or not token:
            raise BrokerError("Groww: feed token, token: missing", "bad_row")
        return token, word

    def _heard_line(self) -> None:
        self._heard()
        self._owner.alive(self)

    async def _watch(self, line: FeedLine) -> None:
        """Ask whether the line stands, and cut it when nothing at all has come for too long."""
        while not self._silent:
            await line.ask()
            await self._clock.sleep(self._waits.ping_s)
        log.warning("Groww's feed for %s was silent for %g s", self.account.user_id, self._waits.silence_s)
        line.ended.set()

    async def _keep_subscribed(self, line: FeedLine, account_word: str) -> None:
        """Bring the server's subscriptions to what is wanted, whenever that changes."""
        held: dict[str, Subscription] = {}
        self._brought = frozenset()
        await line.take(f"stocks/order/updates.apex.{account_word}", self._took_order)
        while True:
            self._changed.clear()
            wanted = self._wanted
            for subject in [one for one in held if one not in wanted]:
                await line.leave(held.pop(subject))
            fresh = [one for one in wanted if one not in held]
            for subject in fresh:
                held[subject] = await line.take(subject, self._took_price)
            if fresh:
                await line.settle()
            self._brought = frozenset(wanted.values())
            if fresh:
                self._owner.carried(self, {wanted[subject] for subject in fresh})
            await self._changed.wait()

    def _took_price(self, subject: str, data: bytes) -> None:
        key = self._wanted.get(subject)  # a late message of what it no longer carries is dropped
        if key is not None and self.heard_at is not None:
            self._owner.priced(self, key, data, self.heard_at)

    def _took_order(self, subject: str, data: bytes) -> None:
        self._owner.ordered(self, data)


def subject_of(listed: Listed, what: str) -> str:
    """Where the feed brings the `price` or the `book` of an instrument."""
    kind = "indices" if listed.is_index else "eq"
    return f"/ld/{kind}/{listed.exchange.lower()}/{what}.{listed.number}"
