"""The state of an order as one pure table: what each event makes of each state.

Commands (claim, free) may be refused. Facts from the broker never are: one that should not be possible
is booked and flagged.
"""

from enum import StrEnum

from data.vocabulary import OrderState


class OrderEvent(StrEnum):
    """What can happen to an order."""

    CLAIM = "claim"
    FREE = "free"
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


COMMANDS = frozenset({OrderEvent.CLAIM, OrderEvent.FREE})
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


class CommandRefused(Exception):  # noqa: N818 - reads as an outcome
    """A command that the order's state does not allow."""


S, E = OrderState, OrderEvent

_SEEN = {
    E.SEEN_LIVE: S.OPEN,
    E.SEEN_FILLED: S.FILLED,
    E.SEEN_CANCELLED: S.CANCELLED,
    E.SEEN_REJECTED: S.REJECTED,
    E.SEEN_EXPIRED: S.EXPIRED,
}
_ENDED = (S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED)

TABLE: dict[tuple[OrderState, OrderEvent], tuple[OrderState, Flag | None]] = {
    (S.RESERVED, E.CLAIM): (S.SENDING, None),
    (S.RESERVED, E.FREE): (S.CANCELLED, None),
    (S.SENDING, E.NOT_SENT): (S.RESERVED, None),
    (S.SENDING, E.REFUSED): (S.REJECTED, None),
    (S.SENDING, E.ACCEPTED): (S.OPEN, None),
    (S.SENDING, E.AMBIGUOUS): (S.UNKNOWN, None),
    (S.UNKNOWN, E.ACCEPTED): (S.OPEN, None),
    (S.UNKNOWN, E.AMBIGUOUS): (S.UNKNOWN, None),
    (S.UNKNOWN, E.PROVEN_ABSENT): (S.NOT_RECEIVED, None),
    # The broker's word may overtake the answer to our call; the answer then says nothing more.
    (S.OPEN, E.ACCEPTED): (S.OPEN, None),
    (S.OPEN, E.AMBIGUOUS): (S.OPEN, None),
    **{((S.SENDING), event): (state, None) for event, state in _SEEN.items()},
    **{((S.UNKNOWN), event): (state, None) for event, state in _SEEN.items()},
    **{((S.OPEN), event): (state, None) for event, state in _SEEN.items()},
    **{(state, E.ACCEPTED): (state, None) for state in _ENDED},
    **{(state, E.AMBIGUOUS): (state, None) for state in _ENDED},
    # A later word of the broker corrects an end, except that a filled order stays filled.
    **{
        (state, event): (after, None if after is state else Flag.RESURRECTED)
        for state in (S.CANCELLED, S.REJECTED, S.EXPIRED)
        for event, after in _SEEN.items()
    },
    **{(S.FILLED, event): (S.FILLED, None) for event in _SEEN},
    **{(S.NOT_RECEIVED, event): (after, Flag.RESURRECTED) for event, after in _SEEN.items()},
    (S.NOT_RECEIVED, E.ACCEPTED): (S.OPEN, Flag.RESURRECTED),
    # Sent by no attempt of ours, and yet the broker has it.
    **{(S.RESERVED, event): (after, Flag.ANOMALY) for event, after in _SEEN.items()},
    (S.RESERVED, E.ACCEPTED): (S.OPEN, Flag.ANOMALY),
}


def transition(state: OrderState, event: OrderEvent) -> tuple[OrderState, Flag | None]:
    """The state after `event`, and the flag if that should not have been possible.

    Raises `CommandRefused` for a command that the state does not allow; a fact without a row of its own
    leaves the state as it is, flagged.
    """
    found = TABLE.get((state, event))
    if found is not None:
        return found
    if event in COMMANDS:
        raise CommandRefused(f"{event.value} is not possible while the order is {state.value}")
    return state, Flag.ANOMALY
