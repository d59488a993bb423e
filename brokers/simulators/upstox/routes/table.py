"""Upstox's REST routes (developer documentation, versions 2 and 3)."""

from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.serving.mishaps import SIGN_IN
from brokers.simulators.upstox.mishaps import FILES
from brokers.simulators.upstox.routes import account, gtt, history, market, orders, portfolio
from brokers.simulators.upstox.routes.answering import (
    Handler,
    answering,
    open_answering,
    signing_in,
)
from brokers.simulators.upstox.stream.sockets import MARKET, PORTFOLIO

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

_CANDLES = "/v3/historical-candle"


def add_to(app: web.Application, upstox: "LocalUpstox") -> None:
    """Serve every route that needs a session, and those that anybody may call."""
    served: list[tuple[str, str, str, Handler]] = [
        ("GET", "/v2/user/profile", "profile", account.profile),
        ("DELETE", "/v2/logout", "profile", account.sign_out),
        ("GET", "/v3/user/get-funds-and-margin", "funds", account.funds),
        ("GET", "/v2/user/get-funds-and-margin", "funds", account.segment_funds),
        ("GET", "/v2/user/ip", "user_ip", account.addresses),
        ("PUT", "/v2/user/ip", "user_ip", account.set_addresses),
        ("GET", "/v2/user/kill-switch", "kill_switch", account.kill_switches),
        ("POST", "/v2/user/kill-switch", "set_kill_switch", account.set_kill_switches),
        ("POST", "/v3/order/place", "place", orders.place),
        ("PUT", "/v3/order/modify", "modify", orders.modify),
        ("DELETE", "/v3/order/cancel", "cancel", orders.cancel),
        ("GET", "/v2/order/retrieve-all", "orders", orders.book),
        ("GET", "/v2/order/details", "order", orders.details),
        ("GET", "/v2/order/history", "order_history", orders.history),
        ("GET", "/v2/order/trades/get-trades-for-day", "trades", orders.trades),
        ("GET", "/v2/order/trades", "order_trades", orders.order_trades),
        ("GET", "/v3/order/gtt", "gtt", gtt.listed),
        ("POST", "/v3/order/gtt/place", "gtt", gtt.place),
        ("PUT", "/v3/order/gtt/modify", "gtt", gtt.modify),
        ("DELETE", "/v3/order/gtt/cancel", "gtt", gtt.cancel),
        ("GET", "/v2/portfolio/long-term-holdings", "holdings", portfolio.holdings),
        ("GET", "/v2/portfolio/short-term-positions", "positions", portfolio.positions),
        ("GET", "/v3/portfolio/mtf-positions", "mtf_positions", portfolio.mtf_positions),
        ("PUT", "/v2/portfolio/convert-position", "convert", portfolio.convert),
        ("POST", "/v2/charges/margin", "margins", portfolio.margins),
        ("GET", "/v2/charges/brokerage", "brokerage", portfolio.brokerage),
        ("GET", "/v3/market-quote/ltp", "ltp", market.last_prices),
        ("GET", "/v3/market-quote/ohlc", "ohlc", market.candles),
        ("GET", "/v2/market-quote/quotes", "quotes", market.full_quotes),
        ("GET", "/v3/market-quote/quotes", "quotes", market.full_quotes),
        ("GET", "/v2/market/status/{exchange}", "market_status", market.status),
    ]
    sockets = upstox.sockets
    served += [
        ("GET", f"{MARKET}/authorize", "authorize_market", sockets.authorize_market),
        ("GET", f"{PORTFOLIO}/authorize", "authorize_portfolio", sockets.authorize_portfolio),
    ]
    for method, path, route, handle in served:
        app.router.add_route(method, path, answering(upstox, route, handle))

    async def whose(request: web.Request) -> str:
        return await signing_in(upstox, request)

    token = open_answering(upstox, SIGN_IN, account.sign_in, whose)
    app.router.add_post("/v2/login/authorization/token", token)
    for path, route, tell in (
        ("/v2/market/holidays", "holidays", market.holidays),
        ("/v2/market/holidays/{date}", "holidays", market.holidays),
        ("/v2/market/timings/{date}", "timings", market.timings),
        (f"{_CANDLES}/intraday/{{key}}/{{unit}}/{{interval}}", "candles", history.of_today),
        (f"{_CANDLES}/{{key}}/{{unit}}/{{interval}}/{{to}}/{{from}}", "candles", history.of_days_over),
    ):
        app.router.add_get(path, open_answering(upstox, route, tell))
    files = open_answering(upstox, FILES, market.instruments)
    app.router.add_get("/market-quote/instruments/exchange/{name}.json.gz", files)
    app.router.add_get(MARKET, sockets.serve_market)
    app.router.add_get(PORTFOLIO, sockets.serve_portfolio)
    app.router.add_route("*", "/{rest:.*}", open_answering(upstox, "", account.not_found))
