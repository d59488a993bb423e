"""Watchlists: each trader's own, ordered by hand, and files of them."""

import asyncio
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from data.acting import Actor
from data.clock import ManualClock
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.reference.instruments import read_kite_instruments
from data.vocabulary import Side, SizingKind, Via
from engine.accounts.client_edit import ClientEdit
from engine.market.lists.list_files import list_text, read_list
from engine.market.lists.watchlists import LONGEST, MOST
from engine.planning.intent import Intent, Leg, Sizing
from tests.desks import START, filed_desk, paper_desk, until
from tradedesk.compose.brokers.paper_prices import take_instruments
from tradedesk.testing import seam


async def test_lists_are_made_renamed_ordered_and_deleted_and_stay_so_after_a_restart(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        lists = desk.watchlists
        assert await lists.make(" Large   caps ") == "Large caps"
        await lists.make("Banks")
        assert lists.names() == ["Watchlist", "Large caps", "Banks"]
        with pytest.raises(BadInput, match="there is Banks already"):
            await lists.make("BANKS")
        with pytest.raises(BadInput, match="there is Banks already"):
            await lists.rename("large caps", "banks")
        assert await lists.move("Banks", -2) == 1
        assert await lists.rename("Banks", "BANKS") == "BANKS"
        added = await lists.add_all(["NSE:TCS", "nse:infy", "NSE:TCS", "NSE:SBIN"], "large CAPS")
        assert added == ["NSE:TCS", "NSE:INFY", "NSE:SBIN"]
        assert await lists.move_row("NSE:SBIN", -5, "Large caps") == 1
        assert await lists.rename("Large caps", "Big ones") == "Big ones"
    async with paper_desk(tmp_path, demo=False) as desk:
        lists = desk.watchlists
        assert lists.names() == ["BANKS", "Watchlist", "Big ones"]
        assert lists.keys("Big ones") == ["NSE:SBIN", "NSE:TCS", "NSE:INFY"]
        assert await lists.remove_all(["NSE:TCS", "NSE:WIPRO"], "Big ones") == ["NSE:TCS"]
        assert await lists.replace(["NSE:ITC", "NSE:SBIN"], "Big ones") == (["NSE:INFY"], ["NSE:ITC"])
        assert await lists.delete("big ones") == 2
        assert lists.names() == ["BANKS", "Watchlist"]
        with pytest.raises(BadInput, match="saved are BANKS"):
            lists.find("Big ones")


async def test_two_terminals_never_merge_lists_by_giving_them_one_name(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk, filed_desk(tmp_path, clock, seed=8) as other:
        await desk.watchlists.add("NSE:TCS", "One")
        await desk.watchlists.add("NSE:INFY", "Two")
        await other.watchlists.load()
        mine, theirs = desk.watchlists, other.watchlists
        at_once = partial(asyncio.gather, return_exceptions=True)  # neither has heard of the other's
        done = await at_once(mine.rename("One", "Banks"), theirs.rename("Two", "BANKS"))
        (refused,) = [one for one in done if isinstance(one, BadInput)]
        assert "banks already: give another name" in str(refused).casefold()
        await mine.load()
        assert sorted(map(len, map(mine.keys, mine.names()[1:]))) == [1, 1]
        done = await at_once(mine.make("Mine"), theirs.make("MINE"))
        assert len([one for one in done if isinstance(one, BadInput)]) == 1
        await at_once(mine.load(), theirs.load())
        last = mine.names()[-1]
        done = await at_once(mine.rename(last, "Here"), theirs.rename(last, "There"), theirs.move(last, -1))
        gone = [str(one) for one in done if isinstance(one, BadInput)]
        assert gone
        assert all("it is gone meanwhile; there are Watchlist, " in words for words in gone)


@pytest.mark.both
async def test_two_terminals_never_lose_a_basket_or_keep_one_name_twice(tmp_path: Path) -> None:
    clock = ManualClock(START)

    def legs(symbol: str, quantity: int) -> list[Leg]:
        return [Leg(Side.BUY, f"NSE:{symbol}", Sizing(SizingKind.FIXED_QUANTITY, quantity))]

    async with filed_desk(tmp_path, clock) as desk, filed_desk(tmp_path, clock, seed=8) as other:
        await asyncio.gather(
            desk.baskets.save("Banks", legs("SBIN", 1)), other.baskets.save("BANKS", legs("SBIN", 2))
        )
        assert len(await desk.baskets.all()) == 1
        await desk.baskets.save("IT", legs("TCS", 1))
        done = await asyncio.gather(
            desk.baskets.rename("it", "Core"), other.baskets.rename("banks", "CORE"), return_exceptions=True
        )
        (refused,) = [one for one in done if one is not None]
        assert "is saved already; choose another name" in str(refused)
        assert len(await desk.baskets.all()) == 2
        with pytest.raises(BadInput, match="saved are"):
            await desk.baskets.rename("gone", "Other")
        wish = Intent(Side.BUY, "NSE:TCS", Sizing(SizingKind.FIXED_QUANTITY, 1))
        await asyncio.gather(desk.presets.save("Dip", wish), other.presets.save("DIP", wish))
        assert len(await desk.presets.all()) == 1
        await desk.presets.remove("dIp")
        with pytest.raises(BadInput, match="none is saved yet"):
            await other.presets.remove("dip")
        await asyncio.gather(
            desk.clients.edit(8, ClientEdit(discretionary=False)),
            other.clients.edit(8, ClientEdit(multiplier_bps=5_000)),
        )
        await until(desk, lambda: desk.clients.get(8).multiplier_bps == 5_000, step_s=0.1)
        assert not desk.clients.get(8).discretionary, "neither terminal takes back what the other has set"


async def test_each_trader_has_lists_of_their_own_also_on_one_desk(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await desk.watchlists.add("NSE:WIPRO", "Mine")
        with desk.acting(Actor("asha", Via.SOCKET)):
            assert desk.watchlists.names() == ["Watchlist"]
            assert desk.watchlists.keys() == []
            await desk.watchlists.add("NSE:ITC", "Mine")
            assert desk.watchlists.keys("Mine") == ["NSE:ITC"]
        assert desk.watchlists.keys("Mine") == ["NSE:WIPRO"]


async def test_a_list_holds_five_hundred_which_are_followed_in_one_call(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        row = "408065{0},1,SYM{0},NAME,100,,0,0.05,1,EQ,NSE,NSE"
        dump = tmp_path / "dump.csv"
        head = "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
        rows = [head + "lot_size,instrument_type,segment,exchange", *(row.format(n) for n in range(400))]
        dump.write_text("\n".join(rows) + "\n")
        await take_instruments(desk, read_kite_instruments(dump).instruments, "a dump", complete=False)
        keys = [one.key for one in desk.market.index][:LONGEST]
        await desk.watchlists.replace(keys, "Long")
        assert len(desk.watchlists.keys("Long")) == LONGEST
        with pytest.raises(BadInput, match="it may hold 500 instruments, not 501"):
            await desk.watchlists.add([one.key for one in desk.market.index][LONGEST], "Long")
        with patch.object(seam(desk).market_data.feed.broker, "subscribe") as subscribe:
            await desk.market.follow(desk.watchlists.keys("Long"), "desk-screen")
            await desk.market.follow(desk.watchlists.keys("Long"), "desk-screen")
        (call,) = subscribe.await_args_list
        assert len(call.args[0]) == LONGEST
        for number in range(MOST - len(desk.watchlists.names())):
            await desk.watchlists.make(f"L{number}")
        with pytest.raises(BadInput, match="there are 50 lists"):
            await desk.watchlists.make("one more")


async def test_a_file_of_a_list_is_judged_row_by_row_and_comes_back_as_it_was(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        index = desk.market.index
        file = tmp_path / "list.csv"
        keys = ["NSE:TCS", "NSE:M&M", "NSE:INFY"]
        file.write_text(list_text(keys, index))
        assert file.read_text().splitlines()[2] == "M&M,NSE,INE101A01026,Mahindra & Mahindra Ltd"
        assert read_list(file, index) == (keys, [])
        file.write_text(
            "symbol,exchange,isin\nTCS,,\nNOSUCH,,\nINFY,NSE,INE002A01018\ntcs,NSE,\nITC,BSE,\n,,\n"
        )
        keys, problems = read_list(file, index)
        assert keys == ["NSE:TCS"]
        assert [(one.row, one.field) for one in problems] == [
            (3, "symbol"),
            (4, "isin"),
            (5, "symbol"),
            (6, "symbol"),
        ]
        assert "NSE:INFY is INE009A01021 here" in str(problems[1])
        assert "row 2 has it already" in str(problems[2])
        file.write_text("ticker\nTCS\n")
        with pytest.raises(FileProblem, match="this column is missing"):
            read_list(file, index)
