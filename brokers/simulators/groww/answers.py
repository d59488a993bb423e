"""How Groww words an answer: envelopes and the codes of its errors (Trading API documentation, "exceptions").

The documents list the codes; which HTTP status comes with each is inferred, and a switch.
"""

from aiohttp import web

from brokers.simulators.serving.answers import Envelopes, Turned, json_answer

BROKEN, BAD_REQUEST, UNAVAILABLE = "GA000", "GA001", "GA003"
NOT_FOUND, NOT_AUTHORISED, NOT_DONE, DUPLICATE = "GA004", "GA005", "GA006", "GA007"

STATUSES = {
    BROKEN: 500,
    BAD_REQUEST: 400,
    UNAVAILABLE: 503,
    NOT_FOUND: 404,
    NOT_AUTHORISED: 401,
    NOT_DONE: 422,
    DUPLICATE: 409,
}
"""The status that each code is taken to come with."""

PAIRED, ALWAYS_400, ALWAYS_200 = "paired", "400", "200"
"""Which status an error comes with: its code's own, or one for every refusal of a request."""

_OF_REQUESTS = frozenset({BAD_REQUEST, NOT_FOUND, NOT_DONE, DUPLICATE})


class GrowwFault(Turned):
    """A request that ends in the error envelope, with the status of its code unless another is given."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(STATUSES[code] if status is None else status, code, message)


class MintRefused(Turned):
    """A refused sign-in, whose error has the words for a person under a name of its own."""


def success(data: object, status: int = 200) -> web.Response:
    """The envelope around what a route returns."""
    return json_answer(status, {"status": "SUCCESS", "payload": data})


def failure(turned: Turned, statuses: str = PAIRED) -> web.Response:
    """The error envelope; `statuses` is the switch of that name, for refusals of requests."""
    error = {"code": turned.kind, "message": turned.message, "metadata": None}
    if isinstance(turned, MintRefused):
        error["displayMessage"] = turned.message
    status = turned.status
    if turned.kind in _OF_REQUESTS and statuses != PAIRED and not isinstance(turned, MintRefused):
        status = int(statuses)
    return json_answer(status, {"status": "FAILURE", "error": error})


def bad_request(message: str) -> Turned:
    """The answer to a request that cannot be."""
    return GrowwFault(BAD_REQUEST, message)


def refused(message: str) -> Turned:
    """The answer to what the exchange does not do."""
    return GrowwFault(NOT_DONE, message)


def no_such_order() -> Turned:
    """The answer to an id or a reference that is none of the user's orders."""
    return GrowwFault(NOT_FOUND, "The requested order was not found")


def bad_token() -> Turned:
    """The answer to credentials that are not accepted."""
    return GrowwFault(NOT_AUTHORISED, "User not authorised to perform this operation")


def too_many() -> Turned:
    """The answer to one call too many."""
    return GrowwFault(NOT_DONE, "Rate limit exceeded", 429)


def unavailable() -> Turned:
    """The answer while what is behind the front does not answer."""
    return GrowwFault(UNAVAILABLE, "Unable to serve request currently")


def _broken() -> Turned:
    return GrowwFault(BROKEN, "Internal error occurred")


def _timed_out() -> Turned:
    return GrowwFault(BROKEN, "The request has timed out")


ENVELOPES = Envelopes(
    success,
    refused,
    unavailable,
    _broken,
    too_many,
    bad_token,
    _timed_out,
    {"groww_order_id": "", "order_status": "NEW", "order_reference_id": "", "remark": ""},
)
"""Groww's answers where no route words one of its own."""
