"""The sockets of the local Upstox: each is opened by a code that is good once, or by a bearer token."""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct
from yarl import URL

from brokers.contract import BrokerError
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.upstox.answers import bad_token, invalid
from brokers.simulators.upstox.books.shares import holding_rows, position_rows
from brokers.simulators.upstox.stream.market import MarketSockets
from brokers.simulators.upstox.stream.portfolio import KINDS, PortfolioSockets

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

MARKET = "/v3/feed/market-data-feed"
"""Where the market stream is; `/authorize` under it hands out the address of one socket."""

PORTFOLIO = "/v2/feed/portfolio-stream-feed"
"""Where the portfolio stream is, likewise."""

CODE_S = 60.0
"""How long the address of a socket is good."""

PUMP_SECONDS = 0.25
"""How often what has changed of the market is sent."""


class _Opening(Struct, frozen=True):
    """A socket that may be opened: whose, under which app, where, and until when in clock seconds."""

    user_id: str
    api_key: str
    path: str
    until: float


class UpstoxStreams:
    """Every open socket. `run` must be running for prices."""

    def __init__(self, upstox: "LocalUpstox") -> None:
        self._upstox = upstox
        self._openings: dict[str, _Opening] = {}
        self.portfolio = PortfolioSockets(upstox.clock)
        self.market = MarketSockets(upstox)

    def __len__(self) -> int:
        """How many sockets are open."""
        return len(self.portfolio) + len(self.market)

    # --- as a rehearsal handles them ----------------------------------------------------------------------

    def stall(self, on: bool, user_id: str | None = None) -> None:
        """Let a user's sockets, or all, stay open without a byte, or let them speak again."""
        self.portfolio.stall(on, user_id)
        self.market.stall(on, user_id)

    def drop(self, user_id: str | None = None) -> None:
        """Cut a user's sockets, or all, without a closing handshake."""
        self.portfolio.drop(user_id)
        self.market.drop(user_id)

    def message(self, user_id: str | None, text: str) -> None:
        """Say a text as it stands on a user's portfolio sockets, or on all: what no client expects."""
        for link in self.portfolio.links(user_id):
            link.say(text)

    def announce(self, user_id: str, row: Mapping[str, Any]) -> None:
        """Tell a user's portfolio sockets that an order changed."""
        self.portfolio.tell(user_id, "order", dict(row))
        if row["filled_quantity"]:
            self.portfolio.owe_rows(user_id)

    async def run(self) -> None:
        """Feed the market sockets four times a second, until cancelled."""
        while True:
            await self.market.beat()
            await self._tell_rows()
            for link in self.portfolio.links():
                link.notice()
            await self._upstox.clock.sleep(PUMP_SECONDS)

    async def _tell_rows(self) -> None:
        """Tell of the positions and holdings of those whose orders traded, as rows or as a bare hint."""
        for user_id in self.portfolio.owed_rows():
            books: dict[str, list[Row]] = {"position": [{}], "holding": [{}]}
            if self._upstox.switches.portfolio_rows:
                with suppress(BrokerError, sqlite3.Error):
                    day = await self._upstox.priced_day(user_id)
                    books = {
                        "position": position_rows(day),
                        "holding": holding_rows(day, self._upstox.switches),
                    }
            for kind, rows in books.items():
                for row in rows:
                    self.portfolio.tell(user_id, kind, {"update_type": kind, "user_id": user_id, **row})

    async def close(self) -> None:
        """End every socket."""
        await self.portfolio.close()
        await self.market.close()

    # --- opening ------------------------------------------------------------------------------------------

    async def authorize_market(self, _upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
        """The address of one market socket."""
        return self._authorized(request, caller.user_id, caller.api_key, MARKET)

    async def authorize_portfolio(
        self, _upstox: "LocalUpstox", request: web.Request, caller: Caller
    ) -> object:
        """The address of one portfolio socket."""
        _kinds(request)
        return self._authorized(request, caller.user_id, caller.api_key, PORTFOLIO)

    def _authorized(self, request: web.Request, user_id: str, api_key: str, path: str) -> Row:
        code, now = self._upstox.sessions.new_token(), self._upstox.clock.monotonic()
        self._openings = {key: one for key, one in self._openings.items() if one.until > now}
        self._openings[code] = _Opening(user_id, api_key, path, now + CODE_S)
        query = urlencode({**request.query, "code": code})
        address = f"{self._upstox.url.replace('http', 'ws', 1)}{path}?{query}"
        return {"authorized_redirect_uri": address, "authorizedRedirectUri": address}

    def _opened(self, request: web.Request, path: str) -> _Opening | None:
        """Whose socket a code opens, which is then used up."""
        opening = self._openings.pop(request.query.get("code", ""), None)
        if opening is None or opening.path != path or opening.until <= self._upstox.clock.monotonic():
            return None
        return opening

    def _refused_or_sent_on(self, request: web.Request, path: str) -> web.StreamResponse:
        """A bearer token is sent on to the address of a socket; anybody else is refused."""
        session = self._upstox.sessions.of_header(request.headers.get("Authorization", ""))
        if session is None:
            return self._upstox.failure(bad_token())
        told = self._authorized(request, session.user_id, session.api_key, path)
        raise web.HTTPFound(URL(told["authorized_redirect_uri"], encoded=True))

    async def serve_market(self, request: web.Request) -> web.StreamResponse:
        """Open a market socket and hold it to its end."""
        opening = self._opened(request, MARKET)
        if opening is None:
            return self._refused_or_sent_on(request, MARKET)
        return await self.market.serve(request, opening.user_id, opening.api_key)

    async def serve_portfolio(self, request: web.Request) -> web.StreamResponse:
        """Open a portfolio socket and hold it to its end."""
        opening = self._opened(request, PORTFOLIO)
        if opening is None:
            return self._refused_or_sent_on(request, PORTFOLIO)
        split = self._upstox.switches.split_frames
        return await self.portfolio.serve(request, opening.user_id, _kinds(request), split=split)


def _kinds(request: web.Request) -> frozenset[str]:
    """The kinds of message that a stream is asked for. Raises `Turned`."""
    asked = frozenset(filter(None, request.query.get("update_types", "order").split(",")))
    unknown = sorted(asked - set(KINDS))
    if unknown:
        raise invalid("update_types", unknown[0])
    return asked
