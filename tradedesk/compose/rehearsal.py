"""Rehearsing at a local Kite: the demonstration's clients with routes to it, and their sign-in."""

from collections.abc import Mapping

import aiohttp

from brokers.simulators.kite.apps import own_address, own_app
from data.errors import BadInput
from data.vocabulary import ConnectionKind, Demat, RouteKind
from engine.access.routes import NewRoute
from engine.book.views import ClientView
from engine.desk import Desk
from tradedesk.compose.demonstration import demo_is_wanted, lay_demo_books
from tradedesk.compose.kite import kite_connection, secrets_of


async def prepare_rehearsal(desk: Desk) -> bool:
    """Lay the demonstration into an empty home at a local Kite, with a route for each of its clients there.

    Each has an app of its own, as Zerodha gives them to one client each, and leaves by a loopback address of
    its own, where this system has so many. Raises `BadInput` where the home has other clients.
    """
    if not demo_is_wanted(desk):
        return False
    await lay_demo_books(desk)
    there = kite_connection(desk)
    for client in desk.clients.all():
        if client.connection != there.name:
            continue
        api_key, secret = own_app(client.broker_user_id)
        secrets_of(desk).keep_secret(api_key, secret)
        route = NewRoute(
            RouteKind.OWN,
            api_key,
            bind_address=own_address(client.id),
            consent="demonstration",
            demat=Demat.DDPI,
            mtf_enabled=True,
        )
        await desk.routes.set(client.id, route)
    return True


async def request_token(desk: Desk, client: ClientView) -> str:
    """What the local Kite's login page would hand this client's browser. Raises `BadInput`."""
    there = kite_connection(desk)
    if there.kind is not ConnectionKind.SIM:
        raise BadInput("market", desk.mode, "clients of a live desk sign in themselves")
    if client.connection != there.name:
        raise BadInput("client", client.code, f"this desk has no connection to {client.broker}")
    route = desk.routes.of(client.id)
    if route is None or not route.api_key:
        raise BadInput("client", client.code, "it has no route with an api key; enter one first")
    wanted = {"user_id": client.broker_user_id, "api_key": route.api_key}
    try:
        body = await control(there.address, "request_token", wanted)
    except BadInput as problem:
        raise BadInput("client", client.code, problem.expected) from None
    return str(body["request_token"])


async def control(
    kite_url: str, path: str, wanted: Mapping[str, object] | None = None
) -> Mapping[str, object]:
    """What a local Kite's control endpoint answers to a GET, or to a POST of `wanted`.

    Raises `BadInput` in its words, or where none answers.
    """
    method, body = ("GET", None) if wanted is None else ("POST", dict(wanted))
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.request(method, f"{kite_url}/control/{path}", json=body) as answer,
        ):
            found, status = await answer.json(), answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        expected = f"no local Kite answers there ({type(problem).__name__}); start `tradedesk simulate kite`"
        raise BadInput("kite_url", kite_url, expected) from None
    if status != 200:
        field = str(found.get("field", path))
        words = str(found.get("expected", found.get("error", f"it answers with status {status}")))
        raise BadInput(field, (wanted or {}).get(field, ""), words)
    return found
