"""GTT orders of the local Upstox: they are kept, listed, changed and cancelled, and never fire."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.upstox.answers import WithMetadata, invalid
from brokers.simulators.upstox.forms import Body, read_object, read_quantity

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

LASTS = timedelta(days=365)
"""How long a GTT rests."""


class GttOrders:
    """What rests at the broker, by user and id."""

    def __init__(self) -> None:
        self.of = dict[str, dict[str, Row]]()
        self._numbers = count(1)

    def new_id(self) -> str:
        """An id of its own."""
        return f"GTT-C{next(self._numbers):014d}"


async def listed(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """The user's GTT orders, or the one that is named."""
    mine = upstox.gtt.of.get(caller.user_id, {})
    named = request.query.get("gtt_order_id")
    return [row for number, row in mine.items() if named in (None, number)]


async def place(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Take a GTT order in."""
    body = read_object(await request.read())
    key = body.get("instrument_token")
    listing = await upstox.keys.find(key) if isinstance(key, str) else None
    if listing is None or not listing.instrument.tradable:
        raise invalid("instrument_token", str(key), "Unknown instrument key", "UDAPI100011")
    now = upstox.venue.market.now()
    number = upstox.gtt.new_id()
    row = {
        "type": _text(body, "type"),
        "exchange": listing.instrument.exchange,
        "quantity": read_quantity(body),
        "product": _text(body, "product"),
        "rules": _rules(body),
        "trading_symbol": listing.instrument.tradingsymbol,
        "instrument_token": key,
        "gtt_order_id": number,
        "expires_at": int((now + LASTS).timestamp() * 1_000_000),
        "created_at": int(now.timestamp() * 1_000_000),
    }
    upstox.gtt.of.setdefault(caller.user_id, {})[number] = row
    upstox.sockets.portfolio.tell(caller.user_id, "gtt_order", {"update_type": "gtt_order", **row})
    return WithMetadata({"gtt_order_ids": [number]}, {"latency": 30})


async def modify(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Change quantity and rules of a GTT order."""
    body = read_object(await request.read())
    row = _named(upstox, caller, body)
    quantity = read_quantity(body) if "quantity" in body else row["quantity"]
    row |= {"quantity": quantity, "rules": _rules(body)}
    return WithMetadata({"gtt_order_ids": [row["gtt_order_id"]]}, {"latency": 30})


async def cancel(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Take a GTT order out."""
    row = _named(upstox, caller, read_object(await request.read()))
    del upstox.gtt.of[caller.user_id][row["gtt_order_id"]]
    return WithMetadata({"gtt_order_ids": [row["gtt_order_id"]]}, {"latency": 30})


def _named(upstox: "LocalUpstox", caller: Caller, body: Body) -> Row:
    number = str(body.get("gtt_order_id"))
    row = upstox.gtt.of.get(caller.user_id, {}).get(number)
    if row is None:
        raise invalid("gtt_order_id", number, "Unknown GTT order id", "UDAPI100010")
    return row


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name, value)
    return value


def _rules(body: Body) -> list[Row]:
    rules = body.get("rules")
    if not isinstance(rules, list) or not rules:
        raise invalid("rules", None)
    side = _text(body, "transaction_type") if "transaction_type" in body else None
    return [_rule(one, side) for one in cast("list[object]", rules)]


def _rule(one: object, side: str | None) -> Row:
    rule = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
    price = rule.get("trigger_price")
    if not isinstance(price, (int, Decimal)):
        raise invalid("trigger_price", price)
    return {
        "strategy": _text(rule, "strategy"),
        "status": "SCHEDULED",
        "message": None,
        "trigger_type": _text(rule, "trigger_type"),
        "trigger_price": float(price),
        "transaction_type": side,
        "order_id": None,
    }
