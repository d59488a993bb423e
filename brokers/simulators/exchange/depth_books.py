"""What is stored of the market: prices held still, what was taken of its depth in a second, its halts."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from msgspec import Struct, structs

from brokers.contract import CompanyActs
from brokers.simulators.exchange.day_prices import Pin
from data.vocabulary import CorporateAction, DividendTo


class MarketStop(Struct, frozen=True):
    """A halt of the whole market at a level of the breaker; moments in microseconds.

    It is halted until `until_us`, then in a pre-open session until `reopens_us`; None is for the day's rest.
    """

    move_bps: int
    began_us: int
    until_us: int | None
    reopens_us: int | None

    def stands_at(self, at_us: int) -> bool:
        """Whether it keeps the market from continuous trading at a moment."""
        return self.began_us <= at_us and (self.reopens_us is None or at_us < self.reopens_us)


class DepthBooks:
    """Pins, shares taken from the depth, and halts of the market, on one connection."""

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

    def scale_pin(self, key: str, scaled: Callable[[int], int]) -> None:
        """Hold a price still at another level, as of an ex-date."""
        if (pin := self.pins().get(key)) is not None:
            self.pin(key, Pin(scaled(pin.last_paise), scaled(pin.prev_close_paise)))

    def hear_actions(self, actions: Iterable[CompanyActs]) -> None:
        """Keep what companies do, each once."""
        self._db.executemany(
            "INSERT OR REPLACE INTO company_action (key, ex_date, kind, purpose, paid_to)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (one.key, one.ex_date.isoformat(), one.kind.value, one.purpose, one.paid_to.value)
                for one in actions
            ],
        )

    def actions_between(self, after: date, until: date) -> list[CompanyActs]:
        """What companies do with an ex-date behind one day and up to another."""
        rows = self._db.execute(
            "SELECT key, ex_date, kind, purpose, paid_to FROM company_action"
            " WHERE ex_date > ? AND ex_date <= ? ORDER BY ex_date, key, purpose",
            (after.isoformat(), until.isoformat()),
        )
        return [
            CompanyActs(key, date.fromisoformat(day), CorporateAction(kind), purpose, DividendTo(to))
            for key, day, kind, purpose, to in rows
        ]

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

    def halts(self, trading_day: str) -> list[MarketStop]:
        """The halts of the whole market on a day, oldest first."""
        rows = self._db.execute(
            "SELECT move_bps, began_us, until_us, reopens_us FROM market_halt WHERE trading_day = ?"
            " ORDER BY began_us",
            (trading_day,),
        )
        return [MarketStop(*row) for row in rows]

    def halt(self, trading_day: str, stop: MarketStop) -> None:
        """Keep a halt of the whole market."""
        self._db.execute(
            "INSERT INTO market_halt VALUES (?, ?, ?, ?, ?)", (trading_day, *structs.astuple(stop))
        )
