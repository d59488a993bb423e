"""Shares and positions, and what orders on them would take."""

from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from brokers.simulators.groww.answers import bad_request, refused
from brokers.simulators.groww.books.money import margin_row
from brokers.simulators.groww.books.shares import holding_rows, position_rows
from brokers.simulators.groww.forms import (
    Body,
    read_json,
    read_price,
    read_product,
    read_quantity,
    read_side,
    read_type,
)
from brokers.simulators.groww.names import CASH, check_segment, find
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from data.reference.rates import estimate

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

RATES = "groww"
"""Whose charges a calculation shows."""


async def holdings(groww: "LocalGroww", _request: web.Request, caller: Caller) -> object:
    """Shares of earlier days."""
    rows = holding_rows(await groww.priced_day(caller.user_id), groww.switches)
    return {"holdings": groww.laid_rows.over(caller.user_id, "holdings", rows)}


async def positions(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """What a client's day has come to."""
    segment = check_segment(request.query, needed=False)
    return {"positions": await _positions(groww, caller, segment)}


async def positions_in(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The same in one instrument."""
    segment, symbol = check_segment(request.query), request.query.get("trading_symbol")
    if not symbol:
        raise bad_request("trading_symbol is required")
    rows = await _positions(groww, caller, segment)
    return {"positions": [row for row in rows if row["trading_symbol"] == symbol]}


async def _positions(groww: "LocalGroww", caller: Caller, segment: str | None) -> list[Row]:
    if segment not in (None, CASH):
        return []
    rows = position_rows(await groww.priced_day(caller.user_id), groww.switches)
    return groww.laid_rows.over(caller.user_id, "positions", rows)


async def margins(groww: "LocalGroww", request: web.Request, _caller: Caller) -> object:
    """What an order would take; several together only in derivatives, which do not trade here."""
    if check_segment(request.query) != CASH:
        raise refused("The segment is not active")
    given = read_json(await request.read())
    orders = cast("list[object]", given) if isinstance(given, list) else []
    if not orders or not isinstance(orders[0], dict):
        raise bad_request("The request body should be an array of orders")
    if len(orders) > 1:
        raise bad_request("A basket is allowed in the FNO segment only")
    return await _margin(groww, cast("dict[str, Any]", orders[0]))


async def _margin(groww: "LocalGroww", body: Body) -> Row:
    listing = await find(groww.venue, body.get("exchange"), body.get("trading_symbol"))
    if listing is None or not listing.instrument.tradable:
        raise bad_request(f"Invalid trading_symbol: {body.get('trading_symbol')}")
    instrument, product, side = listing.instrument, read_product(body, groww.switches), read_side(body)
    read_type(body)
    last = (await groww.venue.quotes((instrument.key,)))[instrument.key].last_paise
    price = (read_price(body, "price") or 0) * 100 or last
    value = int(price * read_quantity(body))
    day = groww.venue.market.trading_day
    charges = estimate(day, RATES, instrument.exchange, product, side, value)
    row = margin_row(instrument, product, side, value, charges)
    if row is None:
        raise bad_request("The product is not allowed for this instrument")
    return row
