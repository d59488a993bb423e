"""Words of guards: what a day's loss limit or target of a client, a group or the desk does."""

from enum import StrEnum


class GuardAction(StrEnum):
    """What a guard does when it trips."""

    BLOCK = "block"
    """Halts whom it guards so that only orders leave that reduce, and cancels live orders that open."""
    FLAT = "flat"
    """The same, and takes the guarded set flat, once. Of one client only."""


class TripKind(StrEnum):
    """Why a guard has tripped."""

    LOSS = "loss"
    TARGET = "target"
    BLIND = "blind"
    """Near its limit or not known, its prices could not be seen any more; it ends when they can."""


class GuardState(StrEnum):
    """How a guard stands."""

    ARMED = "armed"
    NEAR = "near"
    """From 80 % of the loss limit or of the target on."""
    WAITING = "waiting"
    """It cannot judge: prices are stale, or what it guards is not in continuous trading."""
    TRIPPED = "tripped"
    FLAT = "flat"
    """It has tripped, and its set is flat by the broker's word."""
    LOCKED = "locked"
    """It has tripped, and something of its set could not be traded at its circuit."""


class GuardWait(StrEnum):
    """Why a guard cannot judge."""

    NONE = ""
    STALE = "stale"
    """A price is too old, or was never told."""
    NO_SIDE = "no_side"
    """Nobody bids for what is held, or offers what is owed, and it is not at its circuit."""
    BAND = "band"
    """A price, or the previous close, is outside the day's price band."""
    RATES = "rates"
    """What getting out would cost is not known."""
    PHASE = "phase"
    """Its instruments are not in continuous trading."""
    BOOKS = "books"
    """The client's books have not been compared with the broker's since the desk was opened."""
    BASE = "base"
    """There is no sizing base that a percentage could be of."""
