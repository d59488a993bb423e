"""A local Groww for tests: its exchange, clock and clients, called over loopback by a plain client."""

import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import aiohttp

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.groww.apps import approved_app, keys_of, own_app
from brokers.simulators.groww.server import LocalGroww
from brokers.simulators.groww.totp import STEP_S, code_of
from brokers.simulators.serving.delays import NO_DELAYS, Delays
from brokers.simulators.serving.server import ServedAt
from data.clock import ManualClock
from tests.brokers.local_house import control, open_exchange, until


class Answer:
    """A status and its body."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body

    @property
    def data(self) -> Any:
        """What a call returned; fails for one that was refused."""
        assert (self.status, self.body["status"]) == (200, "SUCCESS"), self.body
        return self.body["payload"]

    @property
    def code(self) -> str:
        """The code of the error."""
        assert self.body["status"] == "FAILURE", self.body
        return self.body["error"]["code"]


class Client:
    """One user behind a token; every path is under the server's `/v1`."""

    def __init__(self, root: str, session: aiohttp.ClientSession, token: str) -> None:
        self.root, self.session, self.token = root, session, token

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        told = {"Authorization": f"Bearer {self.token}", "X-API-VERSION": "1.0"}
        async with self.session.request(method, f"{self.root}/v1{path}", json=body, headers=told) as answer:
            return Answer(answer.status, await answer.json())

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).data

    async def send(self, **more: Any) -> Answer:
        return await self.call("POST", "/order/create", order(**more))

    async def place(self, reference: str, **more: Any) -> str:
        return (await self.send(order_reference_id=reference, **more)).data["groww_order_id"]

    async def modify(self, order_id: str, **more: Any) -> Answer:
        body = {"groww_order_id": order_id, "segment": "CASH", "order_type": "LIMIT"}
        return await self.call("POST", "/order/modify", body | {"quantity": 10, "price": 98.0} | more)

    async def cancel(self, order_id: str, **more: Any) -> Answer:
        body = {"groww_order_id": order_id, "segment": "CASH"}
        return await self.call("POST", "/order/cancel", body | more)

    async def detail(self, order_id: str) -> Any:
        return await self.get(f"/order/detail/{order_id}?segment=CASH")

    async def book(self) -> Any:
        return (await self.get("/order/list"))["order_list"]


class House:
    """A running local Groww with its clock and exchange."""

    def __init__(
        self, groww: LocalGroww, clock: ManualClock, exchange: PaperExchange, session: aiohttp.ClientSession
    ) -> None:
        self.groww, self.clock, self.exchange, self.session = groww, clock, exchange, session

    async def sign_in(self, user_id: str) -> Client:
        """A client whose key has minted a token by a code."""
        told = (await self.mint(own_app(user_id)[0], **self.code(user_id))).body
        return Client(self.groww.url, self.session, told.get("payload", told)["token"])

    def code(self, user_id: str, steps: int = 0) -> dict[str, str]:
        """What a key with codes posts, now or some steps of half a minute away."""
        step = int(self.clock.now().timestamp()) // STEP_S + steps
        return {"key_type": "totp", "totp": code_of(own_app(user_id)[1], step)}

    def checksum(self, user_id: str, age_s: int = 0) -> dict[str, Any]:
        """What a key that is approved every day posts."""
        stamp = int(self.clock.now().timestamp()) - age_s
        digest = hashlib.sha256(f"{approved_app(user_id)[1]}{stamp}".encode()).hexdigest()
        return {"key_type": "approval", "checksum": digest, "timestamp": stamp}

    async def mint(self, api_key: str, **body: Any) -> Answer:
        """The minting of a token."""
        return await Client(self.groww.url, self.session, api_key).call("POST", "/token/api/access", body)

    async def control(self, path: str, body: Any = None) -> Any:
        return await control(self.session, self.groww.url, path, body)

    async def until(self, happened: Callable[[], object]) -> None:
        await until(self.clock, happened)


def order(**more: Any) -> dict[str, Any]:
    """A body of an order: a buy of ten at 99 rupees, which rests."""
    facts = {
        "trading_symbol": "ACC",
        "quantity": 10,
        "price": 99.0,
        "trigger_price": None,
        "validity": "DAY",
        "exchange": "NSE",
        "segment": "CASH",
        "product": "CNC",
        "order_type": "LIMIT",
        "transaction_type": "BUY",
        "order_reference_id": "reference-1",
    }
    return facts | more


MARKET: dict[str, Any] = {"order_type": "MARKET", "price": 0.0}
"""What makes an order one at the market's price."""


@asynccontextmanager
async def opened(
    delays: Delays = NO_DELAYS, path: Path | None = None, begins: time | None = None, **switches: Any
) -> AsyncIterator[House]:
    """A local Groww whose calls are not counted, with these switches."""
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    exchange = open_exchange(clock, path, begins)
    keep = None if path is None else path.with_suffix(".groww")
    place = ServedAt(delays=delays, rng=random.Random(7), keep=keep)
    groww = LocalGroww(exchange, clock, api_keys=keys_of("ANN") | keys_of("BOB"), place=place)
    groww.switches.change({"rate_limits": False, "mint_limits": False, **switches})
    await groww.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
            yield House(groww, clock, exchange, session)
    finally:
        await groww.stop()
        exchange.close()
