"""The dock: the desk above it stays alive, no key reaches it, and the dock keeps its place and its height."""

import re
from pathlib import Path
from typing import Any

import pytest

import screens
from screens.desk.screen import DeskScreen
from screens.frame.cards.confirm import WordsCard, YesCard
from screens.frame.dock import Dock, DockHost
from screens.halt.screen import CertificateScreen
from screens.orders.modify import ModifyCard
from screens.orders.screen import OrdersScreen
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from tests.further import further, further_rows
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import classes
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField

SIZES = [((80, 24), 6), ((120, 40), 8), ((200, 50), 8)]


def watched(bench: PaperBench, symbol: str) -> str:
    return next(line for line in bench.lines() if symbol in line and "for" not in line)


def quantity(bench: PaperBench) -> NumberField:
    return bench.card.query_one("#quantity", NumberField)


async def ticket(bench: PaperBench, typed: str = "2") -> None:
    """A ticket of the first client and the first symbol, in its quantity."""
    await bench.keys("b", "enter")
    await bench.type(typed)
    await bench.settle()


async def test_the_desk_above_keeps_painting(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await ticket(bench)
        assert "2,450.50" in watched(bench, "RELIANCE")
        await bench.pin("RELIANCE", 246150)
        assert "2,461.50" in watched(bench, "RELIANCE")
        assert "LTP 2,461.50" in bench.text, "the ticket's price moves with it"
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        await bench.pin("RELIANCE", 246250)
        assert "2,462.50" in watched(bench, "RELIANCE")


async def test_a_desk_frozen_by_the_trader_still_has_a_ticket_with_a_price(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("z")
        await ticket(bench)
        await bench.pin("RELIANCE", 246150)
        assert "LTP 2,461.50" in bench.text
        assert "needs" in bench.text


@pytest.mark.parametrize(("size", "rows"), further_rows(SIZES))
async def test_its_height_and_its_place_stay_while_it_is_open(
    tmp_path: Path, size: tuple[int, int], rows: int
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        await bench.keys("b", "enter")

        def place() -> tuple[int, int]:
            region = bench.screen.query_one(Dock).region
            return region.y, region.height

        first = place()
        assert first == (size[1] - 1 - rows, rows)
        await bench.type("99999")
        await bench.until(lambda: "CANNOT SEND" in bench.text)
        assert place() == first
        await bench.keys("a", "enter")
        assert isinstance(bench.card, ReviewCard)
        assert place() == first
        await bench.keys("escape")
        assert isinstance(bench.card, TicketCard)
        assert place() == first
        await bench.keys("escape")
        assert not bench.screen.query(Dock)


async def test_no_key_reaches_the_pane_beneath(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        before = (clients.cursor_key, set(clients.marked_keys), clients.sort_key)
        await ticket(bench)
        for field in ("quantity", "product", "type"):
            bench.card.query_one(f"#{field}").focus()
            await bench.settle()
            keys = ("j", "asterisk", "space", "X", "i", "f", "u", "o", "S", "q", "z", "slash", "colon", "3")
            await bench.keys(*keys, "left_square_bracket", "right_curly_bracket", "insert", "delete")
            await bench.keys("ctrl+u")
            assert isinstance(bench.screen, DeskScreen)
            assert isinstance(bench.card, TicketCard)
            assert (clients.cursor_key, set(clients.marked_keys), clients.sort_key) == before
        assert not bench.app.frozen
        assert bench.desk.runs.all() == []


async def test_tab_and_the_mouse_leave_the_focus_in_the_dock(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench)
        for key in ("tab",) * 9 + ("shift+tab",) * 12:
            await bench.keys(key)
            assert bench.card in bench.screen.focused.ancestors
        await bench.pilot.click("#clients", offset=(5, 5))
        await bench.settle()
        assert bench.card in bench.screen.focused.ancestors
        await bench.keys("escape")
        assert bench.screen.focused is bench.screen.query_one("#clients"), "back to where it was"
        await bench.keys("j")
        assert bench.card is None


async def test_a_second_one_is_refused_while_one_is_open(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench)
        first = bench.card
        bench.screen.action_ticket("SELL")
        await bench.settle()
        assert bench.card is first
        assert bench.toasts[-1] == "something is open at the bottom: Esc closes it first"


async def test_function_keys_lead_to_workspaces_and_the_ticket_waits(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench, "7")
        await bench.keys("f3")
        assert isinstance(bench.screen, OrdersScreen)
        assert bench.card is None
        await bench.keys("f4")
        assert isinstance(bench.card, TicketCard)
        assert quantity(bench).value == "7"
        await bench.keys("1")
        assert quantity(bench).value == "71", "the focus waited too"
        await bench.keys("ctrl+u", "1", "enter")
        assert isinstance(bench.card, ReviewCard)
        await bench.keys("f3")
        assert isinstance(bench.screen, DeskScreen), "a review takes y, Esc and F9"


async def in_the_ticket(bench: PaperBench) -> type[Any]:
    await ticket(bench)
    return TicketCard


async def in_the_review(bench: PaperBench) -> type[Any]:
    await ticket(bench)
    await bench.keys("enter")
    return ReviewCard


async def in_modify(bench: PaperBench) -> type[Any]:
    await bench.rest_orders("AM1042")
    await bench.keys("3", "e")
    return ModifyCard


async def in_a_cancel_question(bench: PaperBench) -> type[Any]:
    await bench.rest_orders("AM1042")
    await bench.keys("3", "x")
    return YesCard


async def in_typed_words(bench: PaperBench) -> type[Any]:
    await bench.rest_orders("AM1042", "RG1008")
    await bench.keys("3", "asterisk", "X")
    return WordsCard


@pytest.mark.parametrize(
    "lead", further([in_the_ticket, in_the_review, in_modify, in_a_cancel_question, in_typed_words], 2)
)
async def test_f9_works_in_every_card(tmp_path: Path, lead: Any) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        kind = await lead(bench)
        assert isinstance(bench.card, kind)
        await bench.f9()
        await bench.f9()
        assert isinstance(bench.screen, CertificateScreen)
        await bench.until(lambda: bench.desk.counts().live == 0)
        assert bench.desk.halt.active()


@pytest.mark.proof
async def test_the_full_stop_brings_back_what_esc_closed_and_what_was_sent(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench, "3")
        await bench.keys("at")
        await bench.keys("escape")
        await bench.keys("b")
        assert quantity(bench).value == "", "b begins anew"
        await bench.keys("escape", ".")
        assert isinstance(bench.card, TicketCard)
        assert "the draft that Esc closed" in bench.text
        price = bench.card.query_one("#price", NumberField).value
        assert (quantity(bench).value, price) == ("3", "2450.50")
        await bench.keys("enter")
        await bench.keys("y")
        assert bench.card is None
        await bench.keys(".")
        assert "the last order again" in bench.text
        assert (quantity(bench).value, bench.card.query_one("#price", NumberField).value) == ("3", price)
        assert len(bench.desk.runs.all()) == 1, "it opens a form and sends nothing"


async def test_a_bulk_run_after_a_ticket_is_the_last_intent(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench, "3")
        await bench.keys("escape")
        await bench.rest_orders("AM1042", "RG1008")
        await bench.keys(".")
        assert bench.card is None
        assert "2 clients" in bench.text or "TCS" in bench.text


async def test_more_stands_behind_one_stop_where_space_is_short(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await ticket(bench)
        trigger = bench.card.query_one("#trigger", NumberField)
        assert not trigger.display
        bench.card.query_one("#more").focus()
        await bench.keys("enter")
        assert isinstance(bench.card, TicketCard), "it leads to no review"
        assert trigger.display
        assert trigger.has_focus
        await bench.type("2500")
        assert "‹SL-M›" in bench.text
    async with opened_on_paper(tmp_path / "wide") as bench:
        await ticket(bench)
        assert bench.card.query_one("#trigger", NumberField).display
        assert not bench.card.query_one("#more").display


async def test_depth_and_the_third_pane_follow_the_ticket(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(200, 50)) as bench:
        await ticket(bench)
        await bench.keys("shift+tab")
        await bench.type("TCS")
        await bench.keys("enter")
        assert "╭─ TCS ─" in bench.text
        await bench.keys("escape")
        assert "╭─ TCS ─" not in bench.text


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_a_question_takes_the_rows_of_its_words_and_no_more(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        for lines in (["one line"], ["a line that is broken between its words " * 3, "another", "a third"]):
            bench.screen.open_card(WordsCard("A QUESTION", lines, "yes"))
            await bench.settle()
            dock, card = bench.screen.query_one(Dock), bench.card
            question, answer = card.query_one("#question"), card.query_one("AnswerField")
            assert answer.region.bottom == card.region.bottom, "nothing is below its answer"
            assert question.region.height + answer.region.height == card.region.height
            words = "".join("".join(line.split()) for line in lines)
            shown = "".join(bench.text.replace("│", "").split())
            assert words in shown
            assert dock.region.bottom == size[1] - 1
            await bench.keys("escape")


def test_whose_style_sheet_speaks_of_a_dock_is_styled_anew_for_it() -> None:
    sheets = [sheet.read_text() for sheet in Path(screens.__path__[0]).rglob("*.tcss")]
    speak = {name for sheet in sheets for name in re.findall(r"(\w+)\S*\.-docked", sheet)}
    assert speak == {host.__name__ for host in classes((DockHost,)) if host.MAKES_ROOM}
