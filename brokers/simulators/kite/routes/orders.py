"""Placing, changing and cancelling orders: what Kite checks before it answers."""

from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.prices import Listing, protected_price
from brokers.simulators.exchange.rms import MAX_MODIFICATIONS, MAX_QUANTITY, check_terms
from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.forms import Form, read_change, read_order, read_protection, turned_of
from brokers.simulators.serving.answers import Row, Turned, read_form
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.orders.entries import AMO_RECEIVED, OPEN, TRIGGER_PENDING, Entry
from data.records import replace
from data.vocabulary import OrderType, Product, Side

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite

MOST_SLICES = 10
"""Into so many orders Kite slices one at most (`autoslice`, since April 2026)."""


def unknown_order() -> Turned:
    """The answer to an id that is none of the user's orders."""
    return bad_input("Couldn't find that `order_id`.")


async def place(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Take an order, or several slices of one."""
    variety = request.match_info["variety"]
    form = read_form(await request.read())
    kite.received["place", caller.user_id, form.get("tag", "")] += 1
    if kite.switches.rate_limits:
        kite.limits.count_placement(caller.user_id, kite.venue.market.trading_day.isoformat())
    order = read_order(form, variety)
    listing = await _check_market(kite, order)
    of_demat = _of_demat(kite, caller.user_id, order)
    if of_demat and not kite.switches.consent(caller.user_id):
        kite.authorisations.check(caller.user_id, listing.instrument.isin, of_demat)
    answer = await _place_whole(kite, caller, variety, order, form, listing)
    if of_demat:
        kite.authorisations.use(caller.user_id, listing.instrument.isin, of_demat)
    return answer


async def _place_whole(
    kite: "LocalKite", caller: Caller, variety: str, order: OrderRequest, form: Form, listing: Listing
) -> object:
    freeze = kite.switches.freeze_quantities.get(listing.instrument.key, MAX_QUANTITY)
    if form.get("autoslice", "").lower() == "true":
        return await _place_slices(kite, caller, variety, order, freeze, listing.instrument.lot_size)
    if order.quantity > freeze:
        words = f"Quantity {order.quantity} is above the freeze quantity of {freeze} for one order."
        raise bad_input(words)
    return {"order_id": await _place_one(kite, caller, variety, order)}


async def _place_one(kite: "LocalKite", caller: Caller, variety: str, order: OrderRequest) -> str:
    refused = await kite.venue.check(order, after_market=order.after_market)
    if refused is not None:
        raise turned_of(refused)
    entry = await kite.ways.place(caller.user_id, variety, order, caller.mishap)
    if isinstance(entry, Refused):
        raise turned_of(entry)
    return entry.order_id


async def _place_slices(
    kite: "LocalKite", caller: Caller, variety: str, order: OrderRequest, freeze: int, lot_size: int
) -> object:
    """Slices of at most the freeze quantity; the first stands as their parent."""
    size = max(1, freeze // lot_size) * lot_size
    if order.quantity <= freeze:
        raise bad_input(f"Quantity should be greater than or equal to {2 * size} for order slicing.")
    if order.quantity > size * MOST_SLICES:
        raise bad_input(f"At most {MOST_SLICES} slices of {size} are allowed.")
    parts = [min(size, order.quantity - start) for start in range(0, order.quantity, size)]
    placed: list[Row] = []
    for part in parts:
        try:
            order_id = await _place_one(kite, caller, variety, replace(order, quantity=part))
            placed.append({"order_id": order_id})
        except Turned as turned:
            if not placed:
                raise
            error = {
                "code": turned.status,
                "error_type": turned.kind,
                "message": turned.message,
                "data": None,
            }
            placed.append({"error": error})
    if kite.switches.autoslice_flat:
        return placed
    return {"order_id": placed[0]["order_id"], "children": placed[1:]}


async def _check_market(kite: "LocalKite", order: OrderRequest) -> Listing:
    key = f"{order.exchange}:{order.tradingsymbol}"
    listing = kite.venue.listing(key) or (await kite.venue.listings()).get(key)
    if listing is None:
        raise bad_input(f"The instrument {key} does not exist.")
    if order.after_market and not kite.venue.takes_after_market(listing):
        raise bad_input("After market orders are not accepted while the market is open.")
    return listing


def _of_demat(kite: "LocalKite", user_id: str, order: OrderRequest) -> int:
    """How many shares of a sale leave the demat account: what was bought today never reached it."""
    if order.side is not Side.SELL or order.product is not Product.CNC:
        return 0
    traded = [
        trade.quantity if trade.side is Side.BUY else -trade.quantity
        for entry in kite.journal.book(user_id)
        for trade in entry.trades
        if trade.product is Product.CNC and trade.tradingsymbol == order.tradingsymbol
    ]
    return max(0, order.quantity - max(0, sum(traded)))


async def modify(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Ask for a change of a live order."""
    form = read_form(await request.read())
    entry = await _entry(kite, request, caller, "modified")
    if entry.modifications >= MAX_MODIFICATIONS:
        raise Turned(400, "NetworkException", "Maximum allowed order modifications exceeded.")
    change = await _change(kite, entry, form)
    await _check_change(kite, entry, change)
    _check_ready(entry, "modified")  # the market was asked meanwhile
    await kite.ways.modify(entry, change, caller.mishap)
    return {"order_id": entry.order_id}


async def _change(kite: "LocalKite", entry: Entry, form: Form) -> OrderChange:
    change = read_change(form)
    if entry.status == TRIGGER_PENDING and entry.request.order_type is OrderType.SL_M:
        read_protection(form)
    now = entry.request.order_type if entry.order is None else entry.order.order_type
    wanted = form.get("order_type") or now.value
    if wanted in (now.value, entry.request.order_type.value):
        return change
    if wanted != OrderType.MARKET.value or now is not OrderType.LIMIT or entry.order is None:
        raise bad_input(f"An order of type {now} cannot become {wanted}.")
    bps = read_protection(form)
    quote = (await kite.venue.quotes((entry.key,)))[entry.key]
    listing = kite.venue.listing(entry.key)
    tick = 1 if listing is None else listing.instrument.tick_paise
    return replace(change, price_paise=protected_price(quote, entry.request.side is Side.BUY, bps, tick))


async def _check_change(kite: "LocalKite", entry: Entry, change: OrderChange) -> None:
    """Refuse at once what no market would take; the rest shows as NOT MODIFIED."""
    price = change.price_paise or (entry.order or entry.request).price_paise
    quote = (await kite.venue.quotes((entry.key,))).get(entry.key)
    listing = kite.venue.listing(entry.key)
    if price is None or quote is None or listing is None:
        return
    quantity = change.quantity or (entry.order or entry.request).quantity
    refused = check_terms(quantity, price, listing.instrument, quote)
    if refused is not None:
        raise turned_of(refused)


async def cancel(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Ask for a live order's end; the answer says only that it was asked."""
    entry = await _entry(kite, request, caller, "cancelled")
    await kite.ways.cancel(entry)
    return {"order_id": entry.order_id}


async def _entry(kite: "LocalKite", request: web.Request, caller: Caller, done: str) -> Entry:
    """The order that a change names, if it stands and its variety is the one it goes by now."""
    order_id = request.match_info["order_id"]
    kite.received[caller.route, caller.user_id, order_id] += 1
    entry = kite.journal.find(caller.user_id, order_id)
    if entry is None:
        raise unknown_order()
    if request.match_info["variety"] != ("amo" if entry.status == AMO_RECEIVED else "regular"):
        await kite.clock.sleep(kite.delays.wrong_variety_s)
        raise Turned(503, "NetworkException", "No response from the OMS. Please check the order book.")
    _check_ready(entry, done)
    return entry


def _check_ready(entry: Entry, done: str) -> None:
    if entry.changing or entry.status not in (OPEN, TRIGGER_PENDING, AMO_RECEIVED):
        raise bad_input(f"Order cannot be {done} as it is being processed. Try later.")
