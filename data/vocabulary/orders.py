"""Words of orders and of what is asked for beside them."""

from enum import StrEnum


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class Product(StrEnum):
    """How a trade is paid for and held: delivery, margin trading facility, or intraday."""

    CNC = "CNC"
    MTF = "MTF"
    MIS = "MIS"


class OrderType(StrEnum):
    """How an order is priced. `SL` and `SL_M` wait for a trigger."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SL_M = "SL-M"


class Validity(StrEnum):
    """How long an order lives."""

    DAY = "DAY"
    IOC = "IOC"


class OrderState(StrEnum):
    """What we know that the broker has of an order; `docs/order_states.md` says what each means."""

    DENIED = "DENIED"
    RESERVED = "RESERVED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_RECEIVED = "NOT_RECEIVED"


TERMINAL_STATES = frozenset(
    {
        OrderState.DENIED,
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.NOT_RECEIVED,
    }
)
"""States in which the broker holds nothing that could still trade."""


LIVE_STATES = frozenset({OrderState.RESERVED, OrderState.SENDING, OrderState.UNKNOWN, OrderState.OPEN})
"""States in which money or shares stay blocked."""


class RequestKind(StrEnum):
    """What a request row asks of a live order."""

    CANCEL = "cancel"
    MODIFY = "modify"


class LimitTo(StrEnum):
    """Where the limits of live orders are to go."""

    PRICE = "price"
    TICKS = "ticks"
    LAST = "last"
    CHASE = "chase"
    """On with the best price of the order's own side, no further than a price."""


class ChaseWait(StrEnum):
    """Why a chase waits, its order standing where it is."""

    PHASE = "phase"
    """Its instrument is not in continuous trading; once it is, the chase goes on."""
    TRADING_DISABLED = "trading_disabled"
    """The desk sends nothing; once it does, the chase goes on."""
    MARKET_HALTED = "market_halted"
    """The whole market is halted or reopens; it goes on by the trader's word."""
    HALTED = "halted"
    """A halt is over its order, or was; it goes on by the trader's word."""


class ChaseEnd(StrEnum):
    """Why a chase has ended; its order stays as it is."""

    ORDER_ENDED = "order_ended"
    AT_BOUND = "at_bound"
    SPENT = "spent"
    """It has used the changes that it may make."""
    STOPPED = "stopped"
    HALTED = "halted"
    CHANGED = "changed"
    """Somebody has changed its order beside it."""
    REFUSED = "refused"
    ENGINE_ENDED = "engine_ended"
    """Its program ended before it did."""


class RequestState(StrEnum):
    """How far a modify or cancel request has come."""

    REQUESTED = "REQUESTED"
    SENT = "SENT"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    SUPERSEDED = "SUPERSEDED"


OPEN_REQUESTS = frozenset({RequestState.REQUESTED, RequestState.SENT, RequestState.UNKNOWN})
"""States of a request that still waits for the broker's word."""
