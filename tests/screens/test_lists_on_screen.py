"""Watchlists on the Desk: made, renamed, ordered and deleted by keys."""

from pathlib import Path

import pytest

from data.vocabulary import WatchColumn
from engine.market.lists.watch_columns import words_of
from engine.words import formats
from screens.desk.watch import WatchPane
from screens.frame.routes import WorkspaceName
from tests.desks import paper_desk
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.kept import SettingsOfHome
from tradedesk.compose.settings import Settings
from widgets.livegrid import LiveGrid


def shown(bench: PaperBench) -> list[str]:
    return [str(key).partition(":")[2] for key in bench.screen.query_one("#watch", LiveGrid).shown_keys]


def title(bench: PaperBench) -> str:
    return bench.screen.query_one(WatchPane).title_words


async def test_a_list_is_made_filled_ordered_renamed_and_deleted_by_keys(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        lists = bench.desk.watchlists
        await bench.keys("shift+tab", "e", "enter")
        assert "give a name of 1 to 40 characters" in bench.text
        await bench.type("Large caps")
        await bench.keys("enter")
        assert bench.card is None
        assert title(bench).startswith("Large caps 2/2")
        for symbol in ("tcs", "infy"):
            await bench.keys("/")
            await bench.type(symbol)
            await bench.keys("plus", "escape")
        assert shown(bench) == ["TCS", "INFY"]
        await bench.keys("end", "shift+up")
        assert shown(bench) == ["INFY", "TCS"] == [key[4:] for key in lists.keys("Large caps")]
        assert bench.screen.query_one("#watch", LiveGrid).cursor_key == "NSE:INFY"
        await bench.keys("right_square_bracket", "alt+down")
        assert "sorted by symbol" in bench.toasts[-1]
        assert lists.keys("Large caps") == ["NSE:INFY", "NSE:TCS"]
        await bench.keys("left_square_bracket", "shift+left")
        assert lists.names() == ["Large caps", "Watchlist"]
        assert title(bench).startswith("Large caps 1/2")
        await bench.keys("right_curly_bracket", "left_curly_bracket", "e", "shift+tab", "right", "tab")
        await bench.keys("home")
        await bench.type("My ")
        await bench.keys("enter")
        assert lists.names() == ["My Large caps", "Watchlist"]
        await bench.keys("e", "shift+tab", "left", "tab")
        await bench.type("Watchlist")
        await bench.keys("enter")
        assert "type My Large caps to delete it" in bench.text
        assert lists.names() == ["My Large caps", "Watchlist"]
        await bench.keys("ctrl+u")
        await bench.type("my large caps")
        await bench.keys("enter")
        assert bench.card is None
        assert lists.names() == ["Watchlist"]
        assert title(bench).startswith("Watchlist 1/1")
        assert bench.screen.focused is bench.screen.query_one("#watch")


def header(bench: PaperBench) -> list[str]:
    return [word.rstrip("▲▼") for word in bench.row("symbol")]


@pytest.mark.proof
async def test_columns_are_chosen_as_they_are_typed_and_the_last_leaves_first(tmp_path: Path) -> None:
    settings = Settings(trader="tester", watch_columns=(WatchColumn.LTP, WatchColumn.BID))
    async with opened_on_paper(tmp_path, (200, 50), settings=settings) as bench:
        assert header(bench)[:4] == ["symbol", "LTP", "bid", "code"]
        await bench.keys("shift+tab", "comma", "ctrl+u")
        await bench.type("chg age bdi")
        assert "bdi · did you mean bid?" in bench.text
        assert header(bench)[:4] == ["symbol", "chg%", "age", "code"]
        await bench.keys("enter")
        assert bench.card is not None, "what is not known is not kept"
        await bench.keys("escape")
        assert header(bench)[:4] == ["symbol", "LTP", "bid", "code"]
        await bench.keys("comma", "ctrl+u")
        await bench.type("ltp chg age prev open high")
        await bench.keys("enter")
        assert header(bench)[:7] == ["symbol", "LTP", "chg%", "age", "prev", "open", "code"], (
            "high has no room"
        )
        await bench.pilot.resize_terminal(80, 24)
        await bench.settle()
        assert header(bench)[:4] == ["symbol", "LTP", "chg%", "code"]
        await bench.app.close_desk()
    async with paper_desk(tmp_path, demo=False) as desk:
        assert words_of(desk.watchlists.columns()) == "ltp chg age prev open high"
        await desk.watchlists.choose_columns(())
        assert desk.watchlists.columns() == ()


@pytest.mark.proof
async def test_6_liquid_large_caps_are_found_put_on_a_list_at_once_and_kept(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (120, 40), pins={}) as bench:
        market, lists = bench.desk.market, bench.desk.watchlists
        await lists.make("Liquid")
        await bench.keys("shift+tab", "right_curly_bracket", "/")
        await bench.type("cap:large valeu>300cr")
        assert "valeu>300cr · did you mean value?" in bench.text
        await bench.keys("enter")
        assert lists.keys("Liquid") == []
        await bench.keys("ctrl+u")
        await bench.type("cap:large value>300cr chg>-5")
        assert "Enter asks to put all" in bench.text
        await bench.keys("enter", "enter", "enter")
        assert lists.keys("Liquid") == [], "a held Enter only asks"
        assert "Enter AGAIN puts all" in bench.text
        bench.clock.shift(1)
        await bench.keys("enter")
        found = lists.keys("Liquid")
        assert 10 < len(found) < 60
        rows = bench.card.query_one("#found", LiveGrid).shown_keys
        assert [f"symbol:{key}" for key in found] == list(rows)
        assert f"{len(found)} symbols put on Liquid · Delete takes them off again" in bench.text
        for key in found:
            quote = market.quote(key)
            assert quote is not None
            assert quote.last_paise * quote.volume > 300_00_00_000_00
        first = market.quote(found[0])
        assert first is not None
        row = next(line for line in bench.lines() if "symbol " in line and found[0][4:] in line).split()
        assert {formats.price(first.last_paise), formats.volume(first.volume), "large"} <= set(row)
        assert market.followed_by("find") == frozenset(found)
        await bench.keys("delete")
        assert lists.keys("Liquid") == []
        assert f"Enter asks to put all {len(found)} on Liquid" in bench.text
        await bench.keys("enter")
        bench.clock.shift(1)
        await bench.keys("enter")
        await bench.keys("enter")
        assert bench.card is None
        assert market.followed_by("find") == frozenset()
        assert title(bench).startswith("Liquid 2/2")
        assert shown(bench) == [key[4:] for key in found]
        await bench.app.close_desk()
    async with paper_desk(tmp_path, demo=False) as desk:
        assert desk.watchlists.keys("Liquid") == found


async def test_indices_stand_on_the_strip_where_there_is_room_for_them(tmp_path: Path) -> None:
    settings = Settings(trader="tester", strip_indices=("Nifty", "SENSEX"))
    async with opened_on_paper(tmp_path, (200, 50), settings=settings) as bench:
        await bench.pass_time(1)
        strip = bench.lines()[0].rstrip()
        assert "paper NIFTY 24,565.65 +0.22 % " in strip
        assert strip.endswith("s  paper SENSEX —"), "it is not listed here"
        assert bench.desk.market.followed_by("strip") == {"NSE:NIFTY 50"}
        await bench.pilot.resize_terminal(80, 24)
        await bench.settle()
        strip = bench.lines()[0]
        assert "NIFTY" not in strip
        assert "net 0" in strip


async def test_the_list_in_view_is_that_of_before_after_a_restart(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.desk.watchlists.make("Liquid")
        await bench.desk.watchlists.add_all(["NSE:TCS", "NSE:INFY", "NSE:RELIANCE"], "Liquid")
        await bench.keys("shift+tab", "right_curly_bracket")
        assert title(bench).startswith("Liquid 2/2")
        await bench.app.close_desk()
    elsewhere = Settings(trader="tester", workspace=WorkspaceName.ORDERS)
    async with opened_on_paper(tmp_path, settings=elsewhere, demo=False) as bench:
        await bench.keys("1")
        assert title(bench).startswith("Liquid 2/2")
        await bench.desk.watchlists.delete("Liquid")
        await bench.settle()
        assert title(bench).startswith("Watchlist 1/1"), "one that is gone is not asked for"


@pytest.mark.proof
async def test_columns_and_indices_are_set_by_the_command_line_at_once(tmp_path: Path) -> None:
    kept = SettingsOfHome(tmp_path, asks=False)
    async with opened_on_paper(tmp_path, (200, 50), Settings(), kept=kept) as bench:
        for line in ("set watch_columns bid,ask", "set strip_indices none"):
            await bench.keys("colon")
            await bench.type(line)
            await bench.keys("enter")
        head = next(line for line in bench.lines() if "symbol" in line)
        assert head.split("││")[0].replace("│", " ").split() == ["symbol", "bid", "ask"]
        assert "NIFTY" not in bench.lines()[0]
        await bench.keys("colon")
        await bench.type("set watch_columns bidd")
        await bench.keys("enter")
        assert "Input should be" in bench.toasts[-1]
