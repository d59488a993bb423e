"""Under which conditions a run's unsent orders may leave: its age, and how far the price has moved.

Age is from confirmation, or from when the trader last went on with the run. A MARKET order is held against
the price of its plan, where that has a drift limit, a stop order against its trigger; a LIMIT order says its
own price and knows age only.
An order that waits for the next session knows only that session.
"""

from datetime import datetime

from msgspec import Struct

from data.clock import Clock
from data.money import moved_beyond, moved_bps
from data.records import replace
from data.repositories.base import On
from data.repositories.trading.runs import conditions_of_leg
from data.vocabulary import OrderType, PauseReason, PhaseKind, Side
from engine.book.views import OrderView, RunRow
from engine.booking.order import WorkingOrder
from engine.instances import ThisEngine
from engine.market.market_data import MarketData

PHASE_WORDS = {phase.value: phase for phase in PhaseKind}
"""Phases by the words that are stored."""


class OrderKind(Struct, frozen=True):
    """What of an order decides which conditions it knows. Every order of a run's leg is of one kind."""

    key: str
    side: Side
    order_type: OrderType
    trigger_paise: int | None
    after_market: bool
    leg: int = 1

    def knows_price(self, run: RunRow) -> bool:
        """Whether a move of the price can keep it back; without a drift limit only that of a stop can."""
        if self.after_market or self.order_type is OrderType.LIMIT:
            return False
        return self.trigger_paise is not None or run.drift_limit_bps is not None

    def triggered(self, last_paise: int) -> bool:
        """Whether a stop's trigger is reached, from which on its order would trade at once."""
        if self.trigger_paise is None:
            return False
        if self.side is Side.BUY:
            return last_paise >= self.trigger_paise
        return last_paise <= self.trigger_paise

    @classmethod
    def of(cls, order: OrderView | WorkingOrder) -> "OrderKind":
        """Of an order in the book, or as it is stored."""
        return cls(
            order.key, order.side, order.order_type, order.trigger_paise, order.after_market, order.leg
        )


class Standing(Struct, frozen=True):
    """How a run's unsent orders stand against their conditions at one moment.

    `last_paise` is None where no price is young enough; `drift_bps` is its move since the run was priced.
    `beyond` says which condition is broken, `waits` that a price is needed first.
    """

    age_s: float
    last_paise: int | None
    drift_bps: int | None
    beyond: PauseReason | None
    waits: bool


def standing(
    run: RunRow, kind: OrderKind, clock: Clock, engine: ThisEngine, market_data: MarketData, now: datetime
) -> Standing:
    """Hold a run against its conditions; `now` is wall time. May be asked from any thread."""
    age_s = run_age_s(run, clock, engine, now)
    last = market_data.young_price(kind.key, now, run.priced_by)
    drift = moved_bps(run.priced_paise or 0, last or 0)
    if kind.after_market:
        return Standing(age_s, last, drift, None, False)
    if age_s > run.send_within_s:
        return Standing(age_s, last, drift, PauseReason.TOO_OLD, False)
    if not kind.knows_price(run):
        return Standing(age_s, last, drift, None, False)
    moved = last is not None and _moved_beyond(run, kind, last)
    return Standing(age_s, last, drift, PauseReason.DRIFTED if moved else None, last is None)


def as_leg(connection: On, run: RunRow, leg: int) -> RunRow:
    """The run with the conditions of one of its legs in place of the first one's."""
    told = conditions_of_leg(connection, run.number, leg) if leg > 1 else None
    if told is None:
        return run
    return replace(
        run,
        drift_limit_bps=told.drift_limit_bps,
        priced_paise=told.priced_paise,
        priced_by=told.priced_by,
        phase=PHASE_WORDS.get(told.phase),
        lower_circuit_paise=told.lower_circuit_paise,
        upper_circuit_paise=told.upper_circuit_paise,
    )


def run_age_s(run: RunRow, clock: Clock, engine: ThisEngine, now: datetime) -> float:
    """Seconds since a run was confirmed or gone on with, pauses counted.

    The larger of two clocks: a wall clock may be set back, a monotonic one may stand still while the machine
    sleeps.
    """
    began = engine.begun.get(run.number)
    steady = 0.0 if began is None else clock.monotonic() - began
    return max(0.0, steady, (now - run.confirmed_at).total_seconds())


def _moved_beyond(run: RunRow, kind: OrderKind, last_paise: int) -> bool:
    if kind.trigger_paise is not None:
        return kind.triggered(last_paise)
    if (limit := run.drift_limit_bps) is None:
        return False
    return run.priced_paise is None or moved_beyond(run.priced_paise, last_paise, limit)
