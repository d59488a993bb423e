"""What a plan looks up of its clients beside the book: instructions of a moment ago, portfolios' values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from data.repositories.accounts.instructions import instructions_between
from data.vocabulary import Side, SizingKind
from engine.book.book import Book
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.market.market_data import MarketData
from engine.planning.intent import Intent
from engine.timing import Timing

REF_KEPT = timedelta(minutes=15)
"""For how long an instruction of a client stands for what is planned for it next."""

_OF_PORTFOLIO = (SizingKind.PERCENT_OF_PORTFOLIO, SizingKind.TARGET_WEIGHT)


class OfClients(Struct, frozen=True):
    """By client: its instruction of a moment ago, and what its portfolio is worth, in paise.

    That is looked up where it is asked for, and is there where every share of it has a young price.
    """

    refs: Mapping[int, str] = {}
    portfolios: Mapping[int, int] = {}


NOT_LOOKED_UP = OfClients()
"""Where nothing of it is needed, as for orders that stand already."""


async def of_clients(
    intent: Intent,
    clients: Sequence[ClientView],
    kept: Kept,
    timing: Timing,
    market_data: MarketData,
    portfolio: Callable[[int], int],
) -> OfClients:
    """Look it up, as far as the intent and the clients need it; prices that are too old are asked for."""
    refs: dict[int, str] = {}
    if not all(client.discretionary for client in clients):
        async with kept.store.reader() as reader:
            now = timing.wall.now()
            refs = await instructions_between(reader, now - REF_KEPT, now)
    if intent.sizing.kind not in _OF_PORTFOLIO:
        return OfClients(refs)
    unpriced = await unpriced_clients(clients, kept, timing, market_data)
    return OfClients(refs, {one.id: portfolio(one.id) for one in clients if one.id not in unpriced})


async def unpriced_clients(
    clients: Iterable[ClientView], kept: Kept, timing: Timing, market_data: MarketData
) -> frozenset[int]:
    """Clients who hold a share without a young price; prices that are too old are asked for first."""
    held = {
        client.id: {holding.key for holding in kept.book.holdings.get(client.id, ()) if holding.quantity}
        for client in clients
    }
    every = {key for keys in held.values() for key in keys}
    if old := {key for key in every if market_data.young_price(key, timing.wall.now()) is None}:
        await market_data.fetch(old)
    now = timing.wall.now()
    unpriced = {key for key in old if market_data.young_price(key, now) is None}
    return frozenset(client_id for client_id, keys in held.items() if keys & unpriced)


def ordered_of(book: Book, client_id: int, key: str) -> int:
    """The shares that a client's live orders of a stock would add, below zero take away."""
    orders = (book.orders[order_id] for order_id in book.orders_of_client.get(client_id, set()) & book.live)
    return sum(order.leaves * (1 if order.side is Side.BUY else -1) for order in orders if order.key == key)
