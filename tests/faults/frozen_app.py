"""The app that is frozen by the tests: it rests orders for everybody and stops itself at a given instant."""

import asyncio
import logging
import random
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from brokers.contract import BrokerAccount, OrderRequest, Outcome
from data.errors import BadInput
from data.money import tick_down
from data.store import StoreError
from data.vocabulary import DeskKind, OrderState, OrderType, Product, Side, SizingKind
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.refusals import Refusal
from tests.faults.actions import patience
from tests.faults.clock import monotonic
from tests.faults.forks import fork
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

SYMBOLS = ("RELIANCE", "INFY", "HDFCBANK", "SBIN", "ITC")

AT_RANDOM = "at random"
EXCHANGE = "exchange"
"""Inside a transaction of the paper exchange, whose file the command needs as well."""
ON_THE_WIRE = "on the wire"
"""After the last look for a halt, before the call: the order has left as far as the app knows."""

ENOUGH = 60
"""Live orders from which on the app may be frozen."""

MOST = 300
"""Live orders at which the load begins to cancel its own."""

THAWING_S = 30.0
"""Real seconds within which a thawed app comes to rest."""


class Freezer:
    """Stops this process the `count`-th time it comes to an instant."""

    def __init__(self, instant: str, count: int) -> None:
        self._instant = instant
        self._left = count
        self.armed = False

    def __call__(self, instant: str) -> None:
        """Told by the engine, on whichever thread, that it is there."""
        if self.armed and instant == self._instant:
            self._left -= 1
            if self._left == 0:
                signal.pthread_kill(
                    threading.get_ident(), signal.SIGSTOP
                )  # this thread stops here, not later


def app(pipe: Connection, home: Path, instant: str, count: int, seed: int) -> None:
    """An app under load as a forked process; tells once that it trades and once that it has come to rest."""
    logging.basicConfig(level=logging.WARNING, format="%(created).3f %(levelname)s %(name)s %(message)s")
    asyncio.run(_trade(pipe, home, Freezer(instant, count), random.Random(f"load:{seed}")))


async def _trade(pipe: Connection, home: Path, freezer: Freezer, dice: random.Random) -> None:
    async with compose_desk(
        home, DeskKind.APP, settings=Settings(trader="tester"), seed=dice.getrandbits(32)
    ) as desk:
        _watch_instants(desk, freezer)
        await desk.market.fetch([f"NSE:{symbol}" for symbol in SYMBOLS])
        told, acts = False, set[asyncio.Task[None]]()
        while not (home / "HALT").exists():
            if len(acts) < 3 and _count(desk, OrderState.RESERVED) < 150:
                acts.add(asyncio.create_task(rest_orders(desk, dice)))
            await patience(0.002)
            for task in [task for task in acts if task.done()]:
                task.result()
                acts.discard(task)
            if not told and _count(desk, OrderState.OPEN) >= ENOUGH:
                told = freezer.armed = True
                pipe.send("trading")
        end = monotonic() + THAWING_S
        await desk.settle()  # what was on the wire is unknown until its answer is booked
        while desk.counts().live + desk.counts().unsent and monotonic() < end:
            await patience(0.05)
            await desk.settle()
        await asyncio.gather(*acts)
        pipe.send("at rest")


def _watch_instants(desk: Desk, freezer: Freezer) -> None:
    seam(desk).reached = freezer
    catch_up = exchange_of(desk).catch_up

    def caught_up(state: Any) -> None:
        catch_up(state)
        freezer(EXCHANGE)

    exchange_of(desk).catch_up = caught_up
    place = desk.connections.feed.broker.place

    async def placing(account: BrokerAccount, request: OrderRequest) -> Outcome:
        freezer(ON_THE_WIRE)
        sent = asyncio.ensure_future(place(account, request))
        return await asyncio.shield(sent)  # no time-out calls back what has been written

    desk.connections.feed.broker.place = placing


def _count(desk: Desk, state: OrderState) -> int:
    book = seam(desk).book
    return sum(book.orders[order_id].state is state for order_id in book.live)


async def rest_orders(desk: Desk, dice: random.Random) -> None:
    """Rest another order of many clients, or cancel some; what a halt refuses is no fault."""
    with suppress(Refusal, BadInput, StoreError):
        live = desk.orders.all(live=True)
        if len(live) > MOST or (live and dice.random() < 0.1):
            await desk.orders.cancel([order.id for order in dice.sample(live, len(live) // 4)])
            return
        key = f"NSE:{dice.choice(SYMBOLS)}"
        quote, instrument = desk.market.quote(key), desk.market.index.get(key)
        assert quote is not None
        assert instrument is not None
        intent = Intent(
            side=Side.BUY,
            key=key,
            sizing=Sizing(SizingKind.FIXED_QUANTITY, dice.randint(1, 3)),
            order_type=OrderType.LIMIT,
            product=Product.CNC,
            limit_paise=tick_down(quote.last_paise * 95 // 100, instrument.tick_paise),
            selection=Selection(),
            again=True,
        )
        plan = await desk.plans.freeze(intent)
        await desk.runs.start(plan, plan.digest)


def prepare(folder: Path) -> Path:
    """A demonstration with its fifty clients, to be copied. Raises `RuntimeError` where that fails."""
    home = folder / "home"
    home.mkdir(parents=True)
    if fork(_prepare, home, words=folder / "prepare.log").wait():
        raise RuntimeError(f"no home could be prepared: {(folder / 'prepare.log').read_text()}")
    return home


def _prepare(pipe: Connection, home: Path) -> None:
    async def work() -> None:
        async with compose_desk(home, settings=Settings(trader="tester")) as desk:
            await prepare_demo(desk)

    asyncio.run(work())
