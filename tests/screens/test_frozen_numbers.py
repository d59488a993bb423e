"""Letters in the number fields of the forms: no quantity is made of them, and no form goes on with them."""

from pathlib import Path

import pytest

from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.bulk.screen import BulkScreen
from screens.frame.cards.confirm import YesCard
from screens.orders.modify import ModifyCard
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.numberfield import NumberField


def refused(bench: PaperBench, text: str) -> bool:
    """Whether the field shows what was typed, and the trader was told why it does not do."""
    told = f" {text} is no number: ctrl+u empties the field"
    return f"✗{text}" in bench.text and bench.toasts[-1].endswith(told)


async def ticket(bench: PaperBench) -> NumberField:
    """The ticket of the rows under the cursors, in the quantity."""
    await bench.keys("b", "enter")
    field = bench.screen.query_one("#quantity", NumberField)
    assert field.has_focus
    return field


@pytest.mark.proof
async def test_a_client_code_typed_into_the_ticket_s_quantity_is_no_quantity(tmp_path: Path) -> None:
    for code in ("PS1015", "ps1015", "am1042"):
        async with opened_on_paper(tmp_path / code) as bench:
            field = await ticket(bench)
            await bench.keys(*code, "enter")
            assert isinstance(bench.card, TicketCard)
            assert refused(bench, code)
            await bench.keys("tab", "enter")
            assert isinstance(bench.card, TicketCard), "no field of the form goes on"
            await bench.keys("shift+tab", "ctrl+u", "2", "enter")
            assert isinstance(bench.card, ReviewCard)
            assert field.value == "2"


async def test_letters_in_the_price_keep_a_market_ticket_back(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await ticket(bench)
        await bench.keys("2", "tab", "tab", "tab", *"PS1015")
        await bench.keys("tab", "enter")
        assert isinstance(bench.card, TicketCard)
        assert "✗PS1015" in bench.text


async def test_a_limit_far_through_the_market_is_told_where_it_is_reviewed_or_changed(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await ticket(bench)
        await bench.keys("2", "tab", "tab", "tab", *"2600", "enter")
        assert isinstance(bench.card, ReviewCard)
        assert "6.1 % above the market: trades at once" in " ".join(bench.text.split())
        await bench.keys("escape", "escape")
        (order,) = await bench.rest_orders("AM1042")
        bench.screen.open_card(ModifyCard(order))
        await bench.settle()
        await bench.keys("ctrl+u", *"2600")
        await bench.pass_time(0.5)
        assert "4.0 % above the market: trades at once" in bench.text
        bench.card.close()
        await bench.keys("B", "tab", "1")
        bench.screen.query_one("#price", NumberField).focus()
        await bench.keys(*"2600", "enter")
        assert bench.screen.query_one(PlanView).plan is not None
        assert "6.1 % above the market: trades at once" in bench.text


async def test_the_ticket_s_own_letters_still_do_their_work_in_a_quantity(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        field = await ticket(bench)
        await bench.keys(*"99999")
        await bench.pass_time(0.5)
        await bench.keys("a")
        assert 0 < int(field.value) < 99999
        await bench.keys("x")
        assert field.frozen
        await bench.keys("ctrl+u", *"99999")
        await bench.pass_time(0.5)
        await bench.keys("m")
        assert "‹MTF›" in bench.text


async def test_a_letter_in_the_bulk_size_neither_sizes_nor_leaves_the_form(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", *"S1015", "enter")
        assert isinstance(bench.screen, BulkScreen)
        assert "BUY" in bench.text
        assert refused(bench, "S1015")
        await bench.keys("tab", "enter")
        assert bench.screen.query_one(PlanView).plan is None
        await bench.keys("shift+tab", "ctrl+u", "5", "0", "enter")
        plan = bench.screen.query_one(PlanView).plan
        assert plan is not None
        assert plan.intent.sizing.value == 5_000


async def test_another_base_of_the_size_does_not_thaw_letters(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", *"12k", "tab", "right", "enter")
        assert bench.screen.query_one(BulkForm).is_on_screen
        assert bench.screen.query_one(PlanView).plan is None


async def test_letters_in_a_line_s_quantity_leave_the_line_as_it_is(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "enter")
        await bench.keys("tab", "end", "e", *"AM1042", "enter")
        first = bench.screen.query_one(PlanView).plan
        assert first is not None
        assert refused(bench, "AM1042")
        assert first.intent.line_changes == ()
        await bench.keys("ctrl+u", "1", "enter")
        changed = bench.screen.query_one(PlanView).plan
        assert changed is not None
        assert [change.quantity for change in changed.intent.line_changes] == [1]


async def test_letters_in_a_modification_ask_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        (order,) = await bench.rest_orders("AM1042")
        bench.screen.open_card(ModifyCard(order))
        await bench.settle()
        await bench.keys(*"PS2310", "enter")
        assert isinstance(bench.card, ModifyCard)
        assert refused(bench, "PS2310")
        await bench.keys("tab", "enter")
        assert isinstance(bench.card, ModifyCard)
        await bench.keys("shift+tab", "ctrl+u", *"2310", "enter")
        assert isinstance(bench.card, YesCard)
