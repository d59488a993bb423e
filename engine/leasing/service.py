"""The leases of a desk: whom it takes by itself, and what people have it take, release and hand over."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress

from data.audit import AuditAction, AuditEntry
from data.engines.shared.leases import lease_holders, lease_rows
from data.errors import BadInput
from data.leasing.leases import BEAT_S, LEASE_S, Leases, holder_lives
from data.leasing.taking import ClientsTaken, Wanted, hand_over, take_clients
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import DeskKind, OrderState, RunStatus
from engine.between.line import LineState
from engine.book.kept import Kept
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.leasing.views import LeasesMoved, LeaseView
from engine.leasing.wanted import named_clients, require_known, words_from
from engine.rules import Rules
from engine.timing import Timing

log = logging.getLogger(__name__)


class Leasing:
    """Takes clients that are free, gives them up once nothing of theirs is being sent, says who has whom."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, rules: Rules, workers: Workers
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        stands_by = engine.kind is DeskKind.KEEP
        self._wanted = () if stands_by else words_from(rules.desk_clients)
        self._workers = workers
        self._released: frozenset[int] = frozenset()
        """Whom people have had it give up: it does not take them again by itself."""
        self._looked_at = float("-inf")
        engine.take_clients = self.take_wanted
        engine.take_over = lambda unit, whom: self.take_where(unit, lambda row, _: row.client_id in whom)

    @property
    def shared(self) -> bool:
        """Whether several desks share these books, each with clients of its own."""
        return self._kept.store.leases is not None

    def elsewhere(self) -> dict[str, int]:
        """How many clients each other desk has, by its name; under no name those that nobody has."""
        return dict(Counter(one.desk for one in self._kept.book.elsewhere.values()))

    async def line(self) -> LineState:
        """Whether this desk and others hear each other through Redis; no truth hangs on it."""
        return await self._kept.line.look()

    def _leases(self) -> Leases:
        if (leases := self._kept.store.leases) is None:
            expected = "these books are one desk's alone, with all clients: set desk_clients to share them"
            raise BadInput("leases", "", expected)
        return leases

    # --- what it does by itself ---

    def take_wanted(self, unit: Unit) -> ClientsTaken | None:
        """Take whom the settings name and no living desk has; None where nothing is shared."""
        if self._kept.store.leases is None:
            return None
        named = named_clients(unit, self._wanted)
        wanted = named.ids - self._released
        return self.take_where(unit, lambda row, _: row.client_id in wanted)

    def take_where(self, unit: Unit, wanted: Wanted) -> ClientsTaken:
        """Take the clients that are wanted and that no living desk has, and tell the audit."""
        leases = self._leases()
        return self._told(unit, leases, take_clients(unit, leases, wanted))

    async def keep(self) -> None:
        """Take them as soon as they can be had. Raises `StoreError`."""
        leases, now = self._kept.store.leases, self._timing.wall.monotonic()
        if leases is None or not self._engine.may_send or now - self._looked_at < BEAT_S:
            return
        if leases.left_s() <= 0:  # what it took now would be anybody's
            return
        self._looked_at = now
        async with self._kept.store.reader() as reader:
            if not await reader.run_sync(self._may_be_had):
                return
        await self._kept.store.write(self.take_wanted)

    def _may_be_had(self, on: On) -> bool:
        """Whether somebody whom it wants may be free."""
        leases = self._leases()
        living = {number for number, one in lease_holders(on).items() if holder_lives(one)}
        free = {row.client_id for row in lease_rows(on) if row.instance_id not in living}
        named = named_clients(on, self._wanted)
        return bool((free - leases.held - self._released) & named.ids)

    def _told(self, unit: Unit, leases: Leases, taken: ClientsTaken) -> ClientsTaken:
        if taken.clients:
            self._engine.open_day(unit)
            details = {"desk": leases.who.name, "clients": sorted(taken.clients)}
            before = sorted({number for number in taken.clients.values() if number})
            unit.audit(
                AuditEntry(
                    AuditAction.LEASES_TAKEN, self._engine.actor, details=details | {"from_engines": before}
                )
            )
        return taken

    # --- what people have it do ---

    async def rows(self) -> list[LeaseView]:
        """Every client with the desk that has it, by code. Raises `BadInput` where nothing is shared."""
        self._leases()
        async with self._kept.store.reader() as reader:
            return await reader.run_sync(self._read)

    def _read(self, on: On) -> list[LeaseView]:
        me, holders = self._leases().instance_id, lease_holders(on)
        out = list[LeaseView]()
        for row in lease_rows(on):
            holder = holders.get(row.instance_id)
            lasts = holder is not None and holder_lives(holder)
            number, desk = (holder.instance_id, holder.name) if holder is not None else (0, "")
            out.append(
                LeaseView(
                    row.client_id, row.code, row.title, number, desk, lasts, number == me != 0, row.epoch
                )
            )
        return out

    async def take(self, words: str) -> LeasesMoved:
        """Take the clients that are named, `free` or `CODE g:GROUP`, of whom no other desk lives.

        Raises `BadInput` for words that name nobody, `StoreError`.
        """
        leases = self._leases()
        await self._engine.sign_on()

        def unit_of_work(unit: Unit) -> tuple[ClientsTaken, dict[int, str]]:
            ids = require_known(named_clients(unit, words_from(words)))
            codes = {row.client_id: row.code for row in lease_rows(unit)}
            taken = take_clients(unit, leases, lambda row, _: row.client_id in ids)
            return self._told(unit, leases, taken), codes

        taken, codes = await self._kept.store.write(unit_of_work)
        self._released -= frozenset(taken.clients)
        moved = tuple(sorted(codes[one] for one in taken.clients))
        return LeasesMoved(moved, {codes[one]: holder.name for one, holder in sorted(taken.kept.items())})

    async def release(self, words: str, to_desk: int = 0) -> LeasesMoved:
        """Give up clients of this desk, to another one by its number, or to whoever takes them.

        What is being sent for them ends first. Raises `BadInput` for words that name nobody here, for a desk
        that does not live, or while an order of theirs is on its way or waits in a run that goes on, and
        `StoreError`.
        """
        leases = self._leases()
        async with self._kept.store.reader() as reader:
            named = await reader.run_sync(lambda on: named_clients(on, words_from(words)))
        ids = require_known(named) & leases.held
        if not ids:
            raise BadInput("clients", words, "this desk has none of them; `tradedesk leases` says who does")
        codes = tuple(sorted(self._kept.book.clients[one].code for one in ids))
        await self.give_up(ids, to_desk)
        self._released |= ids
        return LeasesMoved(codes, {})

    async def give_up(self, client_ids: Collection[int], to_desk: int) -> None:
        """The same by the clients' numbers; they are taken again by itself as they are free."""
        leases = self._leases()
        self._require_quiet(client_ids)
        leases.leave(client_ids)
        try:
            with suppress(TimeoutError):
                async with self._timing.wall.timeout(LEASE_S):
                    await self._workers.settle()
            self._require_quiet(client_ids)

            def unit_of_work(unit: Unit) -> None:
                hand_over(unit, leases, client_ids, to_desk)
                details: Mapping[str, object] = {
                    "desk": leases.who.name,
                    "clients": sorted(client_ids),
                    "to_engine": to_desk,
                }
                unit.audit(AuditEntry(AuditAction.LEASES_ENDED, self._engine.actor, details=details))

            await self._kept.store.write(unit_of_work)
        finally:
            leases.leave(())

    def _require_quiet(self, client_ids: Collection[int]) -> None:
        """Raise `BadInput` while an order of these clients is on its way, or waits to be."""
        book = self._kept.book
        for client_id in client_ids:
            for order_id in book.orders_of_client.get(client_id, set()) & book.live:
                order = book.orders[order_id]
                run = book.runs.get(order.run_number or 0)
                running = run is None or run.status is RunStatus.RUNNING
                waits = order.state is OrderState.RESERVED and running
                if waits or order.state is OrderState.SENDING:
                    code = book.clients[client_id].code
                    does = "wait until it is" if run is None else f"pause run {run.number} first, or wait"
                    raise BadInput("clients", code, f"its order {order_id} is being sent: {does}")
