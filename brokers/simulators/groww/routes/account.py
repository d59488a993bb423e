"""Signing in, who a user is, and its money."""

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.groww.answers import GrowwFault, success, too_many
from brokers.simulators.groww.books.money import funds_row
from brokers.simulators.groww.forms import read_object
from brokers.simulators.groww.limits import MINTS
from brokers.simulators.groww.names import CASH
from brokers.simulators.groww.routes.answering import check_version
from brokers.simulators.serving.answers import json_answer, stamp
from brokers.simulators.serving.caller import Caller

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww


async def sign_in(groww: "LocalGroww", request: web.Request) -> object:
    """The minting of an access token by a key, whose answer has no envelope."""
    check_version(groww, request)
    api_key = bearer(request)
    if groww.switches.mint_limits and not groww.limits.count(api_key, "mints", MINTS):
        raise too_many()
    session = groww.sessions.mint(api_key, read_object(await request.read()), groww.switches)
    told = {
        "token": groww.sessions.started(session, groww.switches),
        "tokenRefId": groww.sessions.new_token(),
        "sessionName": session.api_key,
        "expiry": stamp(session.ends_at).replace(" ", "T"),
        "isActive": True,
    }
    return success(told) if groww.switches.token_in_payload else json_answer(200, told)


def bearer(request: web.Request) -> str:
    """What a call carries in its `Authorization` header."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text if scheme == "Bearer" else ""


async def profile(groww: "LocalGroww", _request: web.Request, caller: Caller) -> object:
    """Who is signed in; no name is told."""
    return {
        "vendor_user_id": caller.user_id,
        "ucc": caller.user_id,
        "nse_enabled": True,
        "bse_enabled": True,
        "ddpi_enabled": caller.user_id not in groww.switches.without_ddpi,
        "active_segments": [CASH],
    }


async def funds(groww: "LocalGroww", _request: web.Request, caller: Caller) -> object:
    """A client's money."""
    money, opening = await groww.money(caller.user_id)
    payout = await groww.venue.read(partial(groww.exchange.held, caller.user_id))
    return funds_row(money, opening, payout)


async def not_found(_groww: "LocalGroww", request: web.Request) -> object:
    """The answer to an address that there is not."""
    raise GrowwFault("GA004", f"Resource not found: {request.method} {request.path}")
