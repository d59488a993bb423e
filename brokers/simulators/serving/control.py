"""The endpoints under `/control/` by which a rehearsal drives a simulated broker; the real ones have none."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from functools import partial
from typing import Any, cast

from aiohttp import web

from brokers.contract import Refused
from brokers.simulators.exchange.day_prices import price_from
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.mishaps import DELAY_S
from brokers.simulators.serving.orders.laid_rows import LaidRow
from brokers.simulators.serving.server import AnySimulatedBroker
from data.clock import IST
from data.errors import BadInput

_LOCAL = frozenset({"127.0.0.1", "localhost"})
_FAULT_FIELDS = frozenset({"user", "route", "fault", "share", "count", "seconds", "delay_s"})


def add_to(app: web.Application, broker: AnySimulatedBroker) -> None:
    """Serve clock, faults, switches, state and request tokens."""
    calls = _Calls(broker)
    for method, path, handle in (
        ("GET", "clock", calls.clock),
        ("POST", "clock", calls.move_clock),
        ("POST", "prices", calls.hold_price),
        ("GET", "faults", calls.faults),
        ("POST", "faults", calls.add_fault),
        ("DELETE", "faults", calls.clear_faults),
        ("POST", "rows", calls.lay_row),
        ("DELETE", "rows", calls.clear_rows),
        ("POST", "fills", calls.fill),
        ("POST", "rename", calls.rename),
        ("POST", "switches", calls.switch),
        ("GET", "state", calls.state),
        ("POST", "sockets", calls.sockets),
        ("POST", "request_token", calls.request_token),
    ):
        app.router.add_route(method, f"/control/{path}", _answering(handle))


class _Calls:
    """What is asked of one simulated broker beside what the real one has."""

    def __init__(self, broker: AnySimulatedBroker) -> None:
        self._broker = broker

    async def clock(self, _request: web.Request) -> object:
        market = self._broker.venue.market
        now, day = market.now().isoformat(), market.trading_day.isoformat()
        return {"broker": self._broker.name, "market_time": now, "trading_day": day}

    async def move_clock(self, request: web.Request) -> object:
        await _move_clock(self._broker, await _body(request))
        return await self.clock(request)

    async def hold_price(self, request: web.Request) -> object:
        return await _hold_price(self._broker, await _body(request))

    async def faults(self, _request: web.Request) -> object:
        return [rule.row() for rule in self._broker.mishaps.rules()]

    async def add_fault(self, request: web.Request) -> object:
        return _add_fault(self._broker, await _body(request))

    async def clear_faults(self, request: web.Request) -> object:
        self._broker.mishaps.clear(request.query.get("user"))
        return await self.faults(request)

    async def lay_row(self, request: web.Request) -> object:
        return _lay_row(self._broker, await _body(request))

    async def clear_rows(self, request: web.Request) -> object:
        self._broker.laid_rows.clear(request.query.get("user"))
        return True

    async def fill(self, request: web.Request) -> object:
        return await _fill(self._broker, await _body(request))

    async def rename(self, request: web.Request) -> object:
        return await _rename(self._broker, await _body(request))

    async def switch(self, request: web.Request) -> object:
        self._broker.switches.change(await _body(request))
        return True

    async def sockets(self, request: web.Request) -> object:
        return _tell_sockets(self._broker, await _body(request))

    async def state(self, _request: web.Request) -> object:
        return _state(self._broker)

    async def request_token(self, request: web.Request) -> object:
        return await _request_token(self._broker, await _body(request))


def _answering(
    handle: Callable[[web.Request], Awaitable[object]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        # A page in this machine's browser can reach loopback too; its calls carry an origin, or a name that
        # somebody else's server resolves to this address.
        host = (request.url.host or "").rstrip(".")
        local = (request.remote or "").startswith("127.") and host in _LOCAL
        if not local or "Origin" in request.headers:
            return web.json_response({"error": "loopback only, and not from a page"}, status=403)
        try:
            return web.json_response(await handle(request))
        except BadInput as error:
            told = {"error": str(error), "field": error.field, "expected": error.expected}
            return web.json_response(told, status=400)

    return answer


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body: object = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadInput("body", "", "give a JSON object")
    return cast(dict[str, Any], body)


async def _move_clock(broker: AnySimulatedBroker, body: dict[str, Any]) -> None:
    """Move the market on to a later time of its day; at the close the next day begins.

    A time of a `day` that is named is that moment whatever day it is here: several brokers of one market are
    told it one after another, and the first has moved it for all.
    """
    market, given = broker.venue.market, str(body.get("to", ""))
    try:
        day = date.fromisoformat(str(body["day"])) if "day" in body else None
    except ValueError:
        raise BadInput("day", body["day"], "give the market's day, such as 2026-11-18") from None
    try:
        wanted = time.fromisoformat(given).replace(tzinfo=None)
        to = datetime.combine(day or market.trading_day, wanted, IST)
    except ValueError:
        to = None
    if to is not None and day is not None and to <= market.now():
        return
    if to is None or to <= market.now():
        after = f"{market.now().astimezone(IST):%H:%M:%S}"
        raise BadInput("to", given, f"give a time of the day after {after}, such as 15:14")
    await broker.venue.write(partial(broker.venue.exchange.jump, to))


async def _hold_price(broker: AnySimulatedBroker, body: dict[str, Any]) -> Row:
    """Hold a price still, of an index too, or let it walk again."""
    exchange, symbol = broker.venue.exchange, str(body.get("symbol", ""))
    listing = exchange.market.listing(symbol)
    price = price_from(str(body.get("to", "")), listing)
    if price is None:
        await broker.venue.write(partial(exchange.unpin, symbol))
    else:
        await broker.venue.write(partial(exchange.pin, symbol, price))
    key = listing.instrument.key
    return {"symbol": key, "ltp_paise": (await broker.venue.quotes((key,)))[key].last_paise}


def _add_fault(broker: AnySimulatedBroker, body: dict[str, Any]) -> Row:
    unknown = sorted(set(body) - _FAULT_FIELDS)
    if unknown:
        raise BadInput("field", unknown[0], f"known: {', '.join(sorted(_FAULT_FIELDS))}")
    for name in ("share", "count", "seconds", "delay_s"):
        if name in body and type(body[name]) not in (int, float):
            raise BadInput(name, body[name], "give a number")
    count = body.get("count")
    rule = broker.mishaps.add(
        str(body.get("fault", "")),
        user_id=str(body.get("user", "*")),
        route=str(body.get("route", "*")),
        share=body.get("share", 1.0),
        count=None if count is None else int(count),
        seconds=body.get("seconds"),
        delay_s=body.get("delay_s", DELAY_S),
    )
    return rule.row()


async def _rename(broker: AnySimulatedBroker, body: dict[str, Any]) -> bool:
    """Have instruments change names, all at once: `names` gives the key of now by the one before."""
    names = body.get("names")
    listings = await broker.venue.listings()
    if not isinstance(names, dict):
        raise BadInput("names", names, 'give an object such as {"NSE:OLD": "NSE:NEW"}')
    moves: list[tuple[str, str, str]] = []
    for before, now in cast(dict[str, Any], names).items():
        if before not in listings:
            raise BadInput("names", before, "name an instrument of the exchange as EXCHANGE:SYMBOL")
        if str(now).partition(":")[0] != before.partition(":")[0] or (now in listings and now not in names):
            raise BadInput("names", now, "give a free name on the same exchange")
        moves.append((before, str(now), listings[before].instrument.security))
    await broker.venue.write(partial(broker.venue.exchange.rename, moves))
    await broker.venue.listings()
    broker.ways.rename({before: now for before, now, _ in moves})
    return True


def _lay_row(broker: AnySimulatedBroker, body: dict[str, Any]) -> bool:
    """Lay a row, or odd fields over one, into a user's book."""
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise BadInput("fields", fields, "give an object with the row's fields")
    row = LaidRow(
        str(body.get("user", "")), str(body.get("book", "")), cast(Row, fields), str(body.get("of", ""))
    )
    broker.laid_rows.lay(row)
    return True


async def _fill(broker: AnySimulatedBroker, body: dict[str, Any]) -> bool:
    """Let more shares trade of an order that trades in parts: `quantity` of them, or all that are left."""
    user_id, order_id, quantity = str(body.get("user", "")), str(body.get("order", "")), body.get("quantity")
    entry = broker.journal.find(user_id, order_id)
    if entry is None:
        raise BadInput("order", order_id, f"give the id of an order that {user_id or 'the user'} has today")
    if quantity is not None and (type(quantity) is not int or quantity < 1):
        raise BadInput(
            "quantity", quantity, "give a whole number from 1, or leave it out for all that is left"
        )
    outcome = await broker.ways.allow(entry, quantity)
    if isinstance(outcome, Refused):
        raise BadInput("order", order_id, outcome.message)
    return True


def _tell_sockets(broker: AnySimulatedBroker, body: dict[str, Any]) -> bool:
    """Stall, resume or drop a user's sockets, or all, or say something on them."""
    given = body.get("user", "*")
    user_id = None if given == "*" else str(given)
    match body.get("do"):
        case "stall":
            broker.sockets.stall(True, user_id)
        case "resume":
            broker.sockets.stall(False, user_id)
        case "drop":
            broker.sockets.drop(user_id)
        case "message":
            broker.sockets.message(user_id, str(body.get("text", "")))
        case other:
            raise BadInput("do", other, "give stall, resume, drop or message")
    return True


def _state(broker: AnySimulatedBroker) -> Row:
    """For oracles: requests as they came in, by user and tag or order id, and where orders stand."""
    received: dict[str, dict[str, dict[str, int]]] = {"place": {}, "modify": {}, "cancel": {}}
    for (route, user_id, name), count in broker.received.items():
        received[route].setdefault(user_id, {})[name] = count
    return {
        "received": received,
        "orders": broker.journal.counts(),
        "sessions": broker.sessions.signed_in(),
        "sockets": len(broker.sockets),
        "faults": [rule.row() for rule in broker.mishaps.rules()],
    }


async def _request_token(broker: AnySimulatedBroker, body: dict[str, Any]) -> Row:
    user_id, api_key = str(body.get("user_id", "")), str(body.get("api_key", ""))
    if not broker.sessions.knows(api_key):
        raise BadInput("api_key", api_key, "name an app of this simulated broker")
    if not await broker.venue.knows(user_id):
        raise BadInput("user_id", user_id, "name an account of the exchange")
    return {"request_token": broker.sessions.request_token(api_key, user_id)}
