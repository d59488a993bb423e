"""How a simulated broker answers, whatever its envelopes: refusals, gateways' pages, figures, times."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from msgspec import Struct

from data.clock import IST

Row = dict[str, Any]
"""A JSON object as a broker sends it."""

BARE = web.ResponseKey("bare", bool)
"""Marks an answer that goes out without a content type."""


class Turned(Exception):  # noqa: N818 - an answer, not a failure of the server
    """A request that ends in the error envelope.

    `status` is the HTTP status, `kind` the broker's own name for the fault: Kite's `error_type`, Upstox's
    `error_code`.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


class Envelopes(Struct, frozen=True):
    """How one broker wraps what a route returns, and words what no route has decided.

    `empty_place` is the answer to a placed order with the order's id left out.
    """

    success: Callable[[object], web.Response]
    refused: Callable[[str], Turned]
    unavailable: Callable[[], Turned]
    broken: Callable[[], Turned]
    too_many: Callable[[], Turned]
    bad_token: Callable[[], Turned]
    timed_out: Callable[[], Turned]
    empty_place: object


def page(status: int, title: str) -> web.Response:
    """An HTML page as a gateway sends it, which no client can read."""
    text = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return web.Response(status=status, text=text, content_type="text/html")


def text_page(broker: str, body: str) -> web.Response:
    """A page for a person at the local stand-in of a broker; `body` is HTML inside a paragraph."""
    head = f"<!doctype html><meta charset='utf-8'><title>Local {broker}</title><h1>Local {broker}</h1>"
    return web.Response(text=f"{head}<p>{body}</p>", content_type="text/html")


def sign_in_page(broker: str, action: str, hidden: Mapping[str, str], trouble: str) -> web.Response:
    """The page that asks for a user id and posts it to `action` with what it carries hidden."""
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items()
    )
    return text_page(
        broker,
        f"{escape(trouble)}</p><form method='post' action='{action}'>{fields}"
        "<label>User id <input name='user_id' autofocus></label> <button>Sign in</button></form><p>",
    )


def json_answer(status: int, body: Row) -> web.Response:
    """A JSON body as it stands; what JSON does not know, such as a refused number, as text."""
    encoded = json.dumps(body, separators=(",", ":"), default=str).encode()
    return web.Response(status=status, body=encoded, content_type="application/json")


def without_content_type(answer: web.Response) -> web.Response:
    """The same answer with its content type left out."""
    answer[BARE] = True
    return answer


async def leave_bare(_request: web.Request, answer: web.StreamResponse) -> None:
    """Take the content type off an answer that is marked so; an aiohttp signal."""
    if answer.get(BARE, False):
        del answer.headers["Content-Type"]


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of a repeated one the last."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def rupees(paise: int) -> float:
    """Paise as the JSON number that a broker sends."""
    return paise / 100


def stamp(moment: datetime) -> str:
    """A time in 19 characters, Indian time, no zone."""
    return moment.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")
