"""The local Groww's feed: signing on, subscriptions, prices and order updates, over sockets."""

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from brokers.simulators.groww.stream import nats, wire
from brokers.simulators.groww.stream.feeds import subject_of
from brokers.simulators.groww.stream.link import MOST_SUBSCRIPTIONS
from brokers.simulators.groww.stream.nkeys import USER, read_user, signed, written
from brokers.simulators.groww.switches import DOUBTS
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.protobuf import encode
from tests.brokers.groww_house import MARKET, Client, House, opened
from tests.brokers.protobuf_reader import read

PRICE, DETAILED, BOOK = (f"/ld/eq/nse/{kind}.1" for kind in ("price", "price_detailed", "book"))
INDEX = "/ld/indices/nse/price.NIFTY"
TOKEN = "/api/apex/v1/socket/token/create/"
STATUSES = {number: word for word, number in wire.STATUSES.items()}


# --- what it is written in ------------------------------------------------------------------------------


def test_a_key_is_written_and_proved_as_the_nkeys_library_does() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"
    signature = "+HTq4d6DDHVNb8MsTRAZtSIa0vXA/yuZblwTA7JT5wYzmKBxJ2wpYfjHh7hcptZlidbVw/6ZLyubjm/yDk+OCQ=="
    found = read_user(text)
    assert found is not None
    assert (written(USER, public), signed(found, "nonce", signature)) == (text, True)
    assert signed(found, "nonce", signature.replace("/", "_").replace("+", "-").rstrip("="))
    assert not signed(found, "another", signature)
    for odd in (text[:-1] + "A", "U" + "A" * 55, "not base32!", text[:40]):
        assert read_user(odd) is None


def test_messages_are_written_as_the_sdks_own_runtime_writes_them() -> None:
    price = {"stockLivePrice": {"tsInMillis": 1732775008661.0, "ltp": 1419.1}}
    levels = {"buyBook": {1: {"price": 100.5, "qty": 10.0}}, "sellBook": {1: {"price": 101.0, "qty": 3.0}}}
    depth = {"stocksMarketDepth": {"tsInMillis": 1.0, **levels}}
    order = {
        "stageAndTimeStamp": [{"timeStampFromMidNight": 33300.0, "stageName": "NEW"}],
        "orderDetailUpdateDto": {
            "qty": 10,
            "price": 9900,
            "remainingQty": 10,
            "growwOrderId": "GMK1",
            "orderStatus": 3,
            "duration": 1,
            "exchange": 1,
            "orderType": 1,
            "contractId": "INE012A01025",
        },
    }
    kind, named = "StocksSocketResponseProtoDto", {"symbol": "2885", "exchange": 1}
    assert [
        encode(wire.MESSAGES, kind, named | price).hex(),
        encode(wire.MESSAGES, kind, named | depth).hex(),
        encode(wire.MESSAGES, "OrderDetailsBroadCastDto", order).hex(),
    ] == [
        "0a0432383835180122120900509905173779426966666666662c9640",
        "0a043238383518012a3909000000000000f03f1216080112120900000000002059401100000000000024401a1608011212090000"
        "000000405940110000000000000840",
        "0a0e09000000008042e04012034e45571224080a10ac4d280a3a04474d4b314803500158017001b2010c494e4530313241303130"
        "3235",
    ]


def test_what_a_client_asks_for_is_read_wherever_it_is_cut() -> None:
    said = b'CONNECT {"jwt":"a b"}\r\nSUB x  7\r\nPUB y 4\r\nSUB \r\nsub z q 8\r\nPING\r\n'
    expected = [("CONNECT", '{"jwt":"a b"}'), ("SUB", "x  7"), ("PUB", "y 4"), ("SUB", "z q 8"), ("PING", "")]
    for size in range(1, len(said) + 1):
        reader = nats.NatsReader()
        parts = [said[start : start + size] for start in range(0, len(said), size)]
        found = [(one.verb, one.arguments) for part in parts for one in reader.feed(part)]
        assert found == expected, size
    with pytest.raises(ValueError, match="too long"):
        list(nats.NatsReader().feed(b"x" * (nats.MOST_BUFFERED + 1)))


def test_subjects_name_an_exchange_a_token_and_what_is_told() -> None:
    named = subject_of("/ld/eq/bse/book.500325")
    assert named is not None
    assert (named.exchange, named.token, named.kind, named.index) == ("BSE", "500325", "book", False)
    for odd in ("/ld/fo/nse/price.1", "/ld/eq/nse/price.", "/ld/indices/nse/book.NIFTY", "ld/eq/nse/price.1"):
        assert subject_of(odd) is None


# --- over a socket --------------------------------------------------------------------------------------


class Listener:
    """One open socket, signed on where a token is given; a client that shares nothing with the server."""

    def __init__(self, house: House, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.house, self.socket = house, socket
        self.waiting, self.ended = b"", False
        self.account = ""

    async def next(self) -> tuple[str, Any]:
        """The next item, while the clock is moved on: its subject or verb, and its message."""
        while True:
            line, found, rest = self.waiting.partition(b"\r\n")
            verb, _, arguments = line.decode().partition(" ")
            size = int(arguments.split()[-1]) if found and verb == "MSG" else None
            if found and (size is None or len(rest) >= size + 2):
                self.waiting = rest[(0 if size is None else size + 2) :]
                if size is None:
                    return verb, arguments
                subject = arguments.split()[0]
                kind = "StocksSocketResponseProtoDto" if subject[0] == "/" else "OrderDetailsBroadCastDto"
                return subject, read(wire.MESSAGES, kind, rest[:size])
            self.waiting += await self.received()

    async def received(self) -> bytes:
        receiving = asyncio.create_task(self.socket.receive())
        await self.house.until(receiving.done)
        message = receiving.result()
        if message.type is aiohttp.WSMsgType.BINARY:
            return message.data
        raise ConnectionResetError(message.type)

    async def ask(self, *lines: str) -> None:
        await self.socket.send_bytes("".join(f"{line}\r\n" for line in lines).encode())

    async def sign_on(self, client: Client, key: Ed25519PrivateKey, sign_with: Ed25519PrivateKey) -> None:
        verb, told = await self.next()
        assert verb == "INFO"
        nonce = json.loads(told)["nonce"]
        body = bytes((20 << 3,)) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        body += binascii.crc_hqx(body, 0).to_bytes(2, "little")
        minted = (await client.call("POST", TOKEN, {"socketKey": base64.b32encode(body).decode()[:56]})).data
        self.account = minted["subscriptionId"]
        signature = base64.b64encode(sign_with.sign(nonce.encode())).decode()
        options = {"jwt": minted["token"], "sig": signature, "verbose": False, "protocol": 1}
        await self.ask(f"CONNECT {json.dumps(options)}", "PING")


@asynccontextmanager
async def connected(house: House) -> AsyncIterator[Listener]:
    async with house.session.ws_connect(house.groww.url) as socket:
        yield Listener(house, socket)


@asynccontextmanager
async def listening(house: House, client: Client, *subjects: str) -> AsyncIterator[Listener]:
    """A socket of a client that is signed on and subscribed, `ORDERS` being its account's."""
    key = Ed25519PrivateKey.generate()
    async with connected(house) as listener:
        await listener.sign_on(client, key, key)
        assert await listener.next() == ("PONG", "")
        named = [
            f"stocks/order/updates.apex.{listener.account}" if one == "ORDERS" else one for one in subjects
        ]
        await listener.ask(*(f"SUB {subject}  {sid}" for sid, subject in enumerate(named, 1)), "PING")
        assert await listener.next() == ("PONG", "")
        yield listener


async def settled(house: House) -> None:
    """Let the pump read the market once, so that what follows is a change."""
    await house.clock.advance(0.3)


async def test_prices_are_told_once_they_change_and_no_longer_than_they_are_wanted() -> None:
    async with (
        opened() as house,
        listening(house, await house.sign_in("ANN"), PRICE, BOOK, INDEX) as listener,
    ):
        await settled(house)
        house.exchange.pin("ACC", 10_100)
        (subject, price), (other, book) = await listener.next(), await listener.next()
        assert (subject, other) == (PRICE, BOOK)
        assert set(price["stockLivePrice"]) == {"tsInMillis", "ltp"}
        assert (price["symbol"], price["exchange"], price["stockLivePrice"]["ltp"]) == ("1", 1, 101.0)
        assert book["stocksMarketDepth"]["sellBook"][1]["price"] == 101.0
        house.exchange.pin("NIFTY 50", 10_200)
        subject, index = await listener.next()
        assert (subject, index["stocksLiveIndices"]["value"]) == (INDEX, 102.0)
        await listener.ask("UNSUB 1", "PING")
        assert await listener.next() == ("PONG", "")
        house.exchange.pin("ACC", 10_150)
        assert (await listener.next())[0] == BOOK


async def test_a_share_that_changes_its_name_goes_on_under_its_token() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), PRICE) as listener:
        await settled(house)
        await house.control("rename", {"names": {"NSE:ACC": "NSE:ACCNEW"}})
        await settled(house)
        house.exchange.pin("ACCNEW", 10_100)
        subject, told = await listener.next()
        assert (subject, told["stockLivePrice"]["ltp"]) == (PRICE, 101.0)


async def test_the_detailed_price_carries_the_days_figures() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), DETAILED) as listener:
        await settled(house)
        house.exchange.pin("ACC", 10_100)
        _, told = await listener.next()
        figures = told["stockLivePrice"]
        assert (figures["close"], figures["highPriceRange"], figures["lowPriceRange"]) == (100.0, 110.0, 90.0)


@pytest.mark.parametrize(("at_once", "first"), [(True, 100.0), (False, 101.0)])
async def test_a_subscription_begins_with_the_newest_where_that_is_switched_on(
    at_once: bool, first: float
) -> None:
    async with (
        opened(newest_at_once=at_once) as house,
        listening(house, await house.sign_in("ANN"), PRICE) as listener,
    ):
        await settled(house)
        house.exchange.pin("ACC", 10_100)
        _, told = await listener.next()
        assert told["stockLivePrice"]["ltp"] == first


async def test_what_is_subscribed_again_is_told_as_it_is_then() -> None:
    async with (
        opened(newest_at_once=True) as house,
        listening(house, await house.sign_in("ANN"), PRICE) as listener,
    ):
        await listener.next()
        await listener.ask("UNSUB 1", "PING")
        await listener.next()
        await settled(house)
        house.exchange.pin("ACC", 10_100)
        await settled(house)
        await listener.ask(f"SUB {PRICE}  2")
        _, told = await listener.next()
        assert told["stockLivePrice"]["ltp"] == 101.0


async def test_an_order_is_told_of_step_by_step_to_its_own_account_alone() -> None:
    async with opened(Delays()) as house:
        client, other = await house.sign_in("ANN"), await house.sign_in("BOB")
        async with listening(house, client, "ORDERS") as own, listening(house, other, "ORDERS") as others:
            order_id = await client.place("reference-a", **MARKET)
            seen, told = list[dict[str, Any]](), dict[str, Any]()
            while not seen or seen[-1]["orderStatus"] != wire.STATUSES["EXECUTED"]:
                _, told = await own.next()
                seen.append({"orderStatus": 0, **told["orderDetailUpdateDto"]})
            words = list(dict.fromkeys(STATUSES[one["orderStatus"]] for one in seen))
            assert words == ["NEW", "ACKED", "APPROVED", "EXECUTED"]
            last = seen[-1]
            assert (last["growwOrderId"], last["avgFillPrice"], last["filledQty"]) == (order_id, 10_000, 10)
            assert last["contractId"] == "INE012A01025"
            stages = [one["stageName"] for one in told["stageAndTimeStamp"]]
            assert (stages[0], stages[-1]) == ("NEW", "EXECUTED")
            await others.ask("PING")
            assert await others.next() == ("PONG", "")


@pytest.mark.parametrize(
    ("fault", "counts"), [("lost_update", [0]), ("duplicate_update", [2]), ("reordered_update", [0, 2])]
)
async def test_updates_are_lost_doubled_and_reordered(fault: str, counts: list[int]) -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        async with listening(house, client, "ORDERS") as listener:
            for _ in counts:
                await house.control("faults", {"fault": fault, "route": "update", "user": "ANN", "count": 1})
                house.groww.journal.announce(await placed(house, client), "UPDATE")
            await listener.ask("PING")
            told = 0
            while (await listener.next())[0] != "PONG":
                told += 1
            assert told >= sum(counts)


async def test_a_status_that_nobody_has_heard_of_is_told_in_the_book_and_on_the_feed() -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        async with listening(house, client, "ORDERS") as listener:
            fault = {"fault": "unknown_status", "route": "place", "count": 1, "delay_s": 60}
            await house.control("faults", fault)
            order_id = await client.place("reference-a")
            _, told = await listener.next()
            number = told["orderDetailUpdateDto"]["orderStatus"]
            assert number == wire.UNHEARD_OF
            assert (await client.detail(order_id))["order_status"] == "AWAITING_DEPOSITORY"
            house.clock.shift(61)
            assert (await client.detail(order_id))["order_status"] == "APPROVED"


async def placed(house: House, client: Client) -> Any:
    """An order that rests, of which nothing is told."""
    with house.groww.journal.quiet():
        order_id = await client.place(f"reference-{len(await client.book())}")
    return house.groww.journal.find("ANN", order_id)


async def test_nobody_signs_on_without_the_key_of_the_token() -> None:
    async with opened() as house:
        client = await house.sign_in("ANN")
        key = Ed25519PrivateKey.generate()
        async with connected(house) as listener:
            await listener.sign_on(client, key, Ed25519PrivateKey.generate())
            assert await listener.next() == ("-ERR", "'Authorization Violation'")
            with pytest.raises(ConnectionResetError):
                await listener.next()
        async with connected(house) as listener:
            await listener.next()
            await listener.ask(f"SUB {PRICE}  1")
            assert await listener.next() == ("-ERR", "'Authorization Violation'")
        for odd in ("", "nonsense", None):
            assert (await client.call("POST", TOKEN, {"socketKey": odd})).code == "GA001"


async def test_another_accounts_subjects_and_one_subscription_too_many_are_refused() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN")) as listener:
        await listener.ask("SUB stocks/order/updates.apex.another  1")
        verb, words = await listener.next()
        assert (verb, "Permissions Violation" in words) == ("-ERR", True)
        wanted = [f"SUB /ld/eq/nse/price.{number}  {number}" for number in range(MOST_SUBSCRIPTIONS + 1)]
        await listener.ask(*wanted, "PING")
        assert await listener.next() == ("-ERR", "'maximum subscriptions exceeded'")
        assert await listener.next() == ("PONG", "")


async def test_the_end_of_a_session_is_told_and_closes_its_sockets() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN")) as listener:
        house.groww.sessions.end_user("ANN")
        assert await listener.next() == ("-ERR", "'User Authentication Expired'")
        with pytest.raises(ConnectionResetError):
            await listener.next()


async def test_a_rehearsal_stalls_drops_and_says_errors() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN"), PRICE) as listener:
        await settled(house)
        await house.control("sockets", {"user": "ANN", "do": "stall"})
        house.exchange.pin("ACC", 10_100)
        await house.clock.advance(1.0)
        await house.control("sockets", {"user": "ANN", "do": "resume"})
        _, told = await listener.next()
        assert told["stockLivePrice"]["ltp"] == 101.0
        await house.control("sockets", {"user": "ANN", "do": "message", "text": "Stale Connection"})
        assert await listener.next() == ("-ERR", "'Stale Connection'")
        await house.control("sockets", {"user": "ANN", "do": "drop"})
        with pytest.raises(ConnectionResetError):
            await listener.next()


async def test_a_silent_client_is_asked_whether_it_is_there() -> None:
    async with opened() as house, listening(house, await house.sign_in("ANN")) as listener:
        house.clock.shift(61.0)
        assert await listener.next() == ("PING", "")


OF_FEED = ("ticks_in_paise", "updates_in_paise", "whole_ticks", "newest_at_once", "feed_messages")


async def test_a_client_hears_the_same_in_each_position_of_the_feeds_switches_and_in_pieces() -> None:
    async with opened() as house:
        client, number = await house.sign_in("ANN"), 0
        doubts = [one for one in DOUBTS if one.switch in OF_FEED]
        cases = [(one.switch, position) for one in doubts for position in one.positions]
        for switch, position in [*cases, ("split_frames", True)]:
            await house.control("switches", {switch: position})
            unit = {"ticks_in_paise": 100}.get(switch, 1) if position is True else 1
            async with listening(house, client, PRICE, "ORDERS") as listener:
                await settled(house)
                number += 1
                house.exchange.pin("ACC", 10_000 + 5 * number)
                prices = [0.0]
                while prices[-1] != (100 + number / 20) * unit:
                    _, told = await listener.next()
                    prices.append(told["stockLivePrice"]["ltp"])
                await client.place(f"reference-{number}")
                _, told = await listener.next()
                assert told["orderDetailUpdateDto"]["growwOrderId"].startswith("GMK"), switch
            first = next((one.positions[0] for one in doubts if one.switch == switch), False)
            await house.control("switches", {switch: first})
