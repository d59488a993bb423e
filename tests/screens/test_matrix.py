"""Baskets on workspace 5: from the legs over the matrix to the run, what sends, and what never does."""

from pathlib import Path

import pytest

from data.vocabulary import OrderState, PerClient, RunCount, RunStatus, SizingKind
from screens.bulk.run_view import RunPanel
from screens.matrix.grid import MatrixGrid
from screens.matrix.legs_form import LegsForm
from screens.matrix.screen import MatrixScreen
from tests.desks import buy, carry_out
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.settings import Settings
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField

LEGS = "buy RELIANCE:15% TCS:20% INFY:25%"


def matrix(bench: PaperBench) -> MatrixScreen:
    assert isinstance(bench.screen, MatrixScreen)
    return bench.screen


def in_answer(bench: PaperBench) -> bool:
    return matrix(bench).query_one(AnswerField) in bench.screen.focused.ancestors


async def planned(bench: PaperBench, legs: str = LEGS) -> None:
    await bench.keys("5")
    await bench.keys("tab")
    await bench.type(legs)
    await bench.keys("enter")


async def sent(bench: PaperBench) -> int:
    await bench.type("buy 135")
    await bench.pass_time(0.5)
    await bench.keys("enter")
    await bench.pass_time(2)
    return bench.desk.runs.all()[0].number


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_legs_become_one_plan_client_by_client_and_wait_for_its_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        await planned(bench)
        plan = await bench.desk.plans.get(1)
        assert (plan.orders, plan.answer, plan.per_client) == (135, "buy 135", PerClient.ALL)
        shown = [line.split()[0].lstrip("▸") for line in bench.lines() if line.strip()]
        assert shown.index("PS1015") < shown.index("CC0003") < shown.index("AM1010")
        for words in ("RELIANCE 15 %", "TCS 20 %", "INFY 25 %", "type  buy 135", "· a 5", "session"):
            assert words in bench.text, words
        assert in_answer(bench)
        assert bench.desk.runs.all() == []


async def test_only_the_words_of_the_plan_send_it_and_cells_say_how_they_fill(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await bench.type("buy 134")
        await bench.pass_time(0.5)
        await bench.keys("enter")
        assert bench.desk.runs.all() == []
        number = await sent(bench)
        run = bench.desk.runs.get(number)
        assert (run.status, run.counts[RunCount.FILLED]) == (RunStatus.FINISHED, 135)
        assert "filled 135/135 in all · RELIANCE 45/45 · TCS 45/45 · INFY 45/45" in bench.text
        assert "6/6" in bench.text
        await bench.keys("enter")
        assert bench.screen.query_one(RunPanel).number == number
        assert "2 legs more" in bench.text


async def test_a_makes_every_short_client_affordable_and_d_drops_one(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await bench.keys("shift+tab", "a")
        await bench.pass_time(0.2)
        assert (await bench.desk.plans.get(2)).orders == 140
        assert isinstance(bench.screen.focused, MatrixGrid)
        await bench.keys("home", "d")
        await bench.pass_time(0.2)
        plan = await bench.desk.plans.get(3)
        assert plan.orders < 140
        assert bench.desk.runs.all() == []
        await bench.keys("b")
        assert in_answer(bench), "letters of an answer are the answer's"


async def test_what_is_wrong_with_legs_is_named_and_nothing_is_planned(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench, "buy RELIANCE:15% NOPE:3")
        assert "'NOPE' is not valid" in bench.text
        assert isinstance(bench.screen.focused.parent.parent, LegsForm)
        await bench.keys("ctrl+u")
        await bench.type("RELIANCE:15%")
        await bench.keys("enter")
        assert "give buy or sell first" in bench.text


async def test_editing_the_legs_takes_the_plan_away(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await bench.keys("escape")
        assert "what is held" in bench.text
        await bench.type(" ITC:1%")
        await bench.keys("enter")
        assert len((await bench.desk.plans.get(2)).parts) == 4
        matrix(bench).query_one("#together", ChoiceField).focus()
        await bench.keys("right")
        assert "what is held" in bench.text
        await bench.keys("enter")
        assert (await bench.desk.plans.get(3)).per_client is PerClient.IN_ORDER


async def test_a_saved_basket_fills_the_legs(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        legs = matrix_legs(bench)
        await bench.desk.baskets.save("Two", legs, PerClient.IN_ORDER)
        await bench.keys("5")
        matrix(bench).query_one("#saved", ChoiceField).focus()
        await bench.keys("right", "enter")
        plan = await bench.desk.plans.get(1)
        assert (plan.per_client, [part.instrument.tradingsymbol for part in plan.parts]) == (
            PerClient.IN_ORDER,
            ["TCS", "INFY"],
        )


def matrix_legs(bench: PaperBench):
    from engine.planning.leg_words import legs_from_words

    return legs_from_words(["buy", "TCS:1", "INFY:2@1400"], bench.desk.market.index)


async def test_a_reversal_of_a_basket_opens_in_the_matrix_and_never_in_the_form_of_one_symbol(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        number = await sent(bench)
        bench.app.run_command(f"reverse {number}")
        await bench.pass_time(0.5)
        plan = await bench.desk.plans.get(2)
        assert isinstance(bench.screen, MatrixScreen)
        assert (plan.answer, len(plan.parts)) == ("sell 135", 3)
        assert "type  sell 135" in bench.text
        states = {order.state for order in bench.desk.orders.all()}
        assert states == {OrderState.FILLED}


async def test_privacy_hides_names_and_amounts(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        assert "Priya Sharma" in bench.text
        await bench.keys("ctrl+o")
        await bench.pass_time(0.2)
        assert "Priya Sharma" not in bench.text
        assert "48,1" not in bench.text


async def test_the_cells_of_what_is_held_turn(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await sent(bench)
        await bench.keys("escape", "escape")
        assert "weight of the portfolio" in bench.text
        await bench.keys("comma")
        assert "what is held: shares" in bench.text


async def test_what_is_held_follows_its_prices_and_looks_old_where_they_are(tmp_path: Path) -> None:
    settings = Settings(trader="tester", price_age_limit_s=20)
    async with opened_on_paper(tmp_path, settings=settings) as bench:
        client = bench.client("RG1008")
        await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, client))
        await bench.keys("5", "comma", "comma")
        assert "4,901" in bench.row("RG1008")
        await bench.pin("RELIANCE", 250000)
        assert "5,000" in bench.row("RG1008")
        grid = matrix(bench).query_one(MatrixGrid)
        column = next(one for one in grid.columns if one.title == "RELIANCE")
        (row,) = grid.as_table.rows
        assert column.style is not None
        assert column.style(row) is None
        await bench.desk.market.follow(set(), "nobody")
        bench.clock.shift(25)
        assert column.style(row) == "stale"


async def test_what_is_held_is_worked_out_once_as_the_workspace_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[object] = []
    show = MatrixGrid.show_held
    monkeypatch.setattr(MatrixGrid, "show_held", lambda grid, desk: times.append(grid) or show(grid, desk))
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("5")
        assert len(times) == 1


async def test_an_order_elsewhere_leaves_the_columns_where_they_were_panned_to(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        client = bench.client("RG1008")
        for symbol in ("RELIANCE", "TCS", "INFY", "ITC", "SBIN", "WIPRO"):
            await carry_out(bench.desk, buy(symbol, SizingKind.FIXED_QUANTITY, 1, client))
        await bench.keys("5", "right")
        panned = bench.lines()[5]
        await bench.rest_orders("AM1042")
        await bench.settle()
        assert bench.lines()[5] == panned
