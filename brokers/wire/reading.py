"""Reading calls: each waits for its account's windows, and one that is turned away is tried again."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from brokers.contract import BrokerAccount
from brokers.pacing import SlidingWindows
from brokers.wire.calls import Call, HttpCalls
from brokers.wire.outcomes import TURNED_AWAY, CallFailure, read_error
from data.clock import Clock

READ_TRIES = 3
"""How often a read is tried that a broker turns away for its budget."""

TURNED_AWAY_S = 1.1
"""How long after that it is tried again."""


class Reading:
    """Makes the reads of every account that share its budget: windows as `SlidingWindows` takes them."""

    def __init__(self, calls: HttpCalls, clock: Clock, windows: Sequence[tuple[float, int, int]]) -> None:
        self._calls = calls
        self._clock = clock
        self._windows = defaultdict[BrokerAccount, SlidingWindows](lambda: SlidingWindows(windows))
        self._turns = defaultdict[BrokerAccount, asyncio.Lock](asyncio.Lock)
        self._waiting: Counter[BrokerAccount] = Counter()

    async def answer(self, account: BrokerAccount, call: Call) -> object:
        """What a read returns. Raises `BrokerError`."""
        tried = 0
        while True:
            await self._turn(account)
            answer = await self._calls.run(account, call, self._calls.waits.read_s)
            tried += 1
            if not isinstance(answer, CallFailure):
                return answer
            if answer.status != TURNED_AWAY or tried == READ_TRIES:
                raise read_error(answer)
            await self._clock.sleep(TURNED_AWAY_S)

    async def _turn(self, account: BrokerAccount) -> None:
        """Wait until one read of this account may go, and count it; cancelled meanwhile, it counts none."""
        self._waiting[account] += 1
        try:
            async with self._turns[account]:
                windows = self._windows[account]
                while (wait := windows.wait_s(self._clock.monotonic())) > 0:
                    await self._clock.sleep(wait)
                windows.take(self._clock.monotonic())
        finally:
            self._waiting[account] -= 1

    def eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many further reads of each of these accounts could have been made."""
        at = self._clock.monotonic()
        return max(
            (self._windows[one].eta_s(calls + self._waiting[one], at) for one in accounts), default=0.0
        )
