"""How Upstox words an answer: envelopes, faults and their codes (developer documentation, "error codes").

Codes choose words only: what became of an order is told by the HTTP status and the route.
"""

from aiohttp import web
from msgspec import Struct

from brokers.simulators.serving.answers import Envelopes, Row, Turned, json_answer


class Fault(Turned):
    """A request that ends in the error envelope; `path` names the field that it is about, if any."""

    def __init__(
        self, code: str, message: str, status: int = 400, *, path: str = "", value: object = None
    ) -> None:
        super().__init__(status, code, message)
        self.path = path
        self.value = value


class WithMetadata(Struct, frozen=True):
    """What a route returns beside its data."""

    data: object
    metadata: Row


SNAKE, CAMEL, BOTH = "snake", "camel", "both"
"""Spellings of an error's fields: the twins in camel case are deprecated and still sent."""


def success(data: object) -> web.Response:
    """The envelope around what a route returns."""
    if isinstance(data, WithMetadata):
        return json_answer(200, {"status": "success", "data": data.data, "metadata": data.metadata})
    return json_answer(200, {"status": "success", "data": data})


UNHEARD_OF = "UDAPI199999"
"""A code that is in no list."""


def failure(turned: Turned, spelling: str = BOTH, *, known_codes: bool = True) -> web.Response:
    """The error envelope; without `known_codes` nothing but its status and its words tells what happened."""
    code = turned.kind if known_codes else UNHEARD_OF
    path, value = (turned.path or None, turned.value) if isinstance(turned, Fault) else (None, None)
    error: Row = {"message": turned.message}
    if spelling in (SNAKE, BOTH):
        error |= {"error_code": code, "property_path": path, "invalid_value": value}
    if spelling in (CAMEL, BOTH):
        error |= {"errorCode": code, "propertyPath": path, "invalidValue": value}
    return json_answer(turned.status, {"status": "error", "errors": [error]})


def invalid(path: str, value: object, message: str = "", code: str = "UDAPI100036") -> Fault:
    """A request refused for a field of it."""
    return Fault(code, message or f"Invalid {path}", path=path, value=value)


def bad_token() -> Turned:
    """The answer to credentials that are not accepted."""
    return Fault("UDAPI100050", "Invalid token used to access API", 401)


def too_many() -> Turned:
    """The answer to one call too many."""
    return Fault("UDAPI10005", "Too Many Request Sent", 429)


def unavailable() -> Turned:
    """The answer while what is behind the front does not answer."""
    return Fault("UDAPI100500", "Something went wrong... please contact us", 503)


def no_such_order(order_id: str) -> Turned:
    """The answer to an id that is none of the user's orders."""
    words = "Unknown Order Id. Please provide a valid order id"
    return Fault("UDAPI100010", words, path="order_id", value=order_id)


def refused(message: str) -> Turned:
    """The answer to what the exchange does not do."""
    return Fault("UDAPI100036", message)


def _broken() -> Turned:
    return Fault("UDAPI100500", "Something went wrong... please contact us", 500)


def _timed_out() -> Turned:
    return Fault("UDAPI100500", "The request has timed out. Please check the order book.", 500)


ENVELOPES = Envelopes(
    success, refused, unavailable, _broken, too_many, bad_token, _timed_out, {"order_ids": []}
)
"""Upstox's answers where no route words one of its own."""
