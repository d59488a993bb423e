"""The card that finds a symbol or a client, over the desk."""

from pathlib import Path
from typing import Any

from textual.widgets import Input

from screens.clients.page import ClientScreen
from screens.desk.screen import DeskScreen
from screens.desk.search import FindCard
from screens.desk.symbol import SymbolScreen
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tradedesk.testing import toasts_shown
from widgets.livegrid import LiveGrid


def watch(bench: Bench) -> LiveGrid:
    return bench.screen.query_one("#watch", LiveGrid)


async def test_find_opens_a_symbol_and_puts_what_was_typed_in_full_first() -> None:
    async with opened() as bench:
        await bench.keys("/")
        await bench.keys(*"tcs")
        assert isinstance(bench.card, FindCard)
        assert isinstance(bench.screen, DeskScreen)
        await bench.keys("enter")
        assert isinstance(bench.screen, SymbolScreen)
        assert "NSE:TCS" in bench.text
        assert bench.screen.here().key == "NSE:TCS"
        await bench.keys("escape")
        assert isinstance(bench.screen, DeskScreen)


async def test_find_watches_with_insert_and_delete_takes_off() -> None:
    async with opened() as bench:
        count = len(watch(bench).shown_keys)
        await bench.keys("/")
        await bench.keys(*"wipro")
        assert bench.card.query_one(Input).value == "wipro"
        await bench.keys("insert")
        await bench.keys("escape")
        await bench.until(lambda: "NSE:WIPRO" in watch(bench).shown_keys)
        await bench.keys("shift+tab")
        watch(bench).move_cursor("NSE:WIPRO")
        await bench.keys("delete")
        await bench.until(lambda: len(watch(bench).shown_keys) == count)
        assert any("WIPRO is off" in toast for toast in toasts_shown(bench.app))
        await bench.keys("plus")
        await bench.until(lambda: "NSE:WIPRO" in watch(bench).shown_keys)


async def test_find_begins_anew_each_time_and_help_over_it_loses_nothing() -> None:
    async with opened(size=(80, 24)) as bench:
        await bench.keys("/")
        clients = bench.card.query_one(LiveGrid).shown_keys
        await bench.keys(*"tcs")
        assert bench.card.query_one(LiveGrid).shown_keys != clients
        await bench.keys("tab", "f1")
        await bench.keys("escape")
        assert bench.card.query_one(Input).value == "tcs"
        await bench.keys("escape")
        assert bench.card is None
        await bench.keys("/")
        opened_anew: Any = bench.card
        assert opened_anew.query_one(Input).value == ""
        assert opened_anew.query_one(LiveGrid).shown_keys == clients
        await bench.keys(*"wip", "enter")
        assert "NSE:WIPRO" in bench.text


async def test_a_clients_first_name_comes_before_what_merely_holds_its_letters(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("slash")
        await bench.type("pri")
        assert "▸client PS1015" in " ".join(bench.text.split())
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.screen, ClientScreen))
        await bench.keys("right_curly_bracket")
        assert "PS1015" not in bench.text.splitlines()[1], "braces go on to the next client by code"
