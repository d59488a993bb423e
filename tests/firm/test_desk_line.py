"""Desks of one database over Redis: what one commits or halts others know at once, never by Redis alone."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data.clock import SystemClock
from data.engines.driver import run
from data.records import replace
from data.store import POLL_S
from data.vocabulary import DeskKind, HaltStrength, SizingKind
from engine.between.line import HINTED_POLL_S
from engine.desk import Desk
from engine.halt.hearing import OF_FLAG, flag_in_file
from engine.refusals import Halted
from engine.words.firm.leases import line_words
from tests.books import database_of, database_url
from tests.desks import buy, carry_out, in_time, until
from tests.redis_server import OwnRedis, missing, own_redis
from tests.sharing import Firm
from tradedesk.firm.line import RedisLine
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15
NEVER_S = 3600.0
QTY = SizingKind.FIXED_QUANTITY

pytestmark = [
    pytest.mark.parametrize("books_engine", ["postgres"], indirect=True),
    pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason=missing()),
]


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def firm(tmp_path: Path, books_engine: str, redis: OwnRedis) -> Firm:
    return Firm(tmp_path, database_url(tmp_path), redis.address)


async def soon(happened: Callable[[], object]) -> None:
    """Wait until something has happened, by the machine's clock."""
    async with asyncio.timeout(20):
        while not happened():
            await SystemClock().sleep(0.01)


def line_of(desk: Desk) -> RedisLine:
    line = seam(desk).kept.line
    assert isinstance(line, RedisLine)
    return line


def own_threads() -> set[str]:
    """The threads of this process, but for those that the event loop keeps for whatever blocks."""
    return {one.name for one in threading.enumerate() if not one.name.startswith("asyncio_")}


async def reached(*desks: Desk) -> None:
    """Wait until these hear, and have them never look by themselves."""
    await soon(lambda: all(line_of(desk).state().reached for desk in desks))
    for desk in desks:
        seam(desk).kept.store.poll_s = NEVER_S
    await soon(lambda: all(seam(desk).kept.store.waiting() == 0 for desk in desks))


def flags(redis: OwnRedis) -> set[str]:
    with redis.client() as client:
        return {key.decode().split(":halt:")[1] for key in client.keys("td:*:halt:*")}


async def test_what_one_desk_commits_another_reads_at_once(firm: Firm, redis: OwnRedis) -> None:
    redis.start()
    await firm.make()
    async with firm.desk("asha", "free") as asha, firm.desk("ravi", "free", seed=8) as ravi:
        await reached(asha, ravi)
        known = asha.market.index.resolve("INFY")
        await asha.market.store_instruments([replace(known, sector="Tested")], "test", complete=False)
        await soon(lambda: ravi.market.index.resolve("INFY").sector == "Tested")
        with redis.client() as client:
            assert client.dbsize() == 0  # no name, no money, nothing kept


async def test_a_halt_is_known_by_its_row_and_by_its_flag_and_ends_with_its_row(
    firm: Firm, redis: OwnRedis
) -> None:
    redis.start()
    await firm.make()
    async with firm.desk("asha", "free") as asha, firm.desk("ravi", "free", seed=8) as ravi:
        await reached(asha, ravi)
        made = await in_time(asha, asha.halt.fire("asha"))
        await soon(lambda: [one.number for one in ravi.halt.active()] == [made.number])
        assert flags(redis) == {str(made.number)}
        await asha.halt.resume(made.number, "resume", "asha")
        await soon(lambda: not ravi.halt.active() and not flags(redis))
        assert not seam(ravi).kept.halt_file.exists()

        late = f"{line_of(ravi).prefix}halts"  # of a halt that has ended, as one that was held up
        with redis.client() as client:
            client.set(late.replace("halts", f"halt:{made.number}"), "")
            client.publish(late, f"up {made.number} ")
        await soon(lambda: not flags(redis))
        await soon(lambda: not seam(ravi).kept.halt_file.exists())
        assert ravi.halt.active() == []

        reducing = await in_time(asha, asha.halt.fire("asha", strength=HaltStrength.REDUCE))
        await soon(lambda: ravi.halt.active())
        assert flags(redis) == set()
        await asha.halt.resume(reducing.number, "resume", "asha")


async def test_a_flag_stops_a_desk_though_the_books_know_of_no_halt_and_through_its_next_opening(
    firm: Firm, redis: OwnRedis
) -> None:
    redis.start()
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        await reached(asha)
        with redis.client() as client:
            client.publish(f"{line_of(asha).prefix}halts", "up 41 ")
        await soon(seam(asha).kept.halt_file.exists)
        assert flag_in_file(seam(asha).kept.halt_file) == "41"
        plan = await asha.plans.freeze(buy("INFY", QTY, 1, PRIYA))
        with pytest.raises(Halted):
            await asha.runs.start(plan, plan.digest)
    redis.kill()
    async with firm.desk("asha", "free") as asha:
        (standing,) = asha.halt.active()
        assert standing.by == f"{OF_FLAG}41"
        await in_time(asha, asha.halt.resume(standing.number, "resume", "asha"))
        assert not seam(asha).kept.halt_file.exists()


async def test_a_halt_that_the_books_do_not_take_stops_the_others_by_its_flag(
    firm: Firm, redis: OwnRedis
) -> None:
    redis.start()
    await firm.make()
    async with firm.desk("asha", "free") as asha, firm.desk("ravi", "free", seed=8) as ravi:
        await reached(asha, ravi)
        holding = database_of(firm.folder).writer()
        with holding.connect() as held:
            run(held, "BEGIN")
            run(held, "LOCK TABLE halt IN EXCLUSIVE MODE")
            firing = asyncio.create_task(asha.halt.fire("asha"))
            file = seam(ravi).kept.halt_file
            await until(asha, file.exists, step_s=0.1)
            assert flag_in_file(file).startswith("unbooked-")
            run(held, "ROLLBACK")
        holding.dispose()
        await until(asha, firing.done)
        made = firing.result()
        await soon(lambda: flags(redis) == {str(made.number)})
        await soon(lambda: flag_in_file(file) == str(made.number))
        await asha.halt.resume(made.number, "resume", "asha")
        await soon(lambda: not file.exists() and not flags(redis) and not ravi.halt.active())


async def test_a_command_tells_its_halt_before_it_ends(firm: Firm, redis: OwnRedis) -> None:
    redis.start()
    await firm.make()
    async with firm.desk("asha", "free", DeskKind.COMMAND) as asha:
        made = await in_time(asha, asha.halt.fire("asha"))
        told = {one.name: one.detail for one in await asha.doctor.run()}
        assert told["redis"].startswith("Redis answers (")
    assert flags(redis) == {str(made.number)}


async def test_a_desk_goes_on_without_redis_and_hears_again_when_it_is_back(
    firm: Firm, redis: OwnRedis
) -> None:
    await firm.make()
    before = own_threads()
    async with firm.desk("asha", "free") as asha, firm.desk("ravi", "free", seed=8) as ravi:
        stores = [seam(one).kept.store for one in (asha, ravi)]
        await soon(lambda: "does not answer" in line_of(asha).state().why)
        assert not line_of(asha).state().reached
        await carry_out(asha, buy("INFY", QTY, 1, PRIYA))
        redis.start()
        for quantity, loses, gives_back in (
            (2, redis.freeze, redis.thaw),
            (3, redis.kill, redis.start),
        ):
            await soon(lambda: all(line_of(one).state().reached for one in (asha, ravi)))
            assert {one.poll_s for one in stores} == {HINTED_POLL_S}
            loses()
            await soon(lambda: not any(line_of(one).state().reached for one in (asha, ravi)))
            assert {one.poll_s for one in stores} == {POLL_S}
            assert "go by the books alone" in line_words(await asha.leases.line())
            await carry_out(asha, buy("INFY", QTY, quantity, PRIYA))
            gives_back()
        await reached(asha, ravi)
        assert line_words(await asha.leases.line()).startswith("Redis answers (")
        made = await in_time(asha, asha.halt.fire("asha"))
        await soon(lambda: ravi.halt.active())
        with redis.client() as client:
            client.flushall()
        assert ravi.halt.active()
        redis.kill()
        redis.start()
        await soon(lambda: flags(redis) == {str(made.number)})  # raised again by whoever knows of it
        redis.freeze()
    redis.thaw()
    assert own_threads() <= before


async def test_desks_without_redis_name_none(tmp_path: Path, books_engine: str) -> None:
    firm = Firm(tmp_path, database_url(tmp_path))
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        assert line_words(await asha.leases.line()) == ""
        assert "redis" not in {one.name for one in await asha.doctor.run()}
