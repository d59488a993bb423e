"""Chases: live orders whose limit follows the best price of their own side, no further than a bound.

A chase waits where its market does not trade continuously, the desk sends nothing, or a halt came over its
order. After a halt of the market, or of anybody here, it goes on by the trader's word alone.

A chase is this engine's alone and ends with it; the order stays at the limit it has by then, and
`engine/review/lost_chases.py` tells of it.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from brokers.contract import OrderChange, Tick
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import tick_down, tick_up
from data.store import StoreError, Unit
from data.vocabulary import ChaseEnd, ChaseWait, Side
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.events import ChaseChanged, TapeLine
from engine.execution.changes.bulk import Modifies
from engine.execution.changes.chase_news import ChaseNews, ChaseWaits
from engine.execution.changes.chase_waits import ChasePause, ChasePauses
from engine.execution.changes.new_limits import ModifyLine, ModifyPlan
from engine.execution.changes.pricing import Pricing
from engine.execution.changes.terms import ModifyWish
from engine.execution.waiting import until
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.refusals import OrderHalted
from engine.rules import MOST_REPRICES
from engine.timing import Timing

log = logging.getLogger(__name__)

GO_ON = "chase"
"""What is typed to have a chase go on."""


@dataclass(slots=True)
class Chase:
    """One order that follows its market: how far it may go, and how far it has been moved."""

    order_id: int
    bound_paise: int
    why: str
    """What its modifies are asked for with."""
    override: str
    """The reason typed for them to go beyond soft limits, if one was."""
    actor: str
    stands: OrderView
    """Its order as the chase left it last, or met it."""
    pricing: Pricing
    newest_halt: int
    """The halt that was fired last when it was confirmed, or told to go on."""
    pause: ChasePause | None = None
    """Why it waits."""
    seen: ChasePause | None = None
    """The same as the look before found it."""
    told: ChaseWait | None = None
    """Why it waits, as the tape and the audit have it."""
    end: ChaseEnd | None = None
    detail: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    asks: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it has come to wait for the trader's word."""


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
        self._pauses = ChasePauses(kept, timing, engine, market_data)
        self._going: dict[int, Chase] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, plan: ModifyPlan, digest: str) -> tuple[Chase, ...]:
        """Have the orders of a confirmed list follow their market. Raises what `Modifies.confirm` raises."""
        newest_halt = self._kept.book.newest_halt
        why = await self._modifies.confirm(plan, digest)
        return tuple(self._begin(line, why, plan.wish.override, newest_halt) for line in plan.going)

    def _begin(self, line: ModifyLine, why: str, override: str, newest_halt: int) -> Chase:
        order, bound, actor = line.order, line.limit_paise or 0, self._engine.actor
        pricing = Pricing(order.limit_paise or 0, self._timing.wall.monotonic(), most=MOST_REPRICES)
        chase = Chase(order.id, bound, why, override, actor, order, pricing, newest_halt)
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

    @property
    def asking(self) -> list[int]:
        """Those that wait for the trader's word."""
        return [one for one in self.going if (pause := self._going[one].pause) is not None and pause.asks]

    def stop(self, order_ids: Collection[int]) -> int:
        """Let these orders stand where they are; returns how many followed their market."""
        chases = [self._going[order_id] for order_id in order_ids if order_id in self._going]
        for chase in chases:
            halted = chase.pause is not None and chase.pause.why is ChaseWait.HALTED
            chase.end = ChaseEnd.HALTED if halted else ChaseEnd.STOPPED
            self._kept.bus.publish([ChaseChanged(chase.order_id)])
        return len(chases)

    async def go_on(self, order_ids: Collection[int], word: str) -> int:
        """Have chases that wait for the trader follow their market again; returns how many.

        `word` must be `chase`. Raises `BadInput` for another, or where none of them waits for it;
        `OrderHalted` while a halt is over one, `StoreError`.
        """
        if word.strip().casefold() != GO_ON:
            raise BadInput("answer", word, f"type {GO_ON}")
        going = [self._going[one] for one in order_ids if one in self._going]
        waiting = [chase for chase in going if chase.end is None and chase.pause and chase.pause.asks]
        if not waiting:
            raise BadInput("chase", ", ".join(map(str, order_ids)), "no chase of these waits for your word")
        newest = self._kept.book.newest_halt
        orders = self._kept.book.orders
        for chase in waiting:
            still = self._pauses.of(orders[chase.order_id], newest)
            if still is not None and still.why is ChaseWait.HALTED:
                raise OrderHalted
            if still is not None and still.asks:
                raise BadInput("chase", chase.order_id, "the whole market is halted; wait until it trades")
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            for chase in waiting:
                self._note(unit, chase, None, actor)

        await self._kept.store.write(unit_of_work)
        for chase in waiting:
            chase.told = chase.pause = None
            chase.newest_halt, chase.stands = newest, orders[chase.order_id]
            chase.asks.clear()
            self._kept.bus.publish([ChaseChanged(chase.order_id)])
        return len(waiting)

    async def ended(self, chases: Iterable[Chase]) -> None:
        """Wait until these have ended, or wait for the trader's word."""
        for chase in chases:
            over = asyncio.ensure_future(chase.over.wait())
            asks = asyncio.ensure_future(chase.asks.wait())
            try:
                await asyncio.wait({over, asks}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                over.cancel()
                asks.cancel()

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
            order, before = orders[order_id], chase.pause
            if order.live:  # a halt makes it wait however soon it is resumed
                self._look(chase, order)
            return chase.end is not None or not order.live or chase.pause != before

        await until(self._kept.bus, self._timing.wall, done, self._timing.waits.chase_poll_s)

    def _look(self, chase: Chase, order: OrderView) -> None:
        """Have it wait for as long as there is reason to; what asks for the trader's word stays."""
        if chase.pause is not None and chase.pause.asks:
            return
        before, chase.pause = chase.pause, self._pauses.of(order, chase.newest_halt)
        if chase.pause != before:
            self._kept.bus.publish([ChaseChanged(chase.order_id)])

    async def _step(self, chase: Chase) -> None:
        """One look at the order and its market."""
        order, pricing = self._kept.book.orders[chase.order_id], chase.pricing
        if not order.live:
            chase.end = ChaseEnd.ORDER_ENDED
            return
        self._look(chase, order)
        stands, chase.seen = chase.pause == chase.seen, chase.pause
        # A halt of everything cancels the order: what ends at once is not told to wait first.
        if (chase.pause and chase.pause.why) is not chase.told and (stands or chase.pause is None):
            pause = chase.pause
            await self._kept.store.write(lambda unit: self._note(unit, chase, pause))
            chase.told = pause and pause.why
        if _changed_beside(chase, order):
            chase.end = ChaseEnd.CHANGED
        elif chase.pause is not None:
            if chase.pause.asks:
                chase.asks.set()
        elif order.limit_paise == chase.bound_paise and not order.modifying:
            chase.end = ChaseEnd.AT_BOUND
        elif pricing.is_due(order, self._timing.wall.monotonic(), self._timing.waits.reprice_s):
            await self._move(chase, order)

    def _note(self, unit: Unit, chase: Chase, pause: ChasePause | None, by: str = "") -> None:
        """Tell the audit and the tape that it waits and why, or that it goes on, by itself or by somebody."""
        action = AuditAction.CHASE_RESUMED if pause is None else AuditAction.CHASE_PAUSED
        details: dict[str, object] = {"instance": self._engine.id}
        if pause is not None:
            details |= {"why": pause.why.value, "phase": pause.phase and pause.phase.value}
        order = self._kept.book.orders[chase.order_id]
        entry = AuditEntry(
            action,
            by or chase.actor,
            client_id=order.client_id,
            order_id=order.id,
            run_number=order.run_number,
            details=details,
        )
        unit.audit(entry)
        news = ChaseWaits(order.id, None, by=by)
        if pause is not None:
            news = ChaseWaits(order.id, pause.why, pause.phase, pause.until, pause.detail, asks=pause.asks)
        unit.publish(TapeLine(unit.now, news))
        unit.publish(ChaseChanged(order.id))

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
        wish = ModifyWish(OrderChange(price_paise=limit), chase.why, chase.override)
        problem = await chase.pricing.move(self._changer, order, wish, now_s, None, newest)
        if problem is None:
            chase.stands = order
        elif self._kept.book.orders[order.id].live:
            chase.end, chase.detail = ChaseEnd.REFUSED, str(problem)

    async def _tell(self, chase: Chase) -> None:
        """Tell the audit how it ended, and the tape unless its order did: of that the run's line tells."""
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
            if end is not ChaseEnd.ORDER_ENDED:
                unit.publish(TapeLine(unit.now, news))

        await self._kept.store.write(work)
