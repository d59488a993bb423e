"""The line to Groww's feed against a real NATS server, which checks tokens and signatures by itself."""

import asyncio
import base64
import binascii
import hashlib
import json
import random
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from brokers.contract import BrokerError
from brokers.groww.calls import READ_WINDOWS, GrowwCalls
from brokers.groww.listings import Listed
from brokers.groww.roots import GrowwRoots
from brokers.groww.streaming.line import NatsKey
from brokers.groww.streaming.messages import last_message
from brokers.groww.streaming.sockets import GrowwLines, GrowwSocket
from brokers.wire.calls import CallWaits
from brokers.wire.reading import Reading
from brokers.wire.sockets import REFUSED, SocketWaits
from data.clock import SystemClock
from tests.brokers.kite_stub import ANN, Access, Asked, KiteStub, Reply, running_stub, until

RELIANCE = Listed("NSE", "CASH", "2885", "RELIANCE")
TOKEN = "POST /v1/api/apex/v1/socket/token/create/"
OPERATOR, ACCOUNT = 14 << 3, 0


class Authority:
    """An operator or an account, which signs the tokens of those below it."""

    def __init__(self, kind: int) -> None:
        self._private = Ed25519PrivateKey.generate()
        raw = bytes([kind]) + self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
        self.public = base64.b32encode(raw + check).decode().rstrip("=")

    def token(self, subject: str, claims: dict[str, Any]) -> str:
        """A token of a subject, as NATS has them."""
        body = {"iss": self.public, "sub": subject, "iat": 1_790_000_000, "name": "test"}
        body["nats"] = {**claims, "version": 2}
        body["jti"] = hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32]
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, body))
        return f"{signed}.{_text(self._private.sign(signed.encode()))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


USER: dict[str, Any] = {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A running server: where its websocket is, and the account that lets users in."""

    def __init__(self, account: Authority, plain: str, address: str) -> None:
        self.account, self.plain, self.address = account, plain, address
        self.tokens: list[str] = []

    def hands_out(self, asked: Asked) -> Reply:
        """What the route of tokens answers to a key."""
        token = self.account.token(json.loads(asked.raw_form)["socketKey"], USER)
        self.tokens.append(token)
        return Reply(200, json.dumps({"token": token, "subscriptionId": 77}))

    async def publish(self, **messages: bytes) -> None:
        """Send messages by a user of its own, over plain TCP."""
        key = NatsKey()
        token = self.account.token(key.public, USER)
        line = await nats.connect(
            self.plain, user_jwt_cb=lambda: bytearray(token.encode()), signature_cb=key.sign
        )
        for subject, data in messages.items():
            await line.publish(subject, data)
        await line.close()


@asynccontextmanager
async def real_server(folder: Path) -> AsyncIterator[Server]:
    operator, account = Authority(OPERATOR), Authority(ACCOUNT)
    limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    told = operator.token(operator.public, {"type": "operator"})
    of_account = operator.token(account.public, {"type": "account", "limits": limits | {"wildcards": True}})
    port, web = free_port(), free_port()
    config = folder / "server.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\noperator: {told}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {account.public}: {of_account} }}\n"
        f"websocket {{ listen: 127.0.0.1:{web}, no_tls: true }}\n"
    )
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    assert program is not None, "it comes with the development dependencies"
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while b"Server is ready" not in (line := await process.stderr.readline()):
                assert line, "the server did not start"
        yield Server(account, f"nats://127.0.0.1:{port}", f"ws://127.0.0.1:{web}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Heard:
    """Keeps what a socket brings."""

    def __init__(self) -> None:
        self.opens: list[bool] = []
        self.prices: list[tuple[str, bytes]] = []
        self.orders: list[bytes] = []
        self.carries: set[str] = set()
        self.losses: list[BrokerError] = []
        self.beats = 0

    def opened(self, socket: GrowwSocket, again: bool) -> None:
        self.opens.append(again)

    def priced(self, socket: GrowwSocket, key: str, data: bytes, received_at: datetime) -> None:
        self.prices.append((key, data))

    def ordered(self, socket: GrowwSocket, data: bytes) -> None:
        self.orders.append(data)

    def carried(self, socket: GrowwSocket, keys: Any) -> None:
        self.carries |= set(keys)

    def alive(self, socket: GrowwSocket) -> None:
        self.beats += 1

    def lost(self, socket: GrowwSocket, problem: BrokerError) -> None:
        self.losses.append(problem)
        self.carries.clear()


@asynccontextmanager
async def a_socket(server: Server, stub: KiteStub) -> AsyncIterator[tuple[GrowwSocket, Heard]]:
    clock, heard = SystemClock(), Heard()
    roots = GrowwRoots(rest=stub.base, feed=server.address)
    calls = GrowwCalls(Access(), roots, clock, CallWaits(), lambda _: None)
    lines = GrowwLines(
        calls, Reading(calls, clock, READ_WINDOWS), clock, random.Random(7), asyncio.Semaphore(1)
    )
    waits = SocketWaits(ping_s=0.05, first_retry_s=0.02, longest_retry_s=0.1, refused_s=0.02)
    one = GrowwSocket(ANN, True, lines, waits, heard)
    one.carry({"NSE:RELIANCE": RELIANCE})
    running = asyncio.create_task(one.run())
    try:
        yield one, heard
    finally:
        running.cancel()
        await asyncio.wait([running])
        await calls.close()


async def test_prices_and_order_updates_come_by_a_real_server(tmp_path: Path):
    async with running_stub() as stub:
        async with real_server(tmp_path) as server:
            stub.on(TOKEN, server.hands_out)
            async with a_socket(server, stub) as (_, heard):
                await until(lambda: "NSE:RELIANCE" in heard.carries and heard.beats > 3)
                price, order = last_message(2_450_05), b"\x12\x06:\x04GMK7"
                await server.publish(
                    **{"/ld/eq/nse/price.2885": price, "stocks/order/updates.apex.77": order}
                )
                await until(lambda: bool(heard.prices and heard.orders))
                assert (heard.prices, heard.orders) == ([("NSE:RELIANCE", price)], [order])
        assert (heard.opens, len(server.tokens)) == ([False], 1)


async def test_each_connection_takes_a_fresh_key_and_token(tmp_path: Path):
    async with running_stub() as stub, real_server(tmp_path) as server:
        stub.on(TOKEN, server.hands_out)
        for count in (1, 2):
            async with a_socket(server, stub) as (_, heard):
                await until(lambda: bool(heard.carries))
            assert len(set(server.tokens)) == count
        keys = {json.loads(asked.raw_form)["socketKey"] for asked in stub.asked_of(TOKEN)}
        assert len(keys) == 2


@pytest.mark.parametrize("wrong", ["token", "signature"])
async def test_a_server_that_does_not_know_us_is_said_to_refuse(wrong: str, tmp_path: Path):
    async with running_stub() as stub, real_server(tmp_path) as server:
        stranger = Authority(ACCOUNT) if wrong == "token" else server.account

        def hands_out(asked: Asked) -> Reply:
            key = json.loads(asked.raw_form)["socketKey"] if wrong == "token" else NatsKey().public
            return Reply(200, json.dumps({"token": stranger.token(key, USER), "subscriptionId": "77"}))

        stub.on(TOKEN, hands_out)
        async with a_socket(server, stub) as (_, heard):
            await until(lambda: len(heard.losses) > 1)
        assert heard.opens == []
        assert {one.code for one in heard.losses} == {REFUSED}
