"""What is stored of displayed depth: prices held still, and what was taken of it in a second."""

import sqlite3
from collections.abc import Mapping

from msgspec import structs

from brokers.simulators.exchange.day_prices import Pin


class DepthBooks:
    """Pins, and shares taken from the depth, on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def pins(self) -> dict[str, Pin]:
        """Pins in force by key."""
        rows = self._db.execute("SELECT key, last_paise, prev_close_paise FROM pin")
        return {key: Pin(last, prev) for key, last, prev in rows}

    def roll_pins(self) -> None:
        """Let a new day's previous close be the pinned price."""
        self._db.execute("UPDATE pin SET prev_close_paise = last_paise")

    def pin(self, key: str, pin: Pin | None) -> None:
        """Set or remove a pin."""
        if pin is None:
            self._db.execute("DELETE FROM pin WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO pin VALUES (?, ?, ?)", (key, *structs.astuple(pin)))

    def taken(self, key: str, second: int) -> dict[tuple[bool, int], int]:
        """Shares already taken from a symbol's displayed depth in a market second, by side and price."""
        rows = self._db.execute(
            "SELECT side = 'BUY', price_paise, quantity FROM taken WHERE key = ? AND second = ?",
            (key, second),
        )
        return {(bool(buying), price): quantity for buying, price, quantity in rows}

    def save_taken(self, key: str, second: int, taken: Mapping[tuple[bool, int], int]) -> None:
        """Store what was taken in a market second; earlier seconds are forgotten."""
        self._db.execute("DELETE FROM taken WHERE key = ?", (key,))
        self._db.executemany(
            "INSERT INTO taken VALUES (?, ?, ?, ?, ?)",
            [
                (key, "BUY" if buying else "SELL", price, second, quantity)
                for (buying, price), quantity in taken.items()
            ],
        )
