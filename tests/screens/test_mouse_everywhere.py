"""Every card and screen by mouse: a click on words that name a key does what it does, or says why not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widget import Widget

from data.vocabulary import SizingKind
from screens.bulk.presets import PresetsCard
from screens.bulk.screen import BulkScreen
from screens.clients.screen import ClientsScreen
from screens.desk.screen import DeskScreen
from screens.frame.cards.commandline import CommandLineCard
from screens.frame.dock import Card
from screens.frame.help import HelpScreen
from screens.orders.life import OrderScreen
from screens.orders.screen import OrdersScreen
from screens.ticket.card import TicketCard
from tests.desks import buy
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import PARTS, PLACES, Visit
from tests.screens.test_mouse import click
from tradedesk.app.palette import Palette
from widgets.keyline import TYPED_ONLY, KeyHint, hinted_key


def lines_of_keys(bench: PaperBench) -> Iterator[tuple[int, int, str]]:
    """Each line that names keys and can be seen: its place on the screen and its words."""

    def seen(widget: Widget, x: int, y: int) -> bool:
        return y >= 0 and bench.screen.get_widget_at(x, y)[0] is widget

    for hint in bench.screen.query(KeyHint):
        for y in range(hint.region.height):
            if seen(hint, hint.region.x, hint.region.y + y):
                yield hint.region.x, hint.region.y + y, hint.render_line(y).text


def hinted(bench: PaperBench) -> Iterator[tuple[int, int, str]]:
    """Where on the screen words name a key, and which; of each line and key the first cell."""
    for x, y, line in lines_of_keys(bench):
        keys = {key: place for place in reversed(range(len(line))) if (key := hinted_key(line, place))}
        yield from ((x + place, y, key) for key, place in keys.items())


def state(bench: PaperBench) -> tuple[object, ...]:
    """What is up, what has the focus in it, and on which rows cursors are; figures aside."""
    screen, focused = bench.screen, bench.screen.focused
    names = re.sub(r"\S*\d\S*", "#", "\n".join(line for line in bench.lines()[1:] if "│▸" in line))
    return type(screen), type(bench.card), type(focused), focused and focused.id, names


DONE_BY_ONE = {("alerts", "enter"): ClientsScreen}
"""Keys that do away with what they are for, so that a second press has nothing to do; where each leads."""


OFTEN = ("groups", "the theme", "cancel one")
"""Places that are clicked through in every run of the tests; the long proofs have all."""

WALKS = [OFTEN, *(tuple(place for place in part if place not in OFTEN) for part in PARTS)]


@pytest.mark.parametrize("places", further(WALKS))
async def test_a_click_on_a_key_that_is_named_does_what_the_key_does(
    tmp_path: Path, places: tuple[str, ...]
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        visit = Visit(bench)
        await visit.furnish()
        clicked: set[str] = set()
        for place in places:
            await visit.open(place)
            await clicked_through(bench, visit, place, clicked)
            await visit.leave()


async def clicked_through(bench: PaperBench, visit: Visit, place: str, before: set[str]) -> None:
    """Click on keys that the open place names, and press them: its first and last, and any not had `before`.

    Keys of cards are much the same, and each opens its place twice.
    """
    named = list(hinted(bench))
    chosen = [one for one in named if one in (named[0], named[-1]) or one[2] not in before]
    before.update(key for _, _, key in chosen)
    fresh = True
    for x, y, key in chosen:
        if not fresh:
            await visit.leave()
            await visit.open(place)
        fresh = False
        focused = bench.screen.focused
        types = len(key) == 1 and focused is not None and focused.check_consume_key(key, key)
        await bench.pilot.click(offset=(x, y))
        await bench.settle()
        clicked = state(bench)
        if (place, key) in DONE_BY_ONE:
            assert clicked[0] is DONE_BY_ONE[place, key], (place, key)
            continue
        told = bench.toasts
        await visit.leave()
        await visit.open(place)
        if key == TYPED_ONLY or types:
            assert key in told[-1], (place, key)
            fresh = True
            continue
        await bench.keys(key)
        assert state(bench) == clicked, (place, key)


@pytest.mark.proof
async def test_a_click_beside_the_fields_of_a_card_leaves_the_focus_in_them(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        visit = Visit(bench)
        await visit.furnish()
        for place in (name for name, (kind, _) in PLACES.items() if issubclass(kind, Card)):
            await visit.open(place)
            card, focused = bench.card, bench.screen.focused
            x, rows = card.region.right - 1, range(card.region.y, card.region.bottom)
            beside = [y for y in rows if bench.screen.get_focusable_widget_at(x, y) is card]
            for y in {*beside[:1], *beside[-1:]}:
                await bench.pilot.click(offset=(x, y))
                assert bench.screen.focused is focused, (place, y)
            await visit.leave()


async def test_entries_of_the_palette_and_of_the_help_do_what_they_say(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("ctrl+p")
        assert isinstance(bench.screen, Palette)
        await click(bench, "buy one symbol for one client")
        await bench.settle()
        assert isinstance(bench.card, TicketCard)
        await bench.keys("escape", "question_mark")
        assert isinstance(bench.screen, HelpScreen)
        await click(bench, "sell one symbol for many clients", times=2)
        assert isinstance(bench.screen, BulkScreen)
        assert "SELL" in bench.text
        await bench.keys("escape", "1", "question_mark", *"halt", "enter")
        assert isinstance(bench.screen, HelpScreen)
        assert bench.toasts[-1] == "F9 ctrl+g is pressed by hand alone"
        await bench.keys("escape", *"orders of all", "enter")
        assert isinstance(bench.screen, OrdersScreen)


async def test_a_key_of_the_help_that_does_nothing_below_says_so(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("question_mark", *"repair", "enter")
        assert isinstance(bench.screen, HelpScreen)
        assert bench.toasts[-1] == "r has nothing to do where you were"
        await bench.keys("escape", "escape")
        assert isinstance(bench.screen, DeskScreen)


async def test_a_completion_of_the_command_line_is_taken_by_a_click(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("colon", *"fla")
        await bench.pilot.click("#offered", offset=(2, 0))
        await bench.settle()
        assert isinstance(bench.card, CommandLineCard)
        assert ": flatten " in bench.text
        await bench.type("desk")
        assert ": flatten desk" in bench.text, "and the line goes on"


async def test_the_way_out_that_a_ticket_names_is_taken_by_a_click(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("b", "enter")
        await bench.type("99999")
        await bench.until(lambda: "shares in cash" in bench.text)
        await click(bench, "shares in cash")
        await bench.until(lambda: "CANNOT SEND" not in bench.text)
        assert "needs" in bench.text


async def test_a_span_that_the_title_of_a_chart_names_is_turned_to_by_a_click(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        bench.app.open_symbol("NSE:INFY")
        await bench.settle()
        await click(bench, "15 min", behind="Chart")
        assert "▸15 min" in bench.text
        await click(bench, "days", behind="Chart")
        assert "▸days" in bench.text


async def test_a_hint_of_a_pane_opens_what_its_cursor_is_on(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.rest_orders("AM1042")
        await bench.keys("3")
        await click(bench, "Enter opens")
        assert isinstance(bench.screen, OrderScreen)
        await click(bench, "Esc back")
        assert isinstance(bench.screen, OrdersScreen)


async def test_a_preset_is_brought_back_by_a_click_and_deleted_by_its_name(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.desk.presets.save("morning", buy("TCS", SizingKind.FIXED_QUANTITY, 2))
        await bench.keys("B", "f5")
        await click(bench, "morning   BUY TCS")
        assert isinstance(bench.card, PresetsCard)
        bench.clock.shift(1)
        await bench.keys("enter")
        await bench.pass_time(0.5)
        assert bench.card is None
        assert "NSE:TCS" in bench.text
        await bench.keys("f5")
        await bench.type("delete morning")
        await bench.keys("enter")
        await bench.until(lambda: bench.toasts[-1] == "preset morning deleted")
        assert await bench.desk.presets.all() == []


async def test_hints_above_an_open_dock_press_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await click(bench, "f filter")
        await bench.keys("escape", "b", "enter")
        card = bench.card
        for words in ("} list", "e edit", ", columns", "space mark", "f filter"):
            await click(bench, words)
            assert (bench.card, bench.toasts) == (card, []), words
