"""What brings 1,000 clients to a model of 40 stocks: sales, buys, charges, tax, and why not more.

Held against the arithmetic that no rebalance does without: each client's portfolio, and of each stock what is
wanted and how many shares it is away from that.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from data.money import BPS
from data.vocabulary import RebalanceTo, RebalanceVerdict
from engine.rebalancing.model import WHOLE, Model, ModelRules, Target
from engine.rebalancing.planner import ClientStand, ModelMarket, propose
from engine.rebalancing.shares import HeldLot, HeldStock, sale_tax
from tests.bench.frame import Aim, Bench, Figures
from tests.rebalancing import TODAY, price

CLIENTS, SECTORS, EACH, LOTS = 1_000, 8, 5, 3
AIMS = (Aim("proposals", 50.0), Aim("seconds", 1.0, "s"))


def model() -> Model:
    """Eight sectors of 12 %, five stocks in each alike, four percent in no sector."""
    targets = tuple(
        Target(f"NSE:S{sector}{stock}", f"Sector {sector}", 1200, BPS // EACH)
        for sector in range(SECTORS)
        for stock in range(EACH)
    )
    rules = ModelRules(to=RebalanceTo.TARGET, least_paise=1_000_00)
    return Model("Wide", 1, targets, rules, (), "trader", datetime(2026, 11, 1, tzinfo=UTC))


def stands(made: Model, market: ModelMarket) -> list[ClientStand]:
    """Clients that hold all of the stocks, each in three lots, around what the model would have."""
    dice = random.Random(1)
    return [_stand(number, made, market, dice) for number in range(1, CLIENTS + 1)]


def _stand(number: int, made: Model, market: ModelMarket, dice: random.Random) -> ClientStand:
    held: dict[str, HeldStock] = {}
    for target in made.targets:
        last = market.prices[target.key].last_paise
        shares = dice.randrange(10, 200)
        days = sorted(dice.sample(range(30, 900), LOTS), reverse=True)
        lots = [_lot(TODAY - timedelta(days=ago), shares // LOTS or 1, last, dice) for ago in days]
        shares = sum(lot.quantity for lot in lots)
        held[target.key] = HeldStock(shares, shares, settled=shares, lots=tuple(lots))
    return ClientStand(number, f"C{number}", "", "zerodha", dice.randrange(10**6, 10**8), held, {}, {})


def _lot(bought: date, shares: int, last: int, dice: random.Random) -> HeldLot:
    return HeldLot(bought, shares, shares * last * dice.randrange(70, 120) // 100)


def bare(made: Model, market: ModelMarket, clients: Sequence[ClientStand]) -> int:
    """How many shares all clients are away from what is wanted."""
    away = 0
    for client in clients:
        prices, held = market.prices, client.held
        portfolio = client.cash_paise + sum(
            own.quantity * prices[key].last_paise for key, own in held.items()
        )
        for target in made.targets:
            last = prices[target.key].last_paise
            want = portfolio * target.weight // WHOLE
            away += abs(want - held[target.key].quantity * last) // last
    return away


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Make the clients once; a round proposes for all of them."""
    made, dice = model(), random.Random(2)
    symbols = [target.key for target in made.targets]
    prices = {key: price(key[4:], dice.randrange(100_00, 4_000_00)) for key in symbols}
    market = ModelMarket(made, prices, TODAY, sale_tax(TODAY))
    clients = stands(made, market)

    def measure() -> Figures:
        began = time.process_time()
        assert bare(made, market, clients)
        at_least = time.process_time() - began
        began = time.process_time()
        proposals = [propose(one, market) for one in clients]
        ours = time.process_time() - began
        assert all(one.verdict is RebalanceVerdict.PROPOSED for one in proposals)
        assert sum(len(one.lines) for one in proposals) == CLIENTS * SECTORS * EACH
        return {"proposals": ours / at_least, "seconds": ours}

    yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
