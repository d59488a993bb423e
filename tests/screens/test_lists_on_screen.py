"""Watchlists on the Desk: made, renamed, ordered and deleted by keys."""

from pathlib import Path

from screens.desk.watch import WatchPane
from tests.screens.papers import PaperBench, opened_on_paper
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
