"""Two brokers on one desk: what one that hangs costs the other, and a fan-out over both at their latency.

A run of one broker's clients is measured from Enter to each order being accepted and booked, once while the
other broker answers and once while a run there has been sent into a broker that answers nothing, in an order
that turns from round to round. The fan-out reads the order book of every client at a local Kite and a local
Upstox, each a process of its own whose answers take a while, through both adapters at once; its bound is what
the places of the slower of the two need were nothing but the latency in the way.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from random import Random

from brokers.connection import Connection
from brokers.contract import BrokerAccount, BrokerOrder, BrokerRows, OrderRequest, Outcome
from brokers.kite.access import kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import READ_WORKERS
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import NO_DELAYS
from brokers.simulators.serving.server import ServedAt
from brokers.simulators.upstox.server import LocalUpstox
from brokers.upstox.broker import UpstoxBroker
from brokers.upstox.roots import upstox_roots
from brokers.wire.calls import CallPurpose
from data.clock import SystemClock
from data.home import books_file
from data.migrating import BooksFile
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, ConnectionKind, DeskKind, SizingKind
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from engine.events import Event, OrderChanged
from engine.planning.plan import Plan
from engine.rules import Rules, Waits
from engine.startup import opened
from tests.bench.bench_kite_fanout import Access, app, user
from tests.bench.frame import Aim, Bench, Figures, Watch, as_started
from tests.bench.homes import CLOSE_PAISE, LAST_PAISE, SYMBOL
from tests.books import empty_books
from tests.desks import buy
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.settings import Settings
from tradedesk.testing import seam

LATENCY_S = 0.25
READERS, READ_LATENCY_S = 512, 0.1
AIMS = (Aim("p99 beside a frozen broker", 1.10), Aim("times the bound", 1.35))
RUPEES = 1_00_000_00


class Late(PaperBroker):
    """A broker that answers placements a while after it was asked, and nothing at all while it is frozen."""

    def __init__(self, exchange: PaperExchange, clock: SystemClock, name: str) -> None:
        super().__init__(exchange, clock, latency=(0.0, 0.0))
        self.called = name
        self.answers = asyncio.Event()
        self.answers.set()

    @property
    def name(self) -> str:
        return self.called

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        request.last_look()  # the bytes have left, then nobody says anything for a while
        await asyncio.sleep(LATENCY_S)
        await self.answers.wait()
        return await super().place(account, request)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        await self.answers.wait()
        return await super().orders(account)


@dataclass
class Both:
    """A desk at two brokers, each with half of its clients."""

    desk: Desk
    first: Late
    second: Late

    def clients(self, *brokers: str) -> list[int]:
        """Those who trade at these brokers."""
        return [one.id for one in self.desk.clients.all() if one.broker in brokers]

    async def plan(self, client_ids: list[int]) -> Plan:
        """A plan of one share for each of these clients."""
        wish = buy(SYMBOL, SizingKind.FIXED_QUANTITY, 1, *client_ids)
        await self.desk.market.fetch([wish.key])
        plan = await self.desk.plans.freeze(wish)
        assert plan.orders == len(client_ids), plan.skipped_by_reason
        return plan

    async def accepted(self, plan: Plan) -> list[float]:
        """Start a run and wait for its orders; the seconds from Enter until each was accepted and booked."""
        took: dict[int, float] = {}
        mine, done = {line.client_id for line in plan.ok_lines}, asyncio.Event()
        orders = seam(self.desk).book.orders

        def look(event: Event) -> None:
            for order_id in event.order_ids if isinstance(event, OrderChanged) else ():
                order = orders.get(order_id)
                if order is not None and order.broker_order_id is not None and order.client_id in mine:
                    took.setdefault(order_id, time.perf_counter() - began)
            if len(took) == len(mine):
                done.set()

        unsubscribe = self.desk.events.subscribe(look)
        began = time.perf_counter()
        try:
            await self.desk.runs.start(plan, plan.digest)
            async with asyncio.timeout(60):
                await done.wait()
        finally:
            unsubscribe()
        return list(took.values())


@asynccontextmanager
async def two_brokers(home: Path, clients: int) -> AsyncIterator[Both]:
    """A desk with half of its clients at either broker, all compared, one price that stands still."""
    clock, calendar = SystemClock(), load_calendar()
    exchange = PaperExchange(None, clock, calendar, seed=1)
    exchange.list_instruments(universe())
    exchange.pin(SYMBOL, LAST_PAISE, CLOSE_PAISE)
    people = [
        NewClient(f"B{n:04d}", f"Client {n}", broker, f"U{n:04d}", ClientStatus.ACTIVE, RUPEES, RUPEES)
        for n, broker in enumerate(("zerodha", "upstox") * (clients // 2))
    ]
    exchange.open_accounts([AccountOpening(one.broker_user_id, RUPEES) for one in people])
    first, second = Late(exchange, clock, "zerodha"), Late(exchange, clock, "upstox")
    settings = Settings(trader="bench")
    base = Foundation(
        home, BooksFile(books_file(empty_books(home))), settings, clock, calendar, Rules(), Waits(), Random(7)
    )
    ways = [Connection(one.name, ConnectionKind.SIM, one) for one in (first, second)]
    desk = base.desk(DeskKind.SCRIPT, exchange.market_clock, ways)
    async with opened(desk):
        await desk.market.store_instruments([row.instrument for row in universe()], "bench")
        await desk.clients.add(people)
        await asyncio.gather(*(desk.reconcile.check(client.id) for client in desk.clients.all()))
        yield Both(desk, first, second)
        for one in (first, second):
            one.answers.set()
        await desk.settle()
    exchange.close()


async def beside(clients: int, frozen: bool) -> float:
    """The p99 of one broker's clients while a run at the other is under way, or hangs there."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with two_brokers(Path(folder), clients) as both:
            theirs = await both.plan(both.clients("upstox"))
            mine = await both.plan(both.clients("zerodha"))
            if frozen:
                both.second.answers.clear()
            as_started()
            await both.desk.runs.start(theirs, theirs.digest)
            return statistics.quantiles(await both.accepted(mine), n=100)[98]


# --- the fan-out over both ----------------------------------------------------------------------------------


async def serve(what: str) -> None:
    """A local broker whose order books come late, until its standard input ends; prints where it is."""
    clock = SystemClock()
    exchange = PaperExchange(None, clock, load_calendar(), seed=1)
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(user(number), RUPEES) for number in range(READERS))
    apps, place = dict(app(number) for number in range(READERS)), ServedAt(delays=NO_DELAYS, rng=Random(1))
    served: LocalKite | LocalUpstox
    if what == "kite":
        served = LocalKite(exchange, clock, api_keys=apps, delays=NO_DELAYS, rng=Random(1))
    else:
        served = LocalUpstox(exchange, clock, api_keys=apps, place=place)
        served.switches.rate_limits = False
    await served.start()
    codes = [served.sessions.request_token(app(n)[0], user(n)) for n in range(READERS)]
    print(json.dumps([served.url, codes]), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    served.mishaps.add("late_answer", route="orders", delay_s=READ_LATENCY_S)
    print("late", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await served.stop()


class Served:
    """A child process with a local broker, and the adapter over it with everybody signed in."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.accounts = [BrokerAccount(number, user(number)) for number in range(READERS)]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bench_brokers", "--serve", what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.told, self.tells = self.child.stdout, self.child.stdin

    async def open(self) -> None:
        """Sign everybody in, then have the order books come late."""
        url, codes = json.loads(self.told.readline())
        clock, access = SystemClock(), Access()
        if self.what == "kite":
            self.broker: KiteBroker | UpstoxBroker = KiteBroker(access, kite_roots(url), clock)
        else:
            self.broker = UpstoxBroker(access, upstox_roots(url), clock)
        await self.broker.open()
        for start in range(0, READERS, 50):
            some = zip(self.accounts[start : start + 50], codes[start : start + 50], strict=True)
            await asyncio.gather(*(self.broker.exchange_token(*one) for one in some))
        self.tells.write("\n")
        self.tells.flush()
        self.told.readline()

    async def read(self) -> None:
        """Read everybody's order book."""
        await asyncio.gather(*(self.broker.orders(account) for account in self.accounts))

    async def close(self) -> None:
        """End the adapter and the process."""
        await self.broker.close()
        self.tells.close()
        self.child.wait()


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Each figure on a desk of its own; which of the two comes first turns from round to round."""
    turn = itertools.cycle([(False, True), (True, False)])
    bound = ceil(READERS / min(READ_WORKERS, CallPurpose.READ.value)) * READ_LATENCY_S
    both = Served("kite"), Served("upstox")

    async def read_both() -> float:
        with Watch() as spent:
            await asyncio.gather(*(one.read() for one in both))
        return spent.wall

    with asyncio.Runner() as runner:
        for one in both:
            runner.run(one.open())
        runner.run(read_both())

        def measure() -> Figures:
            p99 = {frozen: asyncio.run(beside(options.clients, frozen)) for frozen in next(turn)}
            wall = runner.run(read_both())
            return {
                "p99 beside a frozen broker": p99[True] / p99[False],
                "times the bound": wall / bound,
                "p99 ms frozen": p99[True] * 1000,
                "p99 ms answering": p99[False] * 1000,
                "fan-out s": wall,
            }

        yield measure
        for one in both:
            runner.run(one.close())


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve(sys.argv[-1]))
    else:
        sys.exit(Bench(AIMS, rounds, {"clients": 256}).run(__doc__))
