"""Ticks a second of one core from a loopback socket into the quote map, 3,000 instruments in full mode.

Run with `python -m tests.bench.bench_kite_ticks`. A child process sends the frames as fast as they are
taken. Counted is the processor time of this process, so that other work on the machine and the sender do
not count. Beside the stream it times, in the same run: a bare receive loop on the same frames (the floor of
the socket), the decoder on them without a socket, and the official parser without one. Ends with status 1
if the whole way is not several times cheaper than the official parser alone.
"""

import asyncio
import json
import random
import struct
import subprocess
import sys
import time

from kiteconnect import KiteTicker
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from brokers.contract import BrokerAccount, Heartbeat, Tick
from brokers.kite.access import KiteRoute
from brokers.kite.packets import decode
from brokers.kite.stream import KiteStream
from data.clock import SystemClock
from engine.market.quotes import QuoteMap

INSTRUMENTS, FRAMES, KINDS, ROUNDS = 3_000, 60, 4, 3
LEAST_RATIO = 3.0
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
    await stream.add_account(BrokerAccount(1, "AB0001"), KiteRoute("key"), "token")
    begun, put = 0.0, 0
    async for event in stream.events():
        if isinstance(event, Tick):
            begun = begun or time.process_time()
            quotes.put(event)
            put += 1
            if look:
                _ = event.last_paise, event.bids
        elif isinstance(event, Heartbeat) and stream.counts.ticks >= INSTRUMENTS * FRAMES:
            break
    seconds = time.process_time() - begun
    await stream.close()
    last = decode(frames()[(FRAMES - 1) % KINDS]).packets
    for packet in last:
        held = quotes.quote(TOKENS[packet.token])
        assert held is not None
        assert (held.last_paise, held.bids) == (packet.last, packet.bids())
    return seconds, put


def parse_seconds(parse, kinds: list[bytes], times: int) -> float:
    """Seconds to parse so many frames from memory."""
    begun = time.process_time()
    for number in range(times):
        parse(kinds[number % KINDS])
    return time.process_time() - begun


async def best_seconds(url: str) -> tuple[dict[str, float], int]:
    """Least seconds of each way over the rounds, and the ticks that reached the quote map in the last."""
    kinds, official = frames(), KiteTicker("key", "token")
    best = dict.fromkeys(("stream", "looked at", "bare", "decode", "official"), float("inf"))
    put = 0
    for _ in range(ROUNDS):
        stream, put = await stream_seconds(url, look=False)
        round_of = {
            "stream": stream,
            "looked at": (await stream_seconds(url, look=True))[0],
            "bare": await bare_seconds(url) * FRAMES / (FRAMES - 1),
            "decode": parse_seconds(decode, kinds, FRAMES),
            "official": parse_seconds(official._parse_binary, kinds, KINDS) * FRAMES / KINDS,
        }
        best = {name: min(best[name], seconds) for name, seconds in round_of.items()}
    return best, put


def main() -> int:
    """Print the rates of one run; 1 where the stream is under its aim."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_kite_ticks", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        best, put = asyncio.run(best_seconds(f"ws://127.0.0.1:{int(child.stdout.readline())}"))
    finally:
        child.kill()
        child.wait()
    ticks = INSTRUMENTS * FRAMES
    for name, words in {
        "stream": f"socket to quote map ({put:,} of {ticks:,} put, the others overtaken)",
        "looked at": "the same, prices and bids of every tick read",
        "bare": "receive loop alone",
        "decode": "decoder alone",
        "official": "official parser alone",
    }.items():
        rate = ticks / best[name]
        print(f"{rate:12,.0f} ticks/s  {best['decode'] / best[name]:6.2f} x decoder  {words}")
    share = (best["bare"] + best["decode"]) / best["stream"]
    ratio = best["official"] / best["stream"]
    print(f"receiving and decoding are {share:.0%} of the whole way")
    print(f"the whole way: {ratio:.1f} times the official parser alone, aim {LEAST_RATIO:g} or more")
    return int(ratio < LEAST_RATIO)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve_forever())
    else:
        sys.exit(main())
