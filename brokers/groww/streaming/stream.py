"""Groww's feed: the prices of one client's connection, each client's order updates, and prices polled
meanwhile.

A price and a book come apart and are put together here. What is heard of an order is a hint: the update
has no reference, and leaves out what is zero, so that the order itself is read.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime

from brokers.contract import BrokerAccount, BrokerError, OrderUpdate, StreamEvent, Tick, UnreadTick
from brokers.groww.listings import Listed
from brokers.groww.streaming.messages import (
    FeedPart,
    GrowwArrival,
    last_message,
    order_id_of,
    part_of,
    quote_message,
)
from brokers.groww.streaming.sockets import MOST_SUBJECTS, GrowwLines, GrowwSocket
from brokers.wire.carried import BroughtTicks, StreamCounts, StreamQueue
from brokers.wire.sockets import OF_MARKET, KeptSockets, SocketWaits
from data.records import replace

log = logging.getLogger(__name__)

HANDSHAKES = 16
"""Handshakes under way at once."""

POLL_AFTER_S = 4.0
"""For how long the feed may be down before its prices are polled; the usual handshake takes less."""

POLLS_PER_MINUTE = 180
"""Calls that polling takes of the 300 a minute of live data; the rest is for quotes."""

LOOK_EVERY_S = 15.0
"""How often what the feed has brought nothing of is asked for."""

PER_CALL = 50
"""Instruments of one call that polls."""

Place = tuple[BrokerAccount, bool]
"""Whose socket it is, and whether it brings the prices."""

RUPEES, PAISE = 100, 1
"""Units of the feed's prices, in paise."""


class _Polled:
    """What stands for a socket where prices are polled."""

    def __init__(self) -> None:
        self.heard_at: datetime | None = None


class GrowwStream:
    """Ticks, heartbeats and order updates of everyone who is followed.

    `on_order` is told whose order changed, by its id or empty where that is not known; `on_gap` whose updates
    were missed; `on_polling` whether prices are polled now, which is every `poll_every_s`.
    """

    def __init__(
        self,
        lines: GrowwLines,
        on_order: Callable[[BrokerAccount, str], None],
        on_gap: Callable[[BrokerAccount], None],
        waits: tuple[SocketWaits, SocketWaits] = (OF_MARKET, SocketWaits()),
    ) -> None:
        self.counts = StreamCounts()
        self.days: dict[str, Tick] = {}
        """The day's newest quote by REST of each instrument, for what the feed does not tell."""
        self.on_polling: Callable[[bool], None] = lambda polling: None
        self.on_carried: Callable[[Collection[str]], None] = lambda keys: None
        """Told of which instruments the feed brings every change from here on."""
        self.poll_lasts: Callable[[Mapping[str, Listed]], Awaitable[Mapping[str, int]]] = _no_lasts
        """Asks for the last prices of these in paise, by key."""
        self.quote: Callable[[str, Listed], Awaitable[None]] = _no_quote
        """Asks for a full quote, which comes back by `quoted`."""
        self._in_turn: list[str] = []
        self._lines = lines
        self._clock = lines.clock
        self._on_order = on_order
        self._on_gap = on_gap
        self._waits = waits
        self._listed: Mapping[str, Listed] = {}
        self._feed: BrokerAccount | None = None
        self._heard: frozenset[BrokerAccount] = frozenset()
        self._units: dict[str, int] = {}
        self._prices: dict[str, FeedPart] = {}
        self._books: dict[str, FeedPart] = {}
        self._queue = StreamQueue[GrowwSocket | _Polled]()
        self._sockets = KeptSockets[Place, GrowwSocket](self._made, self._gone)
        self._polled = _Polled()
        self._polling: asyncio.Task[None] | None = None

    # --- what is wanted -----------------------------------------------------------------------------------

    async def subscribe(self, listed: Mapping[str, Listed]) -> None:
        """Replace the instruments that are carried, by the desk's keys.

        Raises `BrokerError`, and changes nothing, where one connection cannot carry so many.
        """
        if len(listed) >= MOST_SUBJECTS:
            words = f"Groww's feed carries {MOST_SUBJECTS - 1} instruments at most, not {len(listed)}."
            raise BrokerError(words)
        self._listed = dict(listed)
        for kept in (self._prices, self._books):
            for key in kept.keys() - listed.keys():
                del kept[key]
        for brought in self._queue.brought.values():
            brought.forget(brought.latest.keys() - listed.keys())
        for socket in self._sockets.all():
            if socket.is_market:
                socket.carry(self._listed)

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
        self._feed, self._heard = feed, frozenset(heard)
        everyone = self._heard if feed is None else self._heard | {feed}
        self._sockets.want({(account, account == feed): tokens[account] for account in everyone})
        if feed is not None and self._polling is None:
            self._polling = asyncio.get_running_loop().create_task(self._poll())

    def hears(self, account: BrokerAccount) -> bool:
        """Whether a socket that is open brings this client's order updates."""
        socket = self._sockets.get((account, account == self._feed))
        return socket is not None and socket.is_open and account in self._heard

    def answered(self, account: BrokerAccount) -> None:
        """Groww has answered a call of this account, so its lost socket and the market's are tried now."""
        self._sockets.hurry(lambda socket: socket.is_market or socket.account == account)

    def tell(self, update: OrderUpdate) -> None:
        """Have whoever takes the events hear this."""
        self.counts.order_updates += 1
        self._queue.tell(update)

    async def close(self) -> None:
        """Close every socket and poll no more. `events` ends after what is queued."""
        self._queue.close()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])
        await self._sockets.close()

    def events(self) -> AsyncIterator[StreamEvent]:
        """All that comes, for one consumer; called again it goes on (`StreamQueue.events`)."""
        return self._queue.events()

    # --- what REST has told -------------------------------------------------------------------------------

    def quoted(self, tick: Tick, asked_at: datetime) -> None:
        """Take a full quote for what the feed does not tell of an instrument today."""
        self.days[tick.key] = tick
        self._tell(tick.key, quote_message(tick), asked_at)

    def last_told(self, key: str, last_paise: int, asked_at: datetime) -> None:
        """Take a last price, for the unit of the feed's too where no quote was had yet."""
        self.days.setdefault(key, self._bare(key, last_paise, asked_at))
        self._tell(key, last_message(last_paise), asked_at)

    def _tell(self, key: str, packet: bytes, asked_at: datetime) -> None:
        """Give out what REST told of an instrument that the feed carries, or again what the feed has brought.

        It was asked for after the feed had subscribed, so that the feed vouches for it: what changes comes.
        """
        feed = None if self._feed is None else self._sockets.get((self._feed, True))
        if feed is None or key not in self._listed or not feed.brings(key):
            return
        known = self._queue.brought[feed].latest.get(key)
        if known is None or key not in self._prices:
            known = (0, packet), GrowwArrival(asked_at, self._clock.monotonic(), RUPEES, self.days)
        self._queue.add(feed, {key: known}, asked_at)
        self._queue.beat(feed)

    def polled(self, key: str, last_paise: int, asked_at: datetime) -> Tick:
        """The tick of a last price, as old as its question; the day's quote has the rest, and no book."""
        day = self.days.get(key) or self._bare(key, last_paise, asked_at)
        return replace(
            day,
            last_paise=last_paise,
            bid_paise=0,
            ask_paise=0,
            bids=(),
            asks=(),
            market_at=asked_at,
            received_at=asked_at,
        )

    def _bare(self, key: str, last_paise: int, asked_at: datetime) -> Tick:
        return Tick(key, last_paise, 0, 0, 0, 0, 0, 0, 0, 0, 0, asked_at, asked_at)

    # --- the sockets' news (GrowwListener) ---------------------------------------------------------------

    def opened(self, socket: GrowwSocket, again: bool) -> None:
        """A socket stands; after a gap of a client's orders its book is to be read."""
        log.debug("Groww's feed is open for %s", socket.account.user_id)
        self._sockets.stands(socket)
        if again and socket.account in self._heard:
            self._on_gap(socket.account)

    def priced(self, socket: GrowwSocket, key: str, data: bytes, received_at: datetime) -> None:
        """Queue a price with its book, or a book with its price, once the price's unit is known."""
        if self._newer(key, data) is None or (price := self._prices.get(key)) is None:
            return
        if (unit := self._unit(key, price.last)) is None:
            self.counts.ignored_packets += 1
            return
        book = self._books.get(key)
        packet = price.data + (book.data if book is not None else b"")
        arrival = GrowwArrival(received_at, self._clock.monotonic(), unit, self.days)
        self._queue.add(socket, {key: ((0, packet), arrival)}, received_at)
        self.counts.ticks += 1

    def _newer(self, key: str, data: bytes) -> FeedPart | None:
        """A message that is newer than what was heard of its kind, kept; None for any other."""
        part = part_of(data)
        if part is None:
            if not self.counts.broken_frames:
                log.warning("a message of Groww's feed was not read: %d bytes of %s", len(data), key)
            self.counts.broken_frames += 1
            return None
        kept = self._prices if part.is_price else self._books
        known = kept.get(key)
        if known is not None and 0 < part.sent_ms < known.sent_ms:
            return None
        kept[key] = part
        return part

    def _unit(self, key: str, last: float) -> int | None:
        """The unit of an instrument's prices on the feed, by its last price as REST told it.

        None where no price is known to compare with, or where neither unit agrees: no price is shown then.
        """
        known = self._units.get(key)
        if known is not None:
            return known
        day = self.days.get(key)
        if day is None or not day.last_paise:
            return None
        for unit in (RUPEES, PAISE):
            if day.last_paise < 2 * last * unit < 4 * day.last_paise:
                self._units[key] = unit
                return unit
        log.warning("the feed's price of %s is in no unit that agrees with its quote", key)
        return None

    def carried(self, socket: GrowwSocket, keys: Collection[str]) -> None:
        """Have it asked what these stand at."""
        if socket.is_market:
            self.on_carried(keys)

    def ordered(self, socket: GrowwSocket, data: bytes) -> None:
        """Have the order of an update read."""
        if socket.account not in self._heard:
            return
        order_id = order_id_of(data)
        if not order_id:
            self.counts.unread_texts += 1
        self._on_order(socket.account, order_id)

    def alive(self, socket: GrowwSocket) -> None:
        """Have the prices beat."""
        if socket.is_market and socket in self._queue.brought:
            self._queue.beat(socket)

    def lost(self, socket: GrowwSocket, problem: BrokerError) -> None:
        """A connection ended. Of a client's outage one line is logged."""
        self.counts.losses += 1
        if self._sockets.lost(socket):
            log.warning("Groww's feed for %s: %s", socket.account.user_id, problem)
        if (brought := self._queue.brought.get(socket)) is not None:
            brought.forget(brought.latest)
            self._prices.clear()
            self._books.clear()

    # --- prices that are polled ---------------------------------------------------------------------------

    @property
    def poll_every_s(self) -> float:
        """How often the prices that are carried are polled, by the budget."""
        calls = -(-len(self._listed) // PER_CALL)
        return max(1.0, calls * 60 / POLLS_PER_MINUTE)

    async def _poll(self) -> None:
        """Ask for the last prices while the feed does not bring them."""
        down_since: float | None = None
        look_at = self._clock.monotonic() + LOOK_EVERY_S
        polling = False
        while True:
            feed = None if self._feed is None else self._sockets.get((self._feed, True))
            down = feed is not None and not feed.is_open and bool(self._listed)
            if not down:
                down_since = None
            elif down_since is None:
                down_since = self._clock.monotonic()
            due = down_since is not None and self._clock.monotonic() - down_since >= POLL_AFTER_S
            if due != polling:
                polling = due
                self._tell_polling(due)
            if due:
                await self._poll_once()
            elif feed is not None and feed.is_open:
                if self._clock.monotonic() >= look_at:
                    look_at = self._clock.monotonic() + LOOK_EVERY_S
                    await self._look_at_silent(feed)
                await self._quote_next(feed)
            await self._clock.sleep(self.poll_every_s if due else 1.0)

    async def _look_at_silent(self, feed: GrowwSocket) -> None:
        """Ask anew what stands where it stood, since the feed has brought nothing of it yet.

        How soon it does is not documented, and a subscription that was not taken would look the same.
        """
        quiet = [key for key in self._listed if feed.brings(key) and key not in self._prices]
        silent = {key: self._listed[key] for key in quiet}
        asked_at = self._clock.now()
        try:
            for key, last in (await self.poll_lasts(silent)).items():
                self.last_told(key, last, asked_at)
        except BrokerError as error:
            log.debug("what the feed is silent of was not asked for: %s", error)

    async def _quote_next(self, feed: GrowwSocket) -> None:
        """Quote one instrument after another in full, since the feed tells neither volume nor band."""
        self._in_turn = self._in_turn or [key for key in self._listed if feed.brings(key)]
        if not self._in_turn:
            return
        key = self._in_turn.pop()
        if (listed := self._listed.get(key)) is None:
            return
        try:
            await self.quote(key, listed)
        except BrokerError as error:
            log.debug("%s was not quoted anew: %s", key, error)

    def _tell_polling(self, polling: bool) -> None:
        if polling:
            self._queue.brought[self._polled] = BroughtTicks("polled")
        else:
            self._queue.brought.pop(self._polled, None)
            self._polled.heard_at = None
        self.on_polling(polling)

    async def _poll_once(self) -> None:
        asked_at = self._clock.now()
        try:
            lasts = await self.poll_lasts(self._listed)
        except BrokerError as error:
            log.debug("prices were not polled: %s", error)
            return
        self._polled.heard_at = asked_at
        arrival = GrowwArrival(asked_at, self._clock.monotonic(), RUPEES, self.days)
        carried: dict[str, UnreadTick] = {
            key: ((0, last_message(last)), arrival) for key, last in lasts.items() if key in self._listed
        }
        if carried:
            self._queue.add(self._polled, carried, asked_at)
            self.counts.ticks += len(carried)
            self._queue.beat(self._polled)

    # --- sockets ------------------------------------------------------------------------------------------

    def _made(self, place: Place) -> GrowwSocket:
        account, is_market = place
        socket = GrowwSocket(account, is_market, self._lines, self._waits[0 if is_market else 1], self)
        if is_market:
            self._queue.brought[socket] = BroughtTicks(account.user_id)
            socket.carry(self._listed)
        return socket

    def _gone(self, socket: GrowwSocket) -> None:
        self._queue.brought.pop(socket, None)


async def _no_lasts(_listed: Mapping[str, Listed]) -> Mapping[str, int]:
    return {}


async def _no_quote(_key: str, _listed: Listed) -> None:
    return
