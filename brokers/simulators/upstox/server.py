"""The local Upstox: an HTTP server on loopback that answers as Upstox's API does, over a paper exchange."""

from collections.abc import Mapping

from aiohttp import web

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.serving import control
from brokers.simulators.serving.answers import Turned, page
from brokers.simulators.serving.server import Manner, ServedAt, SimulatedBroker
from brokers.simulators.serving.windows import CallWindows
from brokers.simulators.upstox import login
from brokers.simulators.upstox.answers import ENVELOPES, failure
from brokers.simulators.upstox.books.rows import UpstoxWording
from brokers.simulators.upstox.keys import InstrumentKeys
from brokers.simulators.upstox.kill_switches import KillSwitches
from brokers.simulators.upstox.mishaps import MENU
from brokers.simulators.upstox.routes import table as routes
from brokers.simulators.upstox.routes.answering import BLOCKED, wrong_address
from brokers.simulators.upstox.routes.gtt import GttOrders
from brokers.simulators.upstox.sessions import UpstoxSessions
from brokers.simulators.upstox.stream.sockets import UpstoxStreams
from brokers.simulators.upstox.switches import UpstoxSwitches
from data.clock import Clock
from data.reference.phases import load_calendar

BOOKS = {
    "orders": "order_id",
    "trades": "trade_id",
    "holdings": "instrument_token",
    "positions": "instrument_token",
}
"""The books that rows may be laid into, and the field that names a row in each."""


class LocalUpstox(SimulatedBroker[UpstoxSessions, UpstoxSwitches, UpstoxStreams]):
    """One server for REST, orders, the sign-in page, the instruments files and both streams.

    `api_keys` holds each app's secret, `redirects` the address that is registered for its sign-in, where one
    is: then no other is taken.
    """

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        *,
        api_keys: Mapping[str, str],
        redirects: Mapping[str, str] | None = None,
        place: ServedAt | None = None,
    ) -> None:
        self.switches = switches = UpstoxSwitches()
        manner = Manner(
            "upstox", UpstoxWording(switches), MENU, BOOKS, ENVELOPES, lambda: switches.margin_refusal_at_post
        )
        super().__init__(exchange, clock, manner, place or ServedAt())
        self.redirects = redirects or {}
        self.keys = InstrumentKeys(self.venue)
        self.kill_switches = KillSwitches(self.venue.market, self.keeping)
        self.limits = CallWindows(clock)
        self.sessions = UpstoxSessions(api_keys, clock, self.venue.market, self.dice, self.keeping)
        self.sockets = UpstoxStreams(self)
        self.sessions.on_end = self.sockets.drop
        self.gtt = GttOrders()
        self.calendar = load_calendar()
        self.files = dict[str, tuple[str, bytes]]()
        """The instruments files by name, each with the day that it was made for."""
        self.address_times = dict[str, str]()
        """When each user last changed the addresses of its orders."""
        self.listen_orders(self.sockets.announce)

    def add_routes(self, app: web.Application) -> None:
        """Serve control, the sign-in page, routes and streams."""
        control.add_to(app, self)
        login.add_to(app, self)
        routes.add_to(app, self)

    def failure(self, turned: Turned) -> web.Response:
        """A refusal as the switches have it told, or the front's own page."""
        if turned.kind == BLOCKED:
            return page(403, "Error 1010")
        return failure(turned, self.switches.error_names, known_codes=self.switches.known_codes)

    def wrong_address(self, request: web.Request) -> Turned:
        """As for an address that is not the registered one."""
        return wrong_address(self, any_allowed=True)
