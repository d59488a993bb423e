"""Keys that come in one piece, as over a slow line, do what the same keys do when typed by hand."""

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from engine.planning.intent import Intent
from screens.bulk.plan_view import PlanView
from screens.bulk.screen import BulkScreen
from screens.clients.page import ClientScreen
from screens.ticket.card import TicketCard
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.numberfield import NumberField

BY_HAND, IN_ONE_PIECE = 0.2, 0.01


def further(keys: str, quantities: list[int]) -> Any:
    """More of the same, each with two apps of its own."""
    return pytest.param(keys, quantities, marks=pytest.mark.proof)


def planned(bench: PaperBench) -> Intent | None:
    assert isinstance(bench.screen, BulkScreen)
    plan = bench.screen.query_one(PlanView).plan
    return plan.intent if plan else None


async def typed(home: Path, keys: list[str], apart: float) -> tuple[Intent | None, str]:
    """The plan and the form's size after these keys."""
    async with opened_on_paper(home) as bench:
        if apart is BY_HAND:
            for key in keys:
                await bench.keys(key)
        else:
            await bench.keys(*keys, apart=apart)
        return planned(bench), bench.screen.query_one("#value", NumberField).value


@pytest.mark.parametrize(
    ("keys", "quantities"),
    [
        ("B tab 5 0 enter", []),
        further("2 I N F Y enter tab right enter", []),
        further("B enter tab end e 3 enter end e 4 enter", [4]),
        further("B tab 5 enter tab end d", [0]),
        further("B enter escape tab 7 enter", []),
    ],
)
async def test_keys_in_one_piece_plan_what_they_plan_by_hand(
    tmp_path: Path, keys: str, quantities: list[int]
) -> None:
    slow, size = await typed(tmp_path / "slow", keys.split(), BY_HAND)
    fast, fast_size = await typed(tmp_path / "fast", keys.split(), IN_ONE_PIECE)
    assert slow is not None
    assert [change.quantity for change in slow.line_changes] == quantities
    assert (fast, fast_size) == (slow, size)


async def test_enter_behind_digits_that_a_choice_refused_plans_nothing(tmp_path: Path) -> None:
    for apart in (BY_HAND, IN_ONE_PIECE):
        async with opened_on_paper(tmp_path / str(apart)) as bench:
            await bench.keys("B", "tab", "tab", "5", "0", "enter", apart=apart)
            assert planned(bench) is None
            assert bench.toasts[-1] == "50 was not taken: ← → choose here; Enter again goes on without it"
            bench.at += 1
            await bench.keys("enter", apart=apart)
            assert planned(bench) is not None


async def test_keys_behind_a_ticket_s_enter_are_not_typed_into_the_ticket(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("b", "enter", "2", "enter", "9", "y", apart=IN_ONE_PIECE)
        assert not isinstance(bench.card, TicketCard)
        await bench.keys("escape")
        assert isinstance(bench.card, TicketCard)
        assert bench.screen.query_one("#quantity", NumberField).value == "2"
        assert not bench.desk.orders.all()


async def test_typed_words_behind_the_enter_that_plans_send_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "enter", *"buy", "space", "4", "5", "enter", apart=IN_ONE_PIECE)
        assert planned(bench) is not None
        assert not bench.desk.runs.all()


async def test_a_held_enter_that_plans_counts_once(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "enter", "enter", "enter", "tab", "end", "enter", apart=IN_ONE_PIECE)
        assert isinstance(bench.screen, ClientScreen), "only the one behind Tab opens the row"


async def test_keys_wait_two_seconds_for_the_desk_and_are_then_dropped_and_said(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B")
        bench.app.hold_keys()
        await bench.pilot.pause()
        bench.app.post_message(Key("tab", None))
        for _ in range(12):
            await bench.pilot.pause()
            bench.app.frame()
        assert bench.toasts[-1].startswith("keys typed ahead were dropped")
        await bench.keys("tab", "6", "enter")
        intent = planned(bench)
        assert intent is not None
        assert intent.sizing.value == 600
