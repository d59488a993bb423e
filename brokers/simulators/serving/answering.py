"""What becomes of a call: its answer in the broker's envelopes, or what a mishap makes of it."""

import sqlite3
from collections.abc import Awaitable, Callable

from aiohttp import web

from brokers.contract import BrokerError
from brokers.simulators.exchange.exchange import ExchangeBusy
from brokers.simulators.serving.answers import Turned, page, without_content_type
from brokers.simulators.serving.mishaps import Mishap
from brokers.simulators.serving.server import AnySimulatedBroker

Go = Callable[[], Awaitable[object]]
"""Carries a call out; returns what its route answers."""

BITS = 20
"""Parts in which a slow answer is sent."""


def as_answers(
    broker: AnySimulatedBroker, handle: Callable[[web.Request], Awaitable[object]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route whose data, and whatever is raised on the way to it, goes out in the broker's envelopes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            data = await handle(request)
            return data if isinstance(data, web.StreamResponse) else broker.envelopes.success(data)
        except Turned as turned:
            return broker.failure(turned)
        except (ExchangeBusy, sqlite3.Error):
            return broker.failure(broker.envelopes.unavailable())
        except BrokerError as error:
            return broker.failure(broker.envelopes.refused(str(error)))

    return answer


async def carried_out(
    broker: AnySimulatedBroker, request: web.Request, user_id: str, mishap: Mishap | None, go: Go
) -> object:
    """What a call comes to; a mishap strikes before it does anything, or after it. Raises `Turned`."""
    if mishap is None:
        return await go()
    await request.read()  # it came whole, and is carried out though its caller goes away meanwhile
    match mishap.fault:
        case "frozen":
            until = mishap.until
            await broker.clock.sleep(mishap.delay_s if until is None else until - broker.clock.monotonic())
        case "gateway_timeout":
            return page(504, "Gateway Time-out")
        case "bad_gateway":
            return page(502, "Bad Gateway")
        case "unavailable":
            raise broker.envelopes.unavailable()
        case "server_error":
            raise broker.envelopes.broken()
        case "rate_limited":
            raise broker.envelopes.too_many()
        case "wrong_ip":
            raise broker.wrong_address(request)
        case "token_expired":
            broker.sessions.end_user(user_id)
            raise broker.envelopes.bad_token()
        case _:
            pass
    data = await go()
    if mishap.fault == "late_answer":
        await broker.clock.sleep(mishap.delay_s)
    if mishap.fault in ("cut_answer", "slow_answer") and isinstance(data, web.Response):
        return await _in_bits(broker, request, data, mishap)
    return _misanswered(broker, request, mishap.fault, data)


def _misanswered(
    broker: AnySimulatedBroker, request: web.Request, fault: str, data: object
) -> web.StreamResponse:
    """Another answer than what the call did, or that. Raises `Turned`."""
    words = broker.envelopes
    match fault:
        case "drop_connection":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        case "timed_out_done":
            raise words.timed_out()
        case "unavailable_done":
            raise words.unavailable()
        case "gateway_timeout_done":
            return page(504, "Gateway Time-out")
        case "server_error_done":
            raise words.broken()
        case "bad_gateway_done":
            return page(502, "Bad Gateway")
        case "null_data":
            return words.success(None)
        case "no_content_type":
            return without_content_type(words.success(None if isinstance(data, web.Response) else data))
        case "empty_order_id":
            return words.success(words.empty_place)
        case _:
            return data if isinstance(data, web.StreamResponse) else words.success(data)


async def _in_bits(
    broker: AnySimulatedBroker, request: web.Request, whole: web.Response, mishap: Mishap
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
        await broker.clock.sleep(mishap.delay_s / len(bits))
        await answer.write(bit)
    await answer.write_eof()
    return answer
