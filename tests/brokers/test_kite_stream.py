"""Kite's stream against a small server on loopback: what it subscribes, survives, shares out and tells."""

import asyncio
import json
import logging
import random
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve

from brokers.contract import (
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    BrokerStatus,
    Heartbeat,
    OrderUpdate,
    Ticks,
)
from brokers.kite.streaming.sockets import StreamWaits
from brokers.kite.streaming.stream import KiteStream
from brokers.wire.access import AccountRoute
from data.clock import ManualClock, SystemClock
from data.vocabulary import OrderType, Product, Side
from engine.market.quotes import QuoteMap

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PATIENCE_S = 10.0
ASHA, BALA, CHAND, DEV = (BrokerAccount(n, f"AB{n:04d}") for n in range(1, 5))
ONE_KEY = AccountRoute("onekey")


def ltp(token: int, paise: int) -> bytes:
    return struct.pack(">HII", 8, token, paise)


def full(token: int, paise: int) -> bytes:
    return struct.pack(">H16I120x", 184, token, paise, *[0] * 14)


def frame(*packets: bytes) -> bytes:
    return struct.pack(">H", len(packets)) + b"".join(packets)


def order_text(user_id: str, order_id: str = "2411230000000000001") -> str:
    return json.dumps({"type": "order", "data": {"user_id": user_id, "order_id": order_id}})


def order_of(row) -> BrokerOrder:
    if row.get("order_id") is None:
        raise BrokerError("order row: order_id is null")
    return BrokerOrder(
        row["order_id"],
        row["user_id"],
        (),
        "NSE",
        "INFY",
        Side.BUY,
        Product.CNC,
        OrderType.LIMIT,
        1,
        1,
        100,
        BrokerStatus.COMPLETE,
        "COMPLETE",
        START,
        START,
    )


class Seat:
    """One connection as the server sees it."""

    def __init__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.connection, self.headers = connection, connection.request.headers
        query = parse_qs(urlsplit(connection.request.path).query)
        self.api_key, self.token = query["api_key"][0], query["access_token"][0]
        self.messages: list[dict] = []
        self.modes: dict[int, str] = {}
        self.open = True

    def take(self, text: str) -> None:
        message = json.loads(text)
        self.messages.append(message)
        value = message["v"]
        if message["a"] == "subscribe":
            self.modes.update(dict.fromkeys(value, "quote"))
        elif message["a"] == "unsubscribe":
            for token in value:
                self.modes.pop(token, None)
        else:
            self.modes.update({token: value[0] for token in value[1] if token in self.modes})
        assert len(self.modes) <= 3_000

    async def send(self, *frames: bytes | str) -> None:
        for each in frames:
            await self.connection.send(each)

    def cut(self) -> None:
        self.connection.transport.abort()


class Server:
    """Takes connections, remembers what each subscribed, refuses tokens on request."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []
        self.handshakes: list[tuple[str, str | None]] = []
        self.refusals: dict[str, HTTPStatus] = {}
        self.away = False
        self.most_open = 0
        self.url = ""

    def answer(self, connection: ServerConnection, request):
        token = parse_qs(urlsplit(request.path).query)["access_token"][0]
        self.handshakes.append((token, request.headers.get("X-Kite-Version")))
        status = self.refusals.get(token)
        if self.away:
            connection.transport.abort()
        return None if status is None else connection.respond(status, "no\n")

    async def serve_one(self, connection: ServerConnection) -> None:
        seat = Seat(connection)
        self.seats.append(seat)
        self.most_open = max(self.most_open, len(self.open_seats))
        try:
            async for text in connection:
                assert isinstance(text, str)
                seat.take(text)
        except Exception as problem:
            if type(problem).__name__ not in ("ConnectionClosedError", "ConnectionClosedOK"):
                raise
        finally:
            seat.open = False

    @property
    def open_seats(self) -> list[Seat]:
        return [seat for seat in self.seats if seat.open]

    def carried(self) -> dict[int, str]:
        """Modes by token over all open connections."""
        return {token: mode for seat in self.open_seats for token, mode in seat.modes.items()}


class Consumer:
    """Follows the stream as the engine does."""

    def __init__(self, stream: KiteStream) -> None:
        self.stream = stream
        self.ticks: dict[str, list[int]] = {}
        self.orders: list[str] = []
        self.beats: list[Heartbeat] = []
        self.quotes = QuoteMap()

    async def follow(self) -> None:
        async for event in self.stream.events():
            if isinstance(event, Ticks):
                for tick in event.read():
                    self.ticks.setdefault(tick.key, []).append(tick.last_paise)
                self.quotes.put_all(event)
            elif isinstance(event, Heartbeat):
                self.beats.append(event)
                self.quotes.heartbeat(event)
            else:
                assert isinstance(event, OrderUpdate)
                self.orders.append(event.order.broker_order_id)


class WatchedClock(ManualClock):
    """Remembers how long the stream's tasks asked to wait, by the name of their coroutine."""

    def __init__(self) -> None:
        super().__init__(START)
        self.asked: dict[str, list[float]] = {"run": [], "sleep": [], "_watch": []}

    async def sleep(self, seconds: float) -> None:
        task: Any = asyncio.current_task()
        self.asked[task.get_coro().__name__].append(seconds)
        await super().sleep(seconds)


class Bench:
    """A server, a stream and a clock that only the test moves."""

    def __init__(self, server: Server, waits: StreamWaits) -> None:
        self.server = server
        self.clock = WatchedClock()
        self.refused: list[BrokerAccount] = []
        self.signed_in: dict[BrokerAccount, tuple[AccountRoute, str, bool]] = {}
        self.stream = KiteStream(
            server.url,
            self.clock,
            random.Random(7),
            order_of,
            waits=waits,
            on_refused=lambda account, _: self.refused.append(account),
        )
        self.consumer = Consumer(self.stream)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await SystemClock().sleep(0.001)

    def age(self, key: str) -> float:
        """Seconds since the stream vouched for a price, as the engine counts them."""
        age = self.consumer.quotes.age(key, self.clock.now())
        assert age is not None
        return age

    async def wait_out(self, number: int = 1) -> float:
        """Let the wait before the retry of this number pass; returns its seconds."""
        waits = self.clock.asked["sleep"]
        await self.until(lambda: len(waits) >= number)
        await self.clock.advance(waits[number - 1])
        return waits[number - 1]

    async def seat_of(self, account: BrokerAccount) -> Seat:
        """The open connection of a client."""
        found: list[Seat] = []

        def look() -> bool:
            found[:] = [seat for seat in self.server.open_seats if seat.token == account.user_id + "-tok"]
            return bool(found) and account not in self.stream.polled()

        await self.until(look)
        return found[-1]


async def join(
    bench: Bench, account: BrokerAccount, route: AccountRoute = ONE_KEY, prices: bool = True, token: str = ""
) -> None:
    """One client more is signed in; its key brings prices unless said otherwise."""
    bench.signed_in[account] = (route, token or account.user_id + "-tok", prices)
    bench.stream.replace_accounts(bench.signed_in)


def leave(bench: Bench, account: BrokerAccount) -> None:
    """A client's session is over."""
    del bench.signed_in[account]
    bench.stream.replace_accounts(bench.signed_in)


@asynccontextmanager
async def bench_of(waits: StreamWaits | None = None) -> AsyncIterator[Bench]:
    server = Server()
    async with serve(
        server.serve_one,
        "127.0.0.1",
        0,
        process_request=server.answer,
        ping_interval=None,
        compression="deflate",
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}"
        bench = Bench(server, waits or StreamWaits())
        following = asyncio.create_task(bench.consumer.follow())
        try:
            yield bench
        finally:
            await bench.stream.close()
            await asyncio.wait_for(following, PATIENCE_S)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with bench_of() as made:
        yield made


TOKENS = {408065: "NSE:INFY", 884737: "NSE:TATAMOTORS"}


class TestOneSocket:
    async def test_the_handshake_names_the_version_and_offers_no_compression(self, bench: Bench):
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        assert bench.server.handshakes == [("AB0001-tok", "3")]
        assert seat.api_key == "onekey"
        assert "Sec-WebSocket-Extensions" not in seat.headers

    async def test_mode_follows_every_subscription_and_changes_are_differences(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        await bench.until(lambda: bench.server.carried() == dict.fromkeys(TOKENS, "full"))
        await bench.stream.subscribe({884737: "NSE:TATAMOTORS", 738561: "NSE:RELIANCE"})
        await bench.until(lambda: bench.server.carried() == {884737: "full", 738561: "full"})
        assert (await bench.seat_of(ASHA)).messages == [
            {"a": "subscribe", "v": [408065, 884737]},
            {"a": "mode", "v": ["full", [408065, 884737]]},
            {"a": "unsubscribe", "v": [408065]},
            {"a": "subscribe", "v": [738561]},
            {"a": "mode", "v": ["full", [738561]]},
        ]

    async def test_mixed_frames_texts_and_garbage_pass_without_ending_the_stream(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        await seat.send(
            b"\n",
            frame(ltp(408065, 157315), full(884737, 39295), ltp(999, 1)),
            "not json",
            '"a string"',
            "[" * 100_000,
            '{"type":"instruments_meta","data":{}}',
            '{"type":"order","data":[]}',
            '{"type":"order","data":{"order_id":null}}',
            '{"type":"error","data":"Too many instruments"}',
            '{"type":"message","data":"Market closes early"}',
            frame(full(408065, 157400), full(408065, 157500))[:-20],
            struct.pack(">HH", 1, 7) + bytes(7),
            bytes(range(256)),
            order_text("AB0001"),
        )
        await bench.until(lambda: bench.consumer.orders)
        assert bench.consumer.orders == ["2411230000000000001"]
        assert bench.consumer.ticks["NSE:INFY"][-1] == 157400
        assert bench.consumer.ticks["NSE:TATAMOTORS"] == [39295]
        counts = bench.stream.counts
        assert (counts.unread_texts, counts.ignored_packets, counts.broken_frames) == (6, 1, 2)
        assert counts.losses == 0

    async def test_a_tick_has_the_time_it_was_received_and_the_days_circuits(self, bench: Bench):
        bench.stream.circuits["NSE:INFY"] = (140000, 170000)
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        bench.clock.shift(3)
        await (await bench.seat_of(ASHA)).send(frame(full(408065, 157315)))
        await bench.until(lambda: bench.consumer.quotes.quote("NSE:INFY"))
        tick = bench.consumer.quotes.quote("NSE:INFY")
        assert tick is not None
        assert tick.received_at == bench.clock.now()
        assert (tick.lower_circuit_paise, tick.upper_circuit_paise) == (140000, 170000)


class TestLoss:
    @pytest.mark.parametrize("way", ["cut", "close", "silence"])
    async def test_a_lost_socket_comes_back_with_its_subscriptions(self, bench: Bench, way: str):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        first = await bench.seat_of(ASHA)
        await bench.until(lambda: len(bench.server.carried()) == 2)
        await first.send(frame(full(408065, 157315)))
        await bench.until(lambda: bench.consumer.ticks)
        if way == "cut":
            first.cut()
        elif way == "close":
            await first.connection.close()
        else:
            # Nothing at all comes any more, though the connection stands.
            waited = bench.clock.asked["_watch"][0]
            assert 5 <= waited <= 10
            await bench.clock.advance(waited)
        await bench.until(lambda: bench.stream.counts.losses)
        assert ASHA in bench.stream.polled()
        assert 0.75 <= await bench.wait_out() <= 1
        await bench.until(lambda: bench.server.carried() == dict.fromkeys(TOKENS, "full"))
        await (await bench.seat_of(ASHA)).send(frame(full(408065, 157500)))
        await bench.until(lambda: bench.consumer.ticks["NSE:INFY"][-1] == 157500)

    async def test_heartbeats_alone_keep_a_connection(self, bench: Bench):
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        for _ in range(10):
            await bench.clock.advance(5)
            seen = len(bench.consumer.beats)
            await seat.send(b"\n")
            await bench.until(lambda seen=seen: len(bench.consumer.beats) > seen)
        assert len(bench.server.seats) == 1
        assert bench.stream.counts.losses == 0

    async def test_the_waits_double_to_a_minute_and_start_over_after_a_stable_time(self, bench: Bench):
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        for number, full_wait in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60], 1):
            seat.cut()
            assert 0.75 * full_wait <= await bench.wait_out(number) <= full_wait
            seat = await bench.seat_of(ASHA)
        for _ in range(9):
            await bench.clock.advance(7)
            seen = len(bench.consumer.beats)
            await seat.send(b"\n")
            await bench.until(lambda seen=seen: len(bench.consumer.beats) > seen)
        seat.cut()
        assert await bench.wait_out(10) <= 1

    @pytest.mark.parametrize("status", [400, 401, 403])
    async def test_a_refused_socket_is_told_once_and_never_tried_again(self, bench: Bench, status: int):
        bench.server.refusals["AB0001-tok"] = HTTPStatus(status)
        await join(bench, ASHA)
        await bench.until(lambda: bench.refused)
        await join(bench, ASHA)
        await join(bench, BALA)
        await bench.seat_of(BALA)
        assert bench.clock.asked["sleep"] == []
        assert bench.refused == [ASHA]
        assert [token for token, _ in bench.server.handshakes].count("AB0001-tok") == 1
        assert ASHA in bench.stream.polled()
        await join(bench, ASHA, token="todays")
        await bench.until(lambda: ASHA not in bench.stream.polled())

    async def test_when_the_session_that_carries_prices_ends_another_takes_them(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        await join(bench, BALA)
        seat = await bench.seat_of(ASHA)
        await bench.seat_of(BALA)
        await seat.send(frame(full(408065, 157315)))
        await bench.until(lambda: bench.consumer.ticks)
        bench.server.refusals["AB0001-tok"] = HTTPStatus.FORBIDDEN
        seat.cut()
        await bench.wait_out()
        await bench.until(lambda: set((bench.server.open_seats or [seat])[-1].modes) == set(TOKENS))
        assert [seat.token for seat in bench.server.open_seats] == ["AB0002-tok"]

    async def test_a_socket_with_prices_is_tried_every_few_seconds_and_told_once(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        (await bench.seat_of(ASHA)).cut()
        bench.server.refusals["AB0001-tok"] = HTTPStatus.SERVICE_UNAVAILABLE
        waits = [await bench.wait_out(number) for number in range(1, 8)]
        assert max(waits) <= 4
        assert [one.name for one in caplog.records].count("brokers.kite.streaming.stream") == 1
        bench.server.refusals.clear()
        await bench.wait_out(8)
        (await bench.seat_of(ASHA)).cut()
        told = "brokers.kite.streaming.stream"
        await bench.until(lambda: [one.name for one in caplog.records].count(told) == 2)

    async def test_a_call_that_kite_answers_has_lost_sockets_tried_at_once(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        await join(bench, BALA, prices=False)
        other = await bench.seat_of(BALA)
        seat = await bench.seat_of(ASHA)
        bench.server.away = True
        for one in (seat, other):
            one.cut()
        for number in range(1, 9):
            await bench.wait_out(number)
        bench.server.away = False
        began = bench.clock.monotonic()
        bench.stream.answered(ASHA)
        await bench.until(lambda: bench.clock.asked["run"])
        await bench.clock.advance(2)
        await bench.seat_of(ASHA)
        assert bench.clock.monotonic() - began == 2
        assert BALA in bench.stream.polled(), "another client's answer says nothing of its way"

    async def test_prices_come_the_old_way_until_the_new_one_stands(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        old = await bench.seat_of(ASHA)
        await bench.until(lambda: set(old.modes) == set(TOKENS))
        bench.server.refusals["AB0002-tok"] = HTTPStatus.SERVICE_UNAVAILABLE
        ways = {ASHA: (ONE_KEY, "AB0001-tok", False), BALA: (AccountRoute("other"), "AB0002-tok", True)}
        bench.stream.replace_accounts(ways)
        await bench.until(lambda: bench.clock.asked["sleep"])
        assert (set(old.modes), old.open) == (set(TOKENS), True)
        bench.server.refusals.clear()
        await bench.wait_out()
        new = await bench.seat_of(BALA)
        await bench.until(lambda: set(new.modes) == set(TOKENS) and not old.modes)
        assert old.open, "its order updates still come there"

    async def test_too_many_connections_means_a_long_wait(self, bench: Bench):
        bench.server.refusals["AB0001-tok"] = HTTPStatus.TOO_MANY_REQUESTS
        await join(bench, ASHA)
        assert 90 <= await bench.wait_out() <= 120
        bench.server.refusals.clear()
        assert 90 <= await bench.wait_out(2) <= 120
        await bench.seat_of(ASHA)
        assert bench.refused == []


MANY = {(number << 8) + 1: f"NSE:S{number}" for number in range(3_001)}
"""One more than a socket carries."""


async def two_sockets(bench: Bench) -> tuple[Seat, str, Seat, str]:
    """The connections of one client with 3,000 instruments and with one, each with a key it has told once."""
    bench.consumer.quotes.follow("test", list(MANY.values()))
    await bench.stream.subscribe(MANY)
    await join(bench, ASHA)
    await bench.until(lambda: len(bench.server.carried()) == len(MANY))
    big, small = sorted(bench.server.open_seats, key=lambda seat: -len(seat.modes))
    of_big, of_small = next(iter(big.modes)), next(iter(small.modes))
    await big.send(frame(full(of_big, 1)))
    await small.send(frame(full(of_small, 2)))
    await bench.until(lambda: len(bench.consumer.ticks) == 2)
    return big, MANY[of_big], small, MANY[of_small]


async def beat(bench: Bench, seat: Seat) -> None:
    """The server says on one connection that it is alive, and the consumer has heard it."""
    seen = len(bench.consumer.beats)
    await seat.send(b"\n")
    await bench.until(lambda: len(bench.consumer.beats) > seen)


class TestAges:
    async def test_a_socket_vouches_for_what_it_carries_and_no_other_does(self, bench: Bench):
        big, of_big, small, of_small = await two_sockets(bench)
        for _ in range(3):
            await bench.clock.advance(2)
            await beat(bench, small)
        assert bench.stream.counts.losses == 0
        assert bench.age(of_small) == 0
        assert bench.age(of_big) == 6
        await beat(bench, big)
        assert bench.age(of_big) == 0
        assert bench.consumer.beats[-1].keys == {of_big}

    async def test_a_lost_socket_leaves_the_prices_of_another_fresh(self):
        async with bench_of(StreamWaits(first_retry_s=1000, longest_retry_s=1000)) as bench:
            big, of_big, small, of_small = await two_sockets(bench)
            await bench.clock.advance(5)
            await beat(bench, big)
            await beat(bench, small)
            big.cut()
            await bench.until(lambda: bench.stream.counts.losses)
            await bench.clock.advance(5)
            await beat(bench, small)
            assert bench.age(of_small) == 0
            assert bench.age(of_big) == 5

    async def test_a_beating_socket_names_one_set_until_its_keys_change(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        await seat.send(frame(full(408065, 1)))
        await bench.until(lambda: bench.consumer.ticks)
        await beat(bench, seat)
        await seat.send(frame(full(408065, 2)))
        await beat(bench, seat)
        first, *_, last = (one for one in bench.consumer.beats if one.keys)
        assert first.keys is last.keys
        await seat.send(frame(full(884737, 3)))
        await bench.until(lambda: "NSE:TATAMOTORS" in bench.consumer.ticks)
        await beat(bench, seat)
        assert bench.consumer.beats[-1].keys == set(TOKENS.values())
        await bench.stream.subscribe({408065: "NSE:INFY", 738561: "NSE:RELIANCE"})
        await seat.send(frame(full(738561, 4)))
        await bench.until(lambda: "NSE:RELIANCE" in bench.consumer.ticks)
        await beat(bench, seat)
        assert bench.consumer.beats[-1].keys == {"NSE:INFY", "NSE:RELIANCE"}

    async def test_after_a_gap_a_price_must_come_again_before_heartbeats_renew_it(self, bench: Bench):
        bench.consumer.quotes.follow("test", list(TOKENS.values()))
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        await seat.send(frame(full(408065, 1), full(884737, 2)))
        await bench.until(lambda: len(bench.consumer.ticks) == 2)
        seat.cut()
        await bench.until(lambda: bench.stream.counts.losses)
        await bench.wait_out()
        await bench.clock.advance(2)
        seat = await bench.seat_of(ASHA)
        await beat(bench, seat)
        assert bench.age("NSE:INFY") >= 2
        await seat.send(frame(full(408065, 3)))
        await bench.until(lambda: bench.consumer.ticks["NSE:INFY"][-1] == 3)
        await bench.clock.advance(4)
        await beat(bench, seat)
        assert bench.age("NSE:INFY") == 0
        assert bench.age("NSE:TATAMOTORS") >= 6

    async def test_what_another_socket_has_taken_over_is_vouched_for_once_that_brought_it(self, bench: Bench):
        bench.consumer.quotes.follow("test", list(TOKENS.values()))
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        await join(bench, BALA)
        await (await bench.seat_of(ASHA)).send(frame(full(408065, 1), full(884737, 2)))
        await bench.until(lambda: len(bench.consumer.ticks) == 2)
        leave(bench, ASHA)
        seat = await bench.seat_of(BALA)
        await bench.until(lambda: set(seat.modes) == set(TOKENS))
        await bench.clock.advance(4)
        await beat(bench, seat)
        assert bench.age("NSE:INFY") == bench.age("NSE:TATAMOTORS") == 4
        await seat.send(frame(full(408065, 1)))
        await bench.until(lambda: bench.consumer.beats[-1].keys == {"NSE:INFY"})
        await bench.clock.advance(4)
        await beat(bench, seat)
        assert bench.age("NSE:INFY") == 0
        assert bench.age("NSE:TATAMOTORS") == 8

    async def test_what_is_given_up_and_taken_again_at_once_is_sent_again(self, bench: Bench):
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        await bench.until(lambda: len(seat.modes) == 2)
        await seat.send(frame(full(408065, 1), full(884737, 2)))
        await bench.until(lambda: len(bench.consumer.ticks) == 2)
        told = len(seat.messages)
        await bench.stream.subscribe({884737: "NSE:TATAMOTORS"})
        await bench.stream.subscribe(TOKENS)
        await beat(bench, seat)
        assert bench.consumer.beats[-1].keys == {"NSE:TATAMOTORS"}
        await bench.until(lambda: len(seat.messages) == told + 3)
        assert seat.messages[told:] == [
            {"a": "unsubscribe", "v": [408065]},
            {"a": "subscribe", "v": [408065]},
            {"a": "mode", "v": ["full", [408065]]},
        ]


class TestSharing:
    async def test_one_key_has_three_sockets_and_the_fourth_client_is_polled(self, bench: Bench):
        for account in (ASHA, BALA, CHAND, DEV):
            await join(bench, account)
        for account in (ASHA, BALA, CHAND):
            await (await bench.seat_of(account)).send(order_text(account.user_id, account.user_id))
        await bench.until(lambda: len(bench.consumer.orders) == 3)
        assert set(bench.consumer.orders) == {"AB0001", "AB0002", "AB0003"}
        assert bench.stream.polled() == {DEV}
        leave(bench, BALA)
        await bench.seat_of(DEV)
        assert bench.stream.polled() == frozenset()
        assert bench.server.most_open == 3

    async def test_own_keys_give_every_client_a_socket(self, bench: Bench):
        for account in (ASHA, BALA, CHAND, DEV):
            await join(bench, account, AccountRoute(f"key{account.client_id}"))
        await bench.until(lambda: bench.stream.polled() == frozenset())
        assert len(bench.server.open_seats) == 4

    async def test_prices_spread_over_the_sockets_and_what_does_not_fit_is_refused(self, bench: Bench):
        await join(bench, ASHA)
        await join(bench, BALA)
        many = {(number << 8) + 1: f"NSE:S{number}" for number in range(9_001)}
        with pytest.raises(BrokerError, match="9000 instruments at most, not 9001"):
            await bench.stream.subscribe(many)
        del many[1]
        await bench.stream.subscribe(many)
        await bench.until(lambda: bench.server.carried() == dict.fromkeys(many, "full"))
        assert sorted(len(seat.modes) for seat in bench.server.open_seats) == [3_000] * 3
        # Room is kept to the letter: a full socket lets go before it takes on.
        fresh = {(number << 8) + 4: f"BSE:S{number}" for number in range(9_000)}
        await bench.stream.subscribe(fresh)
        await bench.until(lambda: bench.server.carried() == dict.fromkeys(fresh, "full"))
        assert max(len(message["v"]) for seat in bench.server.seats for message in seat.messages) <= 500
        assert bench.server.most_open == 3

    async def test_a_key_without_market_data_carries_no_prices(self, bench: Bench):
        await join(bench, ASHA, AccountRoute("free"), prices=False)
        await join(bench, BALA, AccountRoute("paid"))
        await bench.stream.subscribe(TOKENS)
        await bench.until(lambda: len(bench.server.carried()) == 2)
        assert (await bench.seat_of(ASHA)).modes == {}


class TestSlowConsumer:
    async def test_it_gets_the_newest_tick_and_every_order_update(self):
        server = Server()
        async with serve(server.serve_one, "127.0.0.1", 0, process_request=server.answer) as listening:
            server.url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
            bench = Bench(server, StreamWaits())
            await bench.stream.subscribe(TOKENS)
            await join(bench, ASHA)
            seat = await bench.seat_of(ASHA)
            for number in range(200):
                await seat.send(
                    frame(full(408065, number), full(884737, number)), order_text("AB0001", str(number))
                )
            await bench.until(lambda: bench.stream.counts.order_updates == 200)
            events = []
            async for event in bench.stream.events():
                events.append(event)
                if isinstance(event, Heartbeat):
                    break
            await bench.stream.close()
        orders = [event.order.broker_order_id for event in events if isinstance(event, OrderUpdate)]
        assert orders == [str(number) for number in range(200)]
        newest, beat = events[200:]
        assert {tick.key: tick.last_paise for tick in newest.read()} == {
            "NSE:INFY": 199,
            "NSE:TATAMOTORS": 199,
        }
        assert isinstance(beat, Heartbeat)


class TestSecrets:
    async def test_no_token_in_logs_reprs_or_problems(self, bench: Bench, caplog: pytest.LogCaptureFixture):
        caplog.set_level(logging.DEBUG)
        await bench.stream.subscribe(TOKENS)
        await join(bench, ASHA)
        seat = await bench.seat_of(ASHA)
        await seat.send(frame(full(408065, 1)))
        await bench.until(lambda: bench.consumer.ticks)
        bench.server.refusals["AB0001-tok"] = HTTPStatus.FORBIDDEN
        seat.cut()
        await bench.wait_out()
        await bench.until(lambda: bench.refused)
        told = [
            record.getMessage()
            for record in caplog.records
            if not record.name.startswith("websockets.server")
        ]
        assert any("opens no stream for AB0001" in line for line in told)
        shown = [*told, repr(vars(bench.stream))]
        assert not any("AB0001-tok" in line for line in shown)
