"""The pages that a person sees: signing in to an app, and authorising a sale at the depository."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from yarl import URL

from brokers.simulators.serving.answers import page, read_form, sign_in_page, text_page

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite

_NAME, _LOGIN = "Kite", "/connect/login"


def add_to(app: web.Application, kite: "LocalKite") -> None:
    """Serve the sign-in page, where it leads to for want of an app's own page, and the depository's."""

    async def show(request: web.Request) -> web.StreamResponse:
        return await _sign_in(kite, dict(request.query))

    async def post(request: web.Request) -> web.StreamResponse:
        return await _sign_in(kite, {**request.query, **read_form(await request.read())})

    async def authorise(request: web.Request) -> web.StreamResponse:
        if kite.authorisations.finish(request.match_info["request_id"]):
            return text_page(_NAME, "The sale is authorised.")
        return page(404, "No such request")

    app.router.add_get(_LOGIN, show)
    app.router.add_post(_LOGIN, post)
    app.router.add_get("/connect/finished", _finished)
    app.router.add_get("/connect/portfolio/authorise/holdings/{api_key}/{request_id}", authorise)


async def _sign_in(kite: "LocalKite", given: dict[str, str]) -> web.StreamResponse:
    api_key = given.get("api_key", "")
    if not kite.sessions.knows(api_key):
        return page(400, "Invalid api_key")
    user_id = given.get("user_id", "").strip().upper()
    extra = given.get("redirect_params", "")
    if not user_id or not await kite.venue.knows(user_id):
        hidden = {"api_key": api_key, "redirect_params": extra}
        return sign_in_page(_NAME, _LOGIN, hidden, f"There is no user {user_id}." if user_id else "")
    token = kite.sessions.request_token(api_key, user_id)
    query = urlencode({"action": "login", "type": "login", "status": "success", "request_token": token})
    target = kite.redirects.get(api_key, f"{kite.url}/connect/finished")
    joint = "&" if urlsplit(target).query else "?"
    url = f"{target}{joint}{query}" + (f"&{extra}" if extra else "")
    raise web.HTTPFound(URL(url, encoded=True))


async def _finished(_request: web.Request) -> web.StreamResponse:
    return text_page(_NAME, "Signed in. The address of this page holds the request token.")
