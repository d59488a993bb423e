"""Kite's REST routes (Kite Connect documentation, version 3), and what stands before each of them."""

import gzip
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerTrade
from brokers.simulators.kite.answers import bad_input, bad_token
from brokers.simulators.kite.books import conditionals
from brokers.simulators.kite.books.margins import order_charges, order_margins
from brokers.simulators.kite.books.portfolio import margin_rows
from brokers.simulators.kite.books.rows import kite_token, trade_row
from brokers.simulators.kite.limits import HISTORY
from brokers.simulators.kite.market import Dump, instruments_csv, ltp_row, ohlc_row, quote_row
from brokers.simulators.kite.routes import history
from brokers.simulators.kite.routes import orders as order_routes
from brokers.simulators.kite.routes.answering import MOST_KEYS, Handler, answering, open_answering
from brokers.simulators.kite.routes.portfolio import authorise, convert, holdings, positions
from brokers.simulators.serving.answering import carried_out
from brokers.simulators.serving.answers import Row, Turned, read_form, stamp
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.mishaps import SIGN_IN
from brokers.simulators.serving.orders.entries import Entry

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


def add_to(app: web.Application, kite: "LocalKite") -> None:
    """Serve every route that needs a session, and those that give and end one."""
    served: list[tuple[str, str, str, Handler]] = [
        ("GET", "/user/profile", "profile", _profile),
        ("GET", "/user/margins", "margins", _margins),
        ("GET", "/user/margins/{segment}", "margins", _margins),
        ("POST", "/orders/{variety}", "place", order_routes.place),
        ("PUT", "/orders/{variety}/{order_id}", "modify", order_routes.modify),
        ("DELETE", "/orders/{variety}/{order_id}", "cancel", order_routes.cancel),
        ("GET", "/orders", "orders", _orders),
        ("GET", "/orders/{order_id}", "order_history", _history),
        ("GET", "/trades", "trades", _trades),
        ("GET", "/orders/{order_id}/trades", "order_trades", _order_trades),
        ("GET", "/portfolio/holdings", "holdings", holdings),
        ("POST", "/portfolio/holdings/authorise", "authorise", authorise),
        ("GET", "/portfolio/positions", "positions", positions),
        ("PUT", "/portfolio/positions", "convert", convert),
        ("GET", "/instruments", "instruments", _instruments),
        ("GET", "/instruments/{exchange}", "instruments", _instruments),
        ("GET", "/instruments/historical/{token}/{interval}", HISTORY, history.candles),
        ("POST", "/margins/orders", "order_margins", order_margins),
        ("POST", "/charges/orders", "order_charges", order_charges),
        ("GET", "/gtt/triggers", "gtt", conditionals.gtts),
        ("POST", "/gtt/triggers", "gtt", conditionals.place_gtt),
        ("DELETE", "/gtt/triggers/{trigger_id}", "gtt", conditionals.delete_gtt),
        ("GET", "/alerts", "alerts", conditionals.alerts),
        ("POST", "/alerts", "alerts", conditionals.create_alert),
        ("DELETE", "/alerts", "alerts", conditionals.delete_alerts),
        ("GET", "/quote", "quote", _quotes),
        ("GET", "/quote/ohlc", "ohlc", _quotes),
        ("GET", "/quote/ltp", "ltp", _quotes),
    ]
    for method, path, route, handle in served:
        app.router.add_route(method, path, answering(kite, route, handle))
    app.router.add_post("/session/token", open_answering(kite, _sign_in))
    app.router.add_delete("/session/token", open_answering(kite, _sign_out))
    app.router.add_route("*", "/{rest:.*}", open_answering(kite, _not_found))


# --- sessions -------------------------------------------------------------------------------------------


async def _sign_in(kite: "LocalKite", request: web.Request) -> object:
    """The exchange of a request token, where a mishap may strike the user that the token is of."""
    form = read_form(await request.read())
    user_id = kite.sessions.asks_for(form.get("api_key", ""), form.get("request_token", ""))
    mishap = kite.mishaps.draw(user_id, SIGN_IN)
    return await carried_out(kite, request, user_id, mishap, partial(_exchange, kite, form))


async def _exchange(kite: "LocalKite", form: Mapping[str, str]) -> object:
    names = ("api_key", "request_token", "checksum")
    missing = next((name for name in names if not form.get(name)), None)
    if missing is not None:
        raise bad_input(f"Missing `{missing}`.")
    user_id, token = kite.sessions.exchange(*(form[name] for name in names))
    return {
        **_person(kite, user_id),
        "api_key": form["api_key"],
        "access_token": token,
        "public_token": "",
        "enctoken": "",
        "refresh_token": "",
        "silo": "",
        "login_time": stamp(kite.venue.market.now()),
    }


async def _sign_out(kite: "LocalKite", request: web.Request) -> object:
    query = request.query
    if not kite.sessions.end(query.get("api_key", ""), query.get("access_token", "")):
        raise bad_token()
    return True


async def _not_found(_kite: "LocalKite", request: web.Request) -> object:
    raise Turned(404, "GeneralException", f"Route not found: {request.method} {request.path}")


def _person(kite: "LocalKite", user_id: str) -> Row:
    return {
        "user_id": user_id,
        "user_type": "individual",
        "email": f"{user_id.lower()}@example.invalid",
        "user_name": user_id,
        "user_shortname": user_id,
        "broker": "ZERODHA",
        "exchanges": ["NSE", "BSE"],
        "products": ["CNC", "MTF", "MIS"],
        "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        "avatar_url": None,
        "meta": {"demat_consent": kite.switches.consent(user_id)},
    }


async def _profile(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    return _person(kite, caller.user_id)


# --- books ----------------------------------------------------------------------------------------------


async def _margins(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    funds, opening = await kite.money(caller.user_id)
    payout = await kite.venue.read(partial(kite.exchange.held, caller.user_id))
    rows = margin_rows(funds, opening, payout)
    segment = request.match_info.get("segment")
    if segment is None:
        return rows
    if segment not in rows:
        raise bad_input("Invalid `segment`.")
    return rows[segment]


async def _orders(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    journal = kite.journal
    rows = [journal.row(entry) for entry in journal.book(caller.user_id)]
    return kite.laid_rows.over(caller.user_id, "orders", rows)


async def _history(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    return _entry(kite, request, caller).history


async def _trades(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    rows = [_trade(kite, entry, trade) for entry, trade in kite.journal.trades(caller.user_id)]
    return kite.laid_rows.over(caller.user_id, "trades", rows)


async def _order_trades(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    entry = _entry(kite, request, caller)
    return [_trade(kite, entry, trade) for trade in entry.trades]


def _entry(kite: "LocalKite", request: web.Request, caller: Caller) -> Entry:
    entry = kite.journal.find(caller.user_id, request.match_info["order_id"])
    if entry is None or entry.hidden_until > kite.clock.monotonic():
        raise order_routes.unknown_order()
    return entry


def _trade(kite: "LocalKite", entry: Entry, trade: BrokerTrade) -> Row:
    listing = kite.venue.listing(entry.key)
    return trade_row(entry, trade, 0 if listing is None else kite_token(listing.instrument))


# --- market ---------------------------------------------------------------------------------------------


async def _instruments(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    exchange = request.match_info.get("exchange", "")
    dumps = kite.dumps
    day = kite.venue.market.trading_day.isoformat()
    dump = dumps.get(exchange)
    if dump is None or dump.day != day:
        rows = (await kite.venue.listings()).values()
        plain = instruments_csv(row for row in rows if exchange in ("", row.instrument.exchange))
        dump = dumps[exchange] = Dump(day, plain, gzip.compress(plain, 6))
    headers = {"Content-Type": "text/csv", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=dump.zipped, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=dump.plain, headers=headers)


async def _quotes(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    keys = request.query.getall("i", [])
    if not keys:
        raise bad_input("Missing `i`.")
    if len(keys) > MOST_KEYS[caller.route]:
        raise bad_input(f"At most {MOST_KEYS[caller.route]} instruments are allowed in a request.")
    quotes = await kite.venue.quotes(keys)
    now = kite.venue.market.now()
    rows: Row = {}
    for key, quote in quotes.items():
        listing = kite.venue.listing(key)
        token = 0 if listing is None else kite_token(listing.instrument)
        match caller.route:
            case "ltp":
                rows[key] = ltp_row(quote, token)
            case "ohlc":
                rows[key] = ohlc_row(quote, token)
            case _:
                rows[key] = quote_row(quote, token, now)
    return rows
