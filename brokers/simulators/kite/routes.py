"""Kite's REST routes (Kite Connect documentation, version 3), and what stands before each of them."""

import gzip
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerError, BrokerTrade
from brokers.simulators.exchange.exchange import ExchangeBusy
from brokers.simulators.kite import answers, order_routes
from brokers.simulators.kite.answers import Row, Turned, bad_input, bad_token
from brokers.simulators.kite.books import conditionals
from brokers.simulators.kite.books.entries import Entry
from brokers.simulators.kite.books.margins import order_margins
from brokers.simulators.kite.books.portfolio import holding_rows, margin_rows, position_rows
from brokers.simulators.kite.books.rows import kite_token, stamp, trade_row
from brokers.simulators.kite.caller import Caller
from brokers.simulators.kite.forms import read_form
from brokers.simulators.kite.limits import too_many
from brokers.simulators.kite.market import instruments_csv, ltp_row, ohlc_row, quote_row
from brokers.simulators.kite.mishaps import SIGN_IN, WRITES, Mishap

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite

Handler = Callable[["LocalKite", web.Request, Caller], Awaitable[object]]

_MOST_KEYS = {"quote": 500, "ohlc": 1_000, "ltp": 1_000}


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
        ("GET", "/portfolio/holdings", "holdings", _holdings),
        ("POST", "/portfolio/holdings/authorise", "authorise", _authorise),
        ("GET", "/portfolio/positions", "positions", _positions),
        ("GET", "/instruments", "instruments", _instruments),
        ("GET", "/instruments/{exchange}", "instruments", _instruments),
        ("POST", "/margins/orders", "order_margins", order_margins),
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
        app.router.add_route(method, path, _answering(kite, route, handle))
    app.router.add_post("/session/token", _open_answering(kite, _sign_in))
    app.router.add_delete("/session/token", _open_answering(kite, _sign_out))
    app[DUMPS] = {}
    app.router.add_route("*", "/{rest:.*}", _open_answering(kite, _not_found))


# --- before and after every route -----------------------------------------------------------------------


def _answering(
    kite: "LocalKite", route: str, handle: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            caller = _admit(kite, request, route)
            if caller.mishap is not None:
                return await _spoiled(kite, request, caller, caller.mishap, handle)
            return _answer(await handle(kite, request, caller))
        except Turned as turned:
            return _failure(kite, turned)
        except (BrokerError, sqlite3.Error) as error:
            return answers.failure(_trouble(error))

    return answer


def _open_answering(
    kite: "LocalKite", handle: Callable[["LocalKite", web.Request], Awaitable[object]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            _check_version(request)
            return _answer(await handle(kite, request))
        except Turned as turned:
            return _failure(kite, turned)
        except (BrokerError, sqlite3.Error) as error:
            return answers.failure(_trouble(error))

    return answer


def _answer(given: object) -> web.StreamResponse:
    return given if isinstance(given, web.StreamResponse) else answers.success(given)


def _failure(kite: "LocalKite", turned: Turned) -> web.Response:
    if turned.status == 429 and kite.switches.html_429:
        return answers.page(429, "Too Many Requests")
    return answers.failure(turned)


def _trouble(error: Exception) -> Turned:
    if isinstance(error, (ExchangeBusy, sqlite3.Error)):
        return Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
    return bad_input(str(error))


def _check_version(request: web.Request) -> None:
    if request.headers.get("X-Kite-Version") != "3":
        raise bad_input("Missing or invalid `X-Kite-Version` header.")


def _admit(kite: "LocalKite", request: web.Request, route: str) -> Caller:
    """Who calls, counted against the budgets, with the mishap that strikes the call. Raises `Turned`."""
    _check_version(request)
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    api_key, _, token = credentials.partition(":")
    user_id = kite.sessions.user_of(api_key, token) if scheme == "token" else None
    if user_id is None:
        raise bad_token()
    writes = route in WRITES
    if route in _MOST_KEYS and api_key in kite.switches.no_stream:
        raise Turned(403, "PermissionException", "Insufficient permission for that call.")
    if kite.switches.rate_limits:
        if writes:
            kite.limits.count_order(user_id, cool_down=kite.switches.cool_down)
        else:
            kind = "quote" if route in _MOST_KEYS else "other"
            kite.limits.count_call(api_key, kind)
    if writes:
        allowed = kite.switches.static_ips.get(user_id)
        if allowed is not None and request.remote not in allowed:
            raise _wrong_address(kite, request, bool(allowed))
    return Caller(user_id, api_key, route, kite.mishaps.draw(user_id, route))


def _wrong_address(kite: "LocalKite", request: web.Request, any_allowed: bool) -> Turned:
    words = f"IP ({request.remote}) is not allowed to place orders for this app."
    if not any_allowed:
        words = "No IPs configured for this app. Add allowed IPs on the developer console."
    return Turned(*kite.switches.address_refusal(), words)


async def _spoiled(
    kite: "LocalKite", request: web.Request, caller: Caller, mishap: Mishap, handle: Handler
) -> web.StreamResponse:
    """The answer to a call that a mishap strikes."""
    match mishap.fault:
        case "unavailable":
            raise Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
        case "gateway_timeout":
            return answers.page(504, "Gateway Time-out")
        case "server_error":
            raise Turned(500, "GeneralException", "Something went wrong. Please try again.")
        case "bad_gateway":
            return answers.page(502, "Bad Gateway")
        case "rate_limited":
            raise too_many()
        case "wrong_ip":
            raise _wrong_address(kite, request, True)
        case "token_expired":
            kite.sessions.end_user(caller.user_id)
            raise bad_token()
        case _:
            pass
    data = await handle(kite, request, caller)
    match mishap.fault:
        case "drop_connection":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        case "late_answer":
            await kite.clock.sleep(mishap.delay_s)
        case "timed_out_done":
            words = "Order request timed out. Please check the order book and confirm before placing again."
            raise Turned(400, "OrderException", words)
        case "unavailable_done":
            raise Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
        case "gateway_timeout_done":
            return answers.page(504, "Gateway Time-out")
        case "server_error_done":
            raise Turned(500, "GeneralException", "Something went wrong. Please try again.")
        case "bad_gateway_done":
            return answers.page(502, "Bad Gateway")
        case "cut_answer" | "slow_answer" if isinstance(data, web.Response):
            return await _in_bits(kite, request, data, mishap)
        case "null_data":
            return answers.success(None)
        case "no_content_type":
            return answers.without_content_type(data if not isinstance(data, web.StreamResponse) else None)
        case "empty_order_id":
            return answers.success({"order_id": ""})
        case _:
            pass
    return _answer(data)


BITS = 20


async def _in_bits(
    kite: "LocalKite", request: web.Request, whole: web.Response, mishap: Mishap
) -> web.StreamResponse:
    """An answer sent bit by bit over the mishap's delay, or its first half and then nothing more."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    answer = web.StreamResponse(headers=whole.headers)
    answer.content_length = len(body)
    await answer.prepare(request)
    size = max(1, -(-len(body) // BITS))
    bits = [body[start : start + size] for start in range(0, len(body), size)]
    if mishap.fault == "cut_answer":
        await answer.write(b"".join(bits[: len(bits) // 2]))
        if request.transport is not None:
            request.transport.close()
        return answer
    for bit in bits:
        await kite.clock.sleep(mishap.delay_s / len(bits))
        await answer.write(bit)
    await answer.write_eof()
    return answer


# --- sessions -------------------------------------------------------------------------------------------


async def _sign_in(kite: "LocalKite", request: web.Request) -> object:
    """The exchange of a request token, where a mishap may strike the user that the token is of."""
    form = read_form(await request.read())
    api_key = form.get("api_key", "")
    user_id = kite.sessions.asks_for(api_key, form.get("request_token", ""))
    caller = Caller(user_id, api_key, SIGN_IN, kite.mishaps.draw(user_id, SIGN_IN))
    if caller.mishap is not None:
        return await _spoiled(kite, request, caller, caller.mishap, _exchange)
    return await _exchange(kite, request, caller)


async def _exchange(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    form = read_form(await request.read())
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
    funds = await kite.venue.read(partial(kite.exchange.funds, caller.user_id))
    held = await kite.venue.read(partial(kite.exchange.held, caller.user_id))
    opening = kite.opening(caller.user_id, funds.available_paise + funds.blocked_paise)
    rows = margin_rows(funds, opening, held)
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
    traded = [(entry, trade) for entry in kite.journal.book(caller.user_id) for trade in entry.trades]
    traded.sort(key=lambda pair: (pair[1].traded_at, pair[1].trade_id))
    rows = [_trade(kite, entry, trade) for entry, trade in traded]
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


# --- portfolio ------------------------------------------------------------------------------------------


def _day_trades(kite: "LocalKite", user_id: str) -> list[BrokerTrade]:
    return [trade for entry in kite.journal.book(user_id) for trade in entry.trades]


async def _holdings(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    holdings = await kite.venue.read(partial(kite.exchange.holdings, caller.user_id))
    trades = _day_trades(kite, caller.user_id)
    keys = {f"{row.exchange}:{row.tradingsymbol}" for row in (*holdings, *trades)}
    quotes = await kite.venue.quotes(keys)
    listings = {key: listing for key in keys if (listing := kite.venue.listing(key)) is not None}
    rows = holding_rows(
        holdings, trades, listings, quotes, partial(kite.authorisations.quantity, caller.user_id)
    )
    return kite.laid_rows.over(caller.user_id, "holdings", rows)


async def _positions(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    trades = _day_trades(kite, caller.user_id)
    keys = {f"{trade.exchange}:{trade.tradingsymbol}" for trade in trades}
    quotes = await kite.venue.quotes(keys)
    listings = {key: listing for key in keys if (listing := kite.venue.listing(key)) is not None}
    rows = position_rows(trades, listings, quotes)
    return {**rows, "net": kite.laid_rows.over(caller.user_id, "positions", rows["net"])}


async def _authorise(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    form = await request.post()
    isins, quantities = form.getall("isin", []), form.getall("quantity", [])
    pairs = list(zip(map(str, isins), map(str, quantities), strict=False))
    if len(isins) != len(quantities) or not all(text.isascii() and text.isdigit() for _, text in pairs):
        raise bad_input("Give a `quantity` for every `isin`.")
    asked = {isin: int(text) for isin, text in pairs}
    if not asked:
        holdings = await kite.venue.read(partial(kite.exchange.holdings, caller.user_id))
        asked = {row.isin: row.free for row in holdings}
    return {"request_id": kite.authorisations.ask(caller.user_id, asked)}


# --- market ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Dump:
    """The instruments file of a day, made once."""

    day: str
    plain: bytes
    zipped: bytes


DUMPS = web.AppKey("dumps", dict[str, _Dump])


async def _instruments(kite: "LocalKite", request: web.Request, _caller: Caller) -> object:
    exchange = request.match_info.get("exchange", "")
    dumps = request.app[DUMPS]
    day = kite.venue.market.trading_day.isoformat()
    dump = dumps.get(exchange)
    if dump is None or dump.day != day:
        rows = (await kite.venue.listings()).values()
        plain = instruments_csv(row for row in rows if exchange in ("", row.instrument.exchange))
        dump = dumps[exchange] = _Dump(day, plain, gzip.compress(plain, 6))
    headers = {"Content-Type": "text/csv", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=dump.zipped, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=dump.plain, headers=headers)


async def _quotes(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    keys = request.query.getall("i", [])
    if not keys:
        raise bad_input("Missing `i`.")
    if len(keys) > _MOST_KEYS[caller.route]:
        raise bad_input(f"At most {_MOST_KEYS[caller.route]} instruments are allowed in a request.")
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
