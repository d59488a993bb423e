"""Kite's stream for all clients: prices spread over few sockets, order updates of as many clients as fit.

Kite Connect documentation, WebSocket streaming: 3 connections an api key whoever opens them, 3,000
instruments a connection. A connection hears the orders of the client whose session opened it, so the
sockets that carry prices are opened with different clients' sessions and hear those clients too.
"""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from itertools import repeat
from operator import itemgetter
from typing import Any, cast

from brokers.contract import (
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    OrderUpdate,
    RawPacket,
    StreamEvent,
    UnreadTick,
)
from brokers.kite.streaming.logins import StreamLogin
from brokers.kite.streaming.sockets import KiteSocket, StreamRefusedError, StreamWaits
from brokers.kite.streaming.ticks import KiteArrival
from brokers.wire.access import AccountRoute
from brokers.wire.carried import BroughtTicks, StreamCounts, StreamQueue
from data.clock import Clock

log = logging.getLogger(__name__)

SOCKETS_PER_KEY = 3
TOKENS_PER_SOCKET = 3_000
HANDSHAKES = 16
"""Handshakes under way at once, over all keys."""


class KiteStream:
    """Ticks, heartbeats and order updates of every client that was added.

    `url` is the socket's root, `order_of` reads the order of a text frame and raises `BrokerError` where it
    cannot; `on_refused` is told for whom and with which token Kite opens no socket, once a token. That ends
    no session: whether the session or the api key lacks what it takes is for REST to say.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        rng: random.Random,
        order_of: Callable[[Mapping[str, Any]], BrokerOrder],
        *,
        waits: StreamWaits | None = None,
        on_refused: Callable[[BrokerAccount, str], None] = lambda account, token: None,
    ) -> None:
        self.counts = StreamCounts()
        self.circuits: dict[str, tuple[int, int]] = {}
        """The day's circuits by key, in paise, for the ticks: the adapter puts in what its quotes tell."""
        self._url = url
        self._clock = clock
        self._rng = rng
        self._order_of = order_of
        self._waits = waits or StreamWaits()
        self._on_refused = on_refused
        self._logins: dict[str, StreamLogin] = {}
        self._tokens: dict[int, str] = {}
        self._unserved = 0
        self._sockets: dict[tuple[StreamLogin, int], KiteSocket] = {}
        self._tasks: dict[KiteSocket, asyncio.Task[None]] = {}
        self._down: set[KiteSocket] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._seats: dict[str, asyncio.Semaphore] = {}
        self._door = asyncio.Semaphore(HANDSHAKES)
        self._queue = StreamQueue[KiteSocket]()

    # --- what is wanted -----------------------------------------------------------------------------------

    async def subscribe(self, tokens: Mapping[int, str]) -> None:
        """Replace the instruments that are carried: keys `EXCHANGE:SYMBOL` by Kite's instrument token.

        Raises `BrokerError`, and changes nothing, where the api keys that have prices cannot carry so many.
        """
        keys = {login.route.api_key for login in self._logins.values() if login.prices and not login.refused}
        room = max(1, len(keys)) * SOCKETS_PER_KEY * TOKENS_PER_SOCKET
        if len(tokens) > room:
            raise BrokerError(f"Kite's stream carries {room} instruments at most, not {len(tokens)}.")
        self._tokens = dict(tokens)
        self._arrange()

    def replace_accounts(self, wanted: Mapping[BrokerAccount, tuple[AccountRoute, str, bool]]) -> None:
        """Take these sessions in place of all: route, token of today, and whether the key brings prices.

        What is known already goes on undisturbed, and the socket of one that is missing is taken by another
        client of its api key. A key without market data (Kite's free plan) carries orders
        only.
        """
        logins: dict[str, StreamLogin] = {}
        for account, (route, token, prices) in wanted.items():
            login, held = StreamLogin(account, route, token, prices), self._logins.get(account.user_id)
            if held is not None and held.is_like(login):
                held.prices, login = prices, held
            logins[account.user_id] = login
        self._logins = logins
        self._arrange()

    def hears(self, account: BrokerAccount) -> bool:
        """Whether a socket that is open brings this client's order updates."""
        return any(socket.is_open and socket.account == account for socket in self._sockets.values())

    def polled(self) -> frozenset[BrokerAccount]:
        """The clients whose order updates are not heard now, for whatever reason; their books are polled."""
        heard = {socket.account for socket in self._sockets.values() if socket.is_open}
        return frozenset(login.account for login in self._logins.values() if login.account not in heard)

    def answered(self, account: BrokerAccount) -> None:
        """Kite has answered a call of this account, so lost sockets of it and of the prices are tried now."""
        for socket in self._down:
            if socket.tokens or socket.account == account:
                socket.hurry()

    async def close(self) -> None:
        """Close every socket. `events` ends after what is queued."""
        self._queue.close()
        for place in list(self._sockets):
            self._stop(place)
        await asyncio.gather(*self._ending, return_exceptions=True)

    # --- what comes in ------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[StreamEvent]:
        """All that comes, for one consumer; called again it goes on (`StreamQueue.events`)."""
        return self._queue.events()

    def _note_alive(self, socket: KiteSocket) -> None:
        """Have a socket beat if it carries prices, or if none are wanted and it tells that the feed lives."""
        if socket.tokens or not self._tokens:
            self._queue.beat(socket)

    # --- the sockets' news (SocketOwner) ------------------------------------------------------------------

    def opened(self, socket: KiteSocket) -> None:
        """A socket stands."""
        log.debug("Kite's stream is open for %s", socket.account.user_id)
        self._down.discard(socket)
        if any(other.tokens and not login.prices for (login, _), other in self._sockets.items()):
            self._arrange()

    def took_packets(self, socket: KiteSocket, packets: list[RawPacket], received_at: datetime) -> None:
        """Queue the ticks of what the socket carries; a late packet of what it no longer does is dropped."""
        # Thousands come at once, so they are paired up without a line of Python for each.
        arrivals = repeat(KiteArrival(received_at, self._clock.monotonic(), self.circuits))
        keys = map(socket.tokens.get, map(itemgetter(0), packets))
        found = dict(zip(keys, zip(packets, arrivals, strict=False), strict=False))
        found.pop(None, None)
        carried = cast(dict[str, UnreadTick], found)
        self._queue.add(socket, carried, received_at)
        self.counts.ticks += len(packets)
        self._note_alive(socket)

    def took_text(self, socket: KiteSocket, text: str) -> None:
        """Queue an order update; Kite's errors and messages are logged, what else there may be is counted."""
        try:
            frame: Any = json.loads(text)
            kind, data = frame["type"], frame["data"]
        except (ValueError, TypeError, KeyError, RecursionError):
            kind, data = None, None
        if kind == "order" and isinstance(data, dict):
            try:
                self._queue.tell(OrderUpdate(self._order_of(cast(Mapping[str, Any], data))))
                self.counts.order_updates += 1
            except Exception as problem:  # a hint that cannot be read must not end the stream
                self.counts.unread_texts += 1
                log.warning("an order update of %s was not read: %.300r", socket.account.user_id, problem)
        elif kind == "error":
            log.warning("Kite's stream for %s reports an error: %.300r", socket.account.user_id, data)
        elif kind == "message":
            log.info("Kite's stream for %s says: %.300r", socket.account.user_id, data)
        else:
            self.counts.unread_texts += 1
        self._note_alive(socket)

    def faulty(self, ignored: int, fault: str) -> None:
        """Count a frame that was not as documented; the first is logged."""
        if not self.counts.ignored_packets and not self.counts.broken_frames:
            log.warning("a frame of Kite's stream held %d unknown packets; %s", ignored, fault or "no fault")
        self.counts.ignored_packets += ignored
        self.counts.broken_frames += bool(fault)

    def lost(self, socket: KiteSocket, problem: BrokerError) -> None:
        """A connection ended or was refused. Of a client's outage one line is logged."""
        self.counts.losses += 1
        fresh = all(other.account != socket.account for other in self._down)
        if fresh or isinstance(problem, StreamRefusedError):
            log.warning("Kite's stream for %s: %s", socket.account.user_id, problem)
        self._down.add(socket)
        brought = self._queue.brought[socket]
        brought.forget(brought.latest)
        if isinstance(problem, StreamRefusedError):
            login = next(login for (login, _), held in self._sockets.items() if held is socket)
            login.refused = True
            self._arrange()
            self._on_refused(login.account, login.token)

    # --- who carries what ---------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Open, close and fill sockets so that what is wanted is carried, moving as little as possible."""
        if self._queue.closed:
            return
        places = self._places()
        for place in [place for place in self._sockets if place not in places]:
            self._stop(place)
        for place in places:
            if place not in self._sockets:
                self._start(place)
        # Prices that are to come another way from now on come the old one until the new one stands.
        ready = any(socket.is_open for (login, _), socket in self._sockets.items() if login.prices)
        plans = {
            (login, n): {token: key for token, key in socket.tokens.items() if self._tokens.get(token) == key}
            if login.prices or not ready
            else {}
            for (login, n), socket in self._sockets.items()
        }
        carried = {token for plan in plans.values() for token in plan}
        homeless = [token for token in self._tokens if token not in carried]
        for (login, _), plan in plans.items():
            if login.prices:
                room = TOKENS_PER_SOCKET - len(plan)
                plan.update((token, self._tokens[token]) for token in homeless[:room])
                del homeless[:room]
        if homeless and plans and not self._unserved:
            log.warning("%d instruments have no place on Kite's stream; prices count as stale", len(homeless))
        self._unserved = len(homeless)
        for place, plan in plans.items():
            socket = self._sockets[place]
            brought = self._queue.brought[socket]
            brought.forget(brought.latest.keys() - plan.values())
            if plan != socket.tokens:
                socket.carry(plan)

    def _places(self) -> list[tuple[StreamLogin, int]]:
        """Which sockets there should be, as a session and its how-manieth socket."""
        by_key: dict[str, list[StreamLogin]] = {}
        for login in self._logins.values():
            if not login.refused:
                by_key.setdefault(login.route.api_key, []).append(login)
        seated = {
            key: sorted(logins, key=lambda login: not login.prices)[:SOCKETS_PER_KEY]
            for key, logins in by_key.items()
        }
        places = [(login, 0) for logins in seated.values() for login in logins]
        room = TOKENS_PER_SOCKET * sum(login.prices for login, _ in places)
        for logins in seated.values():
            priced = [login for login in logins if login.prices]
            for extra in range(SOCKETS_PER_KEY - len(logins)):
                if priced and room < len(self._tokens):
                    places.append((priced[extra % len(priced)], 1 + extra))
                    room += TOKENS_PER_SOCKET
        return places

    def _start(self, place: tuple[StreamLogin, int]) -> None:
        login = place[0]
        key = login.route.api_key
        seat = self._seats.setdefault(key, asyncio.Semaphore(SOCKETS_PER_KEY))
        socket = KiteSocket(
            self._url,
            login.account,
            login.route,
            login.token,
            self._clock,
            self._rng,
            self._waits,
            self,
            seat,
            self._door,
        )
        self._sockets[place] = socket
        self._queue.brought[socket] = BroughtTicks(f"{login.account.user_id}/{place[1]}")
        self._tasks[socket] = asyncio.create_task(socket.run())

    def _stop(self, place: tuple[StreamLogin, int]) -> None:
        socket = self._sockets.pop(place)
        del self._queue.brought[socket]
        self._down.discard(socket)
        socket.carry({})
        task = self._tasks.pop(socket)
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
