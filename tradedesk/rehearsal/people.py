"""The clients of a rehearsed firm, and their routes at its broker."""

from collections.abc import Iterator

from brokers.simulators.kite.apps import own_app
from brokers.simulators.kite.serving import BROKER
from brokers.simulators.serving.homes import own_address
from data.vocabulary import ClientStatus, Demat, RouteKind
from engine.access.routes import NewRoute
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from tradedesk.compose.brokers.kite import secrets_of

CASH_PAISE = 50_00_000_00
"""What each client has: enough for an hour's orders."""


def user_of(number: int) -> str:
    """The user id at the broker of the client of this number, from 1."""
    return f"RH{number:05d}"


def group_of(desk: int) -> str:
    """The group of the clients of the desk of this number, from 1."""
    return f"desk{desk}"


def clients_of_firm(desks: int, each: int) -> Iterator[NewClient]:
    """So many clients of each desk, in groups by desk."""
    for number in range(1, desks * each + 1):
        yield NewClient(
            code=user_of(number),
            name=f"Client {number}",
            broker=BROKER,
            broker_user_id=user_of(number),
            status=ClientStatus.ACTIVE,
            capital_paise=CASH_PAISE,
            available_paise=CASH_PAISE,
            groups=(group_of((number - 1) // each + 1),),
        )


async def move_in(desk: Desk, desks: int, each: int) -> None:
    """Lay the firm's clients into empty books, each with an app and an address of its own."""
    await desk.clients.add(list(clients_of_firm(desks, each)))
    secrets = secrets_of(desk)
    for number, client in enumerate(desk.clients.all(), 1):
        api_key, secret = own_app(client.broker_user_id)
        secrets.keep_secret(api_key, secret)
        route = NewRoute(
            RouteKind.OWN,
            api_key,
            bind_address=own_address(number),
            consent="rehearsal",
            demat=Demat.DDPI,
        )
        await desk.routes.set(client.id, route)
    await desk.instruments.refresh(again=True)
