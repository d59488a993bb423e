"""Signing 300 clients in one after another in the app: the program's own time against the broker's.

The local Kite is a process of its own and takes 50 ms for each exchange of a token. Addresses are pasted as
fast as the pane asks for them, with no trader in between: that is the program's share of a client's two
seconds, were 300 to take ten minutes. What the trader's keys take is an estimate, with seconds a key by
Card, Moran and Newell's keystroke-level model.
"""

import argparse
import asyncio
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import aiohttp

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.kite.apps import own_app
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import NO_DELAYS
from data.clock import SystemClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import DeskKind
from engine.access.sign_in_queue import SignInState
from engine.desk import Desk
from tests.bench.frame import Aim, Bench, Figures
from tests.scenarios.kite_morning import Person, lay_people
from tests.scenarios.sign_in_hand import Hand, address
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

CLIENTS, LATENCY_S, BUDGET_S = 300, 0.05, 600.0
AIMS = (Aim("share of a client's time", 10.0, "%"),)
KEYS = {"back from the browser": 2, "paste": 3, "Enter": 1, "to the browser": 2}
"""Keys of a client in the terminal: alt+tab, ctrl+shift+v, Enter, alt+tab."""
KEY_S = {"a practised": 0.20, "an average": 0.28}
"""Seconds a key takes, by Card, Moran and Newell's keystroke-level model."""
WARM = 5
"""The first turns are left out of the figures of one client: the official client is loaded with them."""

PEOPLE = [Person(number) for number in range(1, CLIENTS + 1)]


async def serve() -> None:
    """The local Kite with its latency, until its standard input ends."""
    clock = SystemClock()
    exchange = PaperExchange(None, clock, load_calendar(), seed=1)
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(one.user_id, one.cash_paise) for one in PEOPLE)
    apps = dict(own_app(one.user_id) for one in PEOPLE)
    kite = LocalKite(exchange, clock, api_keys=apps, delays=NO_DELAYS, rng=random.Random(1))
    await kite.start()
    kite.mishaps.add("late_answer", route="sign_in", delay_s=LATENCY_S)
    print(kite.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await kite.stop()


async def addresses(url: str) -> dict[str, str]:
    """Where each client's browser is sent to after its sign-in, by user id."""
    found: dict[str, str] = {}
    async with aiohttp.ClientSession() as session:
        for one in PEOPLE:
            wanted = {"user_id": one.user_id, "api_key": own_app(one.user_id)[0]}
            async with session.post(f"{url}/control/request_token", json=wanted) as answer:
                token = (await answer.json())["request_token"]
            found[one.user_id] = address(token)
    return found


async def measure(url: str, home: Path) -> tuple[list[float], float, float]:
    """Seconds of each turn, of the whole round until the last answer, and of this process's own work."""
    settings = Settings(market="kite", kite_url=url, vault="file", trader="bench")

    @asynccontextmanager
    async def factory() -> AsyncIterator[Desk]:
        async with compose_desk(
            home, DeskKind.APP, settings=settings, passphrase=lambda: "only for the bench"
        ) as desk:
            assert isinstance(desk, Desk)
            await lay_people(desk, PEOPLE)
            yield desk

    app = TradedeskApp(factory)
    async with app.run_test(size=(120, 40)):
        hand = Hand(app)
        await hand.open()
        ready = await addresses(url)
        queue = hand.pane.queue
        hand.did.clear()
        work, began = time.process_time(), time.perf_counter()
        turns: list[float] = []
        while (client := queue.current) is not None:
            pasted = time.perf_counter()
            if queue.following is None:
                hand.paste(ready[client.broker_user_id])
                await hand.until(lambda: queue.current is None)
            else:
                await hand.give(ready[client.broker_user_id])
            turns.append(time.perf_counter() - pasted)
        await hand.until(lambda: not queue.progress().checking)
        whole, work = time.perf_counter() - began, time.process_time() - work
        assert hand.did == {"paste": CLIENTS, "enter": CLIENTS}
        assert {one.state for one in queue.entries} == {SignInState.DONE}, queue.red()[:3]
        await app.close_desk()
    return turns, whole, work


def once() -> Figures:
    """Figures of one morning's sign-ins."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_sign_in", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            turns, whole, work = asyncio.run(measure(child.stdout.readline().strip(), Path(folder)))
    finally:
        child.stdin.close()
        child.wait()
    turns = sorted(turns[WARM:])
    mean = statistics.fmean(turns)
    told = {
        "share of a client's time": 100 * mean / (BUDGET_S / CLIENTS),
        "turn ms": 1000 * mean,
        "worst turn ms": 1000 * turns[-1],
        "times the broker's answers": whole / (CLIENTS * LATENCY_S),
        "cpu ms a client": 1000 * work / CLIENTS,
    }
    typing = {
        f"minutes, {hand} hand": CLIENTS * (key_s * sum(KEYS.values()) + mean) / 60
        for hand, key_s in KEY_S.items()
    }
    return told | typing | {"minutes, return caught": CLIENTS * mean / 60}


def rounds(_: argparse.Namespace) -> nullcontext[Callable[[], Figures]]:
    """Each round is a local Kite and a home of its own."""
    logging.disable()  # a desk that closes tells of every client that it follows no more
    return nullcontext(once)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve())
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
