"""Words of a day's close."""

from enum import StrEnum


class CloseSource(StrEnum):
    """Where a closing price is from; a later one is the better."""

    QUOTED = "quoted"
    """The feed's last price of the day."""
    HISTORY = "history"
    """The bars that the feed's broker tells of days before."""
    NEXT_DAY = "next_day"
    """What the feed of the next day calls the previous close, adjusted for that day."""
    FILE = "file"
    """The exchange's own list of the day."""


RAW_CLOSES = frozenset({CloseSource.QUOTED, CloseSource.FILE})
"""Closes as they were on their own day; the others are told later, with the next day's actions in them."""


class CloseStepKind(StrEnum):
    """The steps of a day's close, in their order."""

    BOOKS = "books"
    """Each client's final order book and figures were read of its broker."""
    ORDERS = "orders"
    """Orders of the day have ended by the broker's word."""
    RECONCILED = "reconciled"
    """Books that agree with the broker's were told from those that do not; who stays open is known."""
    PRICES = "prices"
    """Closing prices are kept."""
    CHARGES = "charges"
    """The day was netted and its charges booked as the contract note will have them."""
    SNAPSHOTS = "snapshots"
    """Each client's day is kept."""
    RISK = "risk"
    """Risk and dispersion were worked out."""
    SEALED = "sealed"
    """The day has its hash."""
    EXPORTS = "exports"
    """The day's folder was written, and the hashes of its files are in the audit."""
    BACKUP = "backup"
    """A backup was made and restored once for a test."""
    TOMORROW = "tomorrow"
    """What waits for the next day was listed."""


class CorrectionKind(StrEnum):
    """What was found out of a closed day afterwards."""

    NOTE = "note"
    """Its contract note comes to another total, in paise, the depository's fees apart."""
    BROKER = "broker"
    """The broker tells other charges, likewise."""


class WhyOpen(StrEnum):
    """Why a client's day cannot be closed."""

    LIVE = "live"
    """Orders of it may still trade."""
    UNKNOWN = "unknown"
    """The send of an order ended in doubt."""
    DIFFERS = "differs"
    """Its books differ from the broker's."""
    UNREAD = "unread"
    """It traded, and its books could not be read at its broker since."""
    UNPRICED = "unpriced"
    """It holds a share that no closing price is known of."""
