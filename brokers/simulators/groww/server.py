"""The local Groww: an HTTP server on loopback that answers as Groww's API does, over a paper exchange."""

from collections.abc import Mapping
from functools import partial

from aiohttp import web

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.groww import keys_page
from brokers.simulators.groww.answers import ENVELOPES, failure
from brokers.simulators.groww.apps import ApiKey
from brokers.simulators.groww.books.rows import GrowwWording
from brokers.simulators.groww.mishaps import MENU
from brokers.simulators.groww.references import References
from brokers.simulators.groww.routes import table as routes
from brokers.simulators.groww.routes.answering import wrong_address
from brokers.simulators.groww.sessions import GrowwSessions
from brokers.simulators.groww.smart_orders import SmartOrders
from brokers.simulators.groww.stream.sockets import GrowwFeed
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving import control
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.server import Manner, ServedAt, SimulatedBroker
from brokers.simulators.serving.windows import CallWindows
from data.clock import Clock

BOOKS = {
    "orders": "groww_order_id",
    "trades": "groww_trade_id",
    "holdings": "trading_symbol",
    "positions": "trading_symbol",
    "smart_orders": "smart_order_id",
}
"""The field that names a row in each book, for rows that a rehearsal lays into it."""


class LocalGroww(SimulatedBroker[GrowwSessions, GrowwSwitches, GrowwFeed]):
    """One server; `api_keys` holds each key with whose it is, its secret, and how it signs in."""

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        *,
        api_keys: Mapping[str, ApiKey],
        place: ServedAt | None = None,
    ) -> None:
        self.switches = switches = GrowwSwitches()
        manner = Manner(
            "groww", GrowwWording(switches), MENU, BOOKS, ENVELOPES, lambda: switches.margin_refusal_at_post
        )
        super().__init__(exchange, clock, manner, place or ServedAt())
        self.limits = CallWindows(clock)
        used = partial(References, keeping=self.keeping, switches=switches, today=self.journal.today)
        self.references, self.smart_references = used("reference"), used("smart_reference")
        self.smart_orders = SmartOrders()
        self.sessions = GrowwSessions(api_keys, clock, self.venue.market, self.dice, self.keeping)
        self.sockets = GrowwFeed(self)
        self.sessions.on_end = self.sockets.forget
        self.file: tuple[tuple[str, bool, bool], bytes] | None = None
        """The instruments file, with the day and the switches that it was made by."""
        self.listen_orders(self.sockets.announce)

    def add_routes(self, app: web.Application) -> None:
        """Serve control, the page of keys, routes and the feed."""
        control.add_to(app, self)
        keys_page.add_to(app, self)
        routes.add_to(app, self)

    def failure(self, turned: Turned) -> web.Response:
        """A refusal as the switches have it told."""
        return failure(turned, self.switches.error_statuses)

    def wrong_address(self, request: web.Request) -> Turned:
        """As for an address that is not the registered one."""
        return wrong_address(self)
