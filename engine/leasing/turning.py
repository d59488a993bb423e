"""The turns of a desk's event loop, by which its leases are renewed and it is known not to stand still."""

import asyncio
from typing import TYPE_CHECKING

from data.clock import Clock, SystemClock

if TYPE_CHECKING:
    from data.leasing.beating import LeaseBeats, Watchdog
    from data.leasing.leases import Leases

TURN_S = 1.0
"""How often it tells that it turns."""


class Turning:
    """Tells at each turn. A desk that has its books alone does nothing here."""

    def __init__(self, leases: "Leases | None", clock: Clock) -> None:
        self._leases, self._clock = leases, clock
        self._beats: LeaseBeats | None = None
        self._watchdog: Watchdog | None = None
        self._turns: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Turn from now on, until `end`; once the leases have begun.

        By the machine's clock a thread of its own renews the leases, and a child watches; by any other clock
        they are renewed at the turn itself.
        """
        if (leases := self._leases) is None:
            return
        if isinstance(self._clock, SystemClock):
            from data.leasing.beating import LeaseBeats, Watchdog

            self._beats, self._watchdog = LeaseBeats(leases), Watchdog()
            self._beats.start()
        self._turns = asyncio.create_task(self._turn(leases))

    async def _turn(self, leases: "Leases") -> None:
        while True:
            await self._clock.sleep(TURN_S)
            if self._beats is None or self._watchdog is None:
                await asyncio.to_thread(leases.beat)
            else:
                self._beats.turned()
                self._watchdog.turned()

    async def end(self) -> None:
        """Give the leases up, once nothing is under way that they were for."""
        if self._turns is not None:
            self._turns.cancel()
        if self._watchdog is not None:
            await asyncio.to_thread(self._watchdog.stop)
        if self._beats is not None:
            await asyncio.to_thread(self._beats.stop)
        if self._leases is not None:
            await asyncio.to_thread(self._leases.end)
