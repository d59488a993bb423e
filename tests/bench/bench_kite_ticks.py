"""What ticks cost from a loopback socket into the quote map, 3,000 instruments in full mode.

A child process sends the frames as fast as they are taken. Counted is the processor time of this process,
so that other work on the machine and the sender do not count. Judged is the share of a core that 5,000
ticks a second would take. Beside the stream it times, in the same round: a bare receive loop on the same
frames (the floor of the socket), the decoder on them without a socket, and the official parser without one.
"""

import argparse
import asyncio
import gc
import json
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from brokers.contract import BrokerAccount, Heartbeat, Ticks
from brokers.kite.streaming.packets import decode, levels, read
from brokers.kite.streaming.stream import KiteStream
from brokers.wire.access import AccountRoute
from data.clock import SystemClock
from engine.market.quotes import QuoteMap
from tests.bench.frame import Aim, Bench, Figures
from tests.brokers.official import parse_binary
from tradedesk.cli.entry import YOUNG

INSTRUMENTS, FRAMES, KINDS, A_SECOND = 3_000, 60, 4, 5_000
AIMS = (Aim("share of a core", 0.3, "%"),)
TOKENS = {(number + 1) << 8 | 1: f"NSE:S{number:04d}" for number in range(INSTRUMENTS)}


def build(dice: random.Random) -> bytes:
    """One tick of every instrument."""
    packets = (
        struct.pack(">H16I", 184, token, *(dice.randrange(1, 2**24) for _ in range(15)))
        + b"".join(struct.pack(">IIHxx", 75, dice.randrange(1, 2**24), 3) for _ in range(10))
        for token in TOKENS
    )
    return struct.pack(">H", INSTRUMENTS) + b"".join(packets)


def frames() -> list[bytes]:
    """The frames that are sent by turns, the same in both processes."""
    dice = random.Random(2)
    return [build(dice) for _ in range(KINDS)]


async def send_all(connection: ServerConnection) -> None:
    """Once every instrument is subscribed, send everything and stay."""
    ready, kinds = 0, frames()
    async for text in connection:
        message = json.loads(text)
        ready += len(message["v"][1]) if message["a"] == "mode" else 0
        if ready == INSTRUMENTS:
            ready = 0
            for number in range(FRAMES):
                await connection.send(kinds[number % KINDS])


async def serve_forever() -> None:
    """The child: say the port, then serve until killed."""
    async with serve(send_all, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.wait_closed()


async def bare_seconds(url: str) -> float:
    """Receive the frames and do nothing with them."""
    async with connect(url, compression=None, max_size=None, proxy=None) as connection:
        await connection.send(json.dumps({"a": "mode", "v": ["full", list(TOKENS)]}))
        await connection.recv()
        begun = time.process_time()
        for _ in range(FRAMES - 1):
            await connection.recv()
        return time.process_time() - begun


async def stream_seconds(url: str, look: bool) -> tuple[float, int]:
    """Seconds until every tick came through the stream, and how many reached the quote map.

    With `look` every tick's prices and bids are read, as no screen would.
    """
    stream = KiteStream(url, SystemClock(), random.Random(3), lambda _: (_ for _ in ()).throw(ValueError()))
    quotes = QuoteMap()
    quotes.follow("bench", list(TOKENS.values()))
    await stream.subscribe(TOKENS)
    stream.replace_accounts({BrokerAccount(1, "AB0001"): (AccountRoute("key"), "token", True)})
    begun, put = 0.0, 0
    async for event in stream.events():
        if isinstance(event, Ticks):
            begun = begun or time.process_time()
            quotes.put_all(event)
            put += len(event.packets)
            if look:
                _ = [(tick.last_paise, tick.bids) for tick in map(quotes.quote, event.packets) if tick]
        elif isinstance(event, Heartbeat) and stream.counts.ticks >= INSTRUMENTS * FRAMES:
            break
    seconds = time.process_time() - begun
    await stream.close()
    last = decode(frames()[(FRAMES - 1) % KINDS]).packets
    for packet in last:
        held = quotes.quote(TOKENS[packet[0]])
        assert held is not None
        assert (held.last_paise, held.bids) == (read(packet).last, levels(packet)[0])
    return seconds, put


def parse_seconds(parse, kinds: list[bytes], times: int) -> float:
    """Seconds to parse so many frames from memory."""
    begun = time.process_time()
    for number in range(times):
        parse(kinds[number % KINDS])
    return time.process_time() - begun


async def once(url: str, kinds: list[bytes]) -> Figures:
    """Figures of one round."""
    ticks = INSTRUMENTS * FRAMES
    stream, put = await stream_seconds(url, look=False)
    seconds = {
        "stream": stream,
        "looked at": (await stream_seconds(url, look=True))[0],
        "bare": await bare_seconds(url) * FRAMES / (FRAMES - 1),
        "decode": parse_seconds(decode, kinds, FRAMES),
        "official": parse_seconds(parse_binary, kinds, KINDS) * FRAMES / KINDS,
    }
    found: dict[str, float] = {"share of a core": 100 * stream / ticks * A_SECOND}
    found |= {f"{name} us a tick": 1e6 * spent / ticks for name, spent in seconds.items()}
    return found | {"times official": seconds["official"] / stream, "put": put}


@contextmanager
def rounds(_: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """One sender for all rounds; garbage is collected as seldom as in the app."""
    gc.set_threshold(YOUNG, 20, 50)
    gc.freeze()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_kite_ticks", "--serve"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        url, kinds = f"ws://127.0.0.1:{int(child.stdout.readline())}", frames()
        yield lambda: asyncio.run(once(url, kinds))
    finally:
        child.kill()
        child.wait()


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve_forever())
    else:
        sys.exit(Bench(AIMS, rounds).run(__doc__))
