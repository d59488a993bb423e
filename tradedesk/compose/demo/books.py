"""The demonstration's books: its instruments, fifty clients and a watchlist, for an empty home."""

from collections.abc import Mapping

from data.errors import BadInput
from data.records import field_names
from data.reference.seed import DemoClient, demo_clients, demo_lots, universe
from engine.accounts.client_file import NewClient
from engine.accounts.opening_shares import OpeningLot
from engine.desk import Desk
from tradedesk.compose.demo.past import lay_demo_past

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


async def lay_demo_books(desk: Desk, *, shares: bool = True) -> None:
    """Lay instruments, clients with the shares they bring, and watchlist into the books.

    Without `shares` each client has its cash alone.
    """
    await desk.market.store_instruments([row.instrument for row in universe()], "demonstration")
    brought = _brought(desk) if shares else {}
    await desk.clients.add([_new_client(client, brought.get(client.code, ())) for client in demo_clients()])
    if shares:
        await lay_demo_past(desk)
    keys = [f"NSE:{symbol}" for symbol in DEMO_WATCHLIST]
    await desk.watchlists.add_all([key for key in keys if desk.market.index.get(key)])


def _brought(desk: Desk) -> Mapping[str, tuple[OpeningLot, ...]]:
    """What each client brings, by code."""
    found: dict[str, tuple[OpeningLot, ...]] = {}
    for lot in demo_lots():
        instrument = desk.market.index.get(f"NSE:{lot.symbol}")
        if instrument is not None:
            of = (lot.quantity, lot.cost_paise, lot.bought_on, lot.product, lot.loan_paise)
            found[lot.code] = (*found.get(lot.code, ()), OpeningLot(instrument, *of))
    return found


def _new_client(client: DemoClient, shares: tuple[OpeningLot, ...]) -> NewClient:
    names = [name for name in field_names(NewClient) if hasattr(client, name)]
    return NewClient(**{name: getattr(client, name) for name in names}, shares=shares)
