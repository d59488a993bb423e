"""The local Upstox's streams: market data in protobuf and a client's orders in JSON, over sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from brokers.simulators.upstox.stream import wire
from brokers.simulators.upstox.stream.wire import encode
from brokers.simulators.upstox.switches import DOUBTS
from tests.brokers.protobuf_reader import read
from tests.brokers.upstox_house import ACC, MARKET, NIFTY, TCS, Client, House, opened

MARKET_FEED = "/v3/feed/market-data-feed"
PORTFOLIO_FEED = "/v2/feed/portfolio-stream-feed"

GOLDEN = (
    "080112340a134e53455f45517c494e45303032413031303138121d0a1b0966666666662c964010d8b2c18bb7321805210000000000"
    "e095401895b3c18bb732"
)
"""A message of the real stream, as it was captured: one share's last price."""


def test_a_message_is_written_as_the_captured_one() -> None:
    ltpc = {"ltp": 1419.1, "ltt": 1732775008600, "ltq": 5, "cp": 1400.0}
    feeds = {"NSE_EQ|INE002A01018": {"ltpc": ltpc}}
    told = {"type": wire.TYPES["live_feed"], "feeds": feeds, "currentTs": 1732775008661}
    assert encode("FeedResponse", told).hex() == GOLDEN


class Listener:
    """One open socket."""

    def __init__(self, house: House, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.house, self.socket = house, socket

    async def next(self) -> Any:
        """The next message, while the clock is moved on."""
        waiting = asyncio.create_task(self.socket.receive())
        await self.house.until(waiting.done)
        message = waiting.result()
        if message.type is aiohttp.WSMsgType.BINARY:
            return read(wire.MESSAGES, "FeedResponse", message.data)
        return json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else message.type

    async def ask(self, method: str, *keys: str, mode: str | None = "ltpc") -> None:
        data = {"instrumentKeys": list(keys)} | ({} if mode is None else {"mode": mode})
        await self.socket.send_bytes(json.dumps({"guid": "1", "method": method, "data": data}).encode())


@asynccontextmanager
async def listening(house: House, client: Client, feed: str, query: str = "") -> AsyncIterator[Listener]:
    """A socket of a client, opened by the address that authorize hands out."""
    told = await client.get(f"{feed}/authorize{query}")
    async with house.session.ws_connect(told["authorized_redirect_uri"]) as socket:
        yield Listener(house, socket)


# --- market data ----------------------------------------------------------------------------------------


async def test_the_market_stream_begins_with_states_and_a_snapshot_and_goes_on_with_what_changes() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), MARKET_FEED) as listener:
        info = await listener.next()
        assert info["type"] == wire.TYPES["market_info"]
        assert info["marketInfo"]["segmentStatus"]["NSE_EQ"] == wire.NORMAL_OPEN
        await listener.ask("sub", ACC)
        snapshot = await listener.next()
        assert snapshot.get("type", 0) == wire.TYPES["initial_feed"]
        assert snapshot["feeds"][ACC]["ltpc"]["ltp"] == 100.0
        house.exchange.pin("ACC", 10_100)
        change = await listener.next()
        assert (change["type"], change["feeds"][ACC]["ltpc"]["ltp"]) == (wire.TYPES["live_feed"], 101.0)
        await listener.ask("unsub", ACC, mode=None)
        await listener.ask("sub", TCS)
        assert set((await listener.next())["feeds"]) == {TCS}


async def test_each_mode_carries_what_it_is_named_for() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), MARKET_FEED) as listener:
        await listener.next()
        await listener.ask("sub", ACC, NIFTY, "NSE_EQ|INE000000000", mode="full")
        feeds = (await listener.next())["feeds"]
        assert set(feeds) == {ACC, NIFTY}
        full = feeds[ACC]["fullFeed"]["marketFF"]
        assert full["marketLevel"]["bidAskQuote"][0]["bidP"] == 100.0
        assert feeds[ACC]["requestMode"] == wire.REQUEST_MODES["full"]
        (candle,) = feeds[NIFTY]["fullFeed"]["indexFF"]["marketOHLC"]["ohlc"]
        assert candle["interval"] == "1d"
        await listener.ask("change_mode", ACC, mode="option_greeks")
        greeks = (await listener.next())["feeds"][ACC]["firstLevelWithGreeks"]
        assert greeks["firstDepth"]["askP"] == 100.0


async def test_requests_that_cannot_be_read_are_passed_over() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), MARKET_FEED) as listener:
        await listener.next()
        odd = [b"\xff", b"[]", b"1", b"[" * 100_000, b'{"method": [], "data": {"instrumentKeys": [1]}}']
        for request in odd:
            await listener.socket.send_bytes(request)
        await listener.socket.send_str("sub")
        await listener.ask("sub", ACC, mode="weather")
        await listener.ask("sub", ACC)
        assert set((await listener.next())["feeds"]) == {ACC}


async def test_an_address_opens_one_socket_and_a_bearer_token_is_sent_on_to_one() -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        address = (await client.get(f"{MARKET_FEED}/authorize"))["authorized_redirect_uri"]
        async with house.session.ws_connect(address):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await house.session.ws_connect(address)
        assert refused.value.status == 401
        bearer = {"Authorization": f"Bearer {client.token}"}
        url = f"{house.upstox.url}{MARKET_FEED}"
        async with house.session.get(url, headers=bearer, allow_redirects=False) as answer:
            assert answer.status == 302
            sent_on = answer.headers["Location"]
        await house.until(lambda: len(house.upstox.sockets) == 0)
        async with house.session.ws_connect(sent_on):
            other = (await client.get(f"{MARKET_FEED}/authorize"))["authorized_redirect_uri"]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await house.session.ws_connect(other)
            assert refused.value.status == 403  # one socket of a user and app


async def test_a_message_split_at_every_byte_is_one_message() -> None:
    async with opened(split_frames=True) as house:
        client = await house.sign_in("ANN")
        async with (
            listening(house, client, MARKET_FEED) as prices,
            listening(house, client, PORTFOLIO_FEED) as own,
        ):
            await prices.next()
            await prices.ask("sub", ACC, mode="full")
            assert (await prices.next())["feeds"][ACC]["fullFeed"]["marketFF"]["ltpc"]["ltp"] == 100.0
            order_id = await client.place()
            assert (await own.next())["order_id"] == order_id


# --- orders ---------------------------------------------------------------------------------------------


async def test_a_client_hears_every_step_of_its_own_orders_alone() -> None:
    async with opened() as house:
        ann, bob = await house.sign_in("ANN"), await house.sign_in("BOB")
        async with (
            listening(house, ann, PORTFOLIO_FEED) as own,
            listening(house, bob, PORTFOLIO_FEED) as other,
        ):
            order_id = await ann.place(tag="mine", **MARKET)
            heard = [await own.next() for _ in range(5)]
            statuses = [row["status"] for row in heard]
            assert statuses == [
                "put order req received",
                "validation pending",
                "open pending",
                "open",
                "complete",
            ]
            last = heard[-1]
            assert (last["order_id"], last["tag"], last["update_type"]) == (order_id, "mine", "order")
            assert (last["filled_quantity"], last["user_id"], last["instrument_key"]) == (10, "ANN", ACC)
            bobs = await bob.place(tag="his")
            assert (await other.next())["order_id"] == bobs


async def test_updates_are_lost_doubled_and_reordered_on_purpose() -> None:
    async with opened(every_step=False) as house:
        client = await house.sign_in("ANN")
        first, second = await client.place(), await client.place()
        async with listening(house, client, PORTFOLIO_FEED) as own:
            await house.control("faults", {"fault": "duplicate_update", "count": 1})
            await client.cancel(first)
            assert [(await own.next())["order_id"] for _ in range(2)] == [first, first]
            await house.control("faults", {"fault": "reordered_update", "count": 1})
            await client.modify(second)
            await client.cancel(second)
            assert [(await own.next())["status"] for _ in range(2)] == ["cancelled", "modified"]
            await house.control("faults", {"fault": "lost_update", "count": 1})
            third = await client.place(**MARKET)
            fourth = await client.place(**MARKET)
            assert third != fourth
            assert (await own.next())["order_id"] == fourth


async def test_a_stalled_socket_says_nothing_and_a_dropped_one_ends() -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        async with listening(house, client, PORTFOLIO_FEED) as own:
            await house.control("sockets", {"do": "stall", "user": "ANN"})
            await client.place(tag="unheard")
            await house.control("sockets", {"do": "resume", "user": "ANN"})
            await client.place(tag="heard")
            assert (await own.next())["tag"] == "heard"
            await house.control("sockets", {"do": "drop"})
            while (said := await own.next()) not in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                assert said["tag"] == "heard"


async def test_a_kind_of_update_that_there_is_not_is_refused() -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        refused = await client.call("GET", f"{PORTFOLIO_FEED}/authorize?update_types=order,weather")
        assert refused.code == "UDAPI100036"


# --- its switches ---------------------------------------------------------------------------------------

OF_STREAMS = (
    "market_info_first",
    "snapshot_type",
    "market_sockets",
    "portfolio_rows",
    "every_step",
    "twin_names",
    "capital_statuses",
    "null_numbers",
)


async def test_streams_come_to_the_same_in_each_position_of_each_switch() -> None:
    async with opened() as house:
        for doubt in (one for one in DOUBTS if one.switch in OF_STREAMS):
            for position in (*doubt.positions[1:], doubt.positions[0]):
                await house.control("switches", {doubt.switch: position})
                await both_streams(house, await house.sign_in("BOB"))


async def both_streams(house: House, client: Client) -> None:
    """A price, an order to its end, and the position that it makes."""
    kinds = "?update_types=order%2Cposition"
    async with (
        listening(house, client, MARKET_FEED) as prices,
        listening(house, client, PORTFOLIO_FEED, kinds) as own,
    ):
        await prices.ask("sub", ACC)
        while ACC not in (told := await prices.next()).get("feeds", {}):
            pass
        assert told["feeds"][ACC]["ltpc"]["ltp"] == 100.0
        order_id = await client.place(**MARKET)
        seen = dict[str, Any]()
        while "position" not in seen:
            row = await own.next()
            seen[row["update_type"]] = row
        assert (seen["order"]["order_id"], seen["order"]["status"].lower()) == (order_id, "complete")
        assert seen["position"]["user_id"] == "BOB"
    await house.until(lambda: len(house.upstox.sockets) == 0)
