"""The state of an order as one pure table: what each event makes of each state.

Commands (claim, free) may be refused. Facts from the broker never are: one that should not be possible
is booked and flagged. `docs/order_states.md` is made from what stands here.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from brokers.contract import BrokerStatus
from data.errors import TradedeskError
from data.vocabulary import OrderState


class OrderEvent(StrEnum):
    """What can happen to an order."""

    CLAIM = "claim"
    FREE = "free"
    DENY = "deny"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    AMBIGUOUS = "ambiguous"
    PROVEN_ABSENT = "proven_absent"
    SEEN_LIVE = "seen_live"
    SEEN_FILLED = "seen_filled"
    SEEN_CANCELLED = "seen_cancelled"
    SEEN_REJECTED = "seen_rejected"
    SEEN_EXPIRED = "seen_expired"


COMMANDS = frozenset({OrderEvent.CLAIM, OrderEvent.FREE, OrderEvent.DENY})
"""Events that are our own wish and may be refused."""


class Flag(StrEnum):
    """What was odd about a fact that was booked all the same."""

    LATE_FILL = "LATE_FILL"
    OVERFILL = "OVERFILL"
    PRICE_BREACH = "PRICE_BREACH"
    RESURRECTED = "RESURRECTED"
    DUPLICATE_TAG = "DUPLICATE_TAG"
    NEEDS_HUMAN = "NEEDS_HUMAN"
    CHANGED_OUTSIDE = "CHANGED_OUTSIDE"
    UNRECOGNISED_STATUS = "UNRECOGNISED_STATUS"
    ANOMALY = "ANOMALY"


class CommandRefused(TradedeskError):  # noqa: N818 - reads as an outcome
    """A command that the order's state does not allow."""


S, E = OrderState, OrderEvent

Cell = tuple[OrderState, Flag | None] | None
"""The state after an event with the flag if it should not have been possible; None refuses the command."""

TABLE: Mapping[OrderState, Mapping[OrderEvent, Cell]] = {
    S.DENIED: {  # one that was kept back after a claim has a tag: a broker may prove that it had left
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.DENIED, Flag.ANOMALY),
        E.REFUSED: (S.DENIED, Flag.ANOMALY),
        E.ACCEPTED: (S.OPEN, Flag.RESURRECTED),
        E.AMBIGUOUS: (S.DENIED, Flag.ANOMALY),
        E.PROVEN_ABSENT: (S.DENIED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.RESURRECTED),
        E.SEEN_FILLED: (S.FILLED, Flag.RESURRECTED),
        E.SEEN_CANCELLED: (S.CANCELLED, Flag.RESURRECTED),
        E.SEEN_REJECTED: (S.REJECTED, Flag.RESURRECTED),
        E.SEEN_EXPIRED: (S.EXPIRED, Flag.RESURRECTED),
    },
    S.RESERVED: {
        E.CLAIM: (S.SENDING, None),
        E.FREE: (S.CANCELLED, None),
        E.DENY: (S.DENIED, None),  # the trader goes on with its run, and it may not
        E.NOT_SENT: (S.RESERVED, Flag.ANOMALY),
        E.REFUSED: (S.RESERVED, Flag.ANOMALY),
        # Sent by no attempt of ours, and yet the broker has it.
        E.ACCEPTED: (S.OPEN, Flag.ANOMALY),
        E.AMBIGUOUS: (S.RESERVED, Flag.ANOMALY),
        E.PROVEN_ABSENT: (S.RESERVED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.ANOMALY),
        E.SEEN_FILLED: (S.FILLED, Flag.ANOMALY),
        E.SEEN_CANCELLED: (S.CANCELLED, Flag.ANOMALY),
        E.SEEN_REJECTED: (S.REJECTED, Flag.ANOMALY),
        E.SEEN_EXPIRED: (S.EXPIRED, Flag.ANOMALY),
    },
    S.SENDING: {
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.RESERVED, None),
        E.REFUSED: (S.REJECTED, None),
        E.ACCEPTED: (S.OPEN, None),
        E.AMBIGUOUS: (S.UNKNOWN, None),
        E.PROVEN_ABSENT: (S.SENDING, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, None),
        E.SEEN_FILLED: (S.FILLED, None),
        E.SEEN_CANCELLED: (S.CANCELLED, None),
        E.SEEN_REJECTED: (S.REJECTED, None),
        E.SEEN_EXPIRED: (S.EXPIRED, None),
    },
    S.UNKNOWN: {
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.UNKNOWN, Flag.ANOMALY),
        E.REFUSED: (S.UNKNOWN, Flag.ANOMALY),
        E.ACCEPTED: (S.OPEN, None),
        E.AMBIGUOUS: (S.UNKNOWN, None),
        E.PROVEN_ABSENT: (S.NOT_RECEIVED, None),
        E.SEEN_LIVE: (S.OPEN, None),
        E.SEEN_FILLED: (S.FILLED, None),
        E.SEEN_CANCELLED: (S.CANCELLED, None),
        E.SEEN_REJECTED: (S.REJECTED, None),
        E.SEEN_EXPIRED: (S.EXPIRED, None),
    },
    S.OPEN: {
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.OPEN, Flag.ANOMALY),
        E.REFUSED: (S.OPEN, Flag.ANOMALY),
        # The broker's word may overtake the answer to our call; the answer then says nothing more.
        E.ACCEPTED: (S.OPEN, None),
        E.AMBIGUOUS: (S.OPEN, None),
        E.PROVEN_ABSENT: (S.OPEN, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, None),
        E.SEEN_FILLED: (S.FILLED, None),
        E.SEEN_CANCELLED: (S.CANCELLED, None),
        E.SEEN_REJECTED: (S.REJECTED, None),
        E.SEEN_EXPIRED: (S.EXPIRED, None),
    },
    S.FILLED: {  # its trades are booked: no later status takes them back
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.FILLED, Flag.ANOMALY),
        E.REFUSED: (S.FILLED, Flag.ANOMALY),
        E.ACCEPTED: (S.FILLED, None),
        E.AMBIGUOUS: (S.FILLED, None),
        E.PROVEN_ABSENT: (S.FILLED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.FILLED, None),
        E.SEEN_FILLED: (S.FILLED, None),
        E.SEEN_CANCELLED: (S.FILLED, None),
        E.SEEN_REJECTED: (S.FILLED, None),
        E.SEEN_EXPIRED: (S.FILLED, None),
    },
    S.CANCELLED: {  # here and in the next two a later word of the broker corrects the end
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.CANCELLED, Flag.ANOMALY),
        E.REFUSED: (S.CANCELLED, Flag.ANOMALY),
        E.ACCEPTED: (S.CANCELLED, None),
        E.AMBIGUOUS: (S.CANCELLED, None),
        E.PROVEN_ABSENT: (S.CANCELLED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.RESURRECTED),
        E.SEEN_FILLED: (S.FILLED, Flag.RESURRECTED),
        E.SEEN_CANCELLED: (S.CANCELLED, None),
        E.SEEN_REJECTED: (S.REJECTED, Flag.RESURRECTED),
        E.SEEN_EXPIRED: (S.EXPIRED, Flag.RESURRECTED),
    },
    S.REJECTED: {
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.REJECTED, Flag.ANOMALY),
        E.REFUSED: (S.REJECTED, Flag.ANOMALY),
        E.ACCEPTED: (S.REJECTED, None),
        E.AMBIGUOUS: (S.REJECTED, None),
        E.PROVEN_ABSENT: (S.REJECTED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.RESURRECTED),
        E.SEEN_FILLED: (S.FILLED, Flag.RESURRECTED),
        E.SEEN_CANCELLED: (S.CANCELLED, Flag.RESURRECTED),
        E.SEEN_REJECTED: (S.REJECTED, None),
        E.SEEN_EXPIRED: (S.EXPIRED, Flag.RESURRECTED),
    },
    S.EXPIRED: {
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.EXPIRED, Flag.ANOMALY),
        E.REFUSED: (S.EXPIRED, Flag.ANOMALY),
        E.ACCEPTED: (S.EXPIRED, None),
        E.AMBIGUOUS: (S.EXPIRED, None),
        E.PROVEN_ABSENT: (S.EXPIRED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.RESURRECTED),
        E.SEEN_FILLED: (S.FILLED, Flag.RESURRECTED),
        E.SEEN_CANCELLED: (S.CANCELLED, Flag.RESURRECTED),
        E.SEEN_REJECTED: (S.REJECTED, Flag.RESURRECTED),
        E.SEEN_EXPIRED: (S.EXPIRED, None),
    },
    S.NOT_RECEIVED: {  # a late placement proves the proof of absence wrong
        E.CLAIM: None,
        E.FREE: None,
        E.DENY: None,
        E.NOT_SENT: (S.NOT_RECEIVED, Flag.ANOMALY),
        E.REFUSED: (S.NOT_RECEIVED, Flag.ANOMALY),
        E.ACCEPTED: (S.OPEN, Flag.RESURRECTED),
        E.AMBIGUOUS: (S.NOT_RECEIVED, Flag.ANOMALY),
        E.PROVEN_ABSENT: (S.NOT_RECEIVED, Flag.ANOMALY),
        E.SEEN_LIVE: (S.OPEN, Flag.RESURRECTED),
        E.SEEN_FILLED: (S.FILLED, Flag.RESURRECTED),
        E.SEEN_CANCELLED: (S.CANCELLED, Flag.RESURRECTED),
        E.SEEN_REJECTED: (S.REJECTED, Flag.RESURRECTED),
        E.SEEN_EXPIRED: (S.EXPIRED, Flag.RESURRECTED),
    },
}
"""Every state with every event; a flag says that the fact should not have been possible there."""

EVENT_OF_STATUS: Mapping[BrokerStatus, OrderEvent] = MappingProxyType(
    {
        BrokerStatus.OPEN: E.SEEN_LIVE,
        BrokerStatus.COMPLETE: E.SEEN_FILLED,
        BrokerStatus.CANCELLED: E.SEEN_CANCELLED,
        BrokerStatus.REJECTED: E.SEEN_REJECTED,
        BrokerStatus.EXPIRED: E.SEEN_EXPIRED,
        # A word nobody knows ends nothing: the order is taken as live, its money stays blocked.
        BrokerStatus.UNRECOGNISED: E.SEEN_LIVE,
    }
)
"""What a status in a broker's book tells of an order, once its trades are booked up to it."""


def born(external: bool = False) -> OrderState:
    """The state that an order begins in: reserved here, or live at the broker that told of it."""
    return OrderState.OPEN if external else OrderState.RESERVED


def transition(state: OrderState, event: OrderEvent) -> tuple[OrderState, Flag | None]:
    """The state after `event`, and the flag if that should not have been possible.

    Raises `CommandRefused` for a command that the state does not allow.
    """
    cell = TABLE[state][event]
    if cell is None:
        raise CommandRefused(f"{event.value} is not possible while the order is {state.value}")
    return cell
