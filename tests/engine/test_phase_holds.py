"""What waits of an instrument is kept back when its market changes: phase, band, or all of the market."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time
from pathlib import Path

from brokers.contract import NotSent
from data.clock import IST
from data.records import replace
from data.vocabulary import (
    HaltScope,
    OrderState,
    OrderType,
    PauseReason,
    PhaseKind,
    RunCount,
    RunStatus,
    SizingKind,
)
from engine.desk import Desk
from engine.execution.views import RunView
from engine.planning.intent import Intent, Leg, Sizing
from engine.refusals import CannotGoOn
from engine.words.trading.runs import run_why
from tests.desks import Wire, books_are_sound, buy, on_tape, paper_desk, until
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of

ROHAN, PRIYA, AMIT = 8, 15, 22
QTY = SizingKind.FIXED_QUANTITY
LIMIT = replace(buy("RELIANCE", QTY, 2, ROHAN, PRIYA, AMIT), order_type=OrderType.LIMIT, limit_paise=2440_00)


def both_legs() -> Intent:
    """A limit order in a share with a closing auction, and a market order in one without."""
    riil = Leg(key="NSE:RIIL", side=LIMIT.side, sizing=Sizing(QTY, 1))
    return replace(LIMIT, further=(riil,))


class Kept:
    """A run whose broker turns the orders of some symbols away at its gate until it is let go."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.wire, self.number = desk, Wire(desk), 0
        self.shut = True
        self.wire.on_place = self._place

    async def _place(self, account, request):
        return NotSent("429") if self.shut else None

    @property
    def run(self) -> RunView:
        return self.desk.runs.get(self.number)

    async def start(self, intent) -> RunView:
        plan = await self.desk.plans.freeze(intent)
        self.number = (await self.desk.runs.start(plan, plan.digest)).number
        await until(self.desk, lambda: len(self.wire.placed) >= plan.orders, step_s=0.1)
        return self.run

    async def paused(self) -> RunView:
        self.shut = False
        await until(self.desk, lambda: self.run.status is RunStatus.PAUSED)
        return self.run

    async def to(self, at: str) -> None:
        day = self.desk.market_clock.trading_day
        exchange_of(self.desk).jump(datetime.combine(day, time.fromisoformat(at), IST))
        await self.desk.market.fetch(["NSE:RELIANCE", "NSE:RIIL"])


@asynccontextmanager
async def kept(home: Path) -> AsyncIterator[Kept]:
    async with paper_desk(home) as desk:
        yield Kept(desk)


async def test_what_waits_when_the_auction_begins_stays_and_goes_on_by_typed_words(tmp_path):
    async with kept(tmp_path) as it:
        await it.to("15:14:30")
        await it.start(LIMIT)
        await it.to("15:15")
        run = await it.paused()
        assert (run.pause_reason, run.counts[RunCount.UNSENT]) == (PauseReason.PHASE_CHANGED, 3)
        assert run_why(run) == "its market went from continuous to auction, no entry, until 15:20"
        assert run.needs_attention
        (line,) = on_tape(it.desk, "PAUSED")
        assert "until 15:20; 3 unsent keep" in line
        with refuses(CannotGoOn, "auction reference"):
            await it.desk.runs.go_on(it.number, 3)
        await it.to("15:20")
        await it.desk.runs.go_on(it.number, 3)
        await until(it.desk, lambda: it.run.counts[RunCount.UNSENT] == 0)
        (row,) = await it.desk.audit.rows(action="RUN_PAUSED")
        assert (row.details["reason"], row.details["phase"]) == ("phase_changed", "auction_reference")
        await books_are_sound(it.desk)


async def test_a_moved_band_keeps_what_waits(tmp_path):
    async with kept(tmp_path) as it:
        await it.start(LIMIT)
        exchange_of(it.desk).pin("RELIANCE", 2450_50, 2395_25)
        await it.desk.market.fetch(["NSE:RELIANCE"])
        run = await it.paused()
        assert run.pause_reason is PauseReason.BAND_MOVED
        assert run_why(run) == "the exchange has moved its price band"
        await it.desk.runs.go_on(it.number, 3)
        await until(it.desk, lambda: it.run.counts[RunCount.UNSENT] == 0)


async def test_a_halt_of_the_market_keeps_what_waits_and_its_end_sends_nothing_by_itself(tmp_path):
    async with kept(tmp_path) as it:
        await it.to("10:00")
        await it.start(LIMIT)
        await it.desk.market_halts.halt(10)
        run = await it.paused()
        assert run.pause_reason is PauseReason.MARKET_HALTED
        assert run_why(run) == "the whole market is halted, until 10:45"
        await it.to("11:05")
        await it.desk.market_halts.look()
        assert it.desk.market.phase_of(fno=True).kind is PhaseKind.CONTINUOUS
        assert it.run.status is RunStatus.PAUSED


async def test_the_shares_whose_session_goes_on_are_sent_while_the_others_wait(tmp_path):
    async with kept(tmp_path) as it:
        await it.to("15:14:30")
        await it.start(both_legs())
        await it.to("15:15")
        it.shut = False
        await until(it.desk, lambda: it.run.status is RunStatus.PAUSED)
        states = {(o.tradingsymbol, o.state) for o in it.desk.orders.all(run=it.number)}
        assert ("RELIANCE", OrderState.RESERVED) in states
        assert ("RIIL", OrderState.RESERVED) not in states
        assert it.run.pause_reason is PauseReason.PHASE_CHANGED
        assert on_tape(it.desk, "keeps what waits of") == [
            f"run {it.number} keeps what waits of RELIANCE back: auction, no entry, until 15:20; "
            "the rest goes on"
        ]
        (row,) = await it.desk.audit.rows(action="LEG_HELD")
        assert (row.details["key"], row.details["reason"]) == ("NSE:RELIANCE", "phase_changed")


async def test_a_run_is_paused_once_what_else_waited_was_freed(tmp_path):
    async with kept(tmp_path) as it:
        await it.to("15:14:30")
        await it.start(both_legs())
        await it.to("15:15")
        await until(it.desk, lambda: on_tape(it.desk, "keeps what waits of RELIANCE back"))
        assert it.run.status is RunStatus.RUNNING
        await it.desk.halt.fire("tester", HaltScope.SYMBOL, "NSE:RIIL")
        run = await it.paused()
        assert run.pause_reason is PauseReason.PHASE_CHANGED
        assert {o.tradingsymbol for o in it.desk.orders.all(run=it.number) if o.live} == {"RELIANCE"}
