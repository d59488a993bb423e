"""The desk by mouse: rows, panes, views, fields, keys and the strip; and that no click sends."""

from pathlib import Path

import pytest
from textual.events import MouseScrollDown

from data.vocabulary import SizingKind
from screens.clients.page import ClientScreen
from screens.desk.screen import DeskScreen
from screens.frame.help import HelpScreen
from screens.matrix.grid import MatrixGrid
from screens.orders.screen import OrdersScreen
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from tests.desks import buy, carry_out
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid


async def click(bench: PaperBench, words: str, *, times: int = 1, behind: str = "") -> None:
    """Click on the first line that has `words`, where they begin; `behind` is looked for to their left."""
    for y, line in enumerate(bench.lines()):
        x = line.find(words, line.find(behind) if behind else 0)
        if x >= 0 and (not behind or behind in line):
            await bench.pilot.click(offset=(x, y), times=times)
            await bench.settle()
            return
    raise AssertionError(f"{words} is not on the screen:\n{bench.text}")


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]), ids=str)
async def test_rows_panes_and_keys_answer_a_click_and_nothing_is_sent_by_one(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size) as bench:
        clients, watch = (bench.screen.query_one(name, LiveGrid) for name in ("#clients", "#watch"))
        await click(bench, "AP1022")
        assert (clients.has_focus, clients.cursor_key) == (True, bench.client("AP1022"))
        await click(bench, "INFY")
        assert (watch.has_focus, watch.cursor_key) == (True, "NSE:INFY")
        await click(bench, "AP1022", times=2)
        assert isinstance(bench.screen, ClientScreen)
        for view, shown in (("history", "no"), ("closed", "nothing was closed yet"), ("holdings", "b buys")):
            await click(bench, view)
            assert f"▸{view}" in bench.text
            assert shown in bench.text
        await click(bench, "Esc back")
        assert isinstance(bench.screen, DeskScreen)
        await click(bench, "b s order")
        assert isinstance(bench.card, TicketCard)
        await click(bench, "T›", behind="‹MARKET›")
        assert "‹LIMIT›" in bench.text
        await click(bench, "TCS")
        assert bench.screen.focused is not None
        assert bench.card in bench.screen.focused.ancestors, "what lies above the dock takes no focus"
        await click(bench, "‹LIMIT›")
        assert "‹MARKET›" in bench.text
        bench.screen.query_one("#quantity").focus()
        await bench.type("1")
        await bench.pass_time(0.5)
        await click(bench, "Enter go on")
        assert isinstance(bench.card, ReviewCard)
        await click(bench, "y yes")
        await bench.pass_time(0.5)
        assert bench.desk.orders.all() == []
        assert bench.toasts[-1] == "y is typed: no click sends"
        await bench.keys("y")
        await bench.pass_time(0.5)
        assert len(bench.desk.orders.all()) == 1


async def test_hints_titles_and_the_strip_lead_where_they_say(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AM1042")
        await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 2, client, limit_paise=230000))
        grid = bench.screen.query_one("#clients", LiveGrid)
        await click(bench, "space mark")
        assert grid.marked_keys == {grid.cursor_key}
        await click(bench, "} group", behind="{ } group")
        assert "group " in bench.lines()[1]
        await click(bench, "{ } group")
        await click(bench, "e edit")
        assert bench.card is not None
        await bench.keys("escape")
        await click(bench, "3 Orders")
        assert isinstance(bench.screen, OrdersScreen)
        await bench.keys("1")
        await click(bench, "live 1")
        assert isinstance(bench.screen, OrdersScreen)
        await bench.keys("1")
        await click(bench, "? keys")
        assert isinstance(bench.screen, HelpScreen)


async def test_the_wheel_scrolls_what_is_under_it_and_the_focus_stays(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (80, 24)) as bench:
        await bench.keys("shift+tab")
        watch, clients = (bench.screen.query_one(name, LiveGrid) for name in ("#watch", "#clients"))
        cursor, first = clients.cursor_key, bench.lines()[3]
        region = clients.region
        wheel = MouseScrollDown(None, region.x + 5, region.y + 5, 0, 1, 0, False, False, False)
        bench.app.post_message(wheel)
        await bench.settle()
        assert clients.scroll_offset.y > 0
        assert bench.lines()[3] != first
        assert (watch.has_focus, clients.cursor_key) == (True, cursor)


async def test_a_click_on_a_column_of_the_matrix_sorts_it_once(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 5, bench.client("AM1042")))
        await bench.keys("5")
        grid = bench.screen.query_one(MatrixGrid)
        codes = {"up": "code▲", "down": "code▼"}
        await click(bench, "code")
        first = codes["up"] in bench.text
        await click(bench, "code")
        assert (codes["up"] in bench.text, codes["down"] in bench.text) == (not first, first), grid.sort_key
