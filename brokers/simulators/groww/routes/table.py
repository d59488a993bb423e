"""Groww's REST routes (Trading API documentation, version 1)."""

from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.groww.mishaps import FILES
from brokers.simulators.groww.routes import account, market, orders, portfolio, smart
from brokers.simulators.groww.routes.answering import Handler, answering, open_answering
from brokers.simulators.serving.mishaps import SIGN_IN

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

INSTRUMENTS = "/instruments/instrument.csv"
"""Where the instruments file is, at a host of its own."""

_ORDER = "{groww_order_id}"
_SMART = "{segment}/{smart_order_type}/{smart_order_id}"
_SMART_READ = "{segment}/{smart_order_type}/internal/{smart_order_id}"


def add_to(app: web.Application, groww: "LocalGroww") -> None:
    """Serve every route that needs a session, and those that need none."""
    served: list[tuple[str, str, str, Handler]] = [
        ("GET", "/user/detail", "profile", account.profile),
        ("GET", "/margins/detail/user", "funds", account.funds),
        ("POST", "/margins/detail/orders", "margins", portfolio.margins),
        ("POST", "/order/create", "place", orders.place),
        ("POST", "/order/modify", "modify", orders.modify),
        ("POST", "/order/cancel", "cancel", orders.cancel),
        ("GET", "/order/list", "orders", orders.book),
        ("GET", f"/order/detail/{_ORDER}", "order", orders.detail),
        ("GET", "/order/status/reference/{reference}", "order_by_reference", orders.by_reference),
        ("GET", f"/order/status/{_ORDER}", "order_status", orders.status),
        ("GET", f"/order/trades/{_ORDER}", "order_trades", orders.trades),
        ("GET", "/holdings/user", "holdings", portfolio.holdings),
        ("GET", "/positions/user", "positions", portfolio.positions),
        ("GET", "/positions/trading-symbol", "positions", portfolio.positions_in),
        ("GET", "/live-data/quote", "quotes", market.quote),
        ("GET", "/live-data/ltp", "ltp", market.last_prices),
        ("GET", "/live-data/ohlc", "ohlc", market.ohlc),
        ("GET", "/historical/candles", "history", market.candles),
        ("POST", "/order-advance/create", "smart_write", smart.create),
        ("PUT", "/order-advance/modify/{smart_order_id}", "smart_write", smart.modify),
        ("POST", f"/order-advance/cancel/{_SMART}", "smart_write", smart.cancel),
        ("GET", f"/order-advance/status/{_SMART_READ}", "smart_orders", smart.one),
        ("GET", "/order-advance/list", "smart_orders", smart.listed),
        ("POST", "/api/apex/v1/socket/token/create/", "socket_token", groww.sockets.socket_token),
    ]
    for method, path, route, handle in served:
        app.router.add_route(method, f"/v1{path}", answering(groww, route, handle))

    def whose(request: web.Request) -> str:
        key = groww.sessions.keys.get(account.bearer(request))
        return "*" if key is None else key.user_id

    app.router.add_post("/v1/token/api/access", open_answering(groww, SIGN_IN, account.sign_in, whose))
    app.router.add_get(INSTRUMENTS, open_answering(groww, FILES, market.instruments))
    app.router.add_get("/", groww.sockets.serve)
    app.router.add_route("*", "/{rest:.*}", open_answering(groww, "", account.not_found))
