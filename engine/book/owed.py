"""Shares that a client owes, as its broker tells."""

from msgspec import Struct


class OwedShares(Struct, frozen=True):
    """Shares that a client has sold within the day and not bought back, by its broker, and for how much."""

    security: str
    key: str
    quantity: int
    proceeds_paise: int
