"""A desk that only looks, on screen: the strip says so, F9 says what it cannot do, and no plan is sent."""

import csv
from pathlib import Path

from data.home import exports_folder, halt_file
from engine.rules import Rules
from screens.clients.page import ClientScreen
from screens.frame.pane import Pane
from tests.desks import by_phone
from tests.screens.papers import opened_on_paper
from widgets.keyline import CANCEL_ALL, CANCELS_NOTHING
from widgets.livegrid import LiveGrid


async def test_the_strip_says_look_and_nothing_that_is_typed_sends(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        assert bench.text.lstrip().startswith("LOOK")
        await bench.keys("B", "enter")
        await bench.pass_time(0.5)
        assert "LOOK: nothing is sent from here" in bench.text
        assert "to send" not in bench.text
        await bench.type("buy 45")
        await bench.keys("enter")
        await bench.pass_time(1.0)
        assert "LOOK: this desk only looks" in " ".join(bench.toasts)
        assert bench.desk.orders.all() == []
        assert bench.desk.runs.all() == []


async def test_f9_twice_halts_nothing_and_says_why(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        await bench.keys("f9", "f9", apart=0.3)
        await bench.pass_time(1.0)
        assert "LOOK: F9 cancels nothing here, no order known to live elsewhere" in bench.toasts[-1]
        assert bench.desk.halt.latest() is None
        assert not halt_file(bench.desk.home).exists()


async def test_the_key_line_offers_nothing_that_sends_and_says_what_f9_does(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        for digit in "1357":
            await bench.keys(digit)
            await bench.pass_time(0.5)
            line = bench.lines()[-1]
            assert line.rstrip().endswith(CANCELS_NOTHING)
            assert CANCEL_ALL not in bench.text
            for words in ("b s order", "B S bulk", "cancel marked", "repair"):
                assert words not in line, line
        await bench.keys("1")
        assert "press F9 once" not in bench.text
        assert "such as  buy 45" not in bench.text


async def test_the_blotter_has_what_other_terminals_sent_and_what_became_of_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        await bench.keys("3")
        assert "no order of another terminal has been seen today" in bench.text
        client = bench.client("AM1042")
        limit = by_phone(bench.desk, client, quantity=2, limit_paise=1_400_00)
        by_phone(bench.desk, client, quantity=3, symbol="TCS")
        await bench.pass_time(bench.desk.workings.timing.waits.look_poll_s + 3)
        grid = bench.screen.query_one(LiveGrid)
        assert grid.shown_keys[0] == f"{client}:{limit}"
        assert len(grid.shown_keys) == 2
        assert bench.screen.query_one(Pane).title_words.endswith("2 of 2 · live 1")
        (live, done) = [line for line in bench.lines() if "AM1042" in line][:2]
        assert ("INFY" in live, "1,400.00" in live) == (True, True)
        assert "TCS" in done
        assert "nothing about it can be done here" in bench.text
        await bench.keys("f")
        await bench.type("tcs")
        await bench.keys("enter")
        assert len(grid.shown_keys) == 1
        await bench.keys("t")
        (path,) = exports_folder(bench.desk.home).glob("orders-elsewhere-*.csv")
        with path.open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["code"], row["symbol"], row["filled"]) == ("AM1042", "NSE:TCS", "3")
        await bench.keys("escape", "tab")
        assert bench.screen.query_one(Pane).title_words.startswith("Orders · 0 of 0")
        assert "elsewhere 1 live" in bench.screen.query_one(Pane).title_words
        bench.app.run_command("elsewhere")
        await bench.settle()
        assert bench.screen.query_one(Pane).title_words.startswith("Orders of other terminals")
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)
        (held,) = bench.desk.holdings.of(client)
        assert (held.tradingsymbol, held.quantity) == ("TCS", 3)
