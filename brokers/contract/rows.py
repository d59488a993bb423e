"""The rows of a broker's book, with those that could not be taken beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

from msgspec import Struct

T = TypeVar("T")


class UnreadRow(Struct, frozen=True):
    """A row of a book that the adapter could not take; `words` say which and why.

    Of an order as much as could be read: its id, or empty, and whether it may still trade.
    """

    words: str
    broker_order_id: str = ""
    may_live: bool = False


class PassedOver(Struct, frozen=True):
    """A live order in a segment or a product that the desk does not trade, in words such as `NFO NRML`."""

    broker_order_id: str
    what: str
    tradingsymbol: str
    side: str
    quantity: int


@dataclass(frozen=True, slots=True)
class BrokerRows(Sequence[T]):
    """The rows of a book that could be taken, as a sequence, and what of it is not among them.

    One odd row hides no other. While there are unread ones nothing is proven absent by the book.
    """

    taken: tuple[T, ...] = ()
    unread: tuple[UnreadRow, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """A row that could be taken."""
        return self.taken[index]

    def __len__(self) -> int:
        """How many could be taken."""
        return len(self.taken)
