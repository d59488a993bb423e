"""Guards under kills: a guard that takes flat trips once and sells once, whoever dies, and on no stale price.

uv run python -m tests.faults.guards --cases 24 --json guards.json

A case is a home with a client's intraday position under a guard, a broker that lives on, and one thing that
prices do. Engines are killed at points of the guard's way and of its exits', in some cases with another
engine open beside them, and at last the books, the audit and the broker's own ledger say what was done.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from brokers.simulators.faults.menu import Faults, faults_from_text
from data.vocabulary import (
    FlattenReason,
    FlattenWhat,
    GuardAction,
    GuardState,
    HaltScope,
    OrderState,
    Product,
    Side,
    SizingKind,
    TripKind,
)
from engine.book.watched.guard_views import GuardView
from engine.desk import Desk
from engine.guards.asked import GuardWish
from engine.instances import GUARD_POINTS
from engine.rules import Waits
from tests.desks import buy
from tests.faults.actions import patience
from tests.faults.chaos_broker import Lines
from tests.faults.clock import FastClock, monotonic
from tests.faults.compare import compare
from tests.faults.forks import Child, fork
from tests.faults.homes import copy_home, open_broker, prepare_home
from tests.faults.remote import open_chaos_desk, read_all, remote_of
from tests.faults.scenery import opening_price, roster
from tradedesk.testing import seam

CLIENTS, SYMBOL, SHARES = 2, "TCS", 40
CLIENT = 1
SPEED = 5.0
"""Slow enough that a busy machine's pause is not taken for a price that grew old."""
BROKEN = 9_300
"""Where the price breaks the limit, in basis points of where it began."""
NEAR = 9_620
"""Where it stands before: beyond 80 % of the limit."""
LIMIT = 9_500
"""The price at which the limit is about broken."""
CIRCUIT = 9_000
"""Where the band of the day ends, with nobody to buy."""
BLIP_S = 0.4
WAITS = Waits(heartbeat_s=5.0, flatten_poll_s=1.0, live_poll_s=2.0)
BOOT_S, PATIENCE_S = 60.0, 60.0
"""Real seconds."""

PRICES = ("gap", "odd print", "stale", "dead feed", "few buyers", "circuit")
"""What prices do: jump past the limit; touch it for a moment first; break it unseen, near it or from afar;
break it where an exit finds buyers for a part of it at each price; fall to the circuit, where nobody buys."""

FEW = 15
"""For how many shares of an exit there are buyers at each price, where there are few."""

POINTS = (*GUARD_POINTS, "claimed", "answered", "booked", "")
"""Where the engine is killed; the empty one is at random."""


@dataclass(frozen=True, slots=True)
class Case:
    """One home: what its prices do, where its engines die in turn, whether another stands beside them."""

    number: int
    prices: str
    points: tuple[str, ...]
    beside: bool
    stormy: bool


@dataclass(slots=True)
class CaseEnd:
    """What came of a case, by the audit and by the broker's ledger."""

    number: int
    prices: str
    kills: int = 0
    trips: int = 0
    stale_trips: int = 0
    flattens: int = 0
    bought: int = 0
    sold: int = 0
    owed: int = 0
    state: str = ""
    left: list[str] = field(default_factory=list[str])
    """Why its flatten left something."""
    faults: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class EngineLife:
    """One engine of a case: whether it sets the guard and moves prices, and where it dies."""

    home: Path
    port: int
    clock: FastClock
    seed: int
    point: str = ""
    prices: str = ""
    last: bool = False


def cases(count: int, seed: int) -> list[Case]:
    """Every kind of price with every point, as far as `count` goes."""
    dice = random.Random(seed)
    made: list[Case] = []
    for number in range(count):
        first = POINTS[number % len(POINTS)]
        more = dice.choices(POINTS, k=dice.randint(0, 1))
        prices = PRICES[number % len(PRICES)]
        made.append(Case(number, prices, (first, *more), number % 3 == 2, number % 4 == 3))
    return made


def carry_out(case: Case, prepared: Path, folder: Path) -> CaseEnd:
    """Live the engines of one case, and look at what they did."""
    end, clock = CaseEnd(case.number, case.prices), FastClock(monotonic(), SPEED)
    home = copy_home(prepared, folder / f"case-{case.number}")
    faults = faults_from_text("storm") if case.stormy else Faults()
    words = folder / f"case-{case.number}.log"
    broker, port = open_broker(clock, CLIENTS, case.number, faults, Lines(), words, moving=False)
    children: list[Child] = []
    try:
        for place, point in enumerate((*case.points, None)):
            prices, seed = case.prices if place == 0 else "", case.number * 10 + place
            life = EngineLife(home, port, clock, seed, point or "", prices, last=point is None)
            if case.beside and place == 1:
                children.append(fork(_run, EngineLife(home, port, clock, case.number * 10 + 9), words=words))
            child = fork(_run, life, words=words)
            children.append(child)
            _follow(child, life, end)
        if end.stale_trips:
            end.faults.append(f"{end.stale_trips} trips on stale prices")
        _judge(case, end)
    except (EOFError, TimeoutError) as problem:
        end.faults.append(repr(problem))
    finally:
        for one in (*children, broker):
            one.kill()
            one.wait()
    return end


def _follow(child: Child, life: EngineLife, end: CaseEnd) -> None:
    """Follow one engine until it dies at its point, or is killed at random; the last tells the figures."""
    try:
        child.receive(BOOT_S)
        if life.prices:
            end.stale_trips += child.receive(PATIENCE_S)
        if life.last:
            for name, figure in child.receive(4 * PATIENCE_S).items():
                setattr(end, name, figure)
            return
        if life.point:
            child.receive(PATIENCE_S)  # it has come to its end, and so never to the point
        else:
            child.receive(random.Random(life.seed).uniform(0.05, 1.5))
    except TimeoutError:
        if life.last:
            raise
    except EOFError:
        if life.last or not life.point:
            raise
    end.kills += 1
    child.kill()
    child.wait()


def _judge(case: Case, end: CaseEnd) -> None:
    found = {
        "trips": (end.trips, 1),
        "flattens": (end.flattens, 1),
        "shares bought": (end.bought, SHARES),
        "shares owed": (end.owed, 0),
    }
    end.faults += [f"{is_} {name}, not {right}" for name, (is_, right) in found.items() if is_ != right]
    if end.sold > SHARES:
        end.faults.append(f"{end.sold} shares sold of {SHARES}")
    # Sent or not, as its engine died: such an order is never sent again, and its position left to the trader.
    doubtful = end.left == [FlattenReason.UNKNOWN_ORDER]
    right = (0, GuardState.LOCKED) if case.prices == "circuit" else (SHARES, GuardState.FLAT)
    if not case.stormy and not doubtful and (end.sold, end.state) != right:
        end.faults.append(f"{end.sold} shares sold, {end.state}, left: {', '.join(end.left)}")


def _run(pipe: Connection, life: EngineLife) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(created).3f %(levelname)s %(name)s %(message)s")
    asyncio.run(_live(pipe, life))


async def _live(pipe: Connection, life: EngineLife) -> None:
    armed = False

    def reached(point: str) -> None:
        if armed and point == life.point:
            os.kill(os.getpid(), signal.SIGKILL)

    async with open_chaos_desk(life.home, life.port, life.clock, life.seed, WAITS, reached) as desk:
        if life.prices:
            await _set_up(desk)
        armed = True
        pipe.send("armed")
        if life.prices:
            pipe.send(await _move(desk, life.prices))
        await _until(lambda: _has_ended(_guard(desk)))
        if life.last:
            pipe.send(await _figures(desk, life))
        else:
            pipe.send("ended")
        await patience(4 * PATIENCE_S)


async def _set_up(desk: Desk) -> None:
    """Buy the position and set its guard, with a broker that behaves."""
    remote = remote_of(desk)
    await remote.control("calm", True)
    await remote.control("calm", False)
    intent = buy(SYMBOL, SizingKind.FIXED_QUANTITY, SHARES, CLIENT, product=Product.MIS)
    for _ in range(5):  # a storm may reject it
        plan = await desk.plans.freeze(intent)
        run = await desk.runs.start(plan, plan.digest)
        order_id = run.order_ids[0]
        await _until(lambda order_id=order_id: not desk.orders.get(order_id).live)
        if desk.orders.get(order_id).state is OrderState.FILLED:
            break
        intent = buy(SYMBOL, SizingKind.FIXED_QUANTITY, SHARES, CLIENT, product=Product.MIS, again=True)
    price = opening_price(SYMBOL)
    limit = SHARES * price * (10_000 - LIMIT) // 10_000
    await desk.guards.set(
        GuardWish(HaltScope.CLIENT, str(CLIENT), action=GuardAction.FLAT, loss_paise=limit), "flat"
    )
    await _until(lambda: _guard(desk).net_paise is not None)


async def _move(desk: Desk, prices: str) -> int:
    """Do with prices what the case says; returns how often the guard tripped while it could not see."""
    stale = 0
    if prices == "circuit":
        await remote_of(desk).control("ration", 0)
        await _pin(desk, CIRCUIT)
        return stale
    if prices == "few buyers":
        await remote_of(desk).control("ration", FEW)
    if prices == "odd print":
        began = desk.clock.monotonic()
        await _pin(desk, BROKEN)
        await desk.clock.sleep(BLIP_S)
        await _pin(desk, NEAR)
        brief = desk.clock.monotonic() - began < 0.9
        await desk.clock.sleep(5.0)
        stale += _trips(desk) if brief else 0
    elif prices in ("stale", "dead feed"):
        if prices == "stale":
            await _pin(desk, NEAR)
            await _until(lambda: _guard(desk).state is GuardState.NEAR)
        quotes = seam(desk).market_data.quotes
        kept = {name: getattr(quotes, name) for name in ("put", "put_all", "put_fetched", "heartbeat")}
        for name in kept:
            setattr(quotes, name, lambda told: None)
        await _pin(desk, BROKEN)
        await desk.clock.sleep(15.0)
        stale += _trips(desk)
        if prices == "dead feed":
            return stale  # it dies blind, and whoever comes next sees
        for name, method in kept.items():
            setattr(quotes, name, method)
    await _pin(desk, BROKEN)
    return stale


async def _pin(desk: Desk, bps: int) -> None:
    price = opening_price(SYMBOL) * bps // 10_000
    await remote_of(desk).control("pin", SYMBOL, price - price % 10)


def _guard(desk: Desk) -> GuardView:
    return desk.guards.get(HaltScope.CLIENT, str(CLIENT), FlattenWhat.MIS)


def _trips(desk: Desk) -> int:
    trip = _guard(desk).trip
    return int(trip is not None and trip.kind is not TripKind.BLIND)


def _has_ended(view: GuardView) -> bool:
    """Whether its flatten has its certificate."""
    trip = view.trip
    return trip is not None and bool(trip.flat or trip.left) and not trip.going


async def _until(done: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE_S
    while not done() and monotonic() < end:
        await patience(0.01)


async def _figures(desk: Desk, life: EngineLife) -> dict[str, object]:
    """What was done, by the audit and by the broker's ledger."""
    await remote_of(desk).control("calm", True)
    await read_all(desk)
    await patience(0.5)
    await read_all(desk)
    ledger = await remote_of(desk).ledger()
    code = roster(CLIENTS)[CLIENT - 1].code
    traded: Counter[Side] = Counter()
    for trade in ledger.trades:
        if (trade.user_id, trade.tradingsymbol, trade.product) == (code, SYMBOL, Product.MIS):
            traded[trade.side] += trade.quantity
    rows = await desk.audit.rows(500, action="GUARD_TRIPPED")
    flattens = [one for one in await desk.flatten.all() if one.by.startswith("guard ")]
    return {
        "left": [line.reason.value for one in flattens for line in one.lines if line.reason],
        "state": _guard(desk).state.value,
        "trips": sum(row.details["kind"] != TripKind.BLIND.value for row in rows),
        "flattens": len(flattens),
        "bought": traded[Side.BUY],
        "sold": traded[Side.SELL],
        "owed": sum(one.short for one in ledger.accounts[code].holdings),
        "faults": [f"books: {words}" for words in compare(life.home, ledger).differences[:3]],
    }


def main() -> int:
    """Carry out the cases; returns 0 where each ended as it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.guards", description=__doc__)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tradedesk-guards-"))
    try:
        prepared = prepare_home(folder / "prepared", CLIENTS)
        ends: list[CaseEnd] = []
        for case in cases(given.cases, given.seed):
            ends.append(end := carry_out(case, prepared, folder))
            came = "; ".join(end.faults) or "as it must"
            words = f"{end.number:3} {end.prices:10} kills {end.kills} {end.state:8} {came}"
            print(words, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {
        "cases": len(ends),
        "kills": sum(end.kills for end in ends),
        "double_flattening": sum(end.flattens > 1 or end.sold > SHARES for end in ends),
        "missed_trips": sum(end.trips == 0 for end in ends),
        "left_to_the_trader": sum(bool(end.left) for end in ends),
        "stale_trips": sum(end.stale_trips for end in ends),
        "faults": [f"case {end.number}: {words}" for end in ends for words in end.faults],
    }
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures | {"ends": [asdict(end) for end in ends]}, indent=2) + "\n")
    return 1 if figures["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
