"""Work under way by key: begun once for all who ask, and begun anew as soon as it has ended."""

import asyncio

from data.under_way import UnderWay


async def turn() -> None:
    """Let all that stands in line have its turn."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.call_soon(over.set)
    await over.wait()


async def test_work_is_begun_once_for_all_who_ask_and_anew_afterwards() -> None:
    under_way, may_end, begun = UnderWay[int, int](), asyncio.Event(), list[int]()

    async def work() -> int:
        begun.append(1)
        await may_end.wait()
        return len(begun)

    first = under_way.begin(7, work())
    await turn()
    assert under_way.get(7) is first
    assert 7 in under_way
    assert list(under_way) == [first]
    may_end.set()
    assert await first == 1
    assert under_way.get(7) is None
    assert await under_way.begin(7, work()) == 2


async def test_what_has_ended_is_not_under_way_though_its_callbacks_have_not_run() -> None:
    under_way, gate = UnderWay[int, None](), asyncio.get_running_loop().create_future()
    seen: list[tuple[bool, bool]] = []

    async def work() -> None:
        await gate

    task = under_way.begin(7, work())
    await turn()
    gate.set_result(None)  # its next step stands in line, and behind it the look
    asyncio.get_running_loop().call_soon(lambda: seen.append((task.done(), 7 in under_way)))
    await task
    assert seen == [(True, False)]


async def test_the_end_of_one_forgets_no_other_that_has_begun_meanwhile() -> None:
    under_way, gate = UnderWay[int, None](), asyncio.get_running_loop().create_future()
    later = asyncio.Event()

    async def work() -> None:
        await gate

    async def more() -> None:
        await later.wait()

    under_way.begin(7, work())
    await turn()
    gate.set_result(None)
    asyncio.get_running_loop().call_soon(lambda: under_way.begin(7, more()))
    for _ in range(4):
        await turn()
    assert 7 in under_way
    later.set()
