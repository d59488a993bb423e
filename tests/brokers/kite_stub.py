"""A server that answers Kite's routes as a test says, records what was asked, and can misbehave."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from brokers.contract import BrokerAccount, BrokerError
from brokers.kite.access import KiteRoots, kite_roots
from brokers.wire.access import AccountRoute
from data.clock import SystemClock

ANN = BrokerAccount(1, "AB1234")
BEN = BrokerAccount(2, "CD5678")
TOKEN = "tokenofann0123456789"
SECRET = "secretofann0123456789"
ROW_TIME = "2026-11-23 09:20:05"


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: dict[str, str]
    headers: dict[str, str]
    peer: str
    raw_form: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer. `raw` bytes are sent as they are and the connection closed; empty ones only close it."""

    status: int = 200
    body: str | bytes = ""
    content_type: str = "application/json"
    raw: bytes | None = None
    held: asyncio.Event | None = None
    """The answer waits for this."""


def done(data: object) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": data}))


def refused(status: int, error_type: str | None, message: str = "No.") -> Reply:
    body = {"status": "error", "message": message, "data": None}
    return Reply(status, json.dumps(body | ({"error_type": error_type} if error_type else {})))


DROP = Reply(raw=b"")
HTML = "<html>gateway</html>"


@dataclass
class KiteStub:
    """Answers by `METHOD /path`; a list of answers is used up to its last one."""

    base: str = ""
    asked: list[Asked] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    frames: list[str | bytes] = field(default_factory=list)
    """What a stream sends when it opens."""
    told: list[Any] = field(default_factory=list)
    """What was said on streams."""
    stream_status: int = 0
    """What a handshake is refused with; 0 where streams open."""
    in_flight: int = 0
    most_in_flight: int = 0
    _answers: dict[str, deque[Reply | Callable[[Asked], Reply]]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    @property
    def roots(self) -> KiteRoots:
        return kite_roots(self.base)

    def on(self, route: str, *replies: Reply | Callable[[Asked], Reply]) -> None:
        self._answers[route] = deque(replies)

    def asked_of(self, route: str) -> list[Asked]:
        return [one for one in self.asked if f"{one.method} {one.path}" == route]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.text()
        one = Asked(
            request.method,
            request.path,
            parse_qsl(request.rel_url.raw_query_string),
            dict(parse_qsl(raw)),
            dict(request.headers),
            request.remote or "",
            raw,
        )
        self.asked.append(one)
        self.seen.set()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._reply(request, one)
        finally:
            self.in_flight -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Send the frames the test gave, then take in messages until the other side leaves."""
        if self.stream_status:
            return web.Response(status=self.stream_status)
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        for frame in self.frames:
            await (wire.send_bytes(frame) if isinstance(frame, bytes) else wire.send_str(frame))
        async for message in wire:
            self.told.append(json.loads(message.data))
        return wire

    async def _reply(self, request: web.Request, one: Asked) -> web.StreamResponse:
        answers = self._answers[f"{one.method} {one.path}"]
        if not answers:
            return web.Response(status=404, body=b"{}", content_type="text/plain")
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        reply = answer if isinstance(answer, Reply) else answer(one)
        if reply.held is not None:
            await reply.held.wait()
        if reply.raw is not None:
            assert request.transport is not None
            request.transport.write(reply.raw)
            request.transport.close()
            return web.Response()
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        return web.Response(status=reply.status, body=body, headers={"Content-Type": reply.content_type})


@asynccontextmanager
async def running_stub(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[KiteStub]:
    stub = KiteStub()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", stub.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address: Any = runner.addresses[0]
    stub.base = f"http://{host}:{address[1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()


@dataclass(repr=False)
class Access:
    """`AccountAccess` in memory."""

    routes: dict[BrokerAccount, AccountRoute] = field(
        default_factory=lambda: {ANN: AccountRoute("annkey"), BEN: AccountRoute("benkey")}
    )
    tokens: dict[BrokerAccount, str] = field(
        default_factory=lambda: {ANN: TOKEN, BEN: "tokenofben0123456789"}
    )
    secrets: dict[str, str] = field(default_factory=lambda: {"annkey": SECRET})

    def route(self, account: BrokerAccount) -> AccountRoute:
        if account not in self.routes:
            raise BrokerError(f"{account.user_id} has no route.", "route")
        return self.routes[account]

    def token(self, account: BrokerAccount) -> str | None:
        return self.tokens.get(account)

    def newest_token(self, account: BrokerAccount) -> str | None:
        return self.token(account)

    def secret(self, api_key: str) -> str | None:
        return self.secrets.get(api_key)

    def keep_token(self, account: BrokerAccount, token: str) -> None:
        self.tokens[account] = token

    def drop_token(self, account: BrokerAccount) -> None:
        self.tokens.pop(account, None)


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Let the loop run until a condition holds."""
    clock = SystemClock()
    async with clock.timeout(within_s):
        while not condition():
            await clock.sleep(0.005)


def order_row(**changes: Any) -> dict[str, Any]:
    """A row of the order book as the documentation shows it."""
    return {
        "placed_by": "AB1234",
        "account_id": "AB1234",
        "order_id": "1895678901234567890",
        "exchange_order_id": "1100000017301611",
        "parent_order_id": None,
        "status": "OPEN",
        "status_message": None,
        "status_message_raw": None,
        "order_timestamp": ROW_TIME,
        "exchange_update_timestamp": "2026-11-23 09:20:06",
        "exchange_timestamp": "2026-11-23 09:20:05",
        "variety": "regular",
        "modified": False,
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "instrument_token": 408065,
        "order_type": "LIMIT",
        "transaction_type": "BUY",
        "validity": "DAY",
        "validity_ttl": 0,
        "product": "CNC",
        "quantity": 10,
        "disclosed_quantity": 0,
        "price": 1500.05,
        "trigger_price": 0,
        "average_price": 0,
        "filled_quantity": 0,
        "pending_quantity": 10,
        "cancelled_quantity": 0,
        "market_protection": 0,
        "meta": {},
        "tag": "t1",
        "guid": None,
    } | changes
