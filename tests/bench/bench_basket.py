"""A basket of three legs for 1,000 clients: planned, reserved and filled, against a plan of one leg.

Each figure of the basket is three orders a client, so 3.0 is what three plans of one leg would take.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.records import replace
from data.vocabulary import RunCount, SizingKind
from engine.planning.intent import Intent, Leg
from tests.bench.frame import Aim, Bench, Figures, Spent, Watch, as_started
from tests.bench.homes import OTHERS, SYMBOL, CountedExchange, bench_desk, compare_all, copy_of, laid_home
from tests.desks import buy

AIMS = (Aim("plan, times one leg", 3.5), Aim("reserve, times one leg", 3.5), Aim("fill, times one leg", 3.5))
LATENCY_S = 0.05


def one_leg() -> Intent:
    """Eight percent of each client's capital in one security."""
    return buy(SYMBOL, SizingKind.PERCENT_OF_CAPITAL, 800)


def three_legs() -> Intent:
    """The same in three."""
    alone = one_leg()
    return replace(alone, further=tuple(Leg(alone.side, f"NSE:{symbol}", alone.sizing) for symbol in OTHERS))


async def carry_out(home: Path, clients: int, intent: Intent) -> tuple[Spent, Spent, Spent]:
    """What planning, reserving and filling take."""
    async with bench_desk(home, CountedExchange(home / "paper.db"), LATENCY_S) as desk:
        await compare_all(desk)
        as_started()
        with Watch() as planned:
            plan = await desk.plans.freeze(intent)
        orders = clients * len(plan.parts)
        assert plan.orders == orders, plan.orders
        with Watch() as reserved:
            run = await desk.runs.start(plan, plan.digest)
        with Watch() as filled:
            run = await desk.runs.settled(run.number, 300)
            await desk.settle()
        assert run.counts[RunCount.FILLED] == orders, run.counts
        return planned, reserved, filled


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """A home made once, and copied for each round of either."""
    with laid_home(options.clients) as template:

        def spent(intent: Intent) -> tuple[Spent, Spent, Spent]:
            with copy_of(template) as home:
                return asyncio.run(carry_out(home, options.clients, intent))

        def measure() -> Figures:
            basket, alone = spent(three_legs()), spent(one_leg())
            (plan, reserve, fill), (plan_1, reserve_1, fill_1) = basket, alone
            return {
                "plan, times one leg": plan.cpu / plan_1.cpu,
                "reserve, times one leg": reserve.cpu / reserve_1.cpu,
                "fill, times one leg": fill.cpu / fill_1.cpu,
                "plan s": plan.wall,
                "reserve s": reserve.wall,
                "fill s": fill.wall,
            }

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds, {"clients": 1000}).run(__doc__))
