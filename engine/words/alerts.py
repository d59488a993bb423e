"""What alerts say: of whom, until when, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.formats import counted, time_of_day
from engine.words.trading.flattens import signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.book.alert_views import AlertPosition, AlertView


def square_off_words(positions: int, clients: int, ends: Sequence[datetime]) -> str:
    """`MIS open: 23 positions of 14 clients · brokers square off from 15:00, 15:20`."""
    of = f"{counted(positions, 'position')} of {counted(clients, 'client')}"
    when = ", ".join(time_of_day(at)[:5] for at in ends)
    return f"MIS open: {of}" + (f" · brokers square off from {when}" if when else "")


def alert_words(alert: AlertView) -> str:
    """What an alert is about, until when, and the key that answers it, in a line of 80 columns."""
    clients = len({one.client_id for one in alert.positions})
    until = f", until {time_of_day(alert.ends[0])[:5]}" if alert.ends else ""
    return f"{square_off_words(len(alert.positions), clients, ())}{until} · F7"


def position_words(one: AlertPosition) -> str:
    """A position that an alert names: `TCS +40`."""
    return f"{one.tradingsymbol} {signed(one.net)}"
