"""Shares and positions, and what an order on them would take and cost."""

from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from brokers.contract import Conversion
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.upstox.answers import Fault, invalid
from brokers.simulators.upstox.books.costs import charges_row, margin_row
from brokers.simulators.upstox.books.shares import holding_rows, mtf_rows, position_rows
from brokers.simulators.upstox.forms import PRODUCTS, Body, read_object, read_quantity, read_value, turned_of
from data.vocabulary import Product, Side

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox


async def holdings(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """Shares of earlier days."""
    rows = holding_rows(await upstox.priced_day(caller.user_id), upstox.switches)
    return upstox.laid_rows.over(caller.user_id, "holdings", rows)


async def positions(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """What a client's day has come to."""
    rows = position_rows(await upstox.priced_day(caller.user_id))
    return upstox.laid_rows.over(caller.user_id, "positions", rows)


async def mtf_positions(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """Shares on margin."""
    return mtf_rows(await upstox.priced_day(caller.user_id))


async def convert(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Make bought shares of a position go on in another product."""
    body = read_object(await request.read())
    listing = await _listing(upstox, body, "instrument_token")
    if _side(body) is not Side.BUY:
        raise invalid(
            "transaction_type", body["transaction_type"], "Only bought positions are converted here"
        )
    wanted = Conversion(
        exchange=listing.instrument.exchange,
        tradingsymbol=listing.instrument.tradingsymbol,
        quantity=read_quantity(body),
        from_product=_product(body, "old_product"),
        to_product=_product(body, "new_product"),
    )
    refused = await upstox.convert(caller.user_id, wanted)
    if refused is not None:
        raise turned_of(refused)
    return {"status": "complete"}


# --- what an order takes and costs ----------------------------------------------------------------------


async def margins(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """The margin of each order by itself; one that is refused leaves no answer to any."""
    given = read_object(await request.read()).get("instruments")
    if not isinstance(given, list) or not given:
        raise invalid("instruments", None)
    rows = [await _margin(upstox, _order(one)) for one in cast("list[object]", given)]
    total = sum(row["total_margin"] for row in rows)
    return {"margins": rows, "required_margin": total, "final_margin": total}


def _order(one: object) -> Body:
    if not isinstance(one, dict):
        raise invalid("instruments", None)
    return cast("dict[str, Any]", one)


async def _margin(upstox: "LocalUpstox", body: Body) -> Row:
    listing = await _listing(upstox, body, "instrument_key")
    quotes = await upstox.venue.quotes((listing.instrument.key,))
    value = read_value(body, quotes[listing.instrument.key].last_paise)
    row = margin_row(listing.instrument, _product(body, "product"), _side(body), value)
    if row is None:
        raise invalid("product", body["product"], "The product is not allowed for this instrument")
    return row


async def brokerage(upstox: "LocalUpstox", request: web.Request, _caller: Caller) -> object:
    """The charges of an order that trades whole at a price."""
    body = dict[str, Any](request.query)
    listing = await _listing(upstox, body, "instrument_token")
    given = str(body.get("quantity", ""))
    body["quantity"] = int(given) if given.isascii() and given.isdigit() else given
    value = read_value(body)
    exchange, day = listing.instrument.exchange, upstox.venue.market.trading_day
    return charges_row(day, exchange, _product(body, "product"), _side(body), value)


async def _listing(upstox: "LocalUpstox", body: Body, name: str) -> Listing:
    key = body.get(name)
    listing = await upstox.keys.find(key) if isinstance(key, str) else None
    if listing is None or not listing.instrument.tradable:
        raise Fault("UDAPI100011", "Unknown instrument key", path=name, value=str(key))
    return listing


def _product(body: Body, name: str) -> Product:
    product = PRODUCTS.get(str(body.get(name, "")))
    if product is None:
        raise invalid(name, body.get(name))
    return product


def _side(body: Body) -> Side:
    if body.get("transaction_type") not in ("BUY", "SELL"):
        raise invalid("transaction_type", body.get("transaction_type"))
    return Side(body["transaction_type"])
