"""What stands before and after every route: who calls, its budgets, mishaps, and errors as answers."""

from collections.abc import Awaitable, Callable
from datetime import time
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.serving.answering import as_answers, carried_out
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.mishaps import WRITES
from brokers.simulators.upstox import limits
from brokers.simulators.upstox.answers import Fault, bad_token, too_many
from data.clock import IST

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

Handler = Callable[["LocalUpstox", web.Request, Caller], Awaitable[object]]
"""Carries out the call of somebody who is let in; returns the data of the answer. Raises `Turned`."""

OPENS = time(5, 30)
"""When orders and funds are served again after midnight, in India."""

BLOCKED = "1010"
"""The kind of a refusal that is the front's own, a page without an envelope."""

_LIBRARIES = ("python-requests/", "python-urllib3/", "python-httpx/", "python/", "aiohttp/")


def answering(
    upstox: "LocalUpstox", route: str, handle: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route of somebody who is signed in."""

    async def admitted(request: web.Request) -> object:
        caller = _admit(upstox, request, route)
        go = partial(handle, upstox, request, caller)
        return await carried_out(upstox, request, caller.user_id, caller.mishap, go)

    return as_answers(upstox, admitted)


def open_answering(
    upstox: "LocalUpstox",
    route: str,
    handle: Callable[["LocalUpstox", web.Request], Awaitable[object]],
    whose: Callable[[web.Request], Awaitable[str]] | None = None,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route that anybody may call; `whose` finds the user whom a mishap of it strikes."""

    async def admitted(request: web.Request) -> object:
        _check_agent(upstox, request)
        user_id = "*" if whose is None else await whose(request)
        mishap = upstox.mishaps.draw(user_id, route)
        return await carried_out(upstox, request, user_id, mishap, partial(handle, upstox, request))

    return as_answers(upstox, admitted)


def _check_agent(upstox: "LocalUpstox", request: web.Request) -> None:
    """The front turns away a library's own name, where that is switched on."""
    agent = request.headers.get("User-Agent", "").lower()
    if upstox.switches.refuse_bare_agents and (not agent or agent.startswith(_LIBRARIES)):
        raise Turned(403, BLOCKED, "Access denied")


def _admit(upstox: "LocalUpstox", request: web.Request, route: str) -> Caller:
    """Who calls, counted against the budgets, with the mishap that strikes the call. Raises `Turned`."""
    _check_agent(upstox, request)
    session = upstox.sessions.of_header(request.headers.get("Authorization", ""))
    if session is None:
        raise bad_token()
    writes = route in WRITES
    if upstox.switches.rate_limits:
        shared = upstox.switches.shared_order_budget
        budget = "writes" if writes and shared else route
        if not upstox.limits.count(session.user_id, budget, limits.ORDERS if writes else limits.OTHERS):
            raise too_many()
    _check_hours(upstox, route)
    if writes:
        allowed = upstox.switches.static_ips.get(session.user_id)
        if allowed is not None and request.remote not in allowed:
            raise wrong_address(upstox, any_allowed=bool(allowed))
        _check_algo(upstox, request, session.api_key)
    return Caller(session.user_id, session.api_key, route, upstox.mishaps.draw(session.user_id, route))


def _check_hours(upstox: "LocalUpstox", route: str) -> None:
    if upstox.venue.market.now().astimezone(IST).time() >= OPENS:
        return
    if route in WRITES and upstox.switches.order_hours:
        words = "Orders are accepted between 5:30 AM and 11:59 PM."
        raise Fault("UDAPI100074", words, 423)
    if route == "funds" and upstox.switches.funds_hours:
        words = "The Funds service is accessible from 5:30 AM to 12:00 AM IST daily."
        raise Fault("UDAPI100072", words, 423)


def _check_algo(upstox: "LocalUpstox", request: web.Request, api_key: str) -> None:
    """An app that is approved for algos names one of them; any other names none."""
    approved = upstox.switches.algo_names.get(api_key)
    name = request.headers.get("X-Algo-Name")
    if (approved is None and name is not None) or (approved is not None and name not in approved):
        raise Fault("UDAPI1156", "The algo name is not approved for this app", path="X-Algo-Name", value=name)


def wrong_address(upstox: "LocalUpstox", *, any_allowed: bool) -> Turned:
    """The refusal of an order from an address that is not the user's own."""
    status, code = upstox.switches.wrong_address()
    if code != "UDAPI1154":
        return bad_token()
    words = "The request origin does not match the static IP" if any_allowed else "No static IP configured"
    return Fault(code, words, status)


async def signing_in(upstox: "LocalUpstox", request: web.Request) -> str:
    """The user whose code a posted form holds, for mishaps of the sign-in."""
    form = await request.post()
    return upstox.sessions.asks_for(str(form.get("client_id", "")), str(form.get("code", "")))
