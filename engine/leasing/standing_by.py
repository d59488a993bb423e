"""Standing by for the desks of a home: whoever of them dies leaves orders that somebody must look after."""

import logging
import os
from collections.abc import Collection
from contextlib import suppress

from data.engines.leases import LeaseHolder, lease_holders, leased_to, with_live_orders
from data.errors import BadInput
from data.leasing.leases import BEAT_S, Leases, holder_lives
from data.leasing.processes import end_process, is_running, this_host
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import LIVE_STATES, DeskKind, OrderState
from engine.book.kept import Kept
from engine.leasing.service import Leasing
from engine.timing import Timing

log = logging.getLogger(__name__)


class StandingBy:
    """Takes the clients with live orders that dead desks of its home had, and hands them to one that opens.

    It reads, books and cancels for them, and sends nothing: what was not sent waits for a trader.
    """

    def __init__(self, kept: Kept, timing: Timing, leasing: Leasing) -> None:
        self._kept = kept
        self._timing = timing
        self._leasing = leasing
        self._looked_at = float("-inf")

    async def look(self) -> None:
        """Take over, hand back and give up what is due. Raises `StoreError`."""
        leases, now = self._kept.store.leases, self._timing.wall.monotonic()
        if leases is None or not leases.instance_id or now - self._looked_at < BEAT_S:
            return
        self._looked_at = now
        async with self._kept.store.reader() as reader:
            others, orphans, live = await reader.run_sync(lambda on: _look(on, leases))
        for one in others:
            if _is_frozen(one) and end_process(one.pid, one.process_started):
                log.warning("process %s of %s stood still and was ended", one.pid, one.name)
        if orphans:
            await self._kept.store.write(lambda unit: self._take(unit, others))
        opened = [one.instance_id for one in others if one.kind == DeskKind.APP and holder_lives(one)]
        with suppress(BadInput):  # something is on its way still: at a later look
            if leases.held and opened:
                await self._leasing.give_up(leases.held, opened[0])
            elif done := leases.held - live:
                await self._leasing.give_up(done, 0)

    def _take(self, unit: Unit, others: Collection[LeaseHolder]) -> None:
        live = with_live_orders(unit, LIVE)
        known = {one.instance_id for one in others}
        self._leasing.take_where(unit, lambda row, _: row.instance_id in known and row.client_id in live)


LIVE = tuple(state.value for state in LIVE_STATES - {OrderState.RESERVED})
"""The states of orders that somebody must look after."""


def _look(on: On, leases: Leases) -> tuple[list[LeaseHolder], frozenset[int], frozenset[int]]:
    """The other engines of this home, the clients of their dead with live orders, and all with such."""
    live = with_live_orders(on, LIVE)
    me = leases.instance_id
    others = [
        one for one in lease_holders(on).values() if one.home == leases.who.home and one.instance_id != me
    ]
    dead = [one.instance_id for one in others if not holder_lives(one)]
    orphans = frozenset[int]().union(*(leased_to(on, number) & live for number in dead))
    return others, orphans, live


def _is_frozen(one: LeaseHolder) -> bool:
    """Whether an engine of this machine has lost its leases and its process is still there.

    It might thaw between its last look at an order and the call.
    """
    over = not one.lasts and not one.ended and one.pid != os.getpid()
    return over and one.host == this_host() and is_running(one.pid, one.process_started)
