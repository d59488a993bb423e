"""The local Kite's stream over real sockets, its frames read by the official client's own parser."""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.kite.market import quote_row
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.kite.socket_link import BEAT_SECONDS
from brokers.simulators.kite.sockets import Sockets, add_to
from data.clock import ManualClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from tests.brokers.official import parse_binary

PINS = {"RELIANCE": 245050, "TCS": 250000, "INFY": 150000, "NIFTY 50": 2340685}
TOKENS = {row.instrument.tradingsymbol: int(row.instrument.token) for row in universe()}
RELIANCE, TCS, INFY, NIFTY = (TOKENS[symbol] for symbol in PINS)


def parsed(data: bytes) -> list[dict[str, Any]]:
    """What the official client makes of a binary message."""
    return parse_binary(data)


class Host:
    """Two users with sessions, ann with two api keys, on an exchange in memory whose prices stand still."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.exchange = PaperExchange(None, self.clock, load_calendar())
        self.exchange.list_instruments(universe())
        for symbol, last in PINS.items():
            self.exchange.pin(symbol, last, last)
        self.sessions = {("ka", "ta"): "ANN", ("ka2", "ta2"): "ANN", ("kb", "tb"): "BOB"}

    def stream_refusal(self, api_key: str) -> int | None:
        return None

    def user_of(self, api_key: str, access_token: str) -> str | None:
        return self.sessions.get((api_key, access_token))


class Stream:
    """The server under test and its clients."""

    def __init__(self, host: Host, sockets: Sockets, port: int) -> None:
        self.host, self.sockets, self.port = host, sockets, port
        self._clients: list[ClientConnection] = []

    async def connect(self, api_key: str = "ka", access_token: str = "ta") -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}?api_key={api_key}&access_token={access_token}"
        client = await connect(url, compression=None, ping_interval=None, close_timeout=1, proxy=None)
        self._clients.append(client)
        return client

    async def until(self, happened: Callable[[], object]) -> None:
        """Beat until something has happened."""
        async with asyncio.timeout(10):
            while not happened():
                await self.beat()

    async def beat(self) -> None:
        await self.host.clock.advance(BEAT_SECONDS)
        await asyncio.wait([asyncio.create_task(self._turn())])

    async def _turn(self) -> None:
        """Let clients and server read what lies in their sockets."""
        loop = asyncio.get_running_loop()
        for _ in range(5):
            turned = loop.create_future()
            loop.call_later(0.001, turned.set_result, None)
            await turned

    async def hear(self, client: ClientConnection) -> str | bytes:
        """The next message; beats until there is one."""
        listening = asyncio.create_task(client.recv())
        await self.until(listening.done)
        return listening.result()

    async def ticks(self, client: ClientConnection) -> dict[int, dict[str, Any]]:
        """The next ticks by token, heartbeats passed over."""
        while True:
            data = await self.hear(client)
            assert isinstance(data, bytes)
            if len(data) > 1:
                return {tick["instrument_token"]: tick for tick in parsed(data)}

    async def text(self, client: ClientConnection) -> dict[str, Any]:
        """The next text message; what came before it must be heartbeats or ticks."""
        while True:
            data = await self.hear(client)
            if isinstance(data, str):
                return json.loads(data)

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))


@asynccontextmanager
async def serving(host: Host) -> AsyncIterator[Stream]:
    app = web.Application()
    sockets = add_to(app, host)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pump = asyncio.create_task(sockets.run())
    stream = Stream(host, sockets, runner.addresses[0][1])
    try:
        yield stream
    finally:
        pump.cancel()
        with suppress(asyncio.CancelledError):
            await pump
        await sockets.close()
        await stream.close()
        await runner.cleanup()
        host.exchange.close()


@pytest.fixture
async def stream() -> AsyncIterator[Stream]:
    async with serving(Host()) as stream:
        yield stream


async def ask(client: ClientConnection, action: str, value: object) -> None:
    await client.send(json.dumps({"a": action, "v": value}))


@pytest.mark.parametrize("query", ["", "?api_key=ka", "?api_key=ka&access_token=tb", "?access_token=ta"])
async def test_a_wrong_token_is_refused_before_the_upgrade(stream: Stream, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{stream.port}/{query}", proxy=None)
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["error_type"] == "TokenException"


async def test_three_sockets_an_api_key_then_429_unless_the_limit_is_soft(stream: Stream) -> None:
    clients = [await stream.connect() for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        await stream.connect()
    assert refused.value.response.status_code == 429
    await stream.connect("kb", "tb")
    await clients[0].close()
    await stream.until(lambda: len(stream.sockets) == 3)
    await stream.connect()
    stream.sockets.hard_limit = False
    assert (await stream.connect()).response is not None


async def test_no_compression_is_agreed_even_where_the_client_offers_it(stream: Stream) -> None:
    url = f"ws://127.0.0.1:{stream.port}/?api_key=ka&access_token=ta"
    async with connect(url, proxy=None) as client:
        assert client.protocol.extensions == []


async def test_a_bare_subscription_is_in_quote_mode_and_modes_mix(stream: Stream) -> None:
    client = await stream.connect()
    await ask(client, "subscribe", [RELIANCE, NIFTY, 999])
    ticks = await stream.ticks(client)
    assert {token: tick["mode"] for token, tick in ticks.items()} == {RELIANCE: "quote", NIFTY: "quote"}
    assert ticks[RELIANCE]["last_price"] == 2450.50
    assert (ticks[NIFTY]["tradable"], ticks[NIFTY]["last_price"]) == (False, 23406.85)

    await ask(client, "mode", ["full", [RELIANCE, NIFTY]])
    await ask(client, "mode", ["ltp", [TCS]])
    ticks: dict[int, dict[str, Any]] = {}
    while len(ticks) < 3:
        ticks |= await stream.ticks(client)
    assert {token: tick["mode"] for token, tick in ticks.items()} == {
        RELIANCE: "full",
        NIFTY: "full",
        TCS: "ltp",
    }
    depth = ticks[RELIANCE]["depth"]
    assert depth["buy"][0]["price"] == depth["sell"][0]["price"] == 2450.50
    market_at = ticks[RELIANCE]["exchange_timestamp"].astimezone(UTC)
    assert market_at <= stream.host.exchange.market_clock.now()
    assert market_at.date() == stream.host.exchange.market_clock.trading_day


async def test_only_what_changed_is_sent_to_those_who_asked(stream: Stream) -> None:
    ann, bob = await stream.connect(), await stream.connect("kb", "tb")
    await ask(ann, "subscribe", [RELIANCE, TCS])
    await ask(bob, "subscribe", [TCS, INFY])
    assert (await stream.ticks(ann)).keys() == {RELIANCE, TCS}
    assert (await stream.ticks(bob)).keys() == {TCS, INFY}
    stream.host.exchange.pin("TCS", 250100, 250000)
    for client in (ann, bob):
        ticks = await stream.ticks(client)
        assert {token: tick["last_price"] for token, tick in ticks.items()} == {TCS: 2501.0}
    await ask(ann, "unsubscribe", [TCS])
    await ask(ann, "subscribe", [INFY])
    assert (await stream.ticks(ann)).keys() == {INFY}
    stream.host.exchange.pin("TCS", 250200, 250000)
    assert (await stream.ticks(bob)).keys() == {TCS}
    stream.host.exchange.pin("RELIANCE", 245100, 245050)
    assert (await stream.ticks(ann)).keys() == {RELIANCE}


def as_quoted(tick: dict[str, Any]) -> dict[str, Any]:
    """A full tick in the words of a quote over HTTP."""
    of_both = {name: tick[name] for name in ("instrument_token", "last_price", "ohlc")}
    if not tick["tradable"]:
        return of_both
    return {
        **of_both,
        "volume": tick["volume_traded"],
        "last_quantity": tick["last_traded_quantity"],
        "average_price": tick["average_traded_price"],
        "buy_quantity": tick["total_buy_quantity"],
        "sell_quantity": tick["total_sell_quantity"],
        "depth": tick["depth"],
    }


async def test_prices_follow_their_tokens_through_a_rename_and_a_swap(stream: Stream) -> None:
    client = await stream.connect()
    await client.send(json.dumps({"a": "mode", "v": ["ltp", [INFY, TCS]]}))
    first = await stream.ticks(client)
    assert {token: tick["last_price"] for token, tick in first.items()} == {INFY: 1500.0, TCS: 2500.0}
    exchange = stream.host.exchange
    security = {int(one.instrument.token): one.instrument.security for one in exchange.listings()}

    exchange.rename([("NSE:INFY", "NSE:INFYSYS", security[INFY])])
    exchange.pin("INFYSYS", 1510_00)
    assert (await stream.ticks(client))[INFY]["last_price"] == 1510.0

    exchange.rename([("NSE:INFYSYS", "NSE:TCS", security[INFY]), ("NSE:TCS", "NSE:INFYSYS", security[TCS])])
    exchange.pin("TCS", 1520_00)
    assert (await stream.ticks(client))[INFY]["last_price"] == 1520.0


async def test_a_walking_market_reaches_the_socket_as_it_is_quoted_over_http(stream: Stream) -> None:
    exchange = stream.host.exchange
    for symbol in PINS:
        exchange.unpin(symbol)
    client = await stream.connect()
    await ask(client, "mode", ["full", list(TOKENS.values())])
    first = last = await stream.ticks(client)
    assert first.keys() == set(TOKENS.values())

    def quoted() -> dict[int, dict[str, Any]]:
        quotes = exchange.quotes([f"NSE:{symbol}" for symbol in TOKENS])
        at = exchange.market_clock.now()
        rows = [quote_row(quotes[f"NSE:{symbol}"], token, at) for symbol, token in TOKENS.items()]
        return {row["instrument_token"]: row for row in rows}

    frames = 0
    async with asyncio.timeout(10):
        while True:
            last = last | await stream.ticks(client)
            frames += 1
            now = quoted()
            if frames >= 8 and all(as_quoted(last[token]).items() <= now[token].items() for token in now):
                break
    assert sum(first[token]["last_price"] != last[token]["last_price"] for token in first) > 100


async def test_an_idle_socket_hears_a_byte_every_two_seconds(stream: Stream) -> None:
    client = await stream.connect()
    await stream.beat()
    began = stream.host.clock.monotonic()
    for _ in range(4):
        assert await stream.hear(client) == b"\x00"
    assert 6.0 <= stream.host.clock.monotonic() - began <= 9.0


async def test_order_updates_reach_every_socket_of_that_user_and_nobody_else(stream: Stream) -> None:
    ann, second = await stream.connect(), await stream.connect("ka2", "ta2")
    bob = await stream.connect("kb", "tb")
    row = {"order_id": "1900000000000000001", "status": "COMPLETE", "tag": None, "average_price": 2450.5}
    stream.sockets.announce("ANN", row)
    for client in (ann, second):
        assert await stream.text(client) == {"type": "order", "data": row}
    stream.sockets.message(None, "The market opens late.")
    for client in (ann, second, bob):
        assert await stream.text(client) == {"type": "message", "data": "The market opens late."}


async def test_more_than_3000_instruments_are_answered_with_an_error_and_the_rest_stays(
    stream: Stream,
) -> None:
    client = await stream.connect()
    await ask(client, "subscribe", [RELIANCE, *range(1, 3_002)])
    refused = await stream.text(client)
    assert refused["type"] == "error"
    assert "3000" in refused["data"]
    await ask(client, "mode", ["ltp", [TCS]])
    assert (await stream.text(client))["type"] == "error"
    stream.host.exchange.pin("RELIANCE", 245100, 245050)
    assert (await stream.ticks(client)).keys() == {RELIANCE}
    await ask(client, "unsubscribe", [1])
    await ask(client, "mode", ["ltp", [TCS]])
    assert (await stream.ticks(client)).keys() == {TCS}


@pytest.mark.parametrize(
    "text",
    [
        "subscribe",
        "[1]",
        '{"a":"subscribe"}',
        '{"a":"subscribe","v":408065}',
        '{"a":"subscribe","v":["408065"]}',
        '{"a":"subscribe","v":[true]}',
        '{"a":"mode","v":["fast",[408065]]}',
        '{"a":"mode","v":[]}',
        '{"a":"shout","v":[408065]}',
    ],
)
async def test_what_is_no_request_is_answered_with_an_error(stream: Stream, text: str) -> None:
    client = await stream.connect()
    await client.send(text)
    assert await stream.text(client) == {"type": "error", "data": "Invalid request."}
    await ask(client, "subscribe", [RELIANCE])
    assert (await stream.ticks(client)).keys() == {RELIANCE}


async def test_a_stalled_socket_stays_open_without_a_byte_and_loses_its_updates(stream: Stream) -> None:
    ann, bob = await stream.connect(), await stream.connect("kb", "tb")
    for client in (ann, bob):
        await ask(client, "subscribe", [RELIANCE])
        await stream.ticks(client)
    stream.sockets.stall(True, "ANN")
    later = await stream.connect()
    await ask(later, "subscribe", [RELIANCE])
    pong = asyncio.ensure_future(await ann.ping())
    stream.sockets.announce("ANN", {"order_id": "1"})
    stream.host.exchange.pin("RELIANCE", 245100, 245050)
    listening = [asyncio.create_task(client.recv()) for client in (ann, later)]
    assert (await stream.ticks(bob))[RELIANCE]["last_price"] == 2451.0
    for _ in range(3):
        assert await stream.hear(bob) == b"\x00"
    assert not pong.done()
    assert not any(task.done() for task in listening)

    stream.sockets.stall(False, "ANN")
    for task in listening:
        await stream.until(task.done)
        data = task.result()
        assert isinstance(data, bytes)
        assert parsed(data)[0]["last_price"] == 2451.0
    stream.sockets.announce("ANN", {"order_id": "2"})
    assert (await stream.text(ann))["data"] == {"order_id": "2"}
    answered = asyncio.ensure_future(await ann.ping())
    await stream.until(answered.done)


async def test_a_stalled_socket_does_not_confirm_a_closing_and_is_gone_afterwards(stream: Stream) -> None:
    client = await stream.connect()
    await stream.until(lambda: len(stream.sockets) == 1)
    stream.sockets.stall(True)
    await client.close()  # the client gives up waiting for the confirmation
    assert client.protocol.close_rcvd is None
    await stream.until(lambda: len(stream.sockets) == 0)


async def test_a_cut_comes_without_a_closing_and_nothing_is_replayed(stream: Stream) -> None:
    ann, bob = await stream.connect(), await stream.connect("kb", "tb")
    await ask(ann, "subscribe", [RELIANCE])
    await stream.ticks(ann)
    stream.sockets.drop("ANN")
    with pytest.raises(ConnectionClosed) as cut:
        await asyncio.wait_for(ann.recv(), 5)
    assert cut.value.rcvd is None
    stream.sockets.announce("ANN", {"order_id": "1"})
    again = await stream.connect()
    stream.sockets.announce("ANN", {"order_id": "2"})
    assert (await stream.text(again))["data"] == {"order_id": "2"}
    stream.host.exchange.pin("RELIANCE", 245100, 245050)
    assert await stream.hear(again) == b"\x00"
    assert await stream.hear(bob) == b"\x00"


@pytest.mark.parametrize("cuts", [True, False])
async def test_whether_a_session_that_ends_takes_its_sockets_along_is_a_switch(
    stream: Stream, cuts: bool
) -> None:
    ann = await stream.connect()
    stream.sockets.expiry_cuts = cuts
    del stream.host.sessions["ka", "ta"]
    stream.sockets.expire("ANN")
    if cuts:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(ann.recv(), 5)
    else:
        assert await stream.hear(ann) == b"\x00"
    with pytest.raises(InvalidStatus):
        await stream.connect()


async def test_the_end_of_one_apps_session_leaves_the_users_other_sockets(stream: Stream) -> None:
    first, second = await stream.connect(), await stream.connect("ka2", "ta2")
    stream.sockets.expire("ANN", "ka")
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(first.recv(), 5)
    assert await stream.hear(second) == b"\x00"


async def test_a_client_that_does_not_read_holds_up_nobody_and_gets_the_newest(stream: Stream) -> None:
    slow, bob = await stream.connect(), await stream.connect("kb", "tb")
    for client in (slow, bob):
        await ask(client, "subscribe", [RELIANCE])
    await stream.ticks(bob)
    slow.transport.pause_reading()
    text = "x" * 1_000_000
    for _ in range(12):
        stream.sockets.message("ANN", text)
    for price in (245100, 245150, 245200):
        stream.host.exchange.pin("RELIANCE", price, 245050)
        assert (await stream.ticks(bob))[RELIANCE]["last_price"] == price / 100
    slow.transport.resume_reading()
    seen: list[float] = []
    while not seen or seen[-1] != 2452.0:
        data = await stream.hear(slow)
        if isinstance(data, bytes) and len(data) > 1:
            seen.append(parsed(data)[0]["last_price"])
    assert 2451.0 not in seen
    assert 2451.5 not in seen


async def test_closing_ends_every_socket_with_a_word(stream: Stream) -> None:
    ann = await stream.connect()
    listening = asyncio.create_task(ann.recv())
    await stream.sockets.close()
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(listening, 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


# --- in the local Kite ------------------------------------------------------------------------------------


@asynccontextmanager
async def local_kite(host: Host) -> AsyncIterator[tuple[LocalKite, Stream, str]]:
    """A whole local Kite with a stream of it, and ann's access token."""
    host.exchange.open_accounts([AccountOpening("ANN", 10_000_000_00)])
    kite = LocalKite(host.exchange, host.clock, api_keys={"ka": "secret"}, rng=random.Random(1))
    await kite.start()
    stream = Stream(host, kite.sockets, int(kite.url.rpartition(":")[2]))
    try:
        request_token = kite.sessions.request_token("ka", "ANN")
        checksum = hashlib.sha256(f"ka{request_token}secret".encode()).hexdigest()
        yield kite, stream, kite.sessions.exchange("ka", request_token, checksum)[1]
    finally:
        await kite.stop()
        await stream.close()
        host.exchange.close()


async def test_order_updates_meet_the_menu_of_mishaps_on_their_way() -> None:
    host = Host()
    async with local_kite(host) as (kite, stream, token), aiohttp.ClientSession() as http:
        client = await stream.connect("ka", token)
        headers = {"X-Kite-Version": "3", "Authorization": f"token ka:{token}"}
        order = {
            "exchange": "NSE",
            "tradingsymbol": "RELIANCE",
            "transaction_type": "BUY",
            "quantity": "1",
            "product": "CNC",
            "order_type": "LIMIT",
            "price": "2460",
            "validity": "DAY",
        }

        async def buy() -> str:
            placing = asyncio.create_task(
                http.post(f"{kite.url}/orders/regular", data=order, headers=headers)
            )
            await stream.until(placing.done)
            async with placing.result() as answer:
                return (await answer.json())["data"]["order_id"]

        for fault in ("lost_update", "reordered_update", "duplicate_update"):
            kite.mishaps.add(fault, user_id="ANN", route="update", count=1)
        lost, late, twice, plain = [await buy() for _ in range(4)]
        heard = [(await stream.text(client))["data"] for _ in range(4)]
        assert [row["order_id"] for row in heard] == [twice, twice, late, plain]
        assert lost not in [row["order_id"] for row in heard]
        assert {(row["status"], row["user_id"]) for row in heard} == {("COMPLETE", "ANN")}


async def test_a_session_that_ends_at_the_local_kite_takes_its_socket_along() -> None:
    async with local_kite(Host()) as (kite, stream, token):
        client = await stream.connect("ka", token)
        await ask(client, "mode", ["ltp", [RELIANCE]])
        assert (await stream.ticks(client))[RELIANCE]["last_price"] == 2450.5
        kite.sessions.end_user("ANN")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), 5)
        with pytest.raises(InvalidStatus) as refused:
            await stream.connect("ka", token)
        assert refused.value.response.status_code == 403
