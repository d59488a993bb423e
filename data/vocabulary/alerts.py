"""Words of alerts."""

from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert is about."""

    SQUARE_OFF = "square_off"
    """Intraday positions are open, and brokers are about to end them."""
    CHASES_LOST = "chases_lost"
    """Orders follow their market no more, since the program that had them follow it ended."""
