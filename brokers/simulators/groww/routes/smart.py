"""Smart orders: GTT and OCO (documentation, "smart orders")."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from brokers.simulators.groww.answers import bad_request, no_such_order, refused, success
from brokers.simulators.groww.forms import (
    ORDER_TYPES,
    Body,
    read_object,
    read_price,
    read_product,
    read_quantity,
    read_reference,
    read_side,
)
from brokers.simulators.groww.names import CASH, check_segment, find
from brokers.simulators.groww.routes.orders import page_of
from brokers.simulators.groww.smart_orders import ACTIVE, GTT, OCO, STATUSES, TYPES, written
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from data.clock import IST
from data.vocabulary import Product

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

PAGE, MOST = 10, 50
"""Rows of a page of the list where none is named, and at most."""

WINDOW = timedelta(days=31)
"""How much time one list may be of: a month."""

_CHANGED = {
    GTT: ("quantity", "trigger_price", "trigger_direction", "order", "child_legs"),
    OCO: ("quantity", "duration", "product_type", "target", "stop_loss"),
}
"""What a change of each kind may change; whatever else is posted is passed over."""

_PRICED = frozenset({"LIMIT", "SL"})


async def create(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Take a smart order in; its reference is used up with it."""
    body = read_object(await request.read())
    kind, reference = _kind(body), read_reference(body, "reference_id")
    fields = await _fields(groww, body)
    fields |= _gtt(body) if kind == GTT else _oco(groww, body)
    groww.smart_references.take(caller.user_id, reference)
    row = groww.smart_orders.add(caller.user_id, kind, groww.venue.market.now(), fields)
    return success(row, 201)


async def modify(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Change a smart order that rests."""
    body = read_object(await request.read())
    row = _named(groww, caller, check_segment(body), _kind(body), request.match_info["smart_order_id"])
    if row["status"] != ACTIVE:
        raise refused(f"The smart order is {row['status']}")
    changed = _CHANGED[row["smart_order_type"]]
    wanted: Row = {name: body[name] for name in changed if body.get(name) is not None}
    for name, read in (("quantity", read_quantity), ("trigger_price", partial(_text, name="trigger_price"))):
        if name in wanted:
            read(body)
    for name in ("order", "target", "stop_loss"):
        if name in wanted:
            wanted[name] = row[name] | _part(body, name)
    row |= {**wanted, "updated_at": written(groww.venue.market.now())}
    return success(row, 202)


async def cancel(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Take a smart order out."""
    row = _of_path(groww, request, caller)
    if row["status"] != ACTIVE:
        raise refused(f"The smart order is {row['status']}")
    groww.smart_orders.cancel(row, groww.venue.market.now())
    return success(row, 202)


async def one(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """One smart order as it stands."""
    return _of_path(groww, request, caller)


async def listed(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """A page of one kind at one status, made within a time: today's active OCO orders where none is named."""
    query = request.query
    kind, status = query.get("smart_order_type", OCO), query.get("status", ACTIVE)
    if kind not in TYPES or status not in STATUSES:
        raise bad_request("Invalid smart_order_type or status")
    segment = check_segment(query, needed=False)
    since, until = _window(query, groww.venue.market.now())
    rows = [
        row
        for row in groww.laid_rows.over(caller.user_id, "smart_orders", groww.smart_orders.of(caller.user_id))
        if (row["smart_order_type"], row["status"]) == (kind, status)
        and segment in (None, row["segment"])
        and since <= row["created_at"] <= until
    ]
    return {"orders": page_of(query, rows, MOST, otherwise=PAGE)}


def _window(query: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """The first and the last time that a list is of, as they are written. Raises `Turned`."""
    today = datetime.combine(now.astimezone(IST).date(), time(), IST)
    given = {name: query.get(name) for name in ("start_date_time", "end_date_time")}
    times = [today, today + timedelta(days=1)]
    for place, (name, text) in enumerate(given.items()):
        if text is not None:
            try:
                times[place] = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=IST)
            except ValueError:
                raise bad_request(f"Invalid {name}: {text}") from None
    if not timedelta() <= times[1] - times[0] <= WINDOW:
        raise bad_request("The time from start_date_time to end_date_time must not exceed one month")
    return written(times[0]), written(times[1])


# --- what is posted -------------------------------------------------------------------------------------


def _kind(body: Body) -> str:
    kind = body.get("smart_order_type")
    if kind not in TYPES:
        raise bad_request(f"Invalid smart_order_type: {kind}")
    return str(kind)


async def _fields(groww: "LocalGroww", body: Body) -> Row:
    listing = None
    if check_segment(body) == CASH:
        listing = await find(groww.venue, body.get("exchange"), body.get("trading_symbol"))
    if listing is None or not listing.instrument.tradable:
        raise bad_request(f"Invalid trading_symbol: {body.get('trading_symbol')}")
    return {
        "trading_symbol": body["trading_symbol"],
        "exchange": body["exchange"],
        "segment": CASH,
        "quantity": read_quantity(body),
        "product_type": read_product(body, groww.switches, "product_type").value,
        "duration": body.get("duration", "DAY"),
    }


def _gtt(body: Body) -> Row:
    if body.get("trigger_direction") not in ("UP", "DOWN"):
        raise bad_request("Invalid trigger_direction")
    order = _part(body, "order")
    read_side(order)
    return {
        "trigger_price": _text(body, "trigger_price"),
        "trigger_direction": body["trigger_direction"],
        "order": _leg(order) | {"transaction_type": order["transaction_type"]},
        "child_legs": body.get("child_legs"),
    }


def _oco(groww: "LocalGroww", body: Body) -> Row:
    if not groww.switches.oco_for_cash:
        raise refused("OCO orders are not supported in the CASH segment")
    if body.get("product_type") != Product.MIS.value:
        raise bad_request("OCO orders in the CASH segment are allowed in MIS only")
    net = body.get("net_position_quantity")
    if type(net) is not int or read_quantity(body) > abs(net):
        raise bad_request("quantity must not be above net_position_quantity")
    legs = {name: _part(body, name) for name in ("target", "stop_loss")}
    told = {name: _leg(leg) | {"trigger_price": _text(leg, "trigger_price")} for name, leg in legs.items()}
    return told | {"transaction_type": read_side(body).value}


def _part(body: Body, name: str) -> dict[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise bad_request(f"{name} is required")
    return cast("dict[str, Any]", part)


def _leg(leg: Body) -> Row:
    if leg.get("order_type") not in ORDER_TYPES:
        raise bad_request("Invalid order_type")
    price = _text(leg, "price") if leg["order_type"] in _PRICED else None
    return {"order_type": leg["order_type"], "price": price}


def _text(body: Body, name: str) -> str:
    """A price as the decimal text that it is told as. Raises `Turned`."""
    given = body.get(name)
    price = read_price(body, name)
    if not isinstance(given, str) or price is None or price <= 0:
        raise bad_request(f"Invalid {name}")
    return given


def _of_path(groww: "LocalGroww", request: web.Request, caller: Caller) -> Row:
    named = request.match_info
    return _named(groww, caller, check_segment(named), named["smart_order_type"], named["smart_order_id"])


def _named(groww: "LocalGroww", caller: Caller, segment: str | None, kind: str, number: str) -> Row:
    row = groww.smart_orders.find(caller.user_id, number)
    if row is None or (row["segment"], row["smart_order_type"]) != (segment, kind):
        raise no_such_order()
    return row
