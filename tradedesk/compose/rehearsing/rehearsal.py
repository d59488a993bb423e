"""Rehearsing at brokers on this machine: the demonstration's clients with routes there, and their sign-in."""

from collections.abc import Mapping, Sequence

import aiohttp

from brokers.connection import Connection
from brokers.simulators.groww import apps as groww_apps
from brokers.simulators.kite import apps as kite_apps
from brokers.simulators.serving.homes import own_address
from brokers.simulators.upstox import apps as upstox_apps
from data.errors import BadInput
from data.vocabulary import ConnectionKind, Demat, RouteKind
from engine.access.routes import NewRoute
from engine.book.views import ClientView
from engine.desk import Desk
from tradedesk.compose.demo.books import demo_is_wanted, lay_demo_books
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA, access_of

_OWN_APPS = {
    ZERODHA: kite_apps.own_app,
    UPSTOX: upstox_apps.own_app,
    GROWW: groww_apps.own_app,
}
"""What the local broker of a word has as a client's own app, by the user id: api key and secret."""


def local_brokers(desk: Desk) -> Sequence[Connection]:
    """A desk's connections to brokers on this machine, the feed first."""
    return [one for one in desk.connections if one.kind is ConnectionKind.SIM]


async def prepare_rehearsal(desk: Desk) -> bool:
    """Lay the demonstration into an empty home, with a route for each client whose broker is on this machine.

    Each has an app of its own, as brokers give them to one client each, and leaves by a loopback address of
    its own, where this system has so many. One that was broken off is gone on with: clients without a route
    get theirs. Returns whether anything was missing; raises `BadInput` where the home has other clients.
    """
    laid = demo_is_wanted(desk)
    if laid:
        await lay_demo_books(desk)
    there = {one.name: one for one in local_brokers(desk)}
    without = [
        one for one in desk.clients.all() if one.connection in there and desk.routes.of(one.id) is None
    ]
    if not laid and not without:
        return False
    for client in without:
        connection = there[client.connection]
        api_key, secret = _OWN_APPS[connection.broker.name](client.broker_user_id)
        access_of(connection).keep_secret(api_key, secret)
        route = NewRoute(
            RouteKind.OWN,
            api_key,
            bind_address=own_address(client.id),
            consent="demonstration",
            demat=Demat.DDPI,
            mtf_enabled=True,
        )
        await desk.routes.set(client.id, route)
    for connection in there.values():
        if connection.broker.name != ZERODHA:  # its keys are in no file of ours, and its own is free to read
            await desk.instruments.refresh(again=True, of=connection)
    return True


async def request_token(desk: Desk, client: ClientView) -> str:
    """What a local broker's sign-in page would hand this client's browser. Raises `BadInput`.

    Empty where nothing is asked of the client, since what is stored with its key signs it in.
    """
    there = next((one for one in desk.connections if one.name == client.connection), None)
    if there is None or there.kind is ConnectionKind.PAPER:
        raise BadInput("client", client.code, f"this desk has no connection to {client.broker}")
    if there.kind is not ConnectionKind.SIM:
        raise BadInput("market", desk.mode, "clients of a live desk sign in themselves")
    route = desk.routes.of(client.id)
    if route is None or not route.api_key:
        raise BadInput("client", client.code, "it has no route with an api key; enter one first")
    if not await desk.sessions.login_url(client.id):
        return ""
    wanted = {"user_id": client.broker_user_id, "api_key": route.api_key}
    try:
        body = await control(there.address, "request_token", wanted)
    except BadInput as problem:
        raise BadInput("client", client.code, problem.expected) from None
    return str(body["request_token"])


async def control(url: str, path: str, wanted: Mapping[str, object] | None = None) -> Mapping[str, object]:
    """What a local broker's control endpoint answers to a GET, or to a POST of `wanted`.

    Raises `BadInput` in its words, or where none answers.
    """
    method, body = ("GET", None) if wanted is None else ("POST", dict(wanted))
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.request(method, f"{url}/control/{path}", json=body) as answer,
        ):
            found, status = await answer.json(), answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        expected = f"no broker of `tradedesk simulate` answers there ({type(problem).__name__}); start it"
        raise BadInput("address", url, expected) from None
    if status != 200:
        field = str(found.get("field", path))
        words = str(found.get("expected", found.get("error", f"it answers with status {status}")))
        raise BadInput(field, (wanted or {}).get(field, ""), words)
    return found


async def check_stands_for(venue: str, url: str) -> None:
    """See that a local broker answers at an address, and that it is this one. Raises `BadInput`."""
    found = (await control(url, "clock")).get("broker", "another program")
    if found != venue:
        raise BadInput("address", url, f"{found} answers there; give the address of a local {venue}")
