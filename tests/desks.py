"""Desks for tests: the demonstration on an exchange in memory, a clock moved by hand, pinned prices."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from brokers.paper.exchange import PaperExchange
from data.clock import ManualClock
from data.phases import load_calendar
from data.vocabulary import OrderType, Policy, Product, Side, SizingKind
from engine.orders.intents import Intent, Selection, Sizing
from engine.orders.plan_record import Plan
from engine.orders.runs import RunView
from tradedesk.settings import Settings
from tradedesk.wiring import PaperDesk, open_desk, prepare_demo

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""09:15 IST of the demonstration's day."""

MISSION_PINS = {
    "RELIANCE": (245050, 239520),
    "TCS": (250000, 249000),
    "INFY": (150000, 149100),
    "HDFCBANK": (160000, 159000),
}
"""Last price and previous close, in paise, that the scenarios name; on the tick."""


@asynccontextmanager
async def paper_desk(
    home: Path,
    policy: Policy = Policy.WORST,
    pins: Mapping[str, tuple[int, int]] = MISSION_PINS,
    demo: bool = True,
    kind: str = "api",
) -> AsyncIterator[PaperDesk]:
    """A desk in `home` whose market stands still at `pins` and whose clock the test moves."""
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar(), policy=policy)
    async with open_desk(
        home,
        kind,
        clock=clock,
        settings=Settings(policy=policy, trader="tester"),
        exchange=exchange,
        latency=(0.0, 0.0),
        seed=7,
    ) as desk:
        if demo:
            await prepare_demo(desk)
            for symbol, (last, previous) in pins.items():
                exchange.pin(symbol, last, previous)
        yield desk


def buy(
    symbol: str,
    kind: SizingKind,
    value: int,
    *client_ids: int,
    product: Product = Product.CNC,
    limit_paise: int | None = None,
    again: bool = False,
) -> Intent:
    """A buy of an NSE symbol."""
    return Intent(
        side=Side.BUY,
        key=f"NSE:{symbol}",
        sizing=Sizing(kind, value),
        order_type=OrderType.MARKET if limit_paise is None else OrderType.LIMIT,
        product=product,
        limit_paise=limit_paise,
        selection=Selection(client_ids=client_ids),
        again=again,
    )


def sell(symbol: str, kind: SizingKind, value: int, *client_ids: int) -> Intent:
    """A market sell of an NSE symbol, product as held."""
    return Intent(
        side=Side.SELL,
        key=f"NSE:{symbol}",
        sizing=Sizing(kind, value),
        product=None,
        selection=Selection(client_ids=client_ids),
    )


async def carry_out(desk: PaperDesk, intent: Intent) -> tuple[Plan, RunView]:
    """Freeze, confirm and send an intent, and wait until it has settled."""
    plan = await desk.plans.freeze(intent)
    run = await desk.runs.start(plan, plan.digest)
    run = await desk.runs.settled(run.number, 30)
    await desk.settle()
    return plan, run


async def books_are_sound(desk: PaperDesk) -> None:
    """Fail unless every check of the doctor is ok."""
    assert [check for check in await desk.doctor.run() if not check.ok] == []
