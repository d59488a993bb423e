"""Chases: live orders whose limit follows the best price of their own side, no further than a bound.

A chase is this engine's alone and ends with it; the order stays at the limit it has by then, and
`engine/review/lost_chases.py` tells of it.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from brokers.contract import Tick
from data.audit import AuditAction, AuditEntry
from data.money import tick_down, tick_up
from data.store import StoreError, Unit
from data.vocabulary import ChaseEnd, Side
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covered
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.events import ChaseChanged, TapeLine
from engine.execution.changes.bulk import Modifies
from engine.execution.changes.new_limits import ModifyPlan
from engine.execution.changes.pricing import Pricing
from engine.execution.waiting import until
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.news import ChaseNews
from engine.rules import MOST_REPRICES
from engine.timing import Timing

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chase:
    """One order that follows its market: how far it may go, and how far it has been moved."""

    order_id: int
    bound_paise: int
    why: str
    """What its modifies are asked for with."""
    actor: str
    stands: OrderView
    """Its order as the chase left it last, or met it."""
    pricing: Pricing
    newest_halt: int
    """The halt that was fired last when it was confirmed."""
    end: ChaseEnd | None = None
    detail: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)


def followed(side: Side, limit_paise: int, bound_paise: int, quote: Tick, tick_paise: int) -> int:
    """The limit that follows the market, in paise: at the best price of its own side, never further from the
    market than it stands, never beyond the bound.
    """
    if side is Side.BUY:
        best = tick_down(quote.bid_paise or quote.last_paise, tick_paise)
        return min(bound_paise, max(limit_paise, best))
    best = tick_up(quote.ask_paise or quote.last_paise, tick_paise)
    return max(bound_paise, min(limit_paise, best))


def _changed_beside(chase: Chase, order: OrderView) -> bool:
    """Whether an order stands otherwise than a chase met it or moved it: somebody else has changed it."""
    if order.modifying:
        return False
    met, limits = chase.stands, (chase.stands.limit_paise, chase.pricing.limit_paise)
    terms = (order.quantity, order.trigger_paise)
    return terms != (met.quantity, met.trigger_paise) or order.limit_paise not in limits


class Chases:
    """Begins, carries and ends them."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        modifies: Modifies,
        workers: Workers,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._modifies = modifies
        self._changer = workers.changer
        self._going: dict[int, Chase] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, plan: ModifyPlan, digest: str) -> tuple[Chase, ...]:
        """Have the orders of a confirmed list follow their market. Raises what `Modifies.confirm` raises."""
        newest_halt = self._kept.book.newest_halt
        why = await self._modifies.confirm(plan, digest)
        return tuple(self._begin(line.order, line.limit_paise or 0, why, newest_halt) for line in plan.going)

    def _begin(self, order: OrderView, bound_paise: int, why: str, newest_halt: int) -> Chase:
        pricing = Pricing(order.limit_paise or 0, self._timing.wall.monotonic(), most=MOST_REPRICES)
        chase = Chase(order.id, bound_paise, why, self._engine.actor, order, pricing, newest_halt)
        before = self._going.get(order.id)
        if before is not None:
            before.end = ChaseEnd.STOPPED
        self._going[order.id] = chase
        task = asyncio.create_task(self._carry(chase))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._kept.bus.publish([ChaseChanged(order.id)])
        return chase

    def of(self, order_id: int) -> Chase | None:
        """The chase of an order that goes on, if there is one."""
        return self._going.get(order_id)

    @property
    def going(self) -> list[int]:
        """The orders that follow their market, by number."""
        return sorted(self._going)

    def stop(self, order_ids: Collection[int]) -> int:
        """Let these orders stand where they are; returns how many followed their market."""
        chases = [self._going[order_id] for order_id in order_ids if order_id in self._going]
        for chase in chases:
            chase.end = ChaseEnd.STOPPED
            self._kept.bus.publish([ChaseChanged(chase.order_id)])
        return len(chases)

    async def ended(self, chases: Iterable[Chase]) -> None:
        """Wait until these have ended."""
        for chase in chases:
            await chase.over.wait()

    def close(self) -> None:
        """Let all orders stand where they are."""
        for task in self._tasks:
            task.cancel()

    # --- one chase ---

    async def _carry(self, chase: Chase) -> None:
        try:
            while chase.end is None:
                with suppress(StoreError):  # told by the store; tried again at the next look
                    await self._step(chase)
                if chase.end is None:
                    await self._pause(chase)
            with suppress(StoreError):
                await self._tell(chase)
        except Exception:
            log.exception("the chase of order %s failed", chase.order_id)
            chase.end, chase.detail = ChaseEnd.REFUSED, "it failed here; the log says how"
        finally:
            if self._going.get(chase.order_id) is chase:
                del self._going[chase.order_id]
            chase.over.set()
            self._kept.bus.publish([ChaseChanged(chase.order_id)])

    async def _pause(self, chase: Chase) -> None:
        order_id, orders = chase.order_id, self._kept.book.orders

        def done() -> bool:
            order = orders[order_id]
            if order.live and self._halted(chase, order):  # it ends a chase however soon it is resumed
                chase.end = ChaseEnd.HALTED
            return chase.end is not None or not order.live

        await until(self._kept.bus, self._timing.wall, done, self._timing.waits.chase_poll_s)

    async def _step(self, chase: Chase) -> None:
        """One look at the order and its market."""
        order, pricing = self._kept.book.orders[chase.order_id], chase.pricing
        if not order.live:
            chase.end = ChaseEnd.ORDER_ENDED
        elif self._halted(chase, order):
            chase.end = ChaseEnd.HALTED
        elif _changed_beside(chase, order):
            chase.end = ChaseEnd.CHANGED
        elif order.limit_paise == chase.bound_paise and not order.modifying:
            chase.end = ChaseEnd.AT_BOUND
        elif pricing.is_due(order, self._timing.wall.monotonic(), self._timing.waits.reprice_s):
            await self._move(chase, order)

    def _halted(self, chase: Chase, order: OrderView) -> bool:
        """Whether a halt is over an order, or was since its chase was confirmed."""
        book = self._kept.book
        over = covered(book.halts, book.clients[order.client_id], order.key)
        since = book.halted_since(chase.newest_halt, order.client_id, order.key)
        return over or since or halt_file_stands(self._kept.halt_file)

    async def _move(self, chase: Chase, order: OrderView) -> None:
        quote = await self._market_data.young_quote(order.key, self._timing.wall)
        instrument = self._market_data.index.get(order.key)
        if quote is None or instrument is None or order.limit_paise is None:
            return
        limit = followed(order.side, order.limit_paise, chase.bound_paise, quote, instrument.tick_paise)
        if limit == order.limit_paise or chase.end is not None:
            return
        if chase.pricing.spent:
            chase.end = ChaseEnd.SPENT
            return
        now_s = self._timing.wall.monotonic()
        newest = chase.newest_halt
        problem = await chase.pricing.move(self._changer, order, limit, chase.why, now_s, None, newest)
        if problem is None:
            chase.stands = order
        elif self._kept.book.orders[order.id].live:
            chase.end, chase.detail = ChaseEnd.REFUSED, str(problem)

    async def _tell(self, chase: Chase) -> None:
        """Tell the audit and the tape how it ended."""
        assert chase.end is not None
        order, end = self._kept.book.orders[chase.order_id], chase.end
        limit = order.limit_paise or chase.pricing.limit_paise
        news = ChaseNews(order.id, end, limit, chase.pricing.moved, chase.detail)
        details = {
            "why": end.value,
            "limit_paise": limit,
            "moved": news.moved,
            "detail": chase.detail,
            "instance": self._engine.id,
        }
        entry = AuditEntry(
            AuditAction.CHASE_ENDED,
            chase.actor,
            client_id=order.client_id,
            order_id=order.id,
            run_number=order.run_number,
            details=details,
        )

        def work(unit: Unit) -> None:
            unit.audit(entry)
            unit.publish(TapeLine(unit.now, news))

        await self._kept.store.write(work)
