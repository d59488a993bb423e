"""Requests and attempts beside an order, as a unit of work writes them."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from data.vocabulary import RequestKind, RequestState


class Attempt(Struct, frozen=True, gc=False):
    """One try to send an order, with the tag that the broker will know it by, under a lease of its client."""

    order_id: int
    number: int
    tag: str
    instance_id: int
    claimed_at: datetime
    deadline_at: datetime
    epoch: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """A wish to modify or cancel an order; a modify says what it asks for, None leaves the order's own."""

    order_id: int
    number: int
    kind: RequestKind
    state: RequestState
    why: str
    requested_at: datetime
    quantity: int | None = None
    limit_paise: int | None = None
    trigger_paise: int | None = None
    halt_number: int | None = None
    instance_id: int = 0
    epoch: int = 0

    def asks_for(self, terms: tuple[int, int | None, int | None]) -> bool:
        """Whether these are the quantity, limit and trigger that it asks for."""
        wanted = (self.quantity, self.limit_paise, self.trigger_paise)
        return all(want is None or want == has for want, has in zip(wanted, terms, strict=True))
