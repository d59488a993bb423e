"""An alert as screens and commands see it."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import AlertKind


class AlertPosition(Struct, frozen=True):
    """A client's position that an alert names; `net` is below zero where shares are owed."""

    client_id: int
    key: str
    tradingsymbol: str
    net: int


class AlertView(Struct, frozen=True):
    """An alert that stands: since when, with its positions as they were then.

    `ends` is when brokers end them, the earliest first.
    """

    kind: AlertKind
    trading_date: date
    at: datetime
    positions: tuple[AlertPosition, ...]
    ends: tuple[datetime, ...]
