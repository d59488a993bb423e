"""The firm's feed: one process streams, every desk reads its prices, and none trades at what is too old."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from brokers.contract import BrokerError, DepthLevel, Tick
from data.clock import ManualClock, SystemClock
from data.leasing.roles import ROLE_S, HeldRole
from data.proving.stored_audit import books_mark
from data.vocabulary import Reason, SizingKind
from engine.desk import Desk
from engine.market.quotes import QuoteMap
from engine.market.shared_prices import FEED_GONE_S
from tests.books import database_of, database_url
from tests.desks import START, buy, manual_clock
from tests.redis_server import OwnRedis, missing, own_redis
from tests.sharing import Firm
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.firm.feed.order import FeedOrder
from tradedesk.firm.feed.packets import FeedHead, NotAPacket, packed, packed_record, tick_in, unpacked
from tradedesk.firm.feed.publishing import Publisher, put
from tradedesk.firm.feed.reading import FeedPlaces
from tradedesk.firm.feed.telling import OWNER, VOUCH_STEPS, FeedStep, Telling
from tradedesk.testing import seam

INFY, TCS = "NSE:INFY", "NSE:TCS"
DEV = 16


async def refused(keys: Collection[str]) -> Mapping[str, Tick]:
    raise BrokerError("asked for too often")


def tick(key: str, last_paise: int, at=START, levels: int = 0) -> Tick:
    book = tuple(DepthLevel(last_paise - 5 * i, 100 + i, i) for i in range(levels))
    return Tick(key, last_paise, 1, 2, 3, 4, 5, 6, 7, 8, 9, at, at, book, book[:1])


# --- what is told, and in which order it is taken ---


def test_a_message_comes_out_as_it_went_in_and_nothing_else_does():
    ticks = [tick(INFY, 150_000, levels=5), tick(TCS, -1), tick("NSE:अ", 2**60)]
    head = FeedHead(7, 3, 11, 1, 2, 3)
    body = packed(head, [packed_record(one) for one in ticks], ["NSE:OLD"])
    message = unpacked(body)
    assert (message.head, message.not_vouched) == (head, frozenset(["NSE:OLD"]))
    assert [tick_in(key, record) for key, record in message.records.items()] == ticks
    dice = random.Random(5)
    for _ in range(3000):  # whatever of it is changed, it is refused or its quotes can be read
        other = bytearray(body)
        for _ in range(dice.randint(1, 3)):
            other[dice.randrange(len(other))] = dice.randrange(256)
        try:
            read = unpacked(bytes(other[: dice.randint(len(other) // 2, len(other))]))
        except NotAPacket:
            continue
        assert [tick_in(key, record).key for key, record in read.records.items()] == list(read.records)


def told(epoch: int, seq: int, *keys: str, old: tuple[str, ...] = ()):
    return unpacked(packed(FeedHead(1, epoch, seq, 0), [packed_record(tick(key, 1)) for key in keys], old))


def test_a_gap_has_the_hash_read_again_and_what_an_earlier_feed_says_counts_nothing():
    heard = FeedOrder()
    heard.rejoined()
    assert heard.is_of_now(FeedHead(1, 4, 0, 0))  # of the hash
    heard.told({INFY: b"", TCS: b""})
    assert heard.take(told(4, 9)) == (True, False)
    assert heard.vouched(told(4, 9, old=(TCS,))) == {INFY}
    assert heard.take(told(4, 9)) == (False, False)
    assert heard.take(told(4, 10)) == (True, False)
    assert heard.take(told(4, 12)) == (True, True)
    assert heard.vouched(told(4, 12)) == set()  # what changed in the gap is not known here
    assert heard.take(told(3, 99)) == (False, False)
    assert not heard.is_of_now(FeedHead(1, 3, 0, 0))
    assert heard.take(told(5, 1)) == (True, True)


def test_the_feed_vouches_for_no_price_that_its_broker_has_not_confirmed():
    clock = ManualClock(START)
    quotes = QuoteMap(clock.monotonic)
    quotes.follow(OWNER, [INFY, TCS])
    telling = Telling(quotes, clock, 1)
    quotes.put(tick(INFY, 100))
    quotes.put(tick(TCS, 200))
    assert set(unpacked(telling.step(1).message).records) == {INFY, TCS}
    clock.shift(2.0)
    quotes.put(tick(INFY, 101, START + timedelta(seconds=2)))
    steps = [unpacked(telling.step(1).message) for _ in range(VOUCH_STEPS - 1)]
    assert set(steps[0].records) == {INFY}
    assert steps[-1].head.vouched_at
    assert steps[-1].not_vouched == {TCS}
    quotes.follow(OWNER, [TCS])
    left = [telling.step(1) for _ in range(VOUCH_STEPS)]
    assert left[0].gone == (INFY,)
    anew = telling.step(2)
    assert anew.anew
    assert set(unpacked(anew.message).records) == {TCS}


# --- one process has the role ---


@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
def test_one_alone_has_a_role_and_another_takes_it_when_it_ends_or_runs_out(
    tmp_path: Path, books_engine: str
) -> None:
    database_url(tmp_path)
    database, now = database_of(tmp_path), [0.0]
    first = HeldRole(database, "feed:x", 1, lambda: now[0])
    second = HeldRole(database, "feed:x", 2)
    try:
        assert (first.keep(), first.epoch, first.holds) == (True, 1, True)
        assert not second.keep()
        assert first.keep()
        now[0] += ROLE_S
        assert not first.holds  # here it is over before anybody else may take it
        first.end()
        assert not second.keep()  # a holder that stood still has given nothing up
        engine = database.writer()
        with engine.connect() as connection:
            connection.exec_driver_sql("UPDATE role_lease SET until_ms = 1")
        engine.dispose()
        assert (second.keep(), second.epoch) == (True, 2)
        assert not first.keep()
        second.end()
        assert (first.keep(), first.epoch) == (True, 3)
    finally:
        first.end()
        second.end()


# --- desks ---


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    with own_redis() as server:
        server.start()
        yield server


@pytest.fixture
def firm(tmp_path: Path, books_engine: str, redis: OwnRedis) -> Firm:
    return Firm(tmp_path, database_url(tmp_path), redis.address)


@asynccontextmanager
async def feeding(firm: Firm, name: str = "feed", clients: str = "PS1015") -> AsyncIterator[Publisher]:
    """A feed's process as a desk that streams and tells; which client it has is all the same on paper."""
    async with firm.desk(name, clients) as desk:
        database = seam(desk).kept.store.database
        publisher = Publisher(desk, firm.redis, lambda: database.read(books_mark), SystemClock())
        task = asyncio.create_task(publisher.keep(lambda words: None))
        try:
            yield publisher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def seen(desk: Desk, happened: Callable[[], object], step_s: float = 0.05) -> None:
    """Move the clock on with the machine's until something has happened."""
    async with asyncio.timeout(30):
        while not happened():
            await manual_clock(desk).advance(step_s)
            await SystemClock().sleep(0.01)


def last(desk: Desk, key: str = INFY) -> int:
    quote = desk.market.quote(key)
    return quote.last_paise if quote else 0


@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())
async def test_a_desk_has_the_feeds_prices_and_its_own_streams_while_that_is_gone(
    firm: Firm, redis: OwnRedis
) -> None:
    await firm.make()
    async with firm.desk("asha", "DP1016", quotes="feed") as asha:
        await asha.market.follow([INFY, TCS], "test")
        own = asha.connections.feed.broker
        asked = list[frozenset[str]]()
        subscribe = own.subscribe

        async def noted(keys):
            asked.append(frozenset(keys))
            await subscribe(keys)

        own.subscribe = noted  # pyright: ignore[reportAttributeAccessIssue]
        async with feeding(firm):
            await seen(asha, lambda: last(asha) and last(asha, TCS))
            assert asha.market.feed_source() == "firm"
            exchange_of(asha).pin("INFY", 1_555_00, 1_500_00)
            await seen(asha, lambda: last(asha) == 1_555_00)
            for _ in range(12):  # nothing moves, and nothing ages
                await seen(asha, lambda: (asha.market.age(TCS) or 9) < 1.0)
                await manual_clock(asha).advance(0.5)
            assert asked == []
            redis.freeze()
            await manual_clock(asha).advance(3.5)
            assert asha.market.stale(INFY)
            redis.thaw()
            await seen(asha, lambda: not asha.market.stale(INFY))
            with redis.client() as client:
                client.flushall()
            exchange_of(asha).pin("INFY", 1_556_00, 1_500_00)
            await seen(asha, lambda: last(asha) == 1_556_00)
        await manual_clock(asha).advance(3.5)
        assert asha.market.stale(INFY)
        quotes = own.quotes
        own.quotes = refused  # pyright: ignore[reportAttributeAccessIssue]
        plan = await asha.plans.preview(buy("INFY", SizingKind.FIXED_QUANTITY, 1, DEV))
        assert {line.reason for line in plan.lines} == {Reason.PRICE_STALE}
        own.quotes = quotes  # pyright: ignore[reportAttributeAccessIssue]
        await seen(asha, lambda: asha.market.feed_source() == "own", FEED_GONE_S / 20)
        assert {INFY, TCS} <= asked[-1]
        exchange_of(asha).pin("INFY", 1_557_00, 1_500_00)
        await seen(asha, lambda: last(asha) == 1_557_00 and not asha.market.stale(INFY))
        async with feeding(firm, "spare"):
            await seen(asha, lambda: asha.market.feed_source() == "firm")
            await seen(asha, lambda: asked[-1] == frozenset())
            exchange_of(asha).pin("INFY", 1_558_00, 1_500_00)
            await seen(asha, lambda: last(asha) == 1_558_00)


@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())
async def test_a_second_feed_goes_on_where_the_first_ends_and_an_old_one_is_not_heard(
    firm: Firm, redis: OwnRedis
) -> None:
    await firm.make()
    async with firm.desk("asha", "DP1016", quotes="feed") as asha, feeding(firm) as first:
        await asha.market.follow([INFY], "test")
        await seen(asha, lambda: last(asha))
        async with feeding(firm, "spare", "RG1008") as second:
            assert not second.role.holds
            first.role.keep = lambda: False  # pyright: ignore[reportAttributeAccessIssue]
            await seen(asha, lambda: second.role.holds)
            assert (second.role.epoch, first.role.holds) == (2, False)
            database = seam(asha).kept.store.database
            places = FeedPlaces(database.read(books_mark), "paper")
            forged = tick(INFY, 1, asha.clock.now() + timedelta(seconds=1))
            with redis.client() as client:
                client.publish(places.quotes, packed(FeedHead(1, 1, 99_999, 0), [packed_record(forged)]))
                client.publish(places.quotes, b"nonsense")
            exchange_of(asha).pin("INFY", 1_600_00, 1_500_00)
            await seen(asha, lambda: last(asha) == 1_600_00)
            assert asha.market.feed_source() == "firm"


@pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)
@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())
async def test_a_desk_ends_at_once_whatever_it_is_about_to_ask_redis(firm: Firm) -> None:
    await firm.make()
    async with asyncio.timeout(30):
        for turns in range(6):
            async with firm.desk("asha", "DP1016", quotes="feed") as asha:
                await asha.market.follow([INFY], "test")
                for _ in range(turns):
                    await asyncio.sleep(0)  # noqa: TID251 - the loop's own turns


@pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing())
async def test_by_the_users_that_the_docs_name_the_feed_alone_may_write_quotes(redis: OwnRedis) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import NoPermissionError

    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    lines = [one for one in page.splitlines() if one.startswith("ACL SETUSER ")]
    assert [line.split()[2] for line in lines] == ["feed", "desk"]
    with redis.client() as admin:
        for line in lines:
            parts, _, selector = line.replace(">PASSWORD", ">secret").partition(" (")
            admin.execute_command(*parts.split(), *([f"({selector}"] if selector else []))
    places, step = FeedPlaces("books", "kite"), FeedStep(b"prices", {INFY: b"quote"}, ("NSE:OLD",), True)

    def as_user(name: str) -> Redis:
        return Redis(unix_socket_path=f"{redis.folder}/socket", username=name, password="secret")

    async with as_user("feed") as feed, as_user("desk") as desk, desk.pubsub() as hears:
        await hears.subscribe(places.quotes)
        await hears.subscribe("td:books:moved", "td:books:halts")
        await put(feed, places, step)
        assert await feed.zrangebyscore(places.wanted, 0, 1) == []
        await feed.zremrangebyscore(places.wanted, 0, 1)
        assert await desk.hgetall(places.quotes) == {INFY.encode(): b"quote"}
        await desk.zadd(places.wanted, {INFY: 1.0})
        await desk.set("td:books:halt:7", "")
        assert [key async for key in desk.scan_iter(match="td:books:halt:*")] == [b"td:books:halt:7"]
        assert await desk.mget(["td:books:halt:7"]) == [b""]
        await desk.delete("td:books:halt:7")
        await desk.publish("td:books:moved", "1 2 orders")
        await desk.publish("td:books:halts", "up 7 ")
        heard = [await hears.get_message(timeout=5) for _ in range(6)]
        told = [one["data"] for one in heard if one and one["type"] == "message"]
        assert told == [b"prices", b"1 2 orders", b"up 7 "]
        with pytest.raises(NoPermissionError):
            await desk.hset(places.quotes, INFY, b"forged")
        with pytest.raises(NoPermissionError):
            await desk.publish(places.quotes, b"forged")
        with pytest.raises(NoPermissionError):
            await desk.delete(places.quotes)
        with pytest.raises(NoPermissionError):
            await feed.publish("td:books:halts", "up 7 ")
