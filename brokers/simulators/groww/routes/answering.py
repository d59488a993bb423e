"""What stands before and after every route: who calls, its budgets, mishaps, and errors as answers."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.groww.answers import GrowwFault, bad_request, bad_token, too_many
from brokers.simulators.groww.limits import ORDER_ROUTES, budget_of
from brokers.simulators.serving.answering import as_answers, carried_out
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.caller import Caller

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

Handler = Callable[["LocalGroww", web.Request, Caller], Awaitable[object]]
"""Carries out the call of somebody who is let in; returns the data of the answer. Raises `Turned`."""

VERSION = "1.0"
"""What `X-API-VERSION` says."""


def answering(
    groww: "LocalGroww", route: str, handle: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route of somebody who is signed in."""

    async def admitted(request: web.Request) -> object:
        caller = _admit(groww, request, route)
        go = partial(handle, groww, request, caller)
        return await carried_out(groww, request, caller.user_id, caller.mishap, go)

    return as_answers(groww, admitted)


def open_answering(
    groww: "LocalGroww",
    route: str,
    handle: Callable[["LocalGroww", web.Request], Awaitable[object]],
    whose: Callable[[web.Request], str] | None = None,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route that needs no session; `whose` finds the user whom a mishap of it strikes."""

    async def admitted(request: web.Request) -> object:
        user_id = "*" if whose is None else whose(request)
        mishap = groww.mishaps.draw(user_id, route)
        return await carried_out(groww, request, user_id, mishap, partial(handle, groww, request))

    return as_answers(groww, admitted)


def check_version(groww: "LocalGroww", request: web.Request) -> None:
    """Every call names the version of the API, where that is switched on. Raises `Turned`."""
    if groww.switches.version_needed and request.headers.get("X-API-VERSION") != VERSION:
        raise bad_request("X-API-VERSION header is required")


def _admit(groww: "LocalGroww", request: web.Request, route: str) -> Caller:
    """Who calls, counted against the budgets, with the mishap that strikes the call. Raises `Turned`."""
    session = groww.sessions.of_header(request.headers.get("Authorization", ""))
    if session is None:
        raise bad_token()
    check_version(groww, request)
    user_id, switches = session.user_id, groww.switches
    if switches.rate_limits and not groww.limits.count(user_id, *budget_of(route)):
        raise too_many()
    if route in ORDER_ROUTES:
        allowed = switches.static_ips.get(user_id)
        if allowed is not None and request.remote not in allowed:
            raise wrong_address(groww)
    return Caller(user_id, session.api_key, route, groww.mishaps.draw(user_id, route))


def wrong_address(groww: "LocalGroww") -> Turned:
    """The refusal of an order from an address that is not the user's own."""
    status, code = groww.switches.wrong_address()
    if status == 401:
        return bad_token()
    return GrowwFault(code, "The request did not come from the registered static IP address", status)
