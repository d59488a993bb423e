"""The sign-in dialog of an app, which leads a browser back with a code (documentation, "authorize")."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from yarl import URL

from brokers.simulators.serving.answers import Turned, read_form, sign_in_page, text_page
from brokers.simulators.upstox.answers import Fault
from brokers.simulators.upstox.sessions import unknown_app

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox

DIALOG = "/v2/login/authorization/dialog"
_NAME = "Upstox"
_HIDDEN = ("response_type", "client_id", "redirect_uri", "state")


def add_to(app: web.Application, upstox: "LocalUpstox") -> None:
    """Serve the dialog, and where it leads to for want of an app's own page."""

    async def show(request: web.Request) -> web.StreamResponse:
        return await _answer(upstox, dict(request.query))

    async def post(request: web.Request) -> web.StreamResponse:
        return await _answer(upstox, {**request.query, **read_form(await request.read())})

    app.router.add_get(DIALOG, show)
    app.router.add_post(DIALOG, post)
    app.router.add_get("/finished", _finished)


async def _answer(upstox: "LocalUpstox", given: dict[str, str]) -> web.StreamResponse:
    try:
        return await _sign_in(upstox, given)
    except Turned as turned:
        return upstox.failure(turned)


async def _sign_in(upstox: "LocalUpstox", given: dict[str, str]) -> web.StreamResponse:
    client_id, target = given.get("client_id", ""), given.get("redirect_uri", "")
    registered = upstox.redirects.get(client_id)
    if not upstox.sessions.knows(client_id) or not target or registered not in (None, target):
        raise unknown_app()
    if given.get("response_type") != "code":
        raise Fault("UDAPI100036", "Invalid response_type", path="response_type")
    user_id = given.get("user_id", "").strip().upper()
    if not user_id or not await upstox.venue.knows(user_id):
        hidden = {name: given[name] for name in _HIDDEN if name in given}
        return sign_in_page(_NAME, DIALOG, hidden, f"There is no user {user_id}." if user_id else "")
    query = {"code": upstox.sessions.request_token(client_id, user_id, target)}
    if "state" in given:
        query["state"] = given["state"]
    joint = "&" if urlsplit(target).query else "?"
    raise web.HTTPFound(URL(f"{target}{joint}{urlencode(query)}", encoded=True))


async def _finished(_request: web.Request) -> web.StreamResponse:
    return text_page(_NAME, "Signed in. The address of this page holds the code.")
