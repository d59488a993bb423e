"""Facts about orders: how our calls ended, what the broker says, what its silence proves.

A fact is never refused; `apply` books it.
"""

from datetime import datetime

from msgspec import Struct

from brokers.contract import BrokerOrder, BrokerTrade, Outcome


class SendEnded(Struct, frozen=True):
    """How one attempt to send an order ended."""

    order_id: int
    outcome: Outcome


class CancelEnded(Struct, frozen=True):
    """How one cancel call ended; it frees nothing by itself."""

    order_id: int
    number: int
    outcome: Outcome


class ChangeEnded(Struct, frozen=True):
    """How one modify call ended. What the order has become is the order book's to say."""

    order_id: int
    number: int
    outcome: Outcome


class Seen(Struct, frozen=True):
    """What the broker says of one order of a client, with the trades it told.

    `read_at` is when the read of its order book began; None for an update of the stream.
    """

    client_id: int
    order: BrokerOrder
    trades: tuple[BrokerTrade, ...] = ()
    read_at: datetime | None = None


class ProvenAbsent(Struct, frozen=True):
    """An UNKNOWN order that the broker provably never had; `evidence` says how that is known."""

    order_id: int
    evidence: str


class ChangeAbsent(Struct, frozen=True):
    """A modify in doubt that the broker provably never carried out."""

    order_id: int
    number: int
    evidence: str


class InDoubt(Struct, frozen=True):
    """An order that no reading settles: it goes to the trader, with the evidence there is."""

    order_id: int
    evidence: str


Fact = SendEnded | CancelEnded | ChangeEnded | Seen | ProvenAbsent | ChangeAbsent | InDoubt


class Applied(Struct, frozen=True):
    """What a batch left to do: clients whose books must be read, and orders that are not ours, by client.

    `booked_external` are external orders, by client and broker's id, that now stand among ours.
    """

    read_again: frozenset[int]
    external: tuple[tuple[int, BrokerOrder], ...]
    booked_external: frozenset[tuple[int, str]] = frozenset()
