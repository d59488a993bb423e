"""The demonstration's day, played on the paper market."""

import asyncio
from pathlib import Path

from cli_desk import Terminal

from data.vocabulary import OrderState, Product, Side
from tests.desks import paper_desk, until
from tradedesk.compose.demo.day import ACTS, Told, played_day


async def test_a_day_is_played_to_its_last_minute(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, shares=True) as desk:
        told: list[Told] = []

        async def play() -> None:
            told.extend([one async for one in played_day(desk, seconds=5.0)])

        async with asyncio.TaskGroup() as group:
            playing = group.create_task(play())
            await until(desk, playing.done)
        assert [one.line for one in told if one.line] == [line for _, line in ACTS]
        for (at, _), one in zip(ACTS, told[1:-1], strict=True):
            assert one.at.astimezone(at.tzinfo) == one.at
        orders = desk.orders.all()
        assert {one.state for one in orders} == {OrderState.FILLED}
        assert {one.side for one in orders if one.product is Product.MIS} == {Side.BUY, Side.SELL}
        flat = next(one for one in told if one.line.startswith("flatten"))
        assert flat.words.startswith("flat ")
        assert flat.words != "flat 0"
        assert f"{len(orders)} orders, {len(orders)} filled" in told[-1].words


def test_a_screen_has_no_json(empty: Terminal) -> None:
    refused = empty.run("demo", "--json")
    assert (refused.code, refused.error["field"]) == (2, "json")
    assert "--day" in refused.error["message"]
