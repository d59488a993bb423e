"""A wrong key, a key too many and keys typed ahead: none ends the app, sends, or halts the desk."""

from typing import Any

import pytest
from textual.command import CommandPalette
from textual.containers import Horizontal

from data.vocabulary import Product, SizingKind
from screens.clients.page import ClientScreen
from screens.desk.screen import DeskScreen
from screens.frame.cards.confirm import QuitCard
from screens.frame.help import HelpScreen, key_rows
from screens.halt.screen import CertificateScreen
from screens.orders.screen import OrdersScreen
from screens.positions.conversions_card import ConversionsCard
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from tests.desks import buy
from tests.further import further
from tests.screens.bench import Bench, opened
from tradedesk.testing import toasts_shown
from widgets.livegrid import Column, LiveGrid
from widgets.numberfield import NumberField


def toasts(bench: Bench) -> list[str]:
    return toasts_shown(bench.app)


def armed(bench: Bench) -> bool:
    return "AGAIN CANCELS ALL" in bench.lines()[0]


@pytest.mark.proof
async def test_type_ahead_through_the_palette_leaves_the_app_up() -> None:
    async with opened() as bench:
        for keys in (
            ["ctrl+p", "enter", "enter"],
            ["colon", "y", "enter", "ctrl+p", "r", "h", "enter", "enter"],
            ["ctrl+p", "escape", "escape", "enter"],
            ["ctrl+p", "q", "u", "i", "t", "enter", "escape", "enter", "escape"],
        ):
            for apart in (0.0001, 0.2):
                await bench.keys(*keys, apart=apart)
                bench.at += 1
                assert bench.app.desk_is_open
                await bench.keys("escape", "escape", "escape")
            bench.clock.shift(5)
            await bench.f9()
            assert armed(bench)
            await bench.keys("escape")


async def test_the_palette_opens_while_another_one_closes() -> None:
    async with opened() as bench:
        await bench.keys("ctrl+p")
        covered = bench.screen
        bench.app.action_help()
        await bench.settle()
        covered.dismiss()
        await bench.keys("ctrl+p")
        assert isinstance(bench.screen, CommandPalette)
        await bench.keys("escape", "escape")
        assert isinstance(bench.screen, DeskScreen), "the covered one closed when it came up"


async def test_a_dialog_is_closed_once_however_often_it_is_told() -> None:
    async with opened() as bench:
        await bench.keys("b")
        card = bench.card
        assert isinstance(card, TicketCard)
        card.close()
        card.close()
        await bench.settle()
        assert bench.card is None
        await bench.keys("question_mark")
        screen = bench.screen
        assert isinstance(screen, HelpScreen)
        screen.dismiss(None)
        screen.dismiss(None)
        await bench.settle()
        assert isinstance(bench.screen, DeskScreen)


async def test_a_page_is_closed_once_however_often_esc_comes() -> None:
    async with opened() as bench:
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)
        page = bench.screen
        page.action_close()
        page.action_close()
        await bench.settle()
        assert isinstance(bench.screen, DeskScreen)


async def test_a_dialog_that_ends_under_another_waits_until_it_is_on_top() -> None:
    async with opened() as bench:
        answers: list[Any] = []
        screen = HelpScreen(bench.screen)
        bench.app.push_screen(screen, answers.append)
        await bench.settle()
        await bench.keys("f1")
        assert isinstance(bench.screen, HelpScreen)
        screen.dismiss(None)
        screen.dismiss(None)
        await bench.settle()
        assert isinstance(bench.screen, HelpScreen), "what covers it stays"
        assert answers == []
        await bench.keys("escape")
        assert isinstance(bench.screen, DeskScreen)
        assert answers == [None]


async def test_bulk_work_that_comes_back_under_a_dialog_goes_to_the_bulk_screen() -> None:
    async with opened() as bench:
        await bench.rest_orders("AM1042")
        await bench.keys("2")
        await bench.keys("ctrl+q")
        assert isinstance(bench.card, QuitCard)
        bench.app.open_run(1)
        await bench.settle()
        await bench.keys("escape")
        assert "run 1" in bench.text


async def test_right_in_a_table_whose_columns_do_not_fit_does_nothing() -> None:
    columns = [Column(name, name, 12, str) for name in ("code", "client", "gate")]
    for width in (20, 25, 30):
        async with opened((width, 20)) as bench:
            grid = LiveGrid(columns, monotonic=bench.app.monotonic, id="narrow")
            grid.set_rows({1: "one", 2: "two"})
            await bench.screen.mount(Horizontal(grid), before="#keys")
            grid.focus()
            await bench.settle()
            await bench.keys("right", "right", "left", "right")
            assert bench.app.desk_is_open
            await bench.f9()


async def test_g_and_a_letter_that_is_no_workspace_does_nothing_and_says_so() -> None:
    async with opened() as bench:
        await bench.keys("g", "z")
        assert not bench.app.frozen, "z alone would freeze the screen"
        assert "g z" in toasts(bench)[-1]
        await bench.keys("g", "q")
        assert isinstance(bench.screen, DeskScreen)
        await bench.keys("g", "3")
        assert isinstance(bench.screen, DeskScreen)
        await bench.keys("3")
        assert isinstance(bench.screen, OrdersScreen), "the key after it is itself again"
        await bench.keys("g", "k")
        assert isinstance(bench.screen, OrdersScreen)
        assert "g k" in toasts(bench)[-1]


async def test_g_is_forgotten_where_another_screen_came_up_since() -> None:
    async with opened() as bench:
        await bench.keys("g")
        bench.app.action_help()
        await bench.settle()
        await bench.keys("escape")
        await bench.keys("b")
        assert isinstance(bench.card, TicketCard)


async def test_the_palette_offers_first_what_changes_nothing() -> None:
    async with opened() as bench:
        await bench.keys("ctrl+p")
        assert isinstance(bench.screen, CommandPalette)
        await bench.pass_time(0.5)
        await bench.keys("enter")
        await bench.settle()
        assert not armed(bench)


async def test_any_other_key_stands_f9_down() -> None:
    async with opened() as bench:
        await bench.rest_orders("AM1042")
        for between in (
            ["j"],
            ["tab"],
            ["f3"],
            ["f8"],
            ["slash", "x", "escape"],
            ["ctrl+p", "escape"],
            ["1"],
        ):
            await bench.f9()
            assert armed(bench)
            await bench.keys(*between)
            assert not armed(bench)
            await bench.f9()
            assert armed(bench), "this press is a first one again"
            await bench.keys("escape")
        assert bench.desk.halt.latest() is None
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: bench.desk.halt.latest() is not None)


async def test_the_key_that_stands_f9_down_does_its_own_work() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.keys("3")
        assert isinstance(bench.screen, OrdersScreen)


async def test_a_key_behind_two_presses_takes_nothing_back() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.keys("f9", "j", apart=0.02)
        await bench.clock.advance(0.1)
        await bench.until(lambda: bench.desk.halt.latest() is not None)


async def test_a_digit_without_a_workspace_says_which_there_are() -> None:
    async with opened() as bench:
        await bench.keys("0")
        assert isinstance(bench.screen, DeskScreen)
        there = "1 desk  2 bulk  3 orders  4 positions  5 matrix  6 rebalance  7 clients  8 day  9 audit"
        assert toasts(bench)[-1] == f"no workspace 0; there are: {there}"
        await bench.keys("question_mark")
        assert isinstance(bench.screen, HelpScreen)
        assert "no workspace" not in " ".join(f"{row.keys} {row.words}" for row in key_rows(bench.app.screen))


async def test_a_digit_in_a_dialog_says_how_to_leave_it() -> None:
    async with opened() as bench:
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: isinstance(bench.screen, CertificateScreen))
        await bench.keys("tab", "6")
        assert isinstance(bench.screen, CertificateScreen)
        assert toasts(bench)[-1] == "6 turns to a workspace: Esc goes back first"


async def test_a_file_of_nothing_is_not_written_and_that_is_said() -> None:
    async with opened() as bench:
        await bench.keys("3", "t")
        assert toasts(bench)[-1].startswith("no file written: ")
        await bench.keys("1", "B", "t")
        assert toasts(bench)[-1] == "no file written: what has the focus is no table"
        await bench.keys("1")
        bench.screen.query_one("#tape", LiveGrid).focus()
        await bench.keys("t")
        assert len([told for told in toasts(bench) if told.endswith("no table")]) == 2


async def test_stray_keys_in_a_dialog_change_nothing_beneath() -> None:
    async with opened() as bench:
        await bench.rest_orders("AM1042")
        await bench.keys("B", "tab", "3", "3")
        form = bench.screen.query_one("#value", NumberField)
        await bench.keys("f3")
        for opener in ("b", "q", "colon", "slash", "question_mark", "ctrl+p", "x", "e"):
            await bench.keys(opener)
            dialog, card, mode = bench.screen, bench.card, bench.app.current_mode
            assert card or dialog.is_modal, opener
            leading = (
                () if opener in ("b", "e", "q", "colon", "slash") else ("f3", "f4", "f6", "f8")
            )  # a form waits elsewhere
            for apart in (0.2, 0.01):
                for stray in ("3", "7", "g", "d", "u", "z", *leading, "tab", "2", "1"):
                    await bench.keys(stray, apart=apart)
                    assert (bench.screen, bench.card) == (dialog, card), (opener, stray)
                    assert bench.app.current_mode == mode, (opener, stray)
            await bench.keys("escape", "escape")
            assert isinstance(bench.screen, OrdersScreen), opener
            assert bench.app.desk_is_open
            assert not bench.app.frozen
            assert form.value == "33", opener


async def test_a_stray_digit_in_the_quit_dialog_keeps_the_word_from_answering_and_says_so() -> None:
    async with opened() as bench:
        await bench.keys("q")
        await bench.keys("3")
        await bench.pass_time(0.5)
        await bench.type("quit")
        await bench.keys("enter")
        assert isinstance(bench.card, QuitCard)
        assert toasts(bench)[-1] == "that was not “quit”: nothing has been done"
        await bench.pass_time(1)
        await bench.type("quit")
        bench.clock.shift(1)
        await bench.keys("enter")
        await bench.ended()


@pytest.mark.parametrize("word", further(["s1\ryy", "yyx", "xyyy"]))
async def test_y_twice_within_a_pasted_word_sends_nothing(word: str) -> None:
    async with opened() as bench:
        await bench.keys("b", "enter")
        await bench.type("2")
        await bench.keys("enter")
        await bench.pass_time(0.5)
        assert isinstance(bench.card, ReviewCard)
        await bench.keys(*("enter" if one == "\r" else one for one in word), apart=0.01)
        await bench.pass_time(0.5)
        assert bench.desk.orders.all() == []
        await bench.keys("y")
        await bench.pass_time(0.5)
        assert len(bench.desk.orders.all()) == 1, "and alone it sends"


async def test_y_within_a_pasted_word_sends_nothing_and_alone_it_sends() -> None:
    async with opened() as bench:
        await bench.keys("b", *"TCS", "enter", "1", "enter")
        assert isinstance(bench.card, ReviewCard)
        await bench.pass_time(0.5)
        for pasted in ("only", "yes", "buy"):
            await bench.keys(*pasted, apart=0.0001)
            await bench.pass_time(0.5)
            assert bench.desk.orders.all() == []
            assert toasts(bench)[-1] == "y among other keys does nothing: type it alone"
        await bench.keys("y")
        await bench.until(lambda: len(bench.desk.orders.all()) == 1)


async def test_enter_in_the_rows_of_a_card_opens_nothing_of_the_screen_around_it() -> None:
    async with opened() as bench:
        client = bench.desk.clients.find("AM1042").id
        plan = await bench.desk.plans.freeze(
            buy("INFY", SizingKind.FIXED_QUANTITY, 2, client, product=Product.MIS)
        )
        run = await bench.desk.runs.start(plan, plan.digest)
        await bench.until(lambda: bench.desk.runs.get(run.number).finished_at is not None)
        bench.app.run_command("convert all mis cnc")
        await bench.until(lambda: isinstance(bench.card, ConversionsCard))
        await bench.keys("shift+tab", "enter")
        assert isinstance(bench.screen, DeskScreen)
        assert isinstance(bench.card, ConversionsCard)
