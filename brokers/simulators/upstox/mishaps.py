"""Upstox's routes by the names that mishaps strike them under."""

from brokers.simulators.serving.mishaps import menu_of

READS = frozenset(
    {
        "profile",
        "funds",
        "orders",
        "order",
        "order_history",
        "trades",
        "order_trades",
        "holdings",
        "positions",
        "mtf_positions",
        "convert",
        "margins",
        "brokerage",
        "ltp",
        "ohlc",
        "quotes",
        "market_status",
        "user_ip",
        "kill_switch",
        "set_kill_switch",
        "gtt",
        "authorize_market",
        "authorize_portfolio",
    }
)
"""Every route that needs a session, beside those that ask something of an order."""

FILES = "instruments"
"""The route of the instruments files."""

OPEN = frozenset({FILES, "holidays", "timings", "candles"})
"""Routes that anybody may call; a rule for one of them strikes whoever calls, and names the user `*`."""

MENU = menu_of(READS | OPEN)
