"""What a desk does for runs over all desks: it sends what was reserved for its clients, and ends them."""

from data.audit import AuditAction, AuditEntry
from data.repositories.trading import runs
from data.repositories.trading.firm_runs import live_orders, read_overdue
from data.repositories.trading.orders import take_over
from data.store import Unit
from data.vocabulary import OrderState, RunStatus
from engine.book.kept import Kept
from engine.book.views import RunRow
from engine.execution.over_firm.shards import end_overdue
from engine.execution.reservation import NOBODYS
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.timing import Timing


class FirmOrders:
    """Looks at each heartbeat. A desk that has its books alone has nothing of it."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, workers: Workers) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._workers = workers

    async def keep(self) -> None:
        """Send what is ours of runs that go on, end those of which nothing lives. Raises `StoreError`."""
        if not self._engine.shares_books or not self._engine.may_send:
            return
        async with self._kept.store.reader() as reader:
            overdue = await read_overdue(reader, self._timing.wall.now())
        if overdue:
            await self._kept.store.write(lambda unit: end_overdue(unit, self._engine.actor))
        for run in list(self._kept.book.runs.values()):
            if run.instance_id == NOBODYS and run.finished_at is None:
                await self._send(run)
                await self._end(run)

    async def _send(self, run: RunRow) -> None:
        """Make the unsent orders of our clients ours to send, unless another engine that lives has them."""
        book, engine = self._kept.book, self._engine
        if run.status is not RunStatus.RUNNING:
            return
        unsent = [
            order.id
            for order_id in sorted(book.orders_of_run.get(run.number, ()))
            if (order := book.orders[order_id]).state is OrderState.RESERVED
            and order.instance_id != engine.id
            and (order.instance_id == NOBODYS or not engine.lives(order.instance_id))
            and engine.sends_for(order.client_id)
        ]
        if not unsent:
            return

        def unit_of_work(unit: Unit) -> None:
            engine.require(unit, {book.orders[one].client_id for one in unsent})
            take_over(unit, unsent, engine.id)
            unit.touched.orders.update(unsent)

        await engine.write_signed_on(unit_of_work)
        self._workers.dispatcher.submit(unsent)

    async def _end(self, run: RunRow) -> None:
        """End a run of which no order of ours lives, if none of another desk's does."""
        book = self._kept.book
        if run.status is RunStatus.RESERVING or book.live & book.orders_of_run.get(run.number, set()):
            return

        def unit_of_work(unit: Unit) -> None:
            status = RunStatus.STOPPED if run.status is RunStatus.STOPPED else RunStatus.FINISHED
            if live_orders(unit, run.number) or not runs.finish(unit, run.number, status):
                return
            unit.of_anybody = True
            unit.touched.runs.add(run.number)
            unit.audit(AuditEntry(AuditAction.RUN_FINISHED, self._engine.actor, run_number=run.number))

        await self._kept.store.write(unit_of_work)
