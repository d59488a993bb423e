"""Standing by for desks: whoever of them dies leaves orders that somebody must look after."""

import logging
import os
from collections.abc import Collection
from contextlib import suppress

from data.engines.shared.leases import LeaseHolder, lease_holders, leased_to, with_live_orders
from data.errors import BadInput
from data.leasing.leases import BEAT_S, Leases, holder_lives
from data.leasing.processes import end_process, is_running, this_host
from data.leasing.taking import ClientsTaken
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import LIVE_STATES, DeskKind, OrderState
from engine.book.kept import Kept
from engine.leasing.service import Leasing
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


class StandingBy:
    """Takes the clients with live orders that dead desks had, and hands them to one of that home that opens.

    It reads, books and cancels for them, and sends nothing: what was not sent waits for a trader. Desks are
    those of its home, or of every home where `rules` say so; two that stand by do no harm.
    """

    def __init__(self, kept: Kept, timing: Timing, leasing: Leasing, rules: Rules) -> None:
        self._kept = kept
        self._timing = timing
        self._leasing = leasing
        self._for_all = rules.stands_by_for_all
        self._came_from: dict[int, str] = {}
        """The home whose desk had each client, where it is known."""
        self._looked_at = float("-inf")

    async def look(self) -> None:
        """Take over, hand back and give up what is due. Raises `StoreError`."""
        leases, now = self._kept.store.leases, self._timing.wall.monotonic()
        if leases is None or not leases.instance_id or now - self._looked_at < BEAT_S:
            return
        self._looked_at = now
        async with self._kept.store.reader() as reader:
            others, orphans, live = await reader.run_sync(lambda on: _look(on, leases, self._for_all))
        for one in others:
            if _is_frozen(one) and end_process(one.pid, one.process_started):
                log.warning("process %s of %s stood still and was ended", one.pid, one.name)
        if orphans:
            taken = await self._kept.store.write(lambda unit: self._take(unit, others))
            homes = {one.instance_id: one.home for one in others if one.kind != DeskKind.KEEP}
            mine = {} if self._for_all else dict.fromkeys(taken.clients, leases.who.home)
            self._came_from |= mine | {
                client_id: homes[number] for client_id, number in taken.clients.items() if number in homes
            }
        opened = {
            one.home: one.instance_id for one in others if one.kind == DeskKind.APP and holder_lives(one)
        }
        for home, desk in opened.items():
            theirs = frozenset(one for one in leases.held if self._came_from.get(one) == home)
            await self._give_up(theirs, desk)
        await self._give_up(leases.held - live, 0)

    async def _give_up(self, client_ids: Collection[int], to_desk: int) -> None:
        """Have clients go; those of whom something is on its way still at a later look."""
        if client_ids:
            with suppress(BadInput):
                await self._leasing.give_up(client_ids, to_desk)

    def _take(self, unit: Unit, others: Collection[LeaseHolder]) -> ClientsTaken:
        live = with_live_orders(unit, LIVE)
        known = {one.instance_id for one in others}
        return self._leasing.take_where(
            unit, lambda row, _: row.instance_id in known and row.client_id in live
        )


LIVE = tuple(state.value for state in LIVE_STATES - {OrderState.RESERVED})
"""The states of orders that somebody must look after."""


def _look(on: On, leases: Leases, for_all: bool) -> tuple[list[LeaseHolder], frozenset[int], frozenset[int]]:
    """The other engines, of this home or all, the clients of their dead with live orders, all with such."""
    live = with_live_orders(on, LIVE)
    me = leases.instance_id
    others = [
        one
        for one in lease_holders(on).values()
        if one.instance_id != me and (for_all or one.home == leases.who.home)
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
