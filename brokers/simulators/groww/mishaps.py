"""Groww's routes by the names that mishaps strike them under."""

from brokers.simulators.serving.mishaps import menu_of

READS = frozenset(
    {
        "profile",
        "funds",
        "orders",
        "order",
        "order_status",
        "order_by_reference",
        "order_trades",
        "holdings",
        "positions",
        "margins",
        "ltp",
        "ohlc",
        "quotes",
        "history",
        "smart_orders",
        "smart_write",
        "socket_token",
    }
)
"""Every route that needs a session, beside those that ask something of an order."""

FILES = "instruments"
"""The route of the instruments file, which anybody may call; its mishaps strike the user `*`."""

MENU = menu_of(READS | {FILES})
