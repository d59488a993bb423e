"""The recorder: collects facts from calls and streams, and books whatever has come in as one unit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from brokers.contract import BrokerOrder
from data.store import StoreError, Unit
from engine.orders.facts import Applied, Fact
from engine.orders.lifecycle import apply_facts
from engine.parts import Parts

log = logging.getLogger(__name__)


class Recorder:
    """One task that writes facts in the order they came. None is lost while the store cannot be written."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._facts: list[Fact] = []
        self._arrived = asyncio.Event()
        self._booked = asyncio.Condition()
        self._taken = self._done = 0
        self._waiting: StoreError | None = None
        self._after: list[Callable[[Applied], Awaitable[None] | None]] = []

    def after(self, hook: Callable[[Applied], Awaitable[None] | None]) -> None:
        """Call `hook` with what each batch left to do."""
        self._after.append(hook)

    def put(self, fact: Fact) -> None:
        """Queue a fact; it is booked soon, together with whatever else has come in."""
        self._facts.append(fact)
        self._taken += 1
        self._arrived.set()

    async def flush(self) -> None:
        """Return when everything put so far is durable.

        Raises `StoreError` while the store cannot be written: the facts are kept and tried again, but
        nobody, least of all a cancel, may wait for that.
        """
        target = self._taken
        async with self._booked:
            await self._booked.wait_for(lambda: self._done >= target or self._waiting is not None)
            if self._done < target and self._waiting is not None:
                raise self._waiting

    async def run(self) -> None:
        """Book facts for as long as the desk lives."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._facts = self._facts, []
            if not batch:
                continue
            self._parts.reached("heard")
            try:
                applied = await self._parts.store.write(lambda unit, batch=batch: self._book(unit, batch))
            except StoreError as problem:
                await self._wait(batch, problem)
                continue
            except Exception:
                log.exception("a batch of %d facts is booked one by one", len(batch))
                applied, rest, problem = await self._one_by_one(batch)
                if problem is not None:
                    self._done += len(batch) - len(rest)
                    await self._wait(rest, problem)
                    continue
            self._parts.reached("booked")
            async with self._booked:
                self._waiting = None
                self._done += len(batch)
                self._booked.notify_all()
            for hook in self._after:
                result = hook(applied)
                if result is not None:
                    await result

    def _book(self, unit: Unit, facts: list[Fact]) -> Applied:
        applied = apply_facts(unit, facts, self._parts.actor, self._parts.rules.sell_credit_bps)
        self._parts.reached("booking")
        return applied

    async def _wait(self, facts: list[Fact], problem: StoreError) -> None:
        """Keep facts that the store would not take, and try again after a pause."""
        log.error("facts wait for the store: %s", problem)
        self._facts = facts + self._facts
        async with self._booked:
            self._waiting = problem
            self._booked.notify_all()
        await self._parts.clock.sleep(self._parts.waits.not_sent_pause_s)
        self._arrived.set()

    async def _one_by_one(self, batch: list[Fact]) -> tuple[Applied, list[Fact], StoreError | None]:
        """Book a batch that failed as a whole, so that one bad fact does not keep the others out.

        Gives what is left to do, and the facts that still wait if the store could not be written.
        """
        read_again: set[int] = set()
        foreign: list[tuple[int, BrokerOrder]] = []
        taken_in: set[tuple[int, str]] = set()
        for number, fact in enumerate(batch):
            try:
                applied = await self._parts.store.write(lambda unit, fact=fact: self._book(unit, [fact]))
                read_again |= applied.read_again
                foreign += applied.foreign
                taken_in |= applied.taken_in
            except StoreError as problem:
                done = Applied(frozenset(read_again), tuple(foreign), frozenset(taken_in))
                return done, batch[number:], problem
            except Exception:
                log.exception("a fact could not be booked: %r", fact)
        return Applied(frozenset(read_again), tuple(foreign), frozenset(taken_in)), [], None
