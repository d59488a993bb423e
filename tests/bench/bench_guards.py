"""What guards cost: 1,000 clients, each with a guard of five intraday positions, at 5,000 ticks a second.

Between two samples half a second of ticks comes in, so that every instrument has moved, 500 at most; timed is
the processor time of what guards do about it, prices read and views told included. The aim leaves a frame of
the screen, a fifth of a second, more than nine tenths of itself even where both fall together.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from brokers.contract import Tick
from data.vocabulary import FlattenWhat, HaltScope, Product
from engine.book.views import HoldingView
from engine.desk import Desk
from engine.guards.asked import GuardWish
from engine.guards.booked import Whose, set_guard
from engine.guards.tending import SAMPLE_EVERY_S
from tests.bench.frame import Aim, Bench, Figures, as_started
from tests.bench.homes import bench_desk, laid_home
from tradedesk.testing import seam

CLIENTS, INSTRUMENTS, POSITIONS, A_SECOND, SAMPLES = 1_000, 500, 5, 5_000, 20
PRICE, SHARES = 1_000_00, 10
AIMS = (Aim("share of a core", 5.0, "%"),)


def tick(key: str, at: Any, dice: random.Random) -> Tick:
    """A price within a tenth of a percent of where it began, so that no guard trips."""
    last = PRICE + dice.randrange(-100, 101)
    return Tick(key, last, PRICE, PRICE, PRICE, PRICE, 1, last - 10, last + 10, 900_00, 1_100_00, at, at)


async def lay_guards(desk: Desk, keys: list[str], dice: random.Random) -> None:
    """A guard and five positions for each client, without the orders that would have made them."""
    seen = seam(desk)
    ids = sorted(seen.book.clients)

    def unit_of_work(unit: Any) -> None:
        for client_id in ids:
            wish = GuardWish(HaltScope.CLIENT, str(client_id), FlattenWhat.MIS, loss_bps=200)
            set_guard(unit, wish, Whose(str(client_id), frozenset({client_id})), "bench")

    await seen.store.write(unit_of_work)
    for client_id in ids:
        seen.book.reconciled.add(client_id)
        seen.book.holdings[client_id] = tuple(
            position(client_id, key) for key in dice.sample(keys, POSITIONS)
        )


def position(client_id: int, key: str) -> HoldingView:
    """Shares bought within the day."""
    cost = SHARES * PRICE
    return HoldingView(client_id, key, key, key, Product.MIS, SHARES, 0, 0, 0, 0, cost, cost)


async def once(home: Any) -> Figures:
    """Figures of one round."""
    dice = random.Random(3)
    async with bench_desk(home) as desk:
        keys = [one.key for one in desk.market.index if one.exchange == "NSE"][:INSTRUMENTS]
        await lay_guards(desk, keys, dice)
        quotes, guards = seam(desk).market_data.quotes, vars(desk.guards)["_service"]
        quotes.follow("bench", keys)
        spent = 0.0
        as_started()
        for _ in range(SAMPLES):
            at = desk.clock.now()
            for number in range(int(A_SECOND * SAMPLE_EVERY_S)):
                quotes.put(tick(keys[number % len(keys)], at, dice))
            began = time.process_time()
            await guards.look()
            spent += time.process_time() - began
        views = desk.guards.all()
        assert len(views) == CLIENTS
        assert all(view.net_paise is not None for view in views)
    each = spent / SAMPLES
    share = 100 * each / SAMPLE_EVERY_S
    return {"share of a core": share, "ms a sample": 1_000 * each, "instruments": len(keys)}


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One home for all rounds."""
    with laid_home(CLIENTS) as home:
        yield lambda: asyncio.run(once(home))


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
