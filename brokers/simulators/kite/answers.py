"""How Kite words an answer: the envelopes and the refusals.

Kite Connect documentation, "response structure" and "exceptions and errors".
"""

from aiohttp import web

from brokers.simulators.serving.answers import Envelopes, Turned, json_answer


def bad_input(message: str) -> Turned:
    """A request refused for what it says."""
    return Turned(400, "InputException", message)


def bad_token() -> Turned:
    """A request whose credentials are not accepted."""
    return Turned(403, "TokenException", "Incorrect `api_key` or `access_token`.")


def too_many() -> Turned:
    """The answer to one call too many."""
    return Turned(429, "NetworkException", "Too many requests")


def unavailable() -> Turned:
    """The answer while what is behind the front does not answer."""
    return Turned(503, "NetworkException", "Request failed (kitetrade-oms).")


def success(data: object) -> web.Response:
    """The envelope around what a route returns."""
    return json_answer(200, {"status": "success", "data": data})


def failure(turned: Turned) -> web.Response:
    """The error envelope."""
    body = {"status": "error", "message": turned.message, "data": None, "error_type": turned.kind}
    return json_answer(turned.status, body)


def _broken() -> Turned:
    return Turned(500, "GeneralException", "Something went wrong. Please try again.")


def _timed_out() -> Turned:
    words = "Order request timed out. Please check the order book and confirm before placing again."
    return Turned(400, "OrderException", words)


ENVELOPES = Envelopes(
    success, bad_input, unavailable, _broken, too_many, bad_token, _timed_out, {"order_id": ""}
)
"""Kite's answers where no route words one of its own."""
