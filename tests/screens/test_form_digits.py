"""Digits in the bulk form: workspaces until the form is entered, and never another size by accident."""

from pathlib import Path

from data.vocabulary import RunCount
from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.bulk.screen import BulkScreen
from screens.desk.screen import DeskScreen
from screens.matrix.screen import MatrixScreen
from screens.orders.screen import OrdersScreen
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.choicefield import ChoiceField
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField
from widgets.symbolinput import SymbolInput


def size(bench: PaperBench) -> str:
    return bench.screen.query_one("#value", NumberField).value


async def filled_run(bench: PaperBench) -> None:
    """Run 1 buys 10 % for two clients, more shares for the one than for the other."""
    bench.screen.query_one("#clients", LiveGrid).set_marks([bench.client("AM1042"), bench.client("RV1012")])
    await bench.keys("B")
    await bench.keys("tab", "2", "5", "enter")
    await bench.type("buy 2")
    await bench.keys("enter")
    assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 2


async def reversal(bench: PaperBench) -> BulkForm:
    bench.app.run_command("reverse 1")
    await bench.settle()
    return bench.screen.query_one(BulkForm)


async def test_a_digit_in_a_form_that_nobody_entered_goes_to_its_workspace(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        for way in ("B", "S"):
            await bench.keys(way)
            before = size(bench)
            await bench.keys("6", "8", "0", "down", "up", "backspace", "delete")
            await bench.keys("3")
            assert isinstance(bench.screen, OrdersScreen)
            await bench.keys("2")
            assert isinstance(bench.screen, BulkScreen)
            assert size(bench) == before
            await bench.keys("1")
            assert isinstance(bench.screen, DeskScreen)


async def test_tab_enters_the_size_and_digits_are_its_own_until_the_form_is_left(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", "3", "3")
        assert isinstance(bench.screen, BulkScreen)
        assert size(bench) == "33"
        assert "was 25 %" in bench.text
        await bench.keys("f3", "2", "0")
        assert isinstance(bench.screen, BulkScreen)
        assert size(bench) == "33", "coming back is no entering"
        await bench.keys("5")
        assert isinstance(bench.screen, MatrixScreen)
        await bench.keys("2")
        assert size(bench) == "33"
        await bench.keys("tab", "4")
        assert size(bench) == "4"
        await bench.keys("backspace", "2", "5")
        assert "was 25 %" not in bench.text


async def test_a_digit_before_a_symbol_goes_to_its_workspace_and_enter_enters_the_size(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("2")
        symbol = bench.screen.query_one(SymbolInput)
        await bench.keys("3")
        assert isinstance(bench.screen, OrdersScreen)
        assert symbol.text == ""
        await bench.keys("2")
        await bench.keys("tab", "T", "C", "S", "enter")
        await bench.keys("4", "0")
        assert size(bench) == "40"


async def test_a_digit_on_a_choice_keeps_the_form_and_says_how_to_choose(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", "3", "3")
        for _ in range(7):
            await bench.keys("tab")
            if isinstance(bench.screen.focused, ChoiceField):
                await bench.keys("3")
                assert bench.toasts[-1] == "← → choose here; a digit is no choice"
            assert isinstance(bench.screen, BulkScreen)
        assert size(bench) == "33"


async def test_each_field_changed_by_hand_says_what_it_was(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", "tab", "right", "right")
        assert "was 25 % of capital" in bench.text
        await bench.keys("tab", "right", "tab", "right", "tab", "right", "tab", "right")
        assert "was CNC DAY · no drift limit" in bench.text
        assert "was MARKET" in bench.text
        await bench.keys("tab", "tab", "tab", "right")
        assert "was all (50)" in bench.text


async def test_a_reversal_of_another_size_is_an_ordinary_plan_under_an_ordinary_name(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled_run(bench)
        form = await reversal(bench)
        assert "SELL what run 1 filled" in bench.text
        own = form.intent()
        filled = {order.client_id: order.filled_quantity for order in bench.desk.orders.all()}
        assert {line.client_id: line.quantity for line in own.line_changes} == filled
        await bench.keys("2")
        assert form.intent() == own, "a stray digit changes nothing"
        await bench.keys("tab", "2")
        await bench.settle()
        assert "SELL for many clients" in bench.text
        assert "what run 1 filled" not in bench.text
        ordinary = form.intent()
        assert (ordinary.line_changes, ordinary.sizing.value) == ((), 2)
        assert ordinary.selection.title == "2 clients"
        assert set(ordinary.selection.client_ids) == set(filled)
        await bench.keys("enter")
        plan = bench.screen.query_one(PlanView).plan
        assert plan is not None
        assert "reverse" not in bench.text
        assert plan.intent.selection.title == "2 clients"
        await bench.keys("escape")
        assert "reverse" not in bench.text


async def test_a_reversal_whose_size_is_put_back_is_one_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled_run(bench)
        form = await reversal(bench)
        own = form.intent()
        await bench.keys("tab", "2")
        assert form.intent() != own
        await bench.keys("backspace", *str(own.sizing.value))
        assert form.intent() == own
        await bench.keys("enter")
        plan = bench.screen.query_one(PlanView).plan
        assert plan is not None
        assert plan.shares == sum(order.filled_quantity for order in bench.desk.orders.all())
