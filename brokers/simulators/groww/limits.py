"""Groww's budgets of calls: an account's, over a whole class of routes (documentation, "rate limits")."""

from brokers.simulators.serving.mishaps import WRITES
from brokers.simulators.serving.windows import Windows

ORDERS: Windows = ((1.0, 10), (60.0, 250))
"""Windows in seconds, and how many calls each takes, of what asks something of an order."""

LIVE_DATA: Windows = ((1.0, 10), (60.0, 300))
"""The same of quotes, last prices and candles."""

OTHERS: Windows = ((1.0, 20), (60.0, 500))
"""The same of every other call."""

MINTS: Windows = ((1.0, 5), (60.0, 30), (86_400.0, 150))
"""The same of sign-ins by one key."""

ORDER_ROUTES = WRITES | {"smart_write"}
"""Routes that place, change or cancel an order, or one that waits for a price."""

_LIVE = frozenset({"ltp", "ohlc", "quotes", "history"})


def budget_of(route: str) -> tuple[str, Windows]:
    """The class whose budget a route is counted against."""
    if route in ORDER_ROUTES:
        return "orders", ORDERS
    return ("live", LIVE_DATA) if route in _LIVE else ("other", OTHERS)
