"""Shares and positions, and the right to sell them."""

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.kite.answers import bad_input
from brokers.simulators.kite.books.portfolio import holding_rows, position_rows
from brokers.simulators.kite.forms import read_conversion, turned_of
from brokers.simulators.serving.answers import read_form
from brokers.simulators.serving.caller import Caller

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


async def holdings(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """What a client holds, with what may be sold of it."""
    released = partial(kite.authorisations.quantity, caller.user_id)
    rows = holding_rows(await kite.priced_day(caller.user_id), released)
    return kite.laid_rows.over(caller.user_id, "holdings", rows)


async def positions(kite: "LocalKite", _request: web.Request, caller: Caller) -> object:
    """What a client's day has come to."""
    rows = position_rows(await kite.priced_day(caller.user_id, held=False))
    return {**rows, "net": kite.laid_rows.over(caller.user_id, "positions", rows["net"])}


async def convert(kite: "LocalKite", request: web.Request, caller: Caller) -> object:
    """Make bought shares of a position go on in another product."""
    form = read_form(await request.read())
    wanted = read_conversion(form)
    refused = await kite.convert(caller.user_id, wanted)
    if refused is not None:
        raise turned_of(refused)
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
