"""An alert as screens and commands see it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct, field

from data.vocabulary import AlertKind, Dies, Side
from engine.book.watched.guard_views import GuardView


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


class AlertIndex(Struct, frozen=True):
    """How far an index had moved, in basis points, and at which move the market is halted first."""

    key: str
    moved_bps: int
    level_bps: int


class AlertDying(Struct, frozen=True):
    """A live order that the exchange cancels when the closing auction begins, and why."""

    order_id: int
    client_id: int
    key: str
    tradingsymbol: str
    side: Side
    leaves: int
    limit_paise: int
    trigger_paise: int
    why: Dies


class AlertFigure(Struct, frozen=True):
    """A client that an alert names, with its figure in what the alert counts in, where it has one."""

    client_id: int
    value: int | None = None


class AlertView(Struct, frozen=True):
    """An alert that stands: since when, with its positions as they were then, its orders that live still, or
    the guards that need the trader still.

    `ends` is when brokers end those positions, the earliest first; `index` how far an index had moved,
    `dying` the orders that end with the continuous session of their shares, at `dies_at`.
    `ends` is when brokers end those positions, the earliest first. `told` are the figures of its kind. It is
    of `client_ids`, all of them together, or of the whole desk where that is None; `figures` are of each.
    """

    kind: AlertKind
    trading_date: date
    at: datetime
    positions: tuple[AlertPosition, ...] = ()
    ends: tuple[datetime, ...] = ()
    orders: tuple[AlertOrder, ...] = ()
    index: AlertIndex | None = None
    dying: tuple[AlertDying, ...] = ()
    dies_at: datetime | None = None
    guards: tuple[GuardView, ...] = ()
    number: int = 0
    subject: str = ""
    told: Mapping[str, Any] = field(default_factory=dict[str, object])
    client_ids: tuple[int, ...] | None = None
    figures: tuple[AlertFigure, ...] = ()
    urgent: bool = False
