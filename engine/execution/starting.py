"""What is looked at between a plan's confirmation and the commit that reserves for it."""

from collections.abc import Callable, Iterable
from random import Random

from msgspec import Struct

from data.reference.instrument_index import renamed_to
from data.vocabulary import Product, Side
from data.writing.unit import Unit
from engine import refusals
from engine.book.halt_file import halt_file_stands
from engine.book.kept import Kept
from engine.booking.overdue import may_be_sent
from engine.execution.trading import require_trading
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.planning.plan import Plan
from engine.planning.service import Plans
from engine.planning.why import Why
from engine.rules import SHOWN_DIGITS, Rules
from engine.timing import Timing


class Starting:
    """Says whether a confirmed plan may be carried out now."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        market_data: MarketData,
        rules: Rules,
        plans: Plans,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._rules = rules
        self._plans = plans

    async def look(self, plan: Plan, confirm: str) -> None:
        """Look at all that may have changed since a plan was confirmed by (the first digits of) its hash.

        Raises a `Refusal`.
        """
        await self.look_at(plan, confirm, sends=True)

    async def look_at(self, plan: Plan, confirm: str, sends: bool = False) -> None:
        """The same; whether this desk may trade is asked where it `sends` itself. Raises a `Refusal`."""
        confirm = confirm.strip().lower()
        if (
            len(confirm) < SHOWN_DIGITS
            or not plan.digest.startswith(confirm)
            or not await self._plans.is_as_stored(plan)
        ):
            raise refusals.NotConfirmed(plan.number)
        if sends:
            await require_trading(self._kept.store, self._engine)
        self._check_named(plan)
        if self._plans.expired(plan):
            valid_s = (plan.expires_at - plan.frozen_at).total_seconds()
            raise refusals.PlanTooOld(plan.number, valid_s)
        self._check_session(plan)
        halt = next((halt for halt in self._kept.book.halts if halt.stops_desk), None)
        if halt is not None or halt_file_stands(self._kept.halt_file):
            raise refusals.Halted(halt.number if halt else None, halt.by if halt else "")
        if not plan.orders:
            raise refusals.NothingToSend(plan.number)
        for part in plan.parts:
            await self._check_price(plan, part)

    def _check_named(self, plan: Plan) -> None:
        for part in plan.parts:
            if now := renamed_to(self._market_data.index, part.instrument):
                raise refusals.PlanRenamed(plan.number, part.instrument.key, now)

    def _check_session(self, plan: Plan) -> None:
        """Whether the session that the plan is for goes on, and intraday buying in it."""
        awaited = self._timing.awaited_day()
        waits, day = plan.intent.after_market, self._timing.market.trading_day
        if not may_be_sent(waits, plan.trading_day, day, awaited):
            raise refusals.PlanSessionOver(plan.number, begun=waits)
        for part in plan.parts:
            buys_within_day = part.intent.side is Side.BUY and any(
                line.product is Product.MIS for line in part.ok_lines
            )
            brokers = {line.broker for line in part.ok_lines}
            until = self._timing.intraday_end_of(part.instrument.fno, brokers)
            ended = until is not None and self._timing.market.now() >= until
            if buys_within_day and ended and not waits:
                raise refusals.PlanIntradayOver(plan.number, part.instrument.key)

    async def _check_price(self, plan: Plan, part: Plan) -> None:
        """Whether the price of a leg is young, and where it was."""
        key, symbol = part.instrument.key, part.instrument.tradingsymbol
        data, clock, by = self._market_data, self._timing.wall, part.priced_by
        if data.too_old(data.age_by(key, by, clock.now())):
            fetched = await data.fetch([key])
            if not fetched or (by and data.too_old(data.age_by(key, by, clock.now()))):
                raise refusals.PriceNotYoung(plan.number, symbol, None)
        drift = self._plans.drift_bps(part)
        if drift is None or self._plans.drifted(part):
            raise refusals.PlanDrifted(plan.number, symbol, drift)


class MadeOf(Struct, frozen=True):
    """What runs are made of: plans, judged by rules and begun with a client drawn; `worded` says reasons.

    `confirmed` raises in the transaction that begins a run where others have still to confirm its plan.
    """

    plans: Plans
    rules: Rules
    rng: Random
    worded: Callable[[Iterable[Why]], str]
    confirmed: Callable[[Unit, Plan], None]
