"""How far an order was priced anew, and the one way in which that goes on: for a flatten, for a chase."""

from dataclasses import dataclass

from data.errors import BadInput
from data.vocabulary import OrderState
from engine.book.halt_scope import Passes
from engine.book.views import OrderView
from engine.execution.changes.modifies import Changer
from engine.execution.changes.terms import ModifyWish
from engine.execution.looking import NoChanges
from engine.refusals import Refusal
from engine.rules import MOST_REPRICES


@dataclass(slots=True)
class Pricing:
    """One order's limit as it is moved on.

    `since_s` is from when on it stands, by the monotonic clock; it is moved `most` times at the utmost.
    """

    limit_paise: int = 0
    since_s: float = 0.0
    moved: int = 0
    most: int = MOST_REPRICES

    @property
    def spent(self) -> bool:
        """Whether it may not be moved again."""
        return self.moved >= self.most

    @property
    def is_last(self) -> bool:
        """Whether the next move is the last one."""
        return self.moved >= self.most - 1

    def is_due(self, order: OrderView, now_s: float, every_s: float) -> bool:
        """Whether its limit has stood for so long, and may be changed now."""
        return order.state is OrderState.OPEN and not order.modifying and now_s - self.since_s >= every_s

    async def move(
        self,
        changer: Changer | NoChanges,
        order: OrderView,
        wish: ModifyWish,
        now_s: float,
        passes: Passes | None = None,
        newest_halt: int | None = None,
    ) -> BadInput | Refusal | None:
        """Ask for the limit of an order to be changed as wished, which stands as given, or else it is not.

        Returns what speaks against it, if anything does. `passes` and `newest_halt` are as of
        `Changer.change`. Raises `StoreError`.
        """
        try:
            await changer.change(order.id, wish, passes, order, newest_halt)
        except (BadInput, Refusal) as problem:
            return problem
        self.limit_paise, self.since_s = wish.change.price_paise or self.limit_paise, now_s
        self.moved += 1
        return None
