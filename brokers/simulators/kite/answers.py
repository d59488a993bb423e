"""How Kite words an answer: the envelopes, the refusals, and the pages that its front sends instead.

Kite Connect documentation, "response structure" and "exceptions and errors".
"""

import json
from typing import Any

from aiohttp import web

Row = dict[str, Any]
"""A JSON object as Kite sends it."""

BARE = web.ResponseKey("bare", bool)
"""Marks an answer that goes out without a content type."""


class Turned(Exception):  # noqa: N818 - an answer, not a failure of the server
    """A request that ends in Kite's error envelope; `status` is the HTTP status, `kind` its `error_type`."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


def bad_input(message: str) -> Turned:
    """A request refused for what it says."""
    return Turned(400, "InputException", message)


def bad_token() -> Turned:
    """A request whose credentials are not accepted."""
    return Turned(403, "TokenException", "Incorrect `api_key` or `access_token`.")


def success(data: object) -> web.Response:
    """The envelope around what a route returns."""
    return _json(200, {"status": "success", "data": data})


def failure(turned: Turned) -> web.Response:
    """The error envelope."""
    body = {"status": "error", "message": turned.message, "data": None, "error_type": turned.kind}
    return _json(turned.status, body)


def page(status: int, title: str) -> web.Response:
    """An HTML page as a gateway sends it, which the official client cannot read."""
    text = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return web.Response(status=status, text=text, content_type="text/html")


def without_content_type(data: object) -> web.Response:
    """The success envelope with its content type left out."""
    answer = success(data)
    answer[BARE] = True
    return answer


async def leave_bare(_request: web.Request, answer: web.StreamResponse) -> None:
    """Take the content type off an answer that is marked so; an aiohttp signal."""
    if answer.get(BARE, False):
        del answer.headers["Content-Type"]


def _json(status: int, body: Row) -> web.Response:
    encoded = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(status=status, body=encoded, content_type="application/json")
