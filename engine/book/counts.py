"""What the status strip counts at all times, and which orders are on their way."""

from collections.abc import Collection, Mapping
from typing import Protocol

from msgspec import Struct

from data.vocabulary import OrderState, RunStatus
from engine.book.book import Book
from engine.book.views import OrderView, RunRow


class DeskCounts(Struct, frozen=True):
    """What the status strip shows at all times."""

    live: int
    unsent: int
    unknown: int
    ready: int
    clients: int
    needs_attention: int


class _OfClient(Protocol):
    @property
    def client_id(self) -> int: ...


def desk_counts(book: Book, scope: Collection[int] | None, ready: int) -> DeskCounts:
    """Live, unsent and unknown orders of a scope of clients, its clients, and orders that need the trader."""
    states = [one.state for order_id in book.live if _is_of(one := book.orders[order_id], scope)]
    asking = [order_id for order_id in book.asking() if _is_of(book.orders[order_id], scope)]
    return DeskCounts(
        live=states.count(OrderState.OPEN) + states.count(OrderState.SENDING),
        unsent=states.count(OrderState.RESERVED),
        unknown=states.count(OrderState.UNKNOWN),
        ready=ready,
        clients=len([one for one in book.open_clients() if scope is None or one.id in scope]),
        needs_attention=len(asking)
        + sum(one.order_id is None and _is_of(one, scope) for one in book.unbooked()),
    )


def is_on_its_way(order: OrderView, runs: Mapping[int, RunRow]) -> bool:
    """Whether an order is being sent, or waits for that in a run that goes on."""
    if order.state is not OrderState.RESERVED or order.run_number is None:
        return order.state is OrderState.SENDING
    return runs[order.run_number].status is RunStatus.RUNNING


def _is_of(one: _OfClient, scope: Collection[int] | None) -> bool:
    return scope is None or one.client_id in scope
