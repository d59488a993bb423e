"""Words of flattens: what is taken flat, how far each is, and why something is left."""

from enum import StrEnum


class FlattenWhat(StrEnum):
    """Which positions a flatten takes flat."""

    MIS = "mis"
    """Those of the day alone."""
    TODAY = "today"
    """Those, and what was bought today for delivery or on margin."""
    MTF = "mtf"
    """Shares that the broker has lent on."""
    ALL = "all"
    """All shares that can be sold, and all that are owed."""


class FlattenState(StrEnum):
    """How far a flatten is."""

    GOING = "going"
    DONE = "done"
    """It has a certificate."""


class FlattenLineState(StrEnum):
    """How far a client's position in a security and product is."""

    GOING = "going"
    FLAT = "flat"
    """The broker has been read, and nothing of it is left."""
    LEFT = "left"


class FlattenReason(StrEnum):
    """Why something of a position is left."""

    NONE = ""
    AUCTION = "auction"
    AUTHORISATION = "authorisation"
    CIRCUIT = "circuit"
    CUT_OFF = "cut_off"
    HALTED = "halted"
    INACTIVE = "inactive"
    LIVE_ORDER = "live_order"
    MARKET_CLOSED = "market_closed"
    MARKET_HALTED = "market_halted"
    NO_CONNECTION = "no_connection"
    NOT_SIGNED_IN = "not_signed_in"
    ODD_LOT = "odd_lot"
    OTHER_FLATTEN = "other_flatten"
    PLEDGED = "pledged"
    PRICE_STALE = "price_stale"
    REFUSED = "refused"
    ROUTE_NOT_READY = "route_not_ready"
    STOPPED = "stopped"
    T1 = "t1"
    TRADE_TO_TRADE = "trade_to_trade"
    TRADING_DISABLED = "trading_disabled"
    UNFILLED = "unfilled"
    UNKNOWN_ORDER = "unknown_order"
    UNREACHABLE = "unreachable"
