"""What stands before and after every route: who calls, its budgets, mishaps, and errors as answers."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerError
from brokers.simulators.exchange.exchange import ExchangeBusy
from brokers.simulators.kite import answers
from brokers.simulators.kite.answers import Turned, bad_input, bad_token
from brokers.simulators.kite.caller import Caller
from brokers.simulators.kite.limits import HISTORY, too_many
from brokers.simulators.kite.mishaps import WRITES, Mishap

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


Handler = Callable[["LocalKite", web.Request, Caller], Awaitable[object]]


MOST_KEYS = {"quote": 500, "ohlc": 1_000, "ltp": 1_000}
"""Instruments that one call may name (Kite Connect documentation)."""


def answering(
    kite: "LocalKite", route: str, handle: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route of somebody who is signed in."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            caller = _admit(kite, request, route)
            if caller.mishap is not None:
                return await spoiled(kite, request, caller, caller.mishap, handle)
            return _answer(await handle(kite, request, caller))
        except Turned as turned:
            return _failure(kite, turned)
        except (BrokerError, sqlite3.Error) as error:
            return answers.failure(_trouble(error))

    return answer


def open_answering(
    kite: "LocalKite", handle: Callable[["LocalKite", web.Request], Awaitable[object]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route that anybody may call."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            _check_version(request)
            return _answer(await handle(kite, request))
        except Turned as turned:
            return _failure(kite, turned)
        except (BrokerError, sqlite3.Error) as error:
            return answers.failure(_trouble(error))

    return answer


def _answer(given: object) -> web.StreamResponse:
    return given if isinstance(given, web.StreamResponse) else answers.success(given)


def _failure(kite: "LocalKite", turned: Turned) -> web.Response:
    if turned.status == 429 and kite.switches.html_429:
        return answers.page(429, "Too Many Requests")
    return answers.failure(turned)


def _trouble(error: Exception) -> Turned:
    if isinstance(error, (ExchangeBusy, sqlite3.Error)):
        return Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
    return bad_input(str(error))


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
            raise _wrong_address(kite, request, bool(allowed))
    return Caller(user_id, api_key, route, kite.mishaps.draw(user_id, route))


def _no_permission() -> Turned:
    return Turned(403, "PermissionException", "Insufficient permission for that call.")


def _wrong_address(kite: "LocalKite", request: web.Request, any_allowed: bool) -> Turned:
    words = f"IP ({request.remote}) is not allowed to place orders for this app."
    if not any_allowed:
        words = "No IPs configured for this app. Add allowed IPs on the developer console."
    return Turned(*kite.switches.address_refusal(), words)


async def spoiled(
    kite: "LocalKite", request: web.Request, caller: Caller, mishap: Mishap, handle: Handler
) -> web.StreamResponse:
    """The answer to a call that a mishap strikes: before it does anything, or after it."""
    if mishap.fault == "gateway_timeout":
        return answers.page(504, "Gateway Time-out")
    if mishap.fault == "bad_gateway":
        return answers.page(502, "Bad Gateway")
    if mishap.fault == "token_expired":
        kite.sessions.end_user(caller.user_id)
    _turn_away(kite, request, mishap)
    data = await handle(kite, request, caller)
    if mishap.fault == "late_answer":
        await kite.clock.sleep(mishap.delay_s)
    if mishap.fault in ("cut_answer", "slow_answer") and isinstance(data, web.Response):
        return await _in_bits(kite, request, data, mishap)
    return _misanswered(request, mishap, data)


def _turn_away(kite: "LocalKite", request: web.Request, mishap: Mishap) -> None:
    """Refuse a call that then does nothing, where the mishap is one of those. Raises `Turned`."""
    match mishap.fault:
        case "unavailable":
            raise Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
        case "server_error":
            raise Turned(500, "GeneralException", "Something went wrong. Please try again.")
        case "rate_limited":
            raise too_many()
        case "wrong_ip":
            raise _wrong_address(kite, request, True)
        case "token_expired":
            raise bad_token()
        case _:
            pass


def _misanswered(request: web.Request, mishap: Mishap, data: object) -> web.StreamResponse:
    """Another answer than what the call did, or that. Raises `Turned`."""
    match mishap.fault:
        case "drop_connection":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        case "timed_out_done":
            words = "Order request timed out. Please check the order book and confirm before placing again."
            raise Turned(400, "OrderException", words)
        case "unavailable_done":
            raise Turned(503, "NetworkException", "Request failed (kitetrade-oms).")
        case "gateway_timeout_done":
            return answers.page(504, "Gateway Time-out")
        case "server_error_done":
            raise Turned(500, "GeneralException", "Something went wrong. Please try again.")
        case "bad_gateway_done":
            return answers.page(502, "Bad Gateway")
        case "null_data":
            return answers.success(None)
        case "no_content_type":
            return answers.without_content_type(data if not isinstance(data, web.StreamResponse) else None)
        case "empty_order_id":
            return answers.success({"order_id": ""})
        case _:
            return _answer(data)


BITS = 20
"""Parts in which a slow answer is sent."""


async def _in_bits(
    kite: "LocalKite", request: web.Request, whole: web.Response, mishap: Mishap
) -> web.StreamResponse:
    """An answer sent bit by bit over the mishap's delay, or its first half and then nothing more."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    answer = web.StreamResponse(headers=whole.headers)
    answer.content_length = len(body)
    await answer.prepare(request)
    size = max(1, -(-len(body) // BITS))
    bits = [body[start : start + size] for start in range(0, len(body), size)]
    if mishap.fault == "cut_answer":
        await answer.write(b"".join(bits[: len(bits) // 2]))
        if request.transport is not None:
            request.transport.close()
        return answer
    for bit in bits:
        await kite.clock.sleep(mishap.delay_s / len(bits))
        await answer.write(bit)
    await answer.write_eof()
    return answer
