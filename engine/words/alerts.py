"""What alerts say: of whom, until when, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import AlertKind
from engine.words.formats import counted, price, time_of_day
from engine.words.trading.flattens import signed
from engine.words.trading.modify_words import lost_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.book.alert_views import AlertOrder, AlertPosition, AlertView


PUT_OFF_WORDS = {
    "5m": "for 5 minutes",
    "10m": "for 10 minutes",
    "30m": "for 30 minutes",
    "1h": "for an hour",
    "15:00": "until 15:00",
    "eod": "today",
}
"""What is offered to whom an alert comes too early, in words."""


def square_off_words(positions: int, clients: int, ends: Sequence[datetime]) -> str:
    """`MIS open: 23 positions of 14 clients · brokers square off from 15:00, 15:20`."""
    of = f"{counted(positions, 'position')} of {counted(clients, 'client')}"
    when = ", ".join(time_of_day(at)[:5] for at in ends)
    return f"MIS open: {of}" + (f" · brokers square off from {when}" if when else "")


def alert_words(alert: AlertView) -> str:
    """What an alert is about, until when, and the key that answers it, in a line of 80 columns."""
    if alert.kind is AlertKind.CHASES_LOST:
        return f"{lost_words(len(alert.orders))} · Enter E x"
    clients = len({one.client_id for one in alert.positions})
    until = f", until {time_of_day(alert.ends[0])[:5]}" if alert.ends else ""
    return f"{square_off_words(len(alert.positions), clients, ())}{until} · F7"


def order_words(one: AlertOrder) -> str:
    """An order that an alert names: `order 12 BUY 2 TCS at 2,400.00, was to follow to 2,450.00`."""
    what = f"order {one.order_id} {one.side.value} {one.leaves} {one.tradingsymbol}"
    return f"{what} at {price(one.limit_paise)}, was to follow to {price(one.bound_paise)}"


def position_words(one: AlertPosition) -> str:
    """A position that an alert names: `TCS +40`."""
    return f"{one.tradingsymbol} {signed(one.net)}"
