"""What 10,000 rules of alerts cost while each is asked once a second: 200 symbols, 50 rules each.

Of every symbol a price comes once a second, spread over the looks, so that each look asks the rules of what
moved alone. Timed is the processor time of the looks, what they read included; no rule comes true. Told
beside it is one look at which every symbol has moved at once.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from brokers.contract import Tick
from engine.alerts.watching import LOOK_S, OWNER
from engine.colon.alert_lines import alert_rule_from
from engine.colon.splitting import quoted, words_of
from engine.desk import Desk
from tests.bench.frame import Aim, Bench, Figures, as_started
from tests.bench.homes import bench_desk, laid_home
from tradedesk.testing import seam

CLIENTS, SYMBOLS, RULES, SECONDS = 50, 200, 10_000, 4
PRICE = 1_000_00
AIMS = (Aim("share of a core", 5.0, "%"),)


def tick(key: str, at: datetime, dice: random.Random) -> Tick:
    """A price within a tenth of a percent of where it began, so that no rule comes true."""
    last = PRICE + dice.randrange(-100, 101)
    return Tick(key, last, PRICE, PRICE, PRICE, PRICE, 1, last - 10, last + 10, 900_00, 1_100_00, at, at)


def lines(keys: list[str]) -> Iterator[str]:
    """By turns a price, a change, a volume, and a price with a change: none of them near."""
    for number in range(RULES):
        key, far = quoted(keys[number % len(keys)]), 10**6 + number // len(keys)
        price, change = f"{key} price above {far}", f"{key} change below -90%"
        volume = f"{key} volume above {10**11 + number}"
        yield (price, change, volume, f"{price} and {change}")[number // len(keys) % 4]


async def once(home: Any) -> Figures:
    """Figures of one round."""
    dice = random.Random(3)
    async with bench_desk(home) as desk:
        keys = [one.key for one in desk.market.index if one.exchange == "NSE"][:SYMBOLS]
        watch = vars(desk.rule_watch)["_service"]
        await desk.alert_rules.load()
        if not desk.alert_rules.numbers():
            known = desk.known()
            await desk.alert_rules.add(*(alert_rule_from(words_of(line), known) for line in lines(keys)))
        await watch.look()
        quotes = seam(desk).market_data.quotes
        assert len(quotes.followed_by(OWNER)) == len(keys)
        looks, spent = round(1 / LOOK_S), 0.0
        at_once = await asked(desk, watch, keys, dice)
        as_started()
        for number in range(SECONDS * looks):
            spent += await asked(desk, watch, keys[number % looks :: looks], dice)
        assert len(watch.judge.rules) == RULES
        each_second = sum(len(watch.judge.of([key], (), by_time=False)) for key in keys)
    share = 100 * spent / SECONDS
    return {
        "share of a core": share,
        "rules a second": each_second,
        "ms of a look at all": 1_000 * at_once,
        "symbols": len(keys),
    }


async def asked(desk: Desk, watch: Any, keys: list[str], dice: random.Random) -> float:
    """The processor time of a look at which these symbols have moved."""
    quotes, at = seam(desk).market_data.quotes, desk.clock.now()
    for key in keys:
        quotes.put(tick(key, at, dice))
    began = time.process_time()
    await watch.look()
    return time.process_time() - began


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One home for all rounds."""
    with laid_home(CLIENTS) as home:
        yield lambda: asyncio.run(once(home))


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
