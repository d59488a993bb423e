"""An alert as screens and commands see it."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import AlertKind, Side


class AlertPosition(Struct, frozen=True):
    """A client's position that an alert names; `net` is below zero where shares are owed."""

    client_id: int
    key: str
    tradingsymbol: str
    net: int


class AlertOrder(Struct, frozen=True):
    """A live order that an alert names: as it stands, and how far its limit was to follow the market."""

    order_id: int
    client_id: int
    key: str
    tradingsymbol: str
    side: Side
    leaves: int
    limit_paise: int
    bound_paise: int


class AlertView(Struct, frozen=True):
    """An alert that stands: since when, with its positions as they were then, or its orders that live still.

    `ends` is when brokers end those positions, the earliest first.
    """

    kind: AlertKind
    trading_date: date
    at: datetime
    positions: tuple[AlertPosition, ...] = ()
    ends: tuple[datetime, ...] = ()
    orders: tuple[AlertOrder, ...] = ()
