"""Words of alerts."""

from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert is about."""

    SQUARE_OFF = "square_off"
    """Intraday positions are open, and brokers are about to end them."""
    CHASES_LOST = "chases_lost"
    """Orders follow their market no more, since the program that had them follow it ended."""
    HAND_OVER = "hand_over"
    """The closing auction is near, and the exchange cancels orders that it does not take over."""
    MARKET_FALL = "market_fall"
    """An index is near the move at which the whole market is halted."""
    GUARDS = "guards"
    """Guards have tripped, or cannot see what they guard."""
    MTF = "mtf"
    """A client on margin is at the floor or near a call; or a pledge, a list or an ex-date needs somebody."""
    BUYS_WAIT = "buys_wait"
    """Buys of a run have waited longer than sales take, for these or for cash."""
    BROKER_DOWN = "broker_down"
    """A broker answers nobody: its clients are red."""
    BROKER_ANSWERS = "broker_answers"
    """A broker that was down answers again."""
    JOB_FAILED = "job_failed"
    """A job could not be done, and is not tried again by itself."""
    RULE = "rule"
    """What a rule of the trader's waited for has come."""
    TEST = "test"
    """Nothing: it shows that alerts arrive."""


URGENT = frozenset({AlertKind.BROKER_DOWN, AlertKind.GUARDS, AlertKind.MARKET_FALL, AlertKind.TEST})
"""What quiet hours keep back from nobody."""


class Measure(StrEnum):
    """What a rule of alerts looks at, by the word for it."""

    PRICE = "price"
    CHANGE = "change"
    VOLUME = "volume"
    CIRCUIT = "circuit"
    PNL = "pnl"
    CASH = "cash"
    PORTFOLIO = "portfolio"
    MTF = "mtf"
    SHARES = "shares"
    WEIGHT = "weight"
    FEED = "feed"
    SESSION = "session"
    REJECTED = "rejected"
    REJECTS = "rejects"
    UNKNOWN = "unknown"
    BREAKS = "breaks"
    DRIFT = "drift"
    LATENCY = "latency"
    ERRORS = "errors"
    HALTED = "halted"


class RuleState(StrEnum):
    """Where a rule of alerts is."""

    ARMED = "armed"
    """It waits."""
    SPENT = "spent"
    """It was for once, and has come."""


class DeliveryState(StrEnum):
    """How far an alert has come on its way to a channel."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Dies(StrEnum):
    """Why the closing auction does not take an order over."""

    STOP = "stop"
    """Its trigger has not been reached."""
    DISCLOSED = "disclosed"
    BAND = "band"
    """Its limit is too far from the auction's reference price."""
