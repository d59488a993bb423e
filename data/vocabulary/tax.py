"""Words of income tax."""

from enum import StrEnum


class GainTerm(StrEnum):
    """What a sale of shares is to the tax."""

    SPECULATIVE = "speculative"
    """Bought and sold within a day, and netted by the exchange."""
    SHORT_TERM = "short_term"
    LONG_TERM = "long_term"
    UNKNOWN = "unknown"
    """When the shares were bought is not known."""
