"""Reading 1,000 clients at the local Kite when every answer takes 50 ms: against the bound of its threads.

The local Kite is a process of its own; each client has its own api key and so its own budget. The bound is
what the adapter's reading threads would need were nothing but the latency in the way; one after another the
calls would take the latency a thousand times. Clients are signed in before the first round, which is not
counted.
"""

import argparse
import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from brokers.contract import BrokerAccount
from brokers.kite.access import kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import READ_WORKERS
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import NO_DELAYS
from brokers.wire.access import AccountRoute
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from tests.bench.frame import Aim, Bench, Figures, Watch

CLIENTS, LATENCY_S = 1_000, 0.05
AIMS = (Aim("times the bound", 1.35),)


def user(number: int) -> str:
    return f"BN{number:04d}"


def app(number: int) -> tuple[str, str]:
    return f"key{number:04d}", f"secret{number:04d}"


async def serve() -> None:
    """The local Kite with its latency, until its standard input ends."""
    clock = SystemClock()
    exchange = PaperExchange(None, clock, load_calendar(), seed=1)
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(user(number), 1_00_000_00) for number in range(CLIENTS))
    apps = dict(app(number) for number in range(CLIENTS))
    kite = LocalKite(exchange, clock, api_keys=apps, delays=NO_DELAYS, rng=random.Random(1))
    await kite.start()
    kite.mishaps.add("late_answer", route="orders", delay_s=LATENCY_S)
    print(kite.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await kite.stop()


class Access:
    """Every client's own app and the token of its sign-in."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}

    def route(self, account: BrokerAccount) -> AccountRoute:
        return AccountRoute(app(account.client_id)[0])

    def token(self, account: BrokerAccount) -> str | None:
        return self.tokens.get(account.user_id)

    def newest_token(self, account: BrokerAccount) -> str | None:
        return self.token(account)

    def secret(self, api_key: str) -> str | None:
        return f"secret{api_key[3:]}"

    def keep_token(self, account: BrokerAccount, token: str) -> None:
        self.tokens[account.user_id] = token

    def drop_token(self, account: BrokerAccount) -> None:
        self.tokens.pop(account.user_id, None)


async def signed_in(url: str) -> tuple[KiteBroker, list[BrokerAccount]]:
    """The adapter, with everybody signed in."""
    import aiohttp

    broker = KiteBroker(Access(), kite_roots(url), SystemClock())
    await broker.open()
    accounts = [BrokerAccount(number, user(number)) for number in range(CLIENTS)]
    async with aiohttp.ClientSession() as session:

        async def sign_in(account: BrokerAccount) -> None:
            wanted = {"user_id": account.user_id, "api_key": app(account.client_id)[0]}
            async with session.post(f"{url}/control/request_token", json=wanted) as answer:
                await broker.exchange_token(account, (await answer.json())["request_token"])

        for start in range(0, CLIENTS, 50):
            await asyncio.gather(*(sign_in(account) for account in accounts[start : start + 50]))
    return broker, accounts


async def read_all(broker: KiteBroker, accounts: list[BrokerAccount]) -> Figures:
    """Figures of one fan-out."""
    bound = ceil(CLIENTS / READ_WORKERS) * LATENCY_S
    with Watch() as spent:
        await asyncio.gather(*(broker.orders(account) for account in accounts))
    return {"times the bound": spent.wall / bound, "wall s": spent.wall, "cpu ms a call": spent.cpu}


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One local Kite and one adapter for all rounds."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_kite_fanout", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with asyncio.Runner() as runner:
            broker, accounts = runner.run(signed_in(child.stdout.readline().strip()))
            runner.run(read_all(broker, accounts))
            yield lambda: runner.run(read_all(broker, accounts))
            runner.run(broker.close())
    finally:
        child.stdin.close()
        child.wait()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve())
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
