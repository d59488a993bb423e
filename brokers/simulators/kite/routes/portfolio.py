"""Shares and positions, and the right to sell them."""

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerTrade, Refused
from brokers.simulators.exchange import conversions
from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.books.portfolio import days_of, holding_rows, position_rows
from brokers.simulators.kite.caller import Caller
from brokers.simulators.kite.forms import read_conversion, read_form, turned_of

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


def _day_trades(kite: "LocalKite", user_id: str) -> list[BrokerTrade]:
    return [trade for entry in kite.journal.book(user_id) for trade in entry.trades]


async def holdings(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """What a client holds, with what may be sold of it."""
    held = await kite.venue.read(partial(kite.exchange.holdings, caller.user_id))
    trades = _day_trades(kite, caller.user_id)
    keys = {f"{row.exchange}:{row.tradingsymbol}" for row in (*held, *trades)}
    quotes = await kite.venue.quotes(keys)
    listings = {key: listing for key in keys if (listing := kite.venue.listing(key)) is not None}
    released = partial(kite.authorisations.quantity, caller.user_id)
    converted = kite.converted[kite.venue.market.trading_day, caller.user_id]
    rows = holding_rows(held, days_of(trades, converted), listings, quotes, released)
    return kite.laid_rows.over(caller.user_id, "holdings", rows)


async def positions(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """What a client's day has come to."""
    trades = _day_trades(kite, caller.user_id)
    keys = {f"{trade.exchange}:{trade.tradingsymbol}" for trade in trades}
    quotes = await kite.venue.quotes(keys)
    listings = {key: listing for key in keys if (listing := kite.venue.listing(key)) is not None}
    converted = kite.converted[kite.venue.market.trading_day, caller.user_id]
    rows = position_rows(trades, listings, quotes, converted)
    return {**rows, "net": kite.laid_rows.over(caller.user_id, "positions", rows["net"])}


async def convert(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Make bought shares of a position go on in another product."""
    form = read_form(await request.read())
    wanted = read_conversion(form)
    done = await kite.venue.write(partial(conversions.convert, kite.exchange, caller.user_id, wanted))
    if isinstance(done, Refused):
        raise turned_of(done)
    kite.converted[kite.venue.market.trading_day, caller.user_id].append(wanted)
    return True


async def authorise(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Open a request for the right to sell shares today."""
    form = await request.post()
    isins, quantities = form.getall("isin", []), form.getall("quantity", [])
    pairs = list(zip(map(str, isins), map(str, quantities), strict=False))
    if len(isins) != len(quantities) or not all(text.isascii() and text.isdigit() for _, text in pairs):
        raise bad_input("Give a `quantity` for every `isin`.")
    asked = {isin: int(text) for isin, text in pairs}
    if not asked:
        shares = await kite.venue.read(partial(kite.exchange.holdings, caller.user_id))
        asked = {row.isin: row.free for row in shares}
    return {"request_id": kite.authorisations.ask(caller.user_id, asked)}
