"""The demonstration's books: its instruments, fifty clients and a watchlist, for an empty home."""

from data.errors import BadInput
from data.records import field_names
from data.reference.seed import demo_clients, universe
from engine.accounts.client_file import NewClient
from engine.desk import Desk

DEMO_WATCHLIST = (
    "RELIANCE",
    "TCS",
    "INFY",
    "HDFCBANK",
    "ICICIBANK",
    "SBIN",
    "BHARTIARTL",
    "ITC",
    "LT",
    "KOTAKBANK",
    "HINDUNILVR",
    "MARUTI",
    "SUNPHARMA",
    "TITAN",
    "RIIL",
)
"""What the watchlist shows first."""


def demo_is_wanted(desk: Desk) -> bool:
    """Whether the home is empty, rather than the demonstration's already. Raises `BadInput` for another."""
    codes = {client.code for client in desk.clients.all()}
    if codes and not codes >= {client.code for client in demo_clients()}:
        raise BadInput(
            "home", str(desk.home), "it holds clients of its own; set TRADEDESK_HOME to an empty folder"
        )
    return not codes


async def lay_demo_books(desk: Desk) -> None:
    """Lay instruments, clients and watchlist into the books."""
    await desk.market.store_instruments([row.instrument for row in universe()], "demonstration")
    await desk.clients.add([_new_client(client) for client in demo_clients()])
    keys = [f"NSE:{symbol}" for symbol in DEMO_WATCHLIST]
    await desk.watchlists.add_all([key for key in keys if desk.market.index.get(key)])


def _new_client(client: object) -> NewClient:
    names = [name for name in field_names(NewClient) if hasattr(client, name)]
    return NewClient(**{name: getattr(client, name) for name in names})
