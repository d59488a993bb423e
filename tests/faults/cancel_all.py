"""How long cancel-all takes for a hundred clients, measured where the broker receives the cancels."""

import asyncio
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from brokers.simulators.faults.menu import Faults
from data.money import tick_down
from data.vocabulary import OrderState, OrderType, Product, Side, SizingKind
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.rules import Waits
from tests.faults.actions import patience
from tests.faults.chaos_broker import Lines
from tests.faults.clock import FastClock, monotonic
from tests.faults.forks import fork
from tests.faults.homes import copy_home, open_broker
from tests.faults.remote import open_chaos_desk, remote_of
from tests.faults.scenery import PINNED, opening_price, stocks

PER_CLIENT = 5


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Real seconds from F9 until the broker had the first and the last cancel, and until the certificate."""

    clients: int
    orders: int
    cancels: int
    first_s: float
    last_s: float
    certified_s: float


def measure(prepared: Path, folder: Path, clients: int) -> CancelAll:
    """Let `clients` clients rest five orders each at an honest broker, then cancel all, at true speed."""
    home = copy_home(prepared, folder)
    clock = FastClock(monotonic(), 1.0)
    broker, port = open_broker(clock, clients, 1, Faults(), Lines(), home / "broker.log", moving=False)
    child = fork(_run, home, port, clock, words=home / "engine.log")
    try:
        return child.receive(120)
    finally:
        for process in (child, broker):
            process.kill()
            process.wait()


def _run(pipe: Connection, home: Path, port: int, clock: FastClock) -> None:
    asyncio.run(_measure(pipe, home, port, clock))


async def _measure(pipe: Connection, home: Path, port: int, clock: FastClock) -> None:
    async with open_chaos_desk(home, port, clock, 1, Waits()) as desk:
        clients = len(desk.clients.all())
        for number in range(PER_CLIENT):
            await _rest(desk, number)
        while (
            sum(order.state is OrderState.OPEN for order in desk.orders.all(live=True)) < clients * PER_CLIENT
        ):
            await patience(0.05)
        await patience(2.0)  # so that every client's budget of calls is whole again
        pressed = monotonic()
        certificate = await desk.halt.fire_now("tester")
        certified = monotonic() - pressed
        taken = [r.machine_s - pressed for r in await remote_of(desk).receipts() if r.method == "cancel"]
        pipe.send(CancelAll(clients, certificate.cancelled, len(taken), min(taken), max(taken), certified))


async def _rest(desk: Desk, number: int) -> None:
    """One order of every client that is too low to trade."""
    symbol = PINNED[number % len(PINNED)]
    price = tick_down(opening_price(symbol) * (98 - number) // 100, stocks()[symbol].tick_paise)
    plan = await desk.plans.freeze(
        Intent(
            side=Side.BUY,
            key=f"NSE:{symbol}",
            sizing=Sizing(SizingKind.FIXED_QUANTITY, 1),
            order_type=OrderType.LIMIT,
            product=Product.CNC,
            limit_paise=price,
            selection=Selection(),
            again=True,
        )
    )
    await desk.runs.start(plan, plan.digest)
