"""The local Kite's stream: sockets, what each subscribes to, and a pump that feeds them all."""

import asyncio
import sqlite3
from collections.abc import Mapping, Set
from contextlib import suppress
from typing import Any, Protocol

from aiohttp import web

from brokers.contract import BrokerError
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.kite.answers import bad_token, failure, too_many
from brokers.simulators.kite.books.rows import kite_token
from brokers.simulators.kite.frames import packets, snapshot
from brokers.simulators.kite.socket_link import BEAT_SECONDS, KiteLink, outgoing
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.links import OpenLinks
from data.clock import Clock

MAX_SOCKETS = 3
"""Sockets open at once for one api key, over all its users (Kite Connect documentation)."""


class SocketHost(Protocol):
    """What the stream needs of the server around it."""

    @property
    def exchange(self) -> PaperExchange:
        """Where the prices come from."""
        ...

    @property
    def clock(self) -> Clock:
        """Wall time, by which the pump beats."""
        ...

    def user_of(self, api_key: str, access_token: str) -> str | None:
        """Whose session this is; `None` where the token is wrong or over."""
        ...

    def stream_refusal(self, api_key: str) -> int | None:
        """The status that this app's sockets are refused with; `None` where they are taken."""
        ...


class Sockets(OpenLinks[KiteLink]):
    """All open sockets of a local Kite.

    `run` must be running for prices and heartbeats. Two switches stand for what is not known of the real one:
    `hard_limit` refuses a fourth socket of an api key instead of allowing it; `expiry_cuts` cuts a user's
    sockets when the session ends instead of letting them live on.
    """

    def __init__(self, host: SocketHost) -> None:
        super().__init__()
        self._host = host
        self._sent: dict[int, Quote] = {}
        self._packets: dict[int, dict[str, bytes]] = {}
        self.hard_limit = True
        self.expiry_cuts = True

    @property
    def users(self) -> list[str]:
        """Whose sockets are open, sorted, once for each."""
        return sorted(link.user_id for link in self.links())

    # --- what the server says and does ----------------------------------------------------------------

    def announce(self, user_id: str, row: Mapping[str, Any]) -> None:
        """Tell a user's sockets, of whatever api key, that an order changed; `row` is the update's `data`.

        Nothing is kept for sockets that open later.
        """
        self._say(user_id, "order", row)

    def message(self, user_id: str | None, text: str) -> None:
        """Send the broker's words to a user's sockets, or to all."""
        self._say(user_id, "message", text)

    def expire(self, user_id: str | None = None, api_key: str | None = None) -> None:
        """A user's session of one app or of all, or every session, is over: `expiry_cuts` decides."""
        if self.expiry_cuts:
            for link in self.links(user_id):
                if api_key in (None, link.api_key):
                    link.cut()

    # --- the pump -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what has changed four times a second, until cancelled."""
        clock = self._host.clock
        due = clock.monotonic()
        while True:
            await self._beat()
            now = clock.monotonic()
            due = max(due + BEAT_SECONDS, now)
            await clock.sleep(due - now)

    async def _beat(self) -> None:
        wanted = set[int]().union(*(link.modes for link in self.links()))
        # While the exchange's file is held too long, sockets stay silent and prices age visibly.
        with suppress(BrokerError, sqlite3.Error):
            changed = await self._encode(wanted)
            now = self._host.clock.monotonic()
            for link in self.links():
                link.offer(changed, now)

    async def _encode(self, wanted: Set[int]) -> set[int]:
        """Bring the packets of these instruments up to date; the ones that changed."""
        for token in self._packets.keys() - wanted:
            del self._packets[token], self._sent[token]
        exchange = self._host.exchange
        # A file may keep a caller waiting for another process; an exchange in memory never does.
        read = self._read(wanted) if exchange.in_memory else await asyncio.to_thread(self._read, wanted)
        quotes, exchange_at = read
        changed: set[int] = set()
        for token, quote in quotes:
            sent = self._sent.get(token)
            # A quote is the same object until it changes, but for a pinned one when any pin is set.
            if sent is not quote and sent != quote:
                self._sent[token] = quote
                self._packets[token] = packets(snapshot(token, quote, exchange_at))
                changed.add(token)
        return changed

    def _read(self, wanted: Set[int]) -> tuple[list[tuple[int, Quote]], int]:
        """Move the exchange on and read it: quotes by token, and market time in Unix seconds."""
        exchange = self._host.exchange
        instruments = (listing.instrument for listing in exchange.listings())  # names may change at any time
        keys = {token: one.key for one in instruments if (token := kite_token(one)) in wanted}
        quotes = exchange.quotes(tuple(keys.values()))
        found = [(token, quotes[key]) for token, key in keys.items() if key in quotes]
        return found, int(exchange.market_clock.now().timestamp())

    def _say(self, user_id: str | None, kind: str, data: object) -> None:
        text = outgoing(kind, data)
        for link in self.links(user_id):
            link.say(text)

    # --- one socket -----------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Open a socket and read it to its end; 403 and 429 are answered before the upgrade."""
        api_key = request.query.get("api_key", "")
        user_id = self._host.user_of(api_key, request.query.get("access_token", ""))
        if user_id is None:
            return failure(bad_token())
        if (status := self._host.stream_refusal(api_key)) is not None:
            return failure(Turned(status, "PermissionException", "Insufficient permission for that call."))
        if self.hard_limit and sum(link.api_key == api_key for link in self.links()) >= MAX_SOCKETS:
            return failure(too_many())
        link = KiteLink(request, api_key, user_id, self._packets, self._host.clock)
        return await self.hold(link)


def add_to(app: web.Application, kite: SocketHost) -> Sockets:
    """Serve the stream at the root of `app`. The caller keeps `Sockets.run` going and awaits `close`."""
    sockets = Sockets(kite)
    app.router.add_get("/", sockets.serve)
    return sockets
