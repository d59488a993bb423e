"""Figures typed into forms: whole lots, and commas that group; all else is named and nothing is sent."""

from pathlib import Path

import pytest

from data.records import replace
from data.vocabulary import SizingKind
from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.orders.modify import ModifyCard
from screens.ticket.card import TicketCard
from tests.desks import buy, carry_out
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.brokers.paper_prices import take_instruments
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField

LOT = 5


async def in_lots(bench: PaperBench) -> None:
    """Have RELIANCE trade in lots."""
    whole = bench.desk.market.index.get("NSE:RELIANCE")
    assert whole is not None
    await take_instruments(bench.desk, [replace(whole, lot_size=LOT)], "test")


def shown(bench: PaperBench) -> str:
    return " ".join(bench.text.split())


async def test_a_ticket_takes_whole_lots_and_no_decimal_comma(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await in_lots(bench)
        bench.screen.query_one("#clients", LiveGrid).move_cursor(bench.client("AM1042"))
        await bench.keys("b", "enter")
        assert isinstance(bench.card, TicketCard)
        for typed, complaint in (("12", "lots of 5: give 10 or 15"), ("1,0", "a comma groups")):
            bench.screen.query_one("#quantity", NumberField).value = ""
            await bench.type(typed)
            await bench.keys("enter")
            assert complaint in shown(bench)
            assert isinstance(bench.card, TicketCard), "there is no review of what cannot be sent"
        assert bench.desk.runs.all() == []


async def test_a_line_typed_by_hand_takes_whole_lots_and_no_decimal_comma(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await in_lots(bench)
        await bench.keys("B")
        await bench.keys("enter")
        view = bench.screen.query_one(PlanView)
        before = view.plan
        assert before is not None
        await bench.keys("tab")
        view.grid.move_cursor((bench.client("AM1042"), "CNC"))
        await bench.keys("e")
        await bench.keys("1", ",", "0", "enter")
        assert "a comma groups" in bench.toasts[-1]
        assert view.query_one("#edit-quantity", NumberField).has_focus, "what was typed can be mended"
        await bench.keys("backspace", "backspace", "2", "enter")
        assert "lots of 5: give 10 or 15" in bench.toasts[-1]
        assert view.plan is before


async def test_the_bulk_form_takes_whole_lots_and_no_decimal_comma(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await in_lots(bench)
        await bench.keys("B")
        form, size = (bench.screen.query_one(kind) for kind in (BulkForm, "#value"))
        size.value = "2,5"
        await bench.keys("enter")
        assert "decimals take a point" in bench.toasts[-1]
        form.fill(buy("RELIANCE", SizingKind.FIXED_QUANTITY, LOT))
        for typed, complaint in (("12", "lots of 5: give 10 or 15"), ("1,0", "a comma groups")):
            size.value = typed
            await bench.keys("enter")
            assert complaint in bench.toasts[-1]
        assert bench.screen.query_one(PlanView).plan is None


@pytest.mark.proof
async def test_a_modify_takes_whole_lots_and_no_decimal_comma(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await in_lots(bench)
        client = bench.client("AM1042")
        sized = buy("RELIANCE", SizingKind.FIXED_QUANTITY, LOT, client, limit_paise=2_300_00)
        await carry_out(bench.desk, sized)
        (order,) = bench.desk.orders.all()
        bench.screen.open_card(ModifyCard(order.id))
        await bench.settle()
        for typed, complaint in (("12", "lots of 5: give 10 or 15"), ("1,0", "a comma groups")):
            bench.screen.query_one("#modify-quantity", NumberField).value = typed
            bench.screen.query_one("#modify-quantity", NumberField).focus()
            await bench.keys("enter")
            assert complaint in shown(bench)
            assert isinstance(bench.card, ModifyCard)
        assert bench.desk.orders.get(order.id).quantity == LOT
