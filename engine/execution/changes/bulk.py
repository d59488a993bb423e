"""Modifying many live orders at once: the list of what it would do, its confirmation, and how each ended."""

import asyncio
from collections.abc import Collection, Sequence

from msgspec import Struct

from brokers.contract import OrderChange
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import moved_beyond, moved_bps
from data.repositories.base import On
from data.repositories.trading.requests import change_ends, changes_made_of, open_cancels
from data.vocabulary import LimitTo, OrderState, RequestState
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covering
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.booking.order import WorkingOrder
from engine.booking.stored import ORDERS
from engine.execution.changes.needs import Spare
from engine.execution.changes.new_limits import (
    ModifyLine,
    ModifyPlan,
    NewLimit,
    check_bound,
    check_new_limit,
    frozen,
)
from engine.execution.changes.terms import ModifyWish, check_change, check_terms
from engine.execution.trading import require_trading
from engine.execution.waiting import until
from engine.execution.workers import Workers
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.refusals import NotConfirmed, NothingToSend, PlanDrifted, PlanTooOld, Refusal
from engine.rules import SHOWN_DIGITS, Rules
from engine.timing import Timing


class ModifyAsked(Struct, frozen=True):
    """One order of a confirmed list: the number of its request, or what speaks against it now."""

    line: ModifyLine
    number: int | None
    problem: BadInput | Refusal | None = None


class ModifyEnd(Struct, frozen=True):
    """How one order of a confirmed list ended: its request's state, None where none was made."""

    asked: ModifyAsked
    order: OrderView
    state: RequestState | None
    detail: str = ""


class _Found(Struct, frozen=True):
    """What the books say of the orders of a list, as one reading has it."""

    orders: dict[int, WorkingOrder]
    made: dict[int, int]
    cancelling: Collection[int]


class Modifies:
    """Lists of modifies: looked at, confirmed by their digest, sent, and followed to their ends."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        rules: Rules,
        workers: Workers,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._rules = rules
        self._changer = workers.changer

    async def look(self, order_ids: Collection[int], wish: NewLimit) -> ModifyPlan:
        """What the wish would do to these orders now; nothing is written.

        Each client's needs are held against what it has left, one order after the other. Raises `BadInput`
        for a wish that no order could have, and for an order that is not known.
        """
        check_new_limit(wish)
        views = [self._view(order_id) for order_id in sorted(set(order_ids))]
        await self._ask_prices({view.key for view in views}, wish)
        ids = [view.id for view in views]
        async with self._kept.store.reader() as reader:
            rows = await ORDERS.read(reader, ids)
            made, cancelling = await reader.run_sync(lambda plain: _requests_of(plain, ids))
        found = _Found({row.id: row for row in rows}, made, cancelling)
        spare = Spare(self._kept.book)
        lines = [self._line(view, wish, found, spare) for view in views]
        return frozen(wish, lines, self._timing.wall.monotonic())

    def _view(self, order_id: int) -> OrderView:
        view = self._kept.book.orders.get(order_id)
        if view is None:
            raise BadInput("order", order_id, "no order of today or still live has this number")
        return view

    async def _ask_prices(self, keys: Collection[str], wish: NewLimit) -> None:
        if wish.to in (LimitTo.LAST, LimitTo.CHASE):
            now, data = self._timing.wall.now(), self._market_data
            old = [key for key in keys if data.young_price(key, now) is None]
            if old:
                await data.fetch(old)

    def _line(self, view: OrderView, wish: NewLimit, found: _Found, spare: Spare) -> ModifyLine:
        """One order under the wish, as far as it goes."""
        last = self._market_data.young_price(view.key, self._timing.wall.now())
        limit: int | None = None
        try:
            self._check_open(view, found)
            instrument = self._market_data.index.get(view.key)
            limit = wish.of(view, last, instrument.tick_paise if instrument else 1)
            if wish.to is LimitTo.CHASE:
                check_bound(view, limit)
            change = OrderChange(price_paise=limit)
            check_terms(change, view.key, self._market_data)
            order = found.orders[view.id]
            order.asked_quantity, order.asked_reserve_paise = check_change(order, change)
        except BadInput as bad:
            return ModifyLine(view, limit, last, why=bad.expected)
        return ModifyLine(view, limit, last, spare.take(view, order.lacks()))

    def _check_open(self, view: OrderView, found: _Found) -> None:
        """Refuse an order that could not be changed now. Raises `BadInput`."""
        client = self._kept.book.clients[view.client_id]
        connection = self._kept.book.carrier_of(view.client_id)
        why = ""
        if view.state is not OrderState.OPEN or view.id not in found.orders:
            why = f"only an OPEN order can be changed; this one is {view.state}"
        elif view.flatten_number is not None:
            why = f"flatten {view.flatten_number} prices it"
        elif view.modifying:
            why = "a change of it is under way"
        elif view.id in found.cancelling:
            why = "it is being cancelled"
        elif connection is None:
            why = f"this desk has no connection to {client.broker}"
        elif found.made.get(view.id, 0) >= (most := connection.capabilities.most_changes):
            why = f"a broker takes {most} changes of one order; cancel it instead"
        elif self._halted(view):
            why = "a halt covers it; resume it first"
        if why:
            raise BadInput("order", view.id, why)

    def _halted(self, view: OrderView) -> bool:
        book = self._kept.book
        over = covering(book.halts, book.clients[view.client_id], view.key)
        return bool(over) or halt_file_stands(self._kept.halt_file)

    # --- confirmed ---

    async def confirm(self, plan: ModifyPlan, digest: str) -> str:
        """Hold that a list may be done as it stands, and tell the audit; returns what its requests are for.

        Raises `NothingToSend`, `NotConfirmed` for another digest, `PlanTooOld`, `PlanDrifted` where a price
        has moved beyond the drift limit since, `TradingStopped`.
        """
        if not plan.going:
            raise NothingToSend(None)
        if len(digest) < SHOWN_DIGITS or not plan.digest.startswith(digest.lower()):
            raise NotConfirmed(None)
        valid_s = self._rules.plan_valid_s
        if self._timing.wall.monotonic() - plan.frozen_s > valid_s:
            raise PlanTooOld(None, valid_s)
        for line in plan.going:
            self._check_drift(line)
        chases = plan.wish.to is LimitTo.CHASE
        action = AuditAction.CHASE_STARTED if chases else AuditAction.MODIFIES_ASKED
        orders = [line.order.id for line in plan.going]
        details = {"to": plan.wish.to.value, "digest": plan.digest, "orders": orders}
        details |= {} if plan.wish.to is LimitTo.TICKS else {"limit_paise": plan.wish.value}
        details |= {"ticks": plan.wish.value} if plan.wish.to is LimitTo.TICKS else {}
        details |= {"override": plan.wish.override} if plan.wish.override else {}
        await require_trading(self._kept.store, self._engine)
        details |= {"instance": self._engine.id} if chases else {}  # a chase ends with its engine
        entry = AuditEntry(action, self._engine.actor, details=details)
        await self._kept.store.write(lambda unit: unit.audit(entry))
        return f"{'chase' if chases else 'bulk modify'} {plan.short_digest}"

    def _check_drift(self, line: ModifyLine) -> None:
        now = self._market_data.quotes.quote(line.order.key)
        if line.last_paise is None or now is None:
            return
        if moved_beyond(line.last_paise, now.last_paise, self._rules.drift_limit_bps):
            moved = moved_bps(line.last_paise, now.last_paise)
            raise PlanDrifted(None, line.order.tradingsymbol, moved)

    async def start(self, plan: ModifyPlan, digest: str) -> tuple[ModifyAsked, ...]:
        """Ask for every modify of a list, each durable before it leaves. Raises what `confirm` raises."""
        newest_halt = self._kept.book.newest_halt
        why = await self.confirm(plan, digest)
        override = plan.wish.override
        return tuple(
            await asyncio.gather(*(self._ask(one, why, override, newest_halt) for one in plan.going))
        )

    async def _ask(self, line: ModifyLine, why: str, override: str, newest_halt: int) -> ModifyAsked:
        wish, order = ModifyWish(OrderChange(price_paise=line.limit_paise), why, override), line.order
        try:
            number = await self._changer.change(order.id, wish, shown=order, newest_halt=newest_halt)
            return ModifyAsked(line, number)
        except (BadInput, Refusal) as problem:
            return ModifyAsked(line, None, problem)

    async def ended(self, asked: Sequence[ModifyAsked], wait_s: float) -> tuple[ModifyEnd, ...]:
        """How each of them ended, once all have, or as they stand after `wait_s`."""
        orders, ids = self._kept.book.orders, [one.line.order.id for one in asked if one.number is not None]
        await until(
            self._kept.bus,
            self._timing.wall,
            lambda: not any(orders[order_id].modifying for order_id in ids),
            wait_s,
        )
        async with self._kept.store.reader() as reader:
            ends = await change_ends(reader, ids)
        return tuple(self._end(one, ends) for one in asked)

    def _end(self, asked: ModifyAsked, ends: dict[tuple[int, int], tuple[RequestState, str]]) -> ModifyEnd:
        order_id = asked.line.order.id
        order = self._kept.book.orders[order_id]
        if asked.number is None:
            return ModifyEnd(asked, order, None)
        return ModifyEnd(asked, order, *ends[order_id, asked.number])


def _requests_of(on: On, order_ids: Collection[int]) -> tuple[dict[int, int], Collection[int]]:
    """How often each of these orders was changed, and which of them are being cancelled."""
    return changes_made_of(on, order_ids), open_cancels(on, order_ids)
