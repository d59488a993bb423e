"""The pages that a person sees: signing in to an app, and authorising a sale at the depository."""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from yarl import URL

from brokers.simulators.kite.answers import page
from brokers.simulators.kite.forms import read_form

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite


def add_to(app: web.Application, kite: "LocalKite") -> None:
    """Serve the sign-in page, where it leads to for want of an app's own page, and the depository's."""

    async def show(request: web.Request) -> web.StreamResponse:
        return await _sign_in(kite, dict(request.query), request.query.get("user_id", ""))

    async def post(request: web.Request) -> web.StreamResponse:
        form = read_form(await request.read())
        return await _sign_in(kite, {**request.query, **form}, form.get("user_id", ""))

    async def authorise(request: web.Request) -> web.StreamResponse:
        if kite.authorisations.finish(request.match_info["request_id"]):
            return _text("The sale is authorised.")
        return page(404, "No such request")

    app.router.add_get("/connect/login", show)
    app.router.add_post("/connect/login", post)
    app.router.add_get("/connect/finished", _finished)
    app.router.add_get("/connect/portfolio/authorise/holdings/{api_key}/{request_id}", authorise)


async def _sign_in(kite: "LocalKite", given: dict[str, str], user_id: str) -> web.StreamResponse:
    api_key = given.get("api_key", "")
    if not kite.sessions.knows(api_key):
        return page(400, "Invalid api_key")
    user_id = user_id.strip().upper()
    if not user_id:
        return _form(api_key, given.get("redirect_params", ""), "")
    if not await kite.venue.knows(user_id):
        return _form(api_key, given.get("redirect_params", ""), f"There is no user {user_id}.")
    token = kite.sessions.request_token(api_key, user_id)
    query = urlencode({"action": "login", "type": "login", "status": "success", "request_token": token})
    extra = given.get("redirect_params", "")
    target = kite.redirects.get(api_key, f"{kite.url}/connect/finished")
    joint = "&" if urlsplit(target).query else "?"
    url = f"{target}{joint}{query}" + (f"&{extra}" if extra else "")
    raise web.HTTPFound(URL(url, encoded=True))


async def _finished(_request: web.Request) -> web.StreamResponse:
    return _text("Signed in. The address of this page holds the request token.")


def _form(api_key: str, redirect_params: str, trouble: str) -> web.Response:
    hidden = {"api_key": api_key, "redirect_params": redirect_params}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items()
    )
    return _text(
        f"{escape(trouble)}</p><form method='post' action='/connect/login'>{fields}"
        "<label>User id <input name='user_id' autofocus></label> <button>Sign in</button></form><p>"
    )


def _text(body: str) -> web.Response:
    head = "<!doctype html><meta charset='utf-8'><title>Local Kite</title><h1>Local Kite</h1>"
    return web.Response(text=f"{head}<p>{body}</p>", content_type="text/html")
