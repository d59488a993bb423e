"""Placing, changing and cancelling orders, version 3, and the books of them."""

from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerTrade, OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.prices import Listing, Quote, protected_price
from brokers.simulators.exchange.rms import MAX_MODIFICATIONS, MAX_QUANTITY, check_terms
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.orders.entries import AMO_RECEIVED, OPEN, TRIGGER_PENDING, Entry
from brokers.simulators.upstox.answers import Fault, WithMetadata, invalid, no_such_order
from brokers.simulators.upstox.books.rows import trade_row
from brokers.simulators.upstox.forms import (
    Body,
    protection_bps,
    read_change,
    read_object,
    read_order,
    read_type,
    read_validity,
    turned_of,
)
from brokers.simulators.upstox.keys import instrument_key, segment_of
from data.records import replace
from data.vocabulary import OrderType, Product, Side

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

MOST_SLICES = 25
"""Into so many orders Upstox slices one at most."""

TAG_HISTORY_S = 2.0
"""How long a history by tag does not show an order yet, where that is switched on."""


# --- writes ---------------------------------------------------------------------------------------------


async def place(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Take an order, or the slices of one."""
    body = read_object(await request.read())
    upstox.received["place", caller.user_id, str(body.get("tag") or "")] += 1
    listing, quote = await _market(upstox, body)
    upstox.kill_switches.check(caller.user_id, segment_of(listing.instrument))
    order = read_order(body, listing.instrument, quote.last_paise, upstox.switches)
    order = replace(order, after_market=_is_after_market(upstox, body, listing))
    _check_demat(upstox, caller.user_id, order)
    freeze = upstox.switches.freeze_quantities.get(listing.instrument.key, MAX_QUANTITY)
    parts = _slices(order.quantity, freeze, listing.instrument.lot_size, sliced=body.get("slice") is True)
    placed = [await _place_one(upstox, caller, replace(order, quantity=part)) for part in parts]
    return WithMetadata({"order_ids": placed}, _latency())


def _check_demat(upstox: "LocalUpstox", user_id: str, order: OrderRequest) -> None:
    """Shares leave a demat account by this API alone where the client has given the right to it."""
    sold = order.side is Side.SELL and order.product is Product.CNC
    if sold and user_id in upstox.switches.without_poa:
        raise Fault("UDAPI100049", "The sale needs authorisation at the depository (TPIN)")


def _slices(quantity: int, freeze: int, lot_size: int, *, sliced: bool) -> list[int]:
    if quantity <= freeze:
        return [quantity]
    if not sliced:
        raise invalid("quantity", quantity, f"The quantity is above the freeze quantity of {freeze}")
    size = max(1, freeze // lot_size) * lot_size
    parts = [min(size, quantity - start) for start in range(0, quantity, size)]
    if len(parts) > MOST_SLICES:
        raise Fault("UDAPI1118", f"The order would be sliced into more than {MOST_SLICES} orders")
    return parts


async def _place_one(upstox: "LocalUpstox", caller: Caller, order: OrderRequest) -> str:
    refused = await upstox.venue.check(order, after_market=order.after_market)
    if refused is not None:
        raise turned_of(refused)
    variety = "amo" if order.after_market else "regular"
    entry = await upstox.ways.place(caller.user_id, variety, order, caller.mishap)
    if isinstance(entry, Refused):
        raise turned_of(entry)
    return entry.order_id


async def _market(upstox: "LocalUpstox", body: Body) -> tuple[Listing, Quote]:
    key = body.get("instrument_token")
    if not key:
        raise invalid("instrument_token", None, "The instrument key is required", "UDAPI1026")
    if not isinstance(key, str) or "|" not in key:
        raise invalid("instrument_token", str(key), "The instrument key is malformed", "UDAPI1011")
    listing = await upstox.keys.find(key)
    if listing is None:
        raise invalid("instrument_token", key, "Unknown instrument key", "UDAPI100011")
    return listing, (await upstox.venue.quotes((listing.instrument.key,)))[listing.instrument.key]


def _is_after_market(upstox: "LocalUpstox", body: Body, listing: Listing) -> bool:
    closed = upstox.venue.takes_after_market(listing)
    if upstox.switches.amo_by_session:
        return closed
    if body.get("is_amo") is True and not closed:
        raise Fault("UDAPI100039", "After market orders are not accepted while the market is open")
    return body.get("is_amo") is True


async def modify(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Ask for a change of a live order."""
    body = read_object(await request.read())
    order_id = body.get("order_id")
    entry = _standing(upstox, caller, order_id if isinstance(order_id, str) else "")
    _check_ready(entry, "UDAPI100041", "modified")
    if entry.modifications >= MAX_MODIFICATIONS:
        raise Fault("UDAPI100041", "The order has been modified too many times")
    change = await _change(upstox, entry, body)
    _check_ready(entry, "UDAPI100041", "modified")  # the market was asked meanwhile
    await upstox.ways.modify(entry, change, caller.mishap)
    return WithMetadata({"order_id": entry.order_id}, _latency())


async def _change(upstox: "LocalUpstox", entry: Entry, body: Body) -> OrderChange:
    """What a body changes; a limit order may become a market order, whose protection is its limit."""
    read_validity(body)
    wanted, now = read_type(body), (entry.order or entry.request).order_type
    own = wanted in (now, entry.request.order_type)
    if not own and (wanted is not OrderType.MARKET or now is not OrderType.LIMIT):
        raise invalid("order_type", wanted.value, f"An order of type {now} cannot become {wanted}")
    change = read_change(body, wanted)
    quote, listing = (await upstox.venue.quotes((entry.key,))).get(entry.key), upstox.venue.listing(entry.key)
    if quote is None or listing is None:
        raise Fault("UDAPI100011", "Unknown instrument key")
    instrument = listing.instrument
    if not own:
        bps = protection_bps(body, quote.last_paise)
        if bps == 0:
            raise Fault("UDAPI1158", "Market orders without market protection are not allowed")
        buying = entry.request.side is Side.BUY
        change = replace(change, price_paise=protected_price(quote, buying, bps, instrument.tick_paise))
    price = change.price_paise or (entry.order or entry.request).price_paise
    if price is not None:
        quantity = change.quantity or (entry.order or entry.request).quantity
        refused = check_terms(quantity, price, instrument, quote)
        if refused is not None:
            raise turned_of(refused)
    return change


async def cancel(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Ask for a live order's end; the answer says only that it was asked."""
    entry = _standing(upstox, caller, request.query.get("order_id", ""))
    _check_ready(entry, "UDAPI100040", "cancelled")
    await upstox.ways.cancel(entry)
    return WithMetadata({"order_id": entry.order_id}, _latency())


def _standing(upstox: "LocalUpstox", caller: Caller, order_id: str) -> Entry:
    """The order that a change names."""
    upstox.received[caller.route, caller.user_id, order_id] += 1
    return _named(upstox, caller.user_id, order_id)


def _check_ready(entry: Entry, code: str, done: str) -> None:
    if entry.changing or entry.status not in (OPEN, TRIGGER_PENDING, AMO_RECEIVED):
        words = f"The order is {entry.status.lower()} and cannot be {done}"
        raise Fault(code, words, path="order_id", value=entry.order_id)


def _latency() -> Row:
    """Milliseconds that Upstox says it took."""
    return {"latency": 30}


# --- books ----------------------------------------------------------------------------------------------


def _named(upstox: "LocalUpstox", user_id: str, order_id: str) -> Entry:
    """One of a user's orders that shows already. Raises `Turned`."""
    if not order_id:
        raise invalid("order_id", None, "The order id is required", "UDAPI1023")
    if not order_id.isascii() or not order_id.isalnum():
        raise invalid("order_id", order_id, "The order id has characters that are not allowed", "UDAPI1010")
    entry = upstox.journal.find(user_id, order_id)
    if entry is None or entry.hidden_until > upstox.clock.monotonic():
        raise no_such_order(order_id)
    return entry


async def book(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """The orders of the day."""
    rows = [upstox.journal.row(entry) for entry in upstox.journal.book(caller.user_id)]
    return upstox.laid_rows.over(caller.user_id, "orders", rows)


async def details(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """One order as it stands."""
    return upstox.journal.row(_named(upstox, caller.user_id, request.query.get("order_id", "")))


async def history(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """Every state of an order, of all orders of a tag, or of those of both."""
    order_id, tag = request.query.get("order_id", ""), request.query.get("tag", "")
    if order_id or not tag:
        entries = [_named(upstox, caller.user_id, order_id)]
    else:
        entries = upstox.journal.book(caller.user_id)
        if not upstox.switches.tag_history_at_once:
            now = upstox.venue.market.now()
            entries = [one for one in entries if (now - one.placed_at).total_seconds() >= TAG_HISTORY_S]
    return [row for one in entries if not tag or one.request.tag == tag for row in one.history]


async def trades(upstox: "LocalUpstox", _request: web.Request, caller: Caller) -> object:
    """The fills of the day."""
    rows = [_trade(upstox, entry, trade) for entry, trade in upstox.journal.trades(caller.user_id)]
    return upstox.laid_rows.over(caller.user_id, "trades", rows)


async def order_trades(upstox: "LocalUpstox", request: web.Request, caller: Caller) -> object:
    """The fills of one order."""
    entry = _named(upstox, caller.user_id, request.query.get("order_id", ""))
    return [_trade(upstox, entry, trade) for trade in entry.trades]


def _trade(upstox: "LocalUpstox", entry: Entry, trade: BrokerTrade) -> Row:
    listing = upstox.venue.listing(entry.key)
    key = "" if listing is None else instrument_key(listing.instrument)
    return trade_row(entry, trade, key, upstox.switches)
