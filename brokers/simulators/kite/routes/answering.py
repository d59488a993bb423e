"""What stands before and after every route: who calls, its budgets, mishaps, and errors as answers."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.kite.answers import bad_input, bad_token
from brokers.simulators.kite.limits import HISTORY
from brokers.simulators.serving.answering import as_answers, carried_out
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.mishaps import WRITES

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


Handler = Callable[["LocalKite", web.Request, Caller], Awaitable[object]]


MOST_KEYS = {"quote": 500, "ohlc": 1_000, "ltp": 1_000}
"""Instruments that one call may name (Kite Connect documentation)."""


def answering(
    kite: "LocalKite", route: str, handle: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route of somebody who is signed in."""

    async def admitted(request: web.Request) -> object:
        caller = _admit(kite, request, route)
        go = partial(handle, kite, request, caller)
        return await carried_out(kite, request, caller.user_id, caller.mishap, go)

    return as_answers(kite, admitted)


def open_answering(
    kite: "LocalKite", handle: Callable[["LocalKite", web.Request], Awaitable[object]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route that anybody may call."""

    async def admitted(request: web.Request) -> object:
        _check_version(request)
        return await handle(kite, request)

    return as_answers(kite, admitted)


def _check_version(request: web.Request) -> None:
    if request.headers.get("X-Kite-Version") != "3":
        raise bad_input("Missing or invalid `X-Kite-Version` header.")


def _admit(kite: "LocalKite", request: web.Request, route: str) -> Caller:
    """Who calls, counted against the budgets, with the mishap that strikes the call. Raises `Turned`."""
    _check_version(request)
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    api_key, _, token = credentials.partition(":")
    user_id = kite.sessions.user_of(api_key, token) if scheme == "token" else None
    if user_id is None:
        raise bad_token()
    writes = route in WRITES
    if not kite.switches.carries(api_key, history=route == HISTORY) and route in (HISTORY, *MOST_KEYS):
        raise _no_permission()
    if kite.switches.rate_limits:
        if writes:
            kite.limits.count_order(user_id, cool_down=kite.switches.cool_down)
        else:
            kind = "quote" if route in MOST_KEYS else route if route == HISTORY else "other"
            kite.limits.count_call(api_key, kind)
    if writes:
        allowed = kite.switches.static_ips.get(user_id)
        if allowed is not None and request.remote not in allowed:
            raise wrong_address(kite, request, any_allowed=bool(allowed))
    return Caller(user_id, api_key, route, kite.mishaps.draw(user_id, route))


def _no_permission() -> Turned:
    return Turned(403, "PermissionException", "Insufficient permission for that call.")


def wrong_address(kite: "LocalKite", request: web.Request, *, any_allowed: bool) -> Turned:
    """The refusal of an order from an address that its app does not allow."""
    words = f"IP ({request.remote}) is not allowed to place orders for this app."
    if not any_allowed:
        words = "No IPs configured for this app. Add allowed IPs on the developer console."
    return Turned(*kite.switches.address_refusal(), words)
