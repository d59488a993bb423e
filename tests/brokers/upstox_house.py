"""A local Upstox for tests: its exchange, clock and clients, called over loopback by a plain client."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.serving.delays import NO_DELAYS, Delays
from brokers.simulators.serving.server import ServedAt
from brokers.simulators.upstox.server import LocalUpstox
from data.clock import ManualClock
from tests.brokers.local_house import control, open_exchange, until

SECRETS = {"app": "app-secret", "other": "other-secret"}
LEADS_TO = "http://127.0.0.1:9/back"
ACC, TCS, NIFTY = "NSE_EQ|INE012A01025", "NSE_EQ|INE467B01029", "NSE_INDEX|Nifty 50"


class Answer:
    """A status and its body."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body

    @property
    def data(self) -> Any:
        """What a call returned; fails for one that was refused."""
        assert (self.status, self.body["status"]) == (200, "success"), self.body
        return self.body["data"]

    @property
    def code(self) -> str:
        """The code of the one error."""
        (error,) = self.body["errors"]
        return error.get("error_code") or error["errorCode"]


class Client:
    """One user behind a token; every path is under the server's root."""

    def __init__(self, root: str, session: aiohttp.ClientSession, token: str) -> None:
        self.root, self.session, self.token = root, session, token

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        told = {"Authorization": f"Bearer {self.token}", **headers}
        async with self.session.request(method, f"{self.root}{path}", json=body, headers=told) as answer:
            return Answer(answer.status, await answer.json())

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).data

    async def place(self, **more: Any) -> str:
        (order_id,) = (await self.call("POST", "/v3/order/place", order(**more))).data["order_ids"]
        return order_id

    async def modify(self, order_id: str, **more: Any) -> Answer:
        body = {"order_id": order_id, "order_type": "LIMIT", "price": 98.0, "trigger_price": 0}
        return await self.call("PUT", "/v3/order/modify", body | {"validity": "DAY"} | more)

    async def cancel(self, order_id: str) -> Answer:
        return await self.call("DELETE", f"/v3/order/cancel?order_id={order_id}")

    async def status(self, order_id: str) -> str:
        return (await self.get(f"/v2/order/details?order_id={order_id}"))["status"]


class House:
    """A running local Upstox with its clock and exchange."""

    def __init__(
        self, upstox: LocalUpstox, clock: ManualClock, exchange: PaperExchange, session: aiohttp.ClientSession
    ) -> None:
        self.upstox, self.clock, self.exchange, self.session = upstox, clock, exchange, session

    async def sign_in(self, user_id: str, app: str = "app") -> Client:
        """A client whose user has gone through the dialog."""
        code = await self.code(user_id, app)
        return Client(self.upstox.url, self.session, (await self.token(code, app)).body["access_token"])

    async def code(self, user_id: str, app: str = "app") -> str:
        """What the dialog leads back with."""
        query = {"response_type": "code", "client_id": app, "redirect_uri": LEADS_TO, "user_id": user_id}
        url = f"{self.upstox.url}/v2/login/authorization/dialog"
        async with self.session.get(url, params=query, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    async def token(self, code: str, app: str = "app", **more: str) -> Answer:
        """The exchange of a code."""
        form = {"code": code, "client_id": app, "client_secret": SECRETS[app], "redirect_uri": LEADS_TO}
        form |= {"grant_type": "authorization_code", **more}
        url = f"{self.upstox.url}/v2/login/authorization/token"
        async with self.session.post(url, data=form) as answer:
            return Answer(answer.status, await answer.json())

    async def control(self, path: str, body: Any = None) -> Any:
        return await control(self.session, self.upstox.url, path, body)

    async def until(self, happened: Callable[[], object]) -> None:
        await until(self.clock, happened)


def order(**more: Any) -> dict[str, Any]:
    """A body of an order: a buy of ten at 99 rupees, which rests."""
    facts = {
        "quantity": 10,
        "product": "D",
        "validity": "DAY",
        "price": 99.0,
        "instrument_token": ACC,
        "order_type": "LIMIT",
        "transaction_type": "BUY",
        "disclosed_quantity": 0,
        "trigger_price": 0,
        "is_amo": False,
        "tag": "t1",
    }
    return facts | more


MARKET: dict[str, Any] = {"order_type": "MARKET", "price": 0, "market_protection": -1}
"""What makes an order one at the market's price."""


@asynccontextmanager
async def opened(
    delays: Delays = NO_DELAYS, path: Path | None = None, begins: time | None = None, **switches: Any
) -> AsyncIterator[House]:
    """A local Upstox whose calls are not counted, with these switches."""
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    exchange = open_exchange(clock, path, begins)
    keep = None if path is None else path.with_suffix(".upstox")
    place = ServedAt(delays=delays, rng=random.Random(7), keep=keep)
    upstox = LocalUpstox(exchange, clock, api_keys=SECRETS, place=place)
    upstox.switches.change({"rate_limits": False, **switches})
    await upstox.start()
    try:
        named = {"User-Agent": "Mozilla/5.0 (a test)"}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10), headers=named) as session:
            yield House(upstox, clock, exchange, session)
    finally:
        await upstox.stop()
        exchange.close()
