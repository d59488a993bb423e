"""Upstox's streams: the market's feed of one client, and each client's own stream of its orders.

One feed carries 2,000 instruments in full, and how many connections a user may have is told differently in
different places (Upstox API documentation, market data feed): one is taken for the whole desk. What an order
stream says may come twice or in another order; it is a hint, and after a gap the book is read.
"""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import datetime
from typing import cast

import msgspec

from brokers.contract import (
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    OrderUpdate,
    StreamEvent,
    UnreadTick,
)
from brokers.upstox.streaming.messages import UpstoxArrival, decode
from brokers.upstox.streaming.sockets import (
    MARKET_FEED,
    ORDER_STREAM,
    Lines,
    UpstoxSocket,
)
from brokers.wire.carried import BroughtTicks, StreamCounts, StreamQueue
from brokers.wire.sockets import OF_MARKET, KeptSockets, SocketWaits

log = logging.getLogger(__name__)

MOST_TOKENS = 2_000
"""Instruments that one connection carries in full."""

Place = tuple[BrokerAccount, str]
"""Whose socket it is, and of which route."""

HANDSHAKES = 16
"""Handshakes under way at once."""


class UpstoxStream:
    """Ticks, heartbeats and order updates of everyone who is followed.

    `order_of` reads an order of a message and raises `BrokerError` where it cannot, None where the desk does
    not trade it. `on_gap` is told whose order stream was lost and stands again.
    """

    def __init__(
        self,
        lines: Lines,
        order_of: Callable[[object, BrokerAccount], BrokerOrder | None],
        on_gap: Callable[[BrokerAccount], None],
        waits: tuple[SocketWaits, SocketWaits] = (OF_MARKET, SocketWaits()),
    ) -> None:
        self.counts = StreamCounts()
        self.circuits: dict[str, tuple[int, int]] = {}
        """The day's circuits by key, in paise, for the ticks: the adapter puts in what its quotes tell."""
        self._lines = lines
        self._clock = lines.clock
        self._order_of = order_of
        self._on_gap = on_gap
        self._waits = waits
        self._tokens: Mapping[str, str] = {}
        self._queue = StreamQueue[UpstoxSocket]()
        self._sockets = KeptSockets[Place, UpstoxSocket](self._made, self._gone)

    # --- what is wanted -----------------------------------------------------------------------------------

    async def subscribe(self, tokens: Mapping[str, str]) -> None:
        """Replace the instruments that are carried: keys `EXCHANGE:SYMBOL` by Upstox's.

        Raises `BrokerError`, and changes nothing, where one connection cannot carry so many.
        """
        if len(tokens) > MOST_TOKENS:
            words = f"Upstox's feed carries {MOST_TOKENS} instruments at most, not {len(tokens)}."
            raise BrokerError(words)
        self._tokens = dict(tokens)
        for socket in self._market():
            brought = self._queue.brought[socket]
            brought.forget(brought.latest.keys() - tokens.values())
            socket.carry(self._tokens)

    def follow(
        self,
        feed: BrokerAccount | None,
        heard: Collection[BrokerAccount],
        tokens: Mapping[BrokerAccount, str],
    ) -> None:
        """Take the prices from this account's session and order updates from these, by their access tokens.

        A socket goes on undisturbed where the session is the one that it was opened with.
        """
        if self._queue.closed:
            return
        wanted = {(account, ORDER_STREAM): tokens[account] for account in heard}
        if feed is not None:
            wanted[feed, MARKET_FEED] = tokens[feed]
        self._sockets.want(wanted)

    def hears(self, account: BrokerAccount) -> bool:
        """Whether a socket that is open brings this client's order updates."""
        socket = self._sockets.get((account, ORDER_STREAM))
        return socket is not None and socket.is_open

    def answered(self, account: BrokerAccount) -> None:
        """Upstox has answered a call of this account, so its lost sockets and the market's are tried now."""
        self._sockets.hurry(lambda socket: socket.is_market or socket.account == account)

    def tell(self, update: OrderUpdate) -> None:
        """Have whoever takes the events hear this, as if a socket had brought it."""
        self._queue.tell(update)

    async def close(self) -> None:
        """Close every socket. `events` ends after what is queued."""
        self._queue.close()
        await self._sockets.close()

    # --- what comes in ------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[StreamEvent]:
        """All that comes, for one consumer; called again it goes on (`StreamQueue.events`)."""
        return self._queue.events()

    # --- the sockets' news (SocketListener) ---------------------------------------------------------------

    def opened(self, socket: UpstoxSocket, again: bool) -> None:
        """A socket stands; after a gap of a client's orders its book is to be read."""
        log.debug("Upstox's stream is open for %s", socket.account.user_id)
        self._sockets.stands(socket)
        if again and not socket.is_market:
            self._on_gap(socket.account)

    def took(self, socket: UpstoxSocket, message: str | bytes, received_at: datetime) -> None:
        """Queue what a message says."""
        if socket.is_market and isinstance(message, bytes):
            self._take_prices(socket, message, received_at)
        elif not socket.is_market:
            self._take_order(socket, message)

    def alive(self, socket: UpstoxSocket) -> None:
        """Have the market's feed beat."""
        if socket.is_market:
            self._queue.beat(socket)

    def lost(self, socket: UpstoxSocket, problem: BrokerError) -> None:
        """A connection ended. Of a client's outage one line is logged."""
        self.counts.losses += 1
        if self._sockets.lost(socket):
            log.warning("Upstox's stream for %s: %s", socket.account.user_id, problem)
        if (brought := self._queue.brought.get(socket)) is not None:
            brought.forget(brought.latest)

    def _take_prices(self, socket: UpstoxSocket, message: bytes, received_at: datetime) -> None:
        decoded = decode(message)
        if decoded.fault:
            if not self.counts.broken_frames:
                log.warning("a message of Upstox's feed was not read: %s", decoded.fault)
            self.counts.broken_frames += 1
            socket.damaged()
        latest = self._queue.brought[socket].latest
        arrival = UpstoxArrival(received_at, self._clock.monotonic(), decoded.sent_ms, self.circuits)
        tokens = socket.tokens
        carried: dict[str, UnreadTick] = {}
        for token, packet in decoded.packets.items():
            key = tokens.get(token)  # a late packet of what it no longer carries is dropped
            if key is not None and not _is_older(latest.get(key), decoded.sent_ms):
                carried[key] = (packet, arrival)
        self._queue.add(socket, carried, received_at)
        self.counts.ticks += len(carried)
        self.alive(socket)

    def _take_order(self, socket: UpstoxSocket, message: str | bytes) -> None:
        try:
            told = msgspec.json.decode(message)
            fields = cast("dict[str, object]", told) if isinstance(told, dict) else {}
            if fields.get("update_type", "order") != "order":
                return
            order = self._order_of(fields, socket.account)
        except (msgspec.DecodeError, BrokerError, RecursionError) as problem:
            # A hint that cannot be read must not end the stream.
            self.counts.unread_texts += 1
            log.warning("an order update of %s was not read: %.300s", socket.account.user_id, problem)
            return
        if order is not None:
            self.counts.order_updates += 1
            self.tell(OrderUpdate(order))

    # --- sockets ------------------------------------------------------------------------------------------

    def _market(self) -> list[UpstoxSocket]:
        return [socket for socket in self._sockets.all() if socket.is_market]

    def _made(self, place: Place) -> UpstoxSocket:
        account, route = place
        waits = self._waits[0 if route == MARKET_FEED else 1]
        socket = UpstoxSocket(account, route, self._lines, waits, self)
        if socket.is_market:
            self._queue.brought[socket] = BroughtTicks(account.user_id)
            socket.carry(self._tokens)
        return socket

    def _gone(self, socket: UpstoxSocket) -> None:
        self._queue.brought.pop(socket, None)


def _is_older(known: UnreadTick | None, sent_ms: int) -> bool:
    """Whether a message was sent before the one that an instrument was last heard by."""
    return known is not None and 0 < sent_ms < cast(UpstoxArrival, known[1]).sent_ms
