"""Words of alerts."""

from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert is about."""

    SQUARE_OFF = "square_off"
    """Intraday positions are open, and brokers are about to end them."""
