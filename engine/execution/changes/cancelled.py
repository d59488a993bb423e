"""What became of orders whose cancel was asked for, and of the money they held."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from data.repositories.trading.halts import released_since
from data.repositories.trading.requests import refused_cancels
from data.vocabulary import OrderState
from engine.book.kept import Kept
from engine.book.views import OrderView


class CancelledOrder(Struct, frozen=True):
    """An order whose cancel was asked for. `refused` are the broker's words where it did not take the last.

    `released_paise` is what came back to what is available of its client since it was asked for.
    """

    order: OrderView
    released_paise: int
    refused: str

    @property
    def cancelled(self) -> bool:
        """Whether it ended by being cancelled, or never left."""
        return self.order.state is OrderState.CANCELLED


async def read_cancelled(kept: Kept, order_ids: Sequence[int], since: datetime) -> tuple[CancelledOrder, ...]:
    """How these orders stand, whose cancels were asked for at `since` or later."""
    async with kept.store.reader() as reader:
        released = await released_since(reader, order_ids, since)
        refused = await refused_cancels(reader, order_ids)
    orders = [kept.book.orders[order_id] for order_id in order_ids]
    return tuple(
        CancelledOrder(order, released.get(order.id, 0), refused.get(order.id, "")) for order in orders
    )
