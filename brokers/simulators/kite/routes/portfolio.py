"""Shares and positions, and the right to sell them."""

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerTrade
from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.books.portfolio import holding_rows, position_rows
from brokers.simulators.kite.caller import Caller

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
    rows = holding_rows(held, trades, listings, quotes, partial(kite.authorisations.quantity, caller.user_id))
    return kite.laid_rows.over(caller.user_id, "holdings", rows)


async def positions(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """What a client's day has come to."""
    trades = _day_trades(kite, caller.user_id)
    keys = {f"{trade.exchange}:{trade.tradingsymbol}" for trade in trades}
    quotes = await kite.venue.quotes(keys)
    listings = {key: listing for key in keys if (listing := kite.venue.listing(key)) is not None}
    rows = position_rows(trades, listings, quotes)
    return {**rows, "net": kite.laid_rows.over(caller.user_id, "positions", rows["net"])}


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
