"""The command line in the dock: the desk stays in view, words complete, lines come back, nothing is sent."""

import stat
from datetime import time
from pathlib import Path

import pytest
from textual.widgets import Input

from data.clock import IST
from data.home import history_file
from data.vocabulary import Side
from screens.bulk.form import BulkForm
from screens.desk.screen import DeskScreen
from screens.frame.cards.commandline import CommandLineCard
from screens.frame.dock import Dock
from screens.ticket.card import TicketCard
from tests.further import further
from tests.screens.bench import Bench, opened
from tradedesk.testing import toasts_shown
from widgets.choicefield import ChoiceField
from widgets.numberfield import NumberField


def line(bench: Bench) -> str:
    return bench.card.query_one(Input).value


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_it_stands_over_the_live_desk_and_opens_what_was_typed(size: tuple[int, int]) -> None:
    async with opened(size=size) as bench:
        await bench.keys("colon")
        assert isinstance(bench.screen, DeskScreen)
        assert isinstance(bench.card, CommandLineCard)
        assert "RELIANCE" in bench.text, "the desk is seen above it"
        dock = bench.screen.query_one(Dock).region
        assert dock.bottom == size[1] - 1
        await bench.type("buy infy 2% @1500 g:south !mt")
        await bench.keys("tab")
        assert line(bench) == "buy infy 2% @1500 g:south !mtf "
        assert "BUY INFY 2 % of capital CNC LIMIT 1,500.00 · group South without MTF ·" in bench.text
        assert "at the price now:" in bench.text
        await bench.keys("enter")
        form = bench.screen.query_one(BulkForm)
        assert form.side is Side.BUY
        assert form.intent().selection.title == "group South without MTF"
        assert form.intent().limit_paise == 1500_00
        assert bench.screen.query_one("#clients", ChoiceField).value == "group South without MTF"
        assert bench.desk.runs.all() == []


@pytest.mark.proof
async def test_words_complete_lines_come_back_and_a_fault_keeps_the_line() -> None:
    async with opened() as bench:
        await bench.keys("colon")
        await bench.type("flat")
        await bench.keys("tab")
        assert line(bench) == "flatten "
        await bench.keys("tab")
        first = line(bench)
        await bench.keys("tab")
        assert line(bench) != first, "a second Tab takes the next word"
        await bench.keys("shift+tab")
        assert line(bench) == first == "flatten client "
        await bench.keys("ctrl+u")
        await bench.type("buy infy 2%%")
        await bench.keys("enter")
        assert isinstance(bench.card, CommandLineCard)
        assert "2%%: a size is 2%, 10 or ₹50000" in bench.text
        await bench.keys("ctrl+u")
        await bench.type("buy tcs 10 ps1015 @2400")
        await bench.keys("enter")
        assert isinstance(bench.card, TicketCard)
        assert "BUY TCS for PS1015 Priya Sharma · as typed" in bench.text
        assert bench.card.query_one("#quantity", NumberField).value == "10"
        assert bench.card.query_one("#price", NumberField).value == "2400.00"
        await bench.keys("escape")
        kept = history_file(bench.desk.home)
        assert kept.read_text() == "buy tcs 10 ps1015 @2400\n", "what was not understood is not kept"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        await bench.keys("colon")
        await bench.type("gate")
        await bench.keys("enter", "1", "colon", "up", "up")
        assert line(bench) == "buy tcs 10 ps1015 @2400"
        await bench.keys("down")
        assert line(bench) == "gate"
        await bench.keys("escape")
        assert bench.card is None


async def test_a_basket_a_filter_and_a_page_are_typed_in_one_go() -> None:
    async with opened() as bench:
        await bench.keys("colon", *"filter ps1", "enter")
        assert "PS1015" in bench.text
        assert "MI1001" not in bench.text
        await bench.keys("colon", *"filter", "enter")
        assert "MI1001" in bench.text
        await bench.keys("colon", *"client ps1015", "enter")
        assert "Priya Sharma" in bench.text
        await bench.keys("escape", "colon", *"basket buy RELIANCE:1% TCS:1%", "enter")
        await bench.until(lambda: "type  buy" in bench.text)
        assert bench.desk.runs.all() == []


async def test_what_was_typed_before_is_there_at_the_next_start(tmp_path: Path) -> None:
    from screens.frame.cards.history import MOST_KEPT, keep_line, read_history

    for number in range(MOST_KEPT + 5):
        keep_line(tmp_path, f"run {number}")
    keep_line(tmp_path, "run 7")
    kept = read_history(tmp_path)
    assert len(kept) == MOST_KEPT
    assert kept[-1] == "run 7"
    assert kept.count("run 7") == 1
    assert read_history(tmp_path / "nowhere") == []


async def test_the_paper_day_is_moved_on_by_a_key_and_a_word() -> None:
    async with opened() as bench:
        day = bench.desk.market_clock.trading_day
        await bench.keys("ctrl+n")
        assert line(bench) == "clock "
        await bench.type("auc")
        await bench.keys("tab", "enter")
        await bench.until(lambda: bench.desk.market.now().astimezone(IST).time() >= time(15, 15))
        assert "auction, no entry" in bench.text
        await bench.keys("colon")
        await bench.type("clock 09:20")
        await bench.keys("enter")
        assert any(said.startswith("09:20: give a time of the day after") for said in toasts_shown(bench.app))
        await bench.keys("colon")
        await bench.type("clock tomorrow")
        await bench.keys("enter")
        await bench.until(lambda: bench.desk.market_clock.trading_day > day)
