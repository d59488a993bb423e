"""Reading calls: each waits for its key's budget, and one that Kite turns away for it is tried again."""

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TypeVar, cast

from brokers.contract import (
    BrokerAccount,
    BrokerError,
)
from brokers.kite.calls import KiteCalls, KiteWaits, Purpose
from brokers.kite.client import KiteClient
from brokers.kite.outcomes import Failure, read_error
from brokers.kite.reads import ReadBudget, Spaced
from brokers.meter import CallKind
from data.clock import Clock

T = TypeVar("T")

READ_TRIES = 3
"""How often a read is tried that Kite turns away for its budget."""


class KiteReading:
    """Makes the reads of every account."""

    def __init__(self, calls: KiteCalls, budget: ReadBudget, clock: Clock, waits: KiteWaits) -> None:
        self._calls = calls
        self._budget = budget
        self._clock = clock
        self._waits = waits

    async def answer(
        self,
        account: BrokerAccount,
        kind: CallKind | None,
        ask: Callable[[KiteClient], T],
        *,
        signed_in: bool = True,
        spaced: Spaced | None = None,
        paced: bool = True,
    ) -> T:
        """What a read returns. One that Kite turns away for its budget is tried twice more.

        The budget is the api key's, so another process of the same trader may have used it up.
        """

        async def once() -> object:
            if paced:
                key = self._calls.key_of(account)
                await (self._budget.spaced_turn(key, spaced) if spaced else self._budget.turn(key))
            return await self._calls.run(Purpose.READ, kind, account, ask, self._waits.read_s, signed_in)

        answer, tried = await once(), 1
        while isinstance(answer, Failure) and answer.status == 429 and paced and tried < READ_TRIES:
            await self._clock.sleep(self._waits.turned_away_s)
            answer, tried = await once(), tried + 1
        if isinstance(answer, Failure):
            raise read_error(answer)
        return cast("T", answer)

    def eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many further reads of each of these accounts could have been made."""
        keys = Counter[str]()
        for account in accounts:
            with suppress(BrokerError):  # without a route nothing is read
                keys[self._calls.key_of(account)] += 1
        return self._budget.eta_s({key: many * calls for key, many in keys.items()})
