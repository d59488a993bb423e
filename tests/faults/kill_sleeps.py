"""Sleeps about a kill: the program or its machine stands still for longer than orders may take to leave.

Before the kill a life falls asleep behind a claim, wakes, and lives on until it is killed; after a kill the
program that was opened again falls asleep before anybody has said what becomes of the unsent orders. In
either case no order may leave after the sleep under what was confirmed before it.
"""

import sqlite3
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.chaos_broker import Receipt
from tests.faults.clock import START, FastClock

BEFORE, AFTER = "before", "after"
"""When a life sleeps: while it trades, or as soon as it is open."""

TURNS = ("", BEFORE, AFTER)
"""When the lives of a home sleep, in turn."""

SEND_WITHIN_S, CLAIM_VALID_S = 900.0, 600.0
"""How long, in seconds of the clock, orders of these lives may take to leave, and how old a claim may be."""

ON_THE_WAY_S = 200.0
"""How long bytes may take to the broker, which is a second of the machine."""

SLEEP_S = 2_000.0
"""Longer than all of them."""

_STILL_S = 0.1
"""Real seconds in which what has left before a sleep arrives."""


def fall_asleep(clock: FastClock) -> None:
    """Stand still, and wake after `SLEEP_S` of everybody's clock."""
    time.sleep(_STILL_S)
    clock.jump(SLEEP_S)


class Nap:
    """Falls asleep once, behind the first of a life's claims from when on it is armed."""

    def __init__(self, clock: FastClock) -> None:
        self._clock = clock
        self.armed = False
        self.slept = False

    def __call__(self, point: str) -> None:
        """Told by the engine that it is at `point`."""
        if self.armed and point == "claimed" and not self.slept:
            self.slept = True
            fall_asleep(self._clock)


def late(home: Path, receipts: Iterable[Receipt]) -> list[str]:
    """The placements that the broker received later than their run may have let them leave."""
    database = sqlite3.connect(f"file:{home / 'desk.db'}?mode=ro", uri=True)
    try:
        rows = database.execute(
            "SELECT attempt.tag, attempt.order_id, run.started_at FROM attempt"
            " JOIN orders ON orders.id = attempt.order_id JOIN run ON run.number = orders.run_number"
        )
        begun = {
            tag: (order_id, datetime.fromisoformat(at).replace(tzinfo=UTC)) for tag, order_id, at in rows
        }
    finally:
        database.close()
    found: list[str] = []
    for receipt in receipts:
        if receipt.method == "place" and receipt.name in begun:
            order_id, at = begun[receipt.name]
            age_s = receipt.clock_s - (at - START).total_seconds()
            if age_s > SEND_WITHIN_S + CLAIM_VALID_S + ON_THE_WAY_S:
                found.append(f"order {order_id} left {age_s:.0f} s after its run began")
    return found
