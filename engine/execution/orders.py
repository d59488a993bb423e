"""The blotter: every order of the day, each one's life, and cancelling by hand."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from brokers.contract import BrokerOrder, OrderChange
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, RequestState
from engine.book.external_views import ExternalOrderView
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.booking.facts import ProvenAbsent, Seen
from engine.booking.states import Flag
from engine.booking.stored import ORDERS
from engine.execution.changes.cancels import ask
from engine.execution.changes.needs import ChangeNeeds, Spare
from engine.execution.changes.terms import ModifyWish, check_change, check_terms
from engine.execution.life import OrderLife, read_life
from engine.execution.watching.book_reads import MAY_LIVE
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.market.market_data import MarketData
from engine.planning.intent import check_override
from engine.timing import Timing


class DoubtView(Struct, frozen=True):
    """What is known of an UNKNOWN order: what reads show, when the next comes, whether it was raised."""

    evidence: str
    next_read: datetime
    raised: bool


class ChangeEnd(Struct, frozen=True):
    """How a change of an order ended, with the broker's words."""

    state: RequestState
    detail: str


class CancelResult(Struct, frozen=True):
    """What a cancel did at once: asked of the broker, freed unsent, and ended before it came."""

    asked: int
    freed_unsent: int
    ended: tuple[int, ...]


class Orders:
    """The orders of all clients."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        workers: Workers,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._recorder = workers.recorder
        self._canceller = workers.canceller
        self._changer = workers.changer
        self._watcher = workers.watcher

    def all(
        self,
        live: bool | None = None,
        client_id: int | None = None,
        run: int | None = None,
        key: str | None = None,
        today: bool = False,
    ) -> list[OrderView]:
        """Orders by the given marks, live ones first, then the newest.

        `today` leaves out those that ended on the trading day before, which are kept to be looked at.
        """
        book, day = self._kept.book, self._timing.market.trading_day
        ids = book.orders_of_run.get(run, set()) if run is not None else book.live if live else book.orders
        found = [
            order
            for order in (book.orders[order_id] for order_id in ids)
            if (live is None or order.live == live)
            and (not today or order.live or order.trading_date >= day)
            and (client_id is None or order.client_id == client_id)
            and (key is None or order.key == key)
        ]
        return sorted(found, key=lambda order: (not order.live, -order.id))

    def get(self, order_id: int) -> OrderView:
        """One order. Raises `BadInput` for an unknown number."""
        order = self._kept.book.orders.get(order_id)
        if order is None:
            raise BadInput("order", order_id, "no order of today or still live has this number")
        return order

    def needs_attention(self) -> list[OrderView]:
        """Orders a trader should look at: UNKNOWN, rejected or denied, partly filled, flagged, not booked.

        So are the unsent ones of runs that paused by themselves.
        """
        book = self._kept.book
        found = [book.orders[order_id] for order_id in book.asking()]
        return sorted(found, key=lambda order: (not order.live, -order.id))

    async def life(self, order_id: int) -> OrderLife:
        """Everything stored of one order, oldest first."""
        return await read_life(self._kept.store, self.get(order_id))

    async def modify(
        self,
        order_id: int,
        quantity: int | None = None,
        limit_paise: int | None = None,
        trigger_paise: int | None = None,
        shown: OrderView | None = None,
        override: str = "",
    ) -> int:
        """Ask for a live order to be changed; `None` leaves a value as it is. Returns the request's number.

        What it needs more is blocked first. `shown` is the order as the trader confirmed it; one that stands
        otherwise by now is refused. `override` is the reason to go beyond soft limits, which the audit keeps.
        Raises `BadInput` or a `Refusal`; then nothing was sent.
        """
        self.get(order_id)
        check_override(override)
        wish = ModifyWish(OrderChange(quantity, limit_paise, trigger_paise), "by hand", override)
        return await self._changer.change(order_id, wish, shown=shown)

    async def change_needs(
        self,
        order_id: int,
        quantity: int | None = None,
        limit_paise: int | None = None,
        trigger_paise: int | None = None,
    ) -> ChangeNeeds:
        """What such a change would block more; nothing is written. Raises `BadInput` as `modify` does."""
        change = OrderChange(quantity, limit_paise, trigger_paise)
        check_terms(change, self.get(order_id).key, self._market_data)
        async with self._kept.store.reader() as reader:
            (order,) = await ORDERS.read(reader, [order_id])
        order.asked_quantity, order.asked_reserve_paise = check_change(order, change)
        return Spare(self._kept.book).take(self.get(order_id), order.lacks())

    async def change_ended(self, order_id: int, number: int) -> ChangeEnd:
        """Wait until a change has ended, by the broker's book or the order's own end."""
        ended = asyncio.Event()
        unsubscribe = self._kept.bus.subscribe(lambda event: ended.set())
        try:
            while True:
                ended.clear()
                row = next(r for r in (await self.life(order_id)).requests if r.number == number)
                state = RequestState(row.state)
                if state not in (RequestState.REQUESTED, RequestState.SENT):
                    return ChangeEnd(state, row.detail)
                await ended.wait()
        finally:
            unsubscribe()

    def doubt(self, order_id: int) -> DoubtView | None:
        """What is known of an UNKNOWN order; None for any other."""
        order = self.get(order_id)
        if order.state is not OrderState.UNKNOWN:
            return None
        return DoubtView(
            self._watcher.evidence(order_id),
            self._watcher.next_read(order.client_id),
            Flag.NEEDS_HUMAN.value in order.flags,
        )

    def external_count(self) -> int:
        """How many live orders are known at the brokers that this desk did not send."""
        return sum(map(len, self._kept.book.external_orders.values()))

    def external(self, client_id: int) -> list[BrokerOrder]:
        """A client's live orders at the broker that this desk did not send, the oldest first."""
        found = self._kept.book.external_orders.get(client_id, {}).values()
        return sorted(found, key=lambda order: (order.placed_at, order.broker_order_id))

    def elsewhere(self) -> list[ExternalOrderView]:
        """The day's orders of other terminals as brokers' books show them, live ones first, then the newest.

        Those known since this desk was opened, and none that it has taken for its own.
        """
        today, seen = self._timing.market.trading_day, self._kept.book.external_seen
        found = [
            ExternalOrderView(client_id, order, order.status in MAY_LIVE)
            for client_id, orders in seen.items()
            for order in orders.values()
            if order.placed_at.astimezone(IST).date() == today
        ]
        found.sort(key=lambda one: (one.live, one.order.placed_at, one.order.broker_order_id), reverse=True)
        return found

    async def adopt(self, order_id: int, broker_order_id: str, reason: str) -> OrderView:
        """Say that an order in doubt is the broker's order `broker_order_id`, which lacks our tag.

        Raises `BadInput` unless the doubt was raised to the trader, the broker shows that order as live and a
        reason is given.
        """
        order = self._raised(order_id, reason)
        theirs = self._kept.book.external_orders.get(order.client_id, {})
        found = theirs.get(broker_order_id)
        if found is None or order.tag is None:
            live = ", ".join(theirs) or "none"
            raise BadInput("broker order", broker_order_id, f"live orders there that are not ours: {live}")
        await self._tell(order_id, AuditAction.ORDER_ADOPTED, reason, broker_order_id)
        self._recorder.put(Seen(order.client_id, replace(found, tags=(*found.tags, order.tag))))
        await self._recorder.flush()
        theirs.pop(broker_order_id, None)
        self._kept.book.external_seen.get(order.client_id, {}).pop(broker_order_id, None)
        return self.get(order_id)

    async def declare_absent(self, order_id: int, reason: str) -> OrderView:
        """Say that an order in doubt never reached the broker; its money is freed on the trader's word.

        Raises `BadInput` unless the doubt was raised to the trader and a reason is given.
        """
        self._raised(order_id, reason)
        await self._tell(order_id, AuditAction.ORDER_DECLARED_ABSENT, reason)
        self._recorder.put(ProvenAbsent(order_id, f"{self._engine.actor}: {reason.strip()}"))
        await self._recorder.flush()
        return self.get(order_id)

    def _raised(self, order_id: int, reason: str) -> OrderView:
        order = self.get(order_id)
        if order.state is not OrderState.UNKNOWN or Flag.NEEDS_HUMAN.value not in order.flags:
            raise BadInput("order", order_id, "its doubt has not been raised to the trader")
        reason_from(reason, "say how it is known")
        return order

    async def _tell(self, order_id: int, action: AuditAction, reason: str, broker_order_id: str = "") -> None:
        order, actor = self.get(order_id), self._engine.actor
        details = {"reason": reason.strip(), "broker_order_id": broker_order_id}
        entry = AuditEntry(action, actor, client_id=order.client_id, order_id=order_id, details=details)
        await self._engine.write_signed_on(lambda unit: unit.audit(entry))

    async def cancel(self, order_ids: Sequence[int], why: str = "by hand") -> CancelResult:
        """Ask for live orders to be cancelled; unsent ones are freed at once.

        Raises `BadInput`, and `StoreError` when it could not be written; the cancels were sent even so.
        """
        for order_id in order_ids:
            self.get(order_id)

        asked = await self._canceller.write(
            order_ids, lambda unit: ask(unit, order_ids, why, self._engine.actor)
        )
        return CancelResult(len(asked.requests), len(asked.freed), asked.ended)
