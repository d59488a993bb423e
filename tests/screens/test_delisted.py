"""A symbol that is gone from the next day's file: every screen that may name it goes on and says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from data.errors import BadInput
from data.vocabulary import FlattenWhat, HaltScope, PerClient, Product, Side, SizingKind
from engine.planning.intent import Leg, Sizing
from screens.bulk.screen import BulkScreen
from screens.desk.screen import DeskScreen
from screens.desk.symbol import SymbolScreen
from screens.matrix.screen import MatrixScreen
from screens.ticket.card import TicketCard
from tests.desks import buy, carry_out, in_time
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid

QTY = SizingKind.FIXED_QUANTITY
GONE = "NSE:ITC"


@asynccontextmanager
async def delisted(home: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[PaperBench]:
    """A desk with ITC on the watchlist, in a preset and a basket, bought and sold today; then it is gone."""
    async with opened_on_paper(home, size) as bench:
        desk, client = bench.desk, bench.client("AM1042")
        await carry_out(desk, buy("ITC", QTY, 2, client, product=Product.MIS))
        await in_time(
            desk, desk.flatten.follow(await desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
        )
        await desk.presets.save("smoke", buy("ITC", QTY, 1))
        size_of_leg = Sizing(SizingKind.PERCENT_OF_CAPITAL, 500)
        legs = (Leg(Side.BUY, GONE, size_of_leg), Leg(Side.BUY, "NSE:TCS", size_of_leg))
        await desk.baskets.save("pair", legs, PerClient.ALL)
        instrument = desk.market.index.get(GONE)
        assert instrument is not None
        await desk.market.store_instruments([], "the next day", [instrument])
        await bench.pass_time(1)
        assert desk.market.index.get(GONE) is None
        yield bench


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]), ids=str)
async def test_the_watchlist_and_what_stands_beside_it_go_on(tmp_path: Path, size: tuple[int, int]) -> None:
    async with delisted(tmp_path, size) as bench:
        watch = bench.screen.query_one("#watch", LiveGrid)
        watch.focus()
        watch.move_cursor(GONE)
        await bench.settle()
        await bench.pass_time(1)
        assert isinstance(bench.screen, DeskScreen)
        assert "unlist" in next(line for line in bench.lines() if "▸ITC " in line)
        await bench.keys("enter")
        await bench.pass_time(1)
        assert isinstance(bench.screen, SymbolScreen)
        assert "not listed" in bench.text
        await bench.keys("escape", "b")
        await bench.pass_time(0.5)
        assert isinstance(bench.card, TicketCard)
        await bench.keys("escape")
        watch.focus()
        watch.move_cursor(GONE)
        await bench.keys("delete")
        assert GONE not in watch.shown_keys, "and it can be taken off"


async def test_nothing_of_it_can_be_planned_and_other_legs_can(tmp_path: Path) -> None:
    async with delisted(tmp_path) as bench:
        client = bench.client("AM1042")
        for intent in (buy("ITC", QTY, 1, client), buy("ITC", QTY, 1)):
            with pytest.raises(BadInput, match="ITC"):
                await bench.desk.plans.freeze(intent)
        runs = len(bench.desk.runs.all())
        await bench.keys("2", "f5")
        await bench.type("smoke")
        await bench.keys("enter")
        await bench.pass_time(0.5)
        assert isinstance(bench.screen, BulkScreen)
        await bench.keys("enter", "enter")
        await bench.pass_time(0.5)
        await bench.keys("escape", "escape", "5", "e")
        assert isinstance(bench.screen, MatrixScreen)
        await bench.keys("escape", "escape")
        assert len(bench.desk.runs.all()) == runs


@pytest.mark.parametrize("key", further(["3", "4", "5", "7", "9"], 2))
async def test_every_workspace_still_shows_the_day(tmp_path: Path, key: str) -> None:
    async with delisted(tmp_path) as bench:
        await bench.keys(key)
        await bench.pass_time(1)
        if key == "3":
            assert "ITC" in bench.text, "its orders of the day stay"
            await bench.keys("enter")
            await bench.pass_time(0.5)
            assert "FILLED" in bench.text.upper()
        found = await bench.desk.doctor.run()
        assert [one.name for one in found if not one.ok] == []
