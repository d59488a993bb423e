"""The page of an account's API keys, where a person approves one for the day (documentation, "approval")."""

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.simulators.serving.answers import read_form, sign_in_page, text_page

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

PATH = "/trade-api/api-keys"
_NAME = "Groww"


def add_to(app: web.Application, groww: "LocalGroww") -> None:
    """Serve the page and what its buttons post."""

    async def show(request: web.Request) -> web.StreamResponse:
        return await _page(groww, request.query.get("user_id", ""))

    async def post(request: web.Request) -> web.StreamResponse:
        form = read_form(await request.read())
        user_id, api_key = form.get("user_id", ""), form.get("api_key", "")
        key = groww.sessions.keys.get(api_key)
        if key is not None and key.user_id == user_id:
            groww.sessions.approve(api_key)
        return await _page(groww, user_id)

    app.router.add_get(PATH, show)
    app.router.add_post(PATH, post)


async def _page(groww: "LocalGroww", given: str) -> web.StreamResponse:
    user_id = given.strip().upper()
    if not user_id or not await groww.venue.knows(user_id):
        return sign_in_page(_NAME, PATH, {}, f"There is no user {user_id}." if user_id else "")
    keys = [key for key, one in groww.sessions.keys.items() if one.user_id == user_id]
    return text_page(_NAME, "</p><p>".join(_row(groww, user_id, key) for key in keys))


def _row(groww: "LocalGroww", user_id: str, api_key: str) -> str:
    kind = groww.sessions.keys[api_key].kind
    if groww.sessions.is_approved(api_key):
        return f"{escape(api_key)} ({kind}) is approved for today."
    return (
        f"<form method='post' action='{PATH}'>{escape(api_key)} ({kind}) "
        f'<input type="hidden" name="user_id" value="{escape(user_id)}">'
        f'<input type="hidden" name="api_key" value="{escape(api_key)}">'
        "<button>Approve for today</button></form>"
    )
