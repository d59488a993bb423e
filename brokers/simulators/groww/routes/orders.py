"""Placing, changing and cancelling orders, and the books of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.prices import Listing, Quote
from brokers.simulators.exchange.rms import MAX_MODIFICATIONS, MAX_QUANTITY, check_terms
from brokers.simulators.groww.answers import bad_request, no_such_order, refused
from brokers.simulators.groww.books.rows import status_row, trade_row
from brokers.simulators.groww.forms import (
    Body,
    read_change,
    read_object,
    read_order,
    read_reference,
    read_type,
)
from brokers.simulators.groww.names import CASH, check_segment, find
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.orders.entries import AMO_RECEIVED, OPEN, TRIGGER_PENDING, Entry
from data.records import replace
from data.vocabulary import Product, Side

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

PAGE, MOST_TRADES = 25, 50
"""Rows of a page where none is named, and trades that one holds at most."""


# --- writes ---------------------------------------------------------------------------------------------


async def place(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Take an order; its reference is used up with it, and free again where nothing of it stands."""
    body = read_object(await request.read())
    groww.received["place", caller.user_id, str(body.get("order_reference_id") or "")] += 1
    reference = read_reference(body)
    groww.references.take(caller.user_id, reference)
    try:
        entry = await _place(groww, caller, body)
    except Exception:
        groww.references.give_back(caller.user_id, reference)
        raise
    row = groww.journal.row(entry)
    return {name: row[name] for name in ("groww_order_id", "order_status", "order_reference_id", "remark")}


async def _place(groww: "LocalGroww", caller: Caller, body: Body) -> Entry:
    listing, quote = await _market(groww, body)
    order = read_order(body, listing.instrument, quote.last_paise, groww.switches)
    if order.quantity > MAX_QUANTITY:
        raise bad_request(f"quantity is above the freeze quantity of {MAX_QUANTITY}")
    order = replace(order, after_market=_waits(groww, listing))
    _check_demat(groww, caller.user_id, order)
    against = await groww.venue.check(order, after_market=order.after_market)
    if against is not None:
        raise refused(against.message)
    variety = "amo" if order.after_market else "regular"
    entry = await groww.ways.place(caller.user_id, variety, order, caller.mishap)
    if isinstance(entry, Refused):
        raise refused(entry.message)
    return entry


async def _market(groww: "LocalGroww", body: Body) -> tuple[Listing, Quote]:
    listing = None
    if check_segment(body) == CASH:
        listing = await find(groww.venue, body.get("exchange"), body.get("trading_symbol"))
    if listing is None:
        raise bad_request(f"Invalid trading_symbol: {body.get('trading_symbol')}")
    return listing, (await groww.venue.quotes((listing.instrument.key,)))[listing.instrument.key]


def _waits(groww: "LocalGroww", listing: Listing) -> bool:
    """Whether an order waits for the market to open: no request asks for that."""
    waits = groww.venue.takes_after_market(listing)
    if waits and not groww.switches.amo_by_session:
        raise refused("Orders are not accepted outside market hours")
    return waits


def _check_demat(groww: "LocalGroww", user_id: str, order: OrderRequest) -> None:
    """Shares leave a demat account by this API alone where the client has given the right to it."""
    sold = order.side is Side.SELL and order.product is Product.CNC
    if sold and user_id in groww.switches.without_ddpi:
        raise refused("The sale needs authorisation at the depository (TPIN)")


async def modify(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Ask for a change of a live order."""
    body = read_object(await request.read())
    entry = _standing(groww, caller, body)
    _check_ready(entry, "modified")
    if entry.modifications >= MAX_MODIFICATIONS:
        raise refused("The order has been modified too many times")
    change = await _change(groww, entry, body)
    _check_ready(entry, "modified")  # the market was asked meanwhile
    await groww.ways.modify(entry, change, caller.mishap)
    return _answered(groww, entry)


async def _change(groww: "LocalGroww", entry: Entry, body: Body) -> OrderChange:
    """What a body changes. Raises `Turned`."""
    wanted, now = read_type(body), (entry.order or entry.request).order_type
    if wanted not in (now, entry.request.order_type):
        raise bad_request(f"An order of type {now} cannot become {wanted}")
    change = read_change(body, wanted)
    quote, listing = (await groww.venue.quotes((entry.key,))).get(entry.key), groww.venue.listing(entry.key)
    if quote is None or listing is None:
        raise bad_request("Invalid trading_symbol")
    price = change.price_paise or (entry.order or entry.request).price_paise
    if price is not None:
        quantity = change.quantity or (entry.order or entry.request).quantity
        against = check_terms(quantity, price, listing.instrument, quote)
        if against is not None:
            raise refused(against.message)
    return change


async def cancel(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """Ask for a live order's end."""
    entry = _standing(groww, caller, read_object(await request.read()))
    _check_ready(entry, "cancelled")
    await groww.ways.cancel(entry)
    return _answered(groww, entry)


def _answered(groww: "LocalGroww", entry: Entry) -> Row:
    row = groww.journal.row(entry)
    return {name: row[name] for name in ("groww_order_id", "order_status")}


def _standing(groww: "LocalGroww", caller: Caller, body: Body) -> Entry:
    """The order that a change names."""
    given = str(body.get("groww_order_id") or "")
    groww.received[caller.route, caller.user_id, given] += 1
    return _named(groww, caller.user_id, given, check_segment(body))


def _check_ready(entry: Entry, done: str) -> None:
    if entry.changing or entry.status not in (OPEN, TRIGGER_PENDING, AMO_RECEIVED):
        raise refused(f"The order is {entry.status.lower()} and cannot be {done}")


# --- books ----------------------------------------------------------------------------------------------


def _named(groww: "LocalGroww", user_id: str, given: str, segment: str | None) -> Entry:
    """One of a user's orders that shows already. Raises `Turned`."""
    if not given:
        raise bad_request("groww_order_id is required")
    entry = groww.journal.find(user_id, given)
    if entry is None or entry.hidden_until > groww.clock.monotonic() or segment != CASH:
        raise no_such_order()
    return entry


async def book(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """A page of the day's orders."""
    segment = check_segment(request.query, needed=False)
    entries = groww.journal.book(caller.user_id) if segment in (None, CASH) else []
    rows = [groww.journal.row(entry) for entry in entries]
    shown = groww.laid_rows.over(caller.user_id, "orders", rows)
    if groww.switches.newest_first:
        shown.reverse()
    return {"order_list": page_of(request.query, shown, groww.switches.most_in_page)}


def page_of(query: Mapping[str, str], rows: Sequence[Row], most: int, otherwise: int = PAGE) -> Sequence[Row]:
    """The rows of a page, counted from 0; one that is asked to be larger than it may holds `most`.

    `otherwise` is its size where none is named. Raises `Turned`.
    """
    page, size = _count(query, "page", 0), _count(query, "page_size", otherwise)
    if size < 1:
        raise bad_request("Invalid page_size")
    size = min(size, most)
    return rows[page * size : (page + 1) * size]


def _count(query: Mapping[str, str], name: str, otherwise: int) -> int:
    given = query.get(name)
    if given is None:
        return otherwise
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise bad_request(f"Invalid {name}: {given}")
    return int(given)


def _asked(groww: "LocalGroww", request: web.Request, caller: Caller) -> Entry:
    segment = check_segment(request.query)
    return _named(groww, caller.user_id, request.match_info["groww_order_id"], segment)


async def detail(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """One order as it stands."""
    return groww.journal.row(_asked(groww, request, caller))


async def status(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The short form of one order."""
    return status_row(groww.journal.row(_asked(groww, request, caller)))


async def by_reference(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """The short form of the order of a reference."""
    segment, reference = check_segment(request.query), request.match_info["reference"]
    for entry in groww.journal.book(caller.user_id):
        if segment == CASH and entry.request.tag == reference:
            return status_row(groww.journal.row(entry))
    raise no_such_order()


async def trades(groww: "LocalGroww", request: web.Request, caller: Caller) -> object:
    """A page of the fills of one order, oldest first."""
    entry = _asked(groww, request, caller)
    listing = groww.venue.listing(entry.key)
    isin = "" if listing is None else listing.instrument.isin
    rows = [trade_row(entry, trade, isin, groww.switches) for trade in entry.trades]
    shown = groww.laid_rows.over(caller.user_id, "trades", rows)
    return {"trade_list": page_of(request.query, shown, MOST_TRADES)}
