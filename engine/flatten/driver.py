"""Carrying a flatten out on one engine: client beside client, each position until the broker shows it flat.

Of each position first every order that would fight it is cancelled and seen to have ended. Then the broker's
net is read, and one order is sent against it, priced anew every few seconds; when it has ended the net is
read again. One position has one order at a time.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from brokers.contract import OrderChange
from data.records import replace
from data.repositories.trading.flattens import StoredFlatten, StoredLine
from data.store import StoreError
from data.vocabulary import FlattenLineState, FlattenReason, OrderState
from engine.book.halt_file import other_halt_file_stands
from engine.book.halt_scope import Passes, covering
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.events import Event, OrderChanged
from engine.execution.changes.cancels import ask
from engine.execution.changes.pricing import Pricing
from engine.execution.changes.terms import ModifyWish
from engine.execution.workers import Workers
from engine.flatten.booked import FlattenLost, keep
from engine.flatten.looking import Looking, ReadPositions
from engine.flatten.placing import Placing
from engine.flatten.positions import Position, goal_of
from engine.flatten.prices import next_limit
from engine.instances import ThisEngine
from engine.timing import Timing

log = logging.getLogger(__name__)

MOST_TRIES = 3
"""Failed reads of a client, and refusals of an order, after which a position is left."""


@dataclass(slots=True)
class Row:
    """One position as it goes on: its line as kept, its order, and what was tried of it here.

    `why` says that no more is sent of it, and as what it is then left.
    """

    line: StoredLine
    order_id: int | None = None
    pricing: Pricing = field(default_factory=Pricing)
    refused: int = 0
    unpriced: int = 0
    why: FlattenReason = FlattenReason.NONE
    detail: str = ""
    note: str = ""
    """What became of GTTs in these shares."""
    asked: set[str] = field(default_factory=set[str])
    """External orders whose cancel was asked for."""


@dataclass(slots=True)
class CarriedFlatten:
    """One flatten as this engine carries it out."""

    flatten: StoredFlatten
    passes: Passes
    until: float
    stopped: bool = False
    unread: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    failed: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    clients: dict[int, list[Row]] = field(default_factory=lambda: defaultdict[int, list[Row]](list))


class Driver:
    """Carries flattens out: each client's positions in a task of its own."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        workers: Workers,
        looking: Looking,
        placing: Placing,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._workers = workers
        self._looking = looking
        self._placing = placing
        self._moved: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        kept.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, OrderChanged):
            for client_id in event.client_ids:
                if client_id in self._moved:
                    self._moved[client_id].set()

    async def carry_out(self, job: CarriedFlatten, lines: Sequence[StoredLine]) -> None:
        """Take every line to its end. Raises `FlattenLost` where the flatten is another engine's by now."""
        for line in lines:
            if line.going:
                job.clients[line.client_id].append(Row(line))
        async with asyncio.TaskGroup() as group:
            for client_id in job.clients:
                group.create_task(self._client(job, client_id))

    async def _client(self, job: CarriedFlatten, client_id: int) -> None:
        """Take one client's lines to their end, whatever fails of it: no other client's wait for that."""
        if not self._looking.unreachable(client_id):
            rows = job.clients[client_id]
            found = await self._looking.delete_conditionals(client_id, {row.line.key for row in rows})
            for row in rows:
                row.note = ", ".join(found.get(row.line.key, ()))
        while going := [row for row in job.clients[client_id] if row.line.going]:
            try:
                await self._round(job, client_id, going)
            except StoreError as problem:  # told by the store; what was sent goes on, and is seen next time
                log.warning("flatten %s waits for the store: %s", job.flatten.number, problem)
            except FlattenLost:
                raise
            except Exception:
                log.exception("flatten %s failed on client %s", job.flatten.number, client_id)
                job.failed[client_id] += 1
                if job.failed[client_id] >= MOST_TRIES:
                    await self._leave_unread(going, "it failed here; the log says how")
            if any(row.line.going for row in going):
                await self._pause(client_id)

    async def _pause(self, client_id: int) -> None:
        moved = self._moved[client_id]
        moved.clear()
        waiting = asyncio.create_task(moved.wait())
        patience = asyncio.create_task(self._timing.wall.sleep(self._timing.waits.flatten_poll_s))
        try:
            await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            patience.cancel()

    async def _round(self, job: CarriedFlatten, client_id: int, going: Sequence[Row]) -> None:
        """One look at a client: what lives is tended, what has ended is read and goes on."""
        self._note_stop(job, going)
        if not await self._reached(job, client_id, going):
            return
        ready = [row for row in going if not await self._waits(job, row)]
        if not ready:
            return
        read = await self._looking.positions(client_id)
        if isinstance(read, str):
            await self._count_unread(job, client_id, going, read)
            return
        job.unread[client_id] = 0
        for row in ready:
            await self._settle(job, row, read)

    # --- what stops it ---

    def _note_stop(self, job: CarriedFlatten, going: Sequence[Row]) -> None:
        """Send nothing more of these where a halt, the trader or the clock says so."""
        late = self._timing.wall.monotonic() >= job.until
        for row in going:
            if row.why:
                continue
            if job.stopped:
                row.why = FlattenReason.STOPPED
            elif self._halted(job, row.line):
                row.why = FlattenReason.HALTED
            elif self._engine.trading_disabled:
                row.why, row.detail = FlattenReason.TRADING_DISABLED, self._engine.trading_disabled
            elif late:
                row.why = FlattenReason.UNFILLED

    def _halted(self, job: CarriedFlatten, line: StoredLine) -> bool:
        client = self._kept.book.clients[line.client_id]
        over = covering(self._kept.book.halts, client, line.key)
        lifted = covering(self._kept.book.lifted, client, line.key)
        other_file = other_halt_file_stands(self._kept.halt_file, job.passes.file)
        return job.passes.stopped_by(over, lifted) or other_file

    # --- reading ---

    async def _reached(self, job: CarriedFlatten, client_id: int, going: Sequence[Row]) -> bool:
        """Read a client's orders; False where they could not be, and its positions are left in the end."""
        reason = self._looking.unreachable(client_id)
        if not reason and await self._workers.watcher.read(client_id):
            return True
        why = "" if reason else self._workers.watcher.why_unread(client_id)
        await self._count_unread(job, client_id, going, why, reason or FlattenReason.UNREACHABLE)
        return False

    async def _count_unread(
        self,
        job: CarriedFlatten,
        client_id: int,
        going: Sequence[Row],
        why: str,
        reason: FlattenReason = FlattenReason.UNREACHABLE,
    ) -> None:
        job.unread[client_id] += 1
        if job.unread[client_id] >= MOST_TRIES:
            await self._leave_unread(going, why, reason)

    async def _leave_unread(
        self, going: Sequence[Row], why: str, reason: FlattenReason = FlattenReason.UNREACHABLE
    ) -> None:
        """Leave positions of which nothing is known, and name orders in them that may still trade."""
        for row in going:
            live = [f"order {one.id} may still trade" for one in self._looking.live(*row.line.share)]
            await self._leave([row], reason, " · ".join([*([why] if why else []), *live]))

    # --- orders that live ---

    async def _waits(self, job: CarriedFlatten, row: Row) -> bool:
        """Whether orders in a position's shares still live: they are cancelled, or its own one is tended."""
        line = row.line
        live = self._looking.live(*line.share)
        own = next((one for one in live if one.id == row.order_id), None)
        others = [one for one in live if one is not own]
        fighting = others if own is not None and not row.why else live
        external = self._looking.live_external(*line.share)
        if fighting or external:
            await self._cancel(job, row, fighting, [one.broker_order_id for one in external])
            await self._give_up(job, row)
        elif own is not None:
            await self._tend(job, row, own)
        return bool(live or external)

    async def _cancel(
        self, job: CarriedFlatten, row: Row, orders: Sequence[OrderView], external: Collection[str]
    ) -> None:
        ids = [one.id for one in orders if not self._workers.canceller.is_cancelling(one.id)]
        if ids:
            why, actor = f"flatten {job.flatten.number}", job.flatten.by
            asked = await self._kept.store.write(lambda unit: ask(unit, ids, why, actor))
            self._workers.canceller.carry_out(asked.requests)
        for name in external:
            if name not in row.asked:
                row.asked.add(name)
                await self._workers.canceller.cancel_external(row.line.client_id, name)

    async def _give_up(self, job: CarriedFlatten, row: Row) -> None:
        """Leave a position whose orders cannot be seen to have ended long after the deadline."""
        if self._timing.wall.monotonic() < job.until + self._timing.waits.flatten_end_s:
            return
        live = self._looking.live(*row.line.share)
        doubtful = any(one.state in (OrderState.UNKNOWN, OrderState.SENDING) for one in live)
        why = FlattenReason.UNKNOWN_ORDER if doubtful else FlattenReason.LIVE_ORDER
        orders = ", ".join(f"order {one.id}" for one in live) or "an order that is not from this desk"
        await self._leave([row], why, orders)

    async def _tend(self, job: CarriedFlatten, row: Row, order: OrderView) -> None:
        """Price a position's own order anew once it has stood for long enough."""
        now, pricing = self._timing.wall.monotonic(), row.pricing
        if not pricing.is_due(order, now, self._timing.waits.reprice_s):
            return
        instrument, quote = self._looking.instrument(order.key), await self._looking.quote(order.key)
        if instrument is None or quote is None:
            return
        protection = self._placing.protection_bps
        limit = next_limit(order.side, pricing.limit_paise, quote, instrument, protection, pricing.is_last)
        if limit == pricing.limit_paise:  # at the band's edge, and nobody takes it there
            row.why = FlattenReason.CIRCUIT
        elif pricing.spent:
            row.why = FlattenReason.UNFILLED
        else:  # where it moved on meanwhile, the next look sees how
            wish = ModifyWish(OrderChange(price_paise=limit), f"flatten {job.flatten.number}")
            await pricing.move(self._workers.changer, order, wish, now, job.passes)

    # --- positions that nothing of ours moves ---

    async def _settle(self, job: CarriedFlatten, row: Row, read: ReadPositions) -> None:
        """Send what is left of a position, or end it: it is flat by the broker's word, or left."""
        self._note_refusal(row)
        line = row.line
        share = line.security, line.product
        position = read.of.get(share) or Position(*share, line.exchange, line.tradingsymbol)
        before = position.in_scope(job.flatten.what)
        known = before if line.net_before is None else line.net_before
        row.line = replace(line, net=position.net, net_before=known, read_at=read.began)
        if not before:
            await self._end(row, FlattenLineState.FLAT, FlattenReason.NONE, "")
            return
        if row.why:
            await self._leave([row], row.why, row.detail)
            return
        instrument = self._looking.instrument(line.key)
        if instrument is None:
            await self._leave([row], FlattenReason.REFUSED, f"{line.key} is not known")
            return
        authorised = self._kept.book.clients[line.client_id].authorised
        goal = goal_of(job.flatten.what, position, instrument, authorised)
        if not goal.quantity:
            await self._leave([row], goal.rest, "")
            return
        if barred := self._looking.barred(line.client_id, instrument, line.product):
            await self._leave([row], barred, "")
            return
        await self._send(row, await self._placing.place(row.line, goal, instrument))

    async def _send(self, row: Row, placed: "tuple[int, int] | FlattenReason") -> None:
        """Note what was placed, an order at a limit, or try again later; a price that never comes is left."""
        if isinstance(placed, tuple):
            row.order_id, limit_paise = placed
            row.line = replace(row.line, order_id=row.order_id)
            row.pricing = Pricing(limit_paise, self._timing.wall.monotonic())
            self._workers.dispatcher.submit([row.order_id])
        elif placed is FlattenReason.PRICE_STALE:
            row.unpriced += 1
            if row.unpriced >= MOST_TRIES:
                await self._leave([row], placed, "")

    def _note_refusal(self, row: Row) -> None:
        """Count an order that the broker refused; one denied at its claim goes anew by a newer read."""
        order = self._kept.book.orders.get(row.order_id or 0)
        row.order_id = None
        if order is None or order.state is not OrderState.REJECTED:
            return
        row.refused += 1
        if row.refused >= MOST_TRIES and not row.why:
            row.why, row.detail = FlattenReason.REFUSED, order.reason_text or order.reason_code

    async def _leave(self, rows: Sequence[Row], why: FlattenReason, detail: str) -> None:
        for row in rows:
            if row.line.going:
                await self._end(row, FlattenLineState.LEFT, why, detail)

    async def _end(self, row: Row, state: FlattenLineState, why: FlattenReason, detail: str) -> None:
        now: datetime = self._timing.wall.now()
        told = " · ".join(words for words in (detail, row.note) if words)
        line = replace(row.line, state=state, reason=why, detail=told, ended_at=now)
        await self._kept.store.write(lambda unit: keep(unit, [line], self._engine))
        row.line = line
