"""Reading 1,000 clients at the local Kite when every answer takes 50 ms: against the bound of its threads.

Run with `python -m tests.bench.bench_kite_fanout`. The local Kite is a process of its own; each client has
its own api key and so its own budget. The bound is what the adapter's reading threads would need were
nothing but the latency in the way; one after another the calls would take the latency a thousand times.
Ends with status 1 if the fan-out takes more than `MOST_RATIO` times the bound.
"""

import asyncio
import random
import subprocess
import sys
import time
from math import ceil

from brokers.contract import BrokerAccount
from brokers.kite.access import KiteRoute, kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import READ_WORKERS
from brokers.simulators.exchange.exchange import AccountOpening, PaperExchange
from brokers.simulators.kite.journal import NO_DELAYS
from brokers.simulators.kite.server import LocalKite
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.reference.seed import universe

CLIENTS, LATENCY_S, ROUNDS = 1_000, 0.05, 3
MOST_RATIO = 4.0


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

    def route(self, account: BrokerAccount) -> KiteRoute:
        return KiteRoute(app(account.client_id)[0])

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


async def measure(url: str) -> float:
    """Signs everybody in, then times the fan-outs; prints and gives the best one's ratio to the bound."""
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
    bound = ceil(CLIENTS / READ_WORKERS) * LATENCY_S
    times: list[float] = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        await asyncio.gather(*(broker.orders(account) for account in accounts))
        times.append(time.perf_counter() - began)
        print(
            f"round {number + 1}: {times[-1]:.2f} s for {CLIENTS} clients, "
            f"{times[-1] / bound:.2f} times the bound"
        )
    await broker.close()
    print(f"bound of {READ_WORKERS} threads: {bound:.2f} s; one after another: {CLIENTS * LATENCY_S:.0f} s")
    return min(times) / bound


def main() -> None:
    if "--serve" in sys.argv:
        asyncio.run(serve())
        return
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_kite_fanout", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        ratio = asyncio.run(measure(child.stdout.readline().strip()))
    finally:
        child.stdin.close()
        child.wait()
    print(f"best: {ratio:.2f} times the bound (at most {MOST_RATIO:g})")
    sys.exit(ratio > MOST_RATIO)


if __name__ == "__main__":
    main()
