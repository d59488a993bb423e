"""The local Kite: an HTTP server on loopback that answers as Kite Connect does, over a paper exchange."""

import random
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.kite import login
from brokers.simulators.kite.answers import ENVELOPES, failure
from brokers.simulators.kite.books.authorisations import Authorisations
from brokers.simulators.kite.books.conditionals import Conditionals
from brokers.simulators.kite.books.rows import KiteWording
from brokers.simulators.kite.limits import CallLimits
from brokers.simulators.kite.market import Dump
from brokers.simulators.kite.mishaps import MENU
from brokers.simulators.kite.routes import table as routes
from brokers.simulators.kite.routes.answering import wrong_address
from brokers.simulators.kite.sessions import KiteSessions
from brokers.simulators.kite.sockets import Sockets
from brokers.simulators.kite.switches import Switches
from brokers.simulators.serving import control
from brokers.simulators.serving.answers import Turned, page
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.server import Manner, ServedAt, SimulatedBroker
from data.clock import Clock

BOOKS = {
    "orders": "order_id",
    "trades": "trade_id",
    "holdings": "tradingsymbol",
    "positions": "tradingsymbol",
}
"""The books that rows may be laid into, and the field that names a row in each."""


class LocalKite(SimulatedBroker[KiteSessions, Switches, Sockets]):
    """One server. `api_keys` holds each app's secret, `redirects` where its sign-in leads to."""

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        *,
        api_keys: Mapping[str, str],
        redirects: Mapping[str, str] | None = None,
        port: int = 0,
        delays: Delays | None = None,
        rng: random.Random | None = None,
        keep: Path | None = None,
    ) -> None:
        self.switches = switches = Switches()
        manner = Manner(
            "kite", KiteWording(), MENU, BOOKS, ENVELOPES, lambda: switches.margin_refusal_at_post
        )
        super().__init__(exchange, clock, manner, ServedAt(port, delays or Delays(), rng, keep))
        self.redirects = redirects or {}
        self.conditionals = Conditionals()
        self.limits = CallLimits(clock)
        self.sessions = KiteSessions(api_keys, clock, self.venue.market, self.dice, self.keeping)
        self.authorisations = Authorisations(self.venue.market, self.dice)
        self.sockets = Sockets(self)
        self.sessions.on_end = self.sockets.expire
        self.listen_orders(self.sockets.announce)
        self.dumps = dict[str, Dump]()

    def add_routes(self, app: web.Application) -> None:
        """Serve control, pages, stream and routes."""
        control.add_to(app, self)
        login.add_to(app, self)
        app.router.add_get("/", self.sockets.serve)
        routes.add_to(app, self)

    def user_of(self, api_key: str, access_token: str) -> str | None:
        """Whose session this is; `None` where the token is wrong or over."""
        return self.sessions.user_of(api_key, access_token)

    def stream_refusal(self, api_key: str) -> int | None:
        """The status that this app's sockets are refused with; `None` where they are taken."""
        return self.switches.no_stream.get(api_key)

    def failure(self, turned: Turned) -> web.Response:
        """A refusal as the switches have it told."""
        if turned.status == 429 and self.switches.html_429:
            return page(429, "Too Many Requests")
        return failure(turned)

    def wrong_address(self, request: web.Request) -> Turned:
        """As a client's own app words it."""
        return wrong_address(self, request, any_allowed=True)

    def forget_dumps(self) -> None:
        """Make the day's files of instruments anew when they are next asked for."""
        self.dumps.clear()
