"""What needs the trader, in a line each, with the key that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.alerts import alert_words
from engine.words.breaks import break_words
from engine.words.formats import counted
from engine.words.trading.flattens import going_words
from engine.words.trading.orders import state_words, why_words
from engine.words.trading.runs import run_why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.book.break_views import BreakView
    from engine.book.views import OrderView
    from engine.book.watched.alert_views import AlertView
    from engine.execution.views import RunView
    from engine.flatten.views import FlattenProgress

MOST_CODES = 6
"""Codes that stand in a line."""


def alert_need(alert: AlertView) -> str:
    """An alert, with its key."""
    words = alert_words(alert)
    return words if words.endswith(("F7", "x")) else f"{words} · d"


def run_need(run: RunView) -> str:
    """A run that keeps orders back."""
    return f"run {run.number} PAUSED, {run.unsent} unsent: {run_why(run)} · Enter p"


def flatten_need(one: FlattenProgress) -> str:
    """A flatten that stands still, or has left something."""
    return f"{going_words(one.flat, one.positions, one.left, one.carried)} · Enter"


def chase_need(order: OrderView) -> str:
    """A chase that waits for the trader's word."""
    what = f"{order.side.value} {order.quantity} {order.tradingsymbol}"
    return f"order {order.id} {what} chase WAITS for your word · u, p"


def order_need(order: OrderView) -> str:
    """An order that needs a look."""
    what = f"{order.side.value} {order.quantity} {order.tradingsymbol}"
    why = why_words(order)
    return f"order {order.id} {what} {state_words(order)}{f': {why}' if why else ''} · Enter"


def orders_need(count: int) -> str:
    """The other orders that need a look."""
    return f"{counted(count, 'more order')} · u"


def break_need(one: BreakView) -> str:
    """A difference between our books and the broker's."""
    return f"books differ: {break_words(one)} · Enter v"


def sign_in_need(codes: Sequence[str]) -> str:
    """The clients to sign in."""
    rest = len(codes) - MOST_CODES
    named = ", ".join(codes[:MOST_CODES]) + (f" and {rest} more" if rest > 0 else "")
    return f"{counted(len(codes), 'client')} to sign in: {named} · Enter"
