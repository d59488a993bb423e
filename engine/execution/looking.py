"""What a desk that only looks has in the place of those who send, cancel and change: nobody.

Whatever leads to them has been refused before (`engine.execution.trading`); whoever gets here all the same is
refused too, and nothing that could reach a broker stands behind it.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import NoReturn

from brokers.contract import Outcome, Refused
from data.store import Unit
from engine.refusals import LooksOnly

REFUSED = Refused("LOOKS_ONLY", "this desk only looks: nothing was asked of the broker")


class NoSends:
    """Nobody who sends."""

    waiting = under_way = 0

    def resting(self) -> dict[int, float]:
        """Nobody."""
        return {}

    def submit(self, order_ids: Iterable[int]) -> None:
        """Raises `LooksOnly` for any order."""
        if list(order_ids):
            raise LooksOnly

    def wake(self) -> None:
        """There is nothing to look for."""

    def is_sending(self, order_id: int) -> bool:
        """No order is."""
        return False

    async def run(self) -> None:
        """There is nothing to wait for."""

    async def pause_held(self) -> None:
        """Nothing is kept back."""

    async def settle(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is held."""


class NoChanges:
    """Nobody who modifies."""

    async def change(self, order_id: int, *how: object, **named: object) -> int:
        """Raises `LooksOnly`."""
        raise LooksOnly

    async def resume(self) -> None:
        """What an earlier engine asked for waits for one that may trade."""

    async def settle(self) -> None:
        """Nothing is under way."""


class NoCancels:
    """Nobody who cancels."""

    def __init__(self) -> None:
        self.sent: dict[int, tuple[datetime, datetime]] = {}
        self.tried: set[int] = set()
        self.ended_at: dict[int, float] = {}

    def carry_out(self, requests: dict[int, int]) -> None:
        """Requests stay open; a desk that may trade takes them up."""

    async def write(self, order_ids: Collection[int], work: Callable[[Unit], object]) -> NoReturn:
        """Raises `LooksOnly`, and writes nothing."""
        raise LooksOnly

    def is_cancelling(self, order_id: int) -> bool:
        """No order is cancelled from here."""
        return False

    async def first_answers(self, client_id: int, seconds: float) -> None:
        """No answer is waited for."""

    async def without_store(self, order_ids: Iterable[int]) -> set[tuple[int, str]]:
        """No broker took any."""
        return set()

    async def cancel_external(self, client_id: int, broker_order_id: str) -> Outcome:
        """Nothing was asked of the broker."""
        return REFUSED

    async def resume(self) -> None:
        """What an earlier engine asked for waits for one that may trade."""

    def close(self) -> None:
        """Nothing is held."""
