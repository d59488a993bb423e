"""Kite's routes by the names that mishaps strike them under."""

from brokers.simulators.serving.mishaps import menu_of

READS = frozenset(
    {
        "profile",
        "gtt",
        "alerts",
        "margins",
        "orders",
        "order_history",
        "trades",
        "order_trades",
        "holdings",
        "authorise",
        "positions",
        "order_margins",
        "order_charges",
        "instruments",
        "quote",
        "ohlc",
        "ltp",
        "historical",
    }
)
"""Every route that needs a session, beside those that ask something of an order."""

MENU = menu_of(READS)
