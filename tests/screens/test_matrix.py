"""Baskets on workspace 5: from the legs over the matrix to the run, what sends, and what never does."""

from pathlib import Path

import pytest

from data.vocabulary import OrderState, PerClient, RunCount, RunStatus, Side, SizingKind
from engine.words.formats import rupees
from screens.bulk.form import BulkForm
from screens.bulk.run_view import RunPanel
from screens.frame.intent_fields import AS_HELD
from screens.matrix.grid import MatrixGrid
from screens.matrix.held import HeldLook
from screens.matrix.leg_row import LegRow
from screens.matrix.screen import MatrixScreen
from tests.desks import buy, carry_out
from tests.further import further
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
    """The plan of legs typed in the command line."""
    bench.app.run_command(f"basket {legs}")
    await bench.settle()


async def typed(bench: PaperBench, *legs: tuple[str, str]) -> None:
    """Legs typed into the form that `e` opens, a symbol and a percentage each."""
    await bench.keys("5", "e")
    for place, (symbol, size) in enumerate(legs):
        if place:
            await bench.keys("plus")
        await bench.type(symbol)
        await bench.keys("enter")
        await bench.type(size)


async def sent(bench: PaperBench) -> int:
    await bench.type("buy 135")
    await bench.pass_time(0.5)
    await bench.keys("enter")
    await bench.pass_time(2)
    return bench.desk.runs.all()[0].number


@pytest.mark.parametrize("size", further([(80, 24), (120, 40), (200, 50)]))
async def test_legs_become_one_plan_client_by_client_and_wait_for_its_answer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened_on_paper(tmp_path, size=size) as bench:
        await typed(bench, ("RELIANCE", "15"), ("TCS", "20"), ("INFY", "25"))
        await bench.pass_time(0.5)
        assert "135 orders for 45 of 50 clients" in bench.text
        for words in ("BASKET · 3 legs", "‹% capital›", "‹all (50)›", "‹ALL OR NONE›"):
            assert words in bench.text, words
        await bench.keys("enter")
        plan = await bench.desk.plans.get(1)
        assert (plan.orders, plan.answer, plan.per_client) == (135, "buy 135", PerClient.ALL)
        assert bench.text.index("PS1015") < bench.text.index("CC0003") < bench.text.index("AM1010")
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
        grid = matrix(bench).query_one(MatrixGrid)
        (cash,) = [column for column in grid.columns if column.title.startswith("cash")]
        assert cash.title == "cash now", "what the plan would have left is past"
        for one in grid.clients.values():
            assert cash.cell(one) == rupees(bench.desk.funds.of(one.client_id).available_paise)
        await bench.keys("enter")
        assert bench.screen.query_one(RunPanel).number == number
        assert "2 legs more" in bench.text
        panel = bench.screen.query_one(RunPanel)
        assert len(panel.grid.shown_keys) == 135 + 3 * 5, "each leg that a client was skipped in"
        assert [column.key for column in panel.grid.columns][2:4] == ["side", "symbol"]
        infy = next(
            key
            for key in panel.grid.shown_keys
            if key[0] == "order" and bench.desk.orders.get(key[1]).key == "NSE:INFY"  # type: ignore[index]
        )
        panel.grid.move_cursor(infy)
        assert panel.here().key == "NSE:INFY", "not the basket's first stock"
        for _ in range(2):
            code = bench.desk.clients.get(bench.desk.orders.get(panel.grid.cursor_key[1]).client_id).code  # type: ignore[index]
            await bench.keys("f7")
            assert f": flatten client {code} mis" in bench.text, "of the line that the cursor is on"
            await bench.keys("escape", "down")


async def test_a_makes_every_short_client_affordable_and_d_drops_one(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await bench.keys("tab", "a")
        await bench.pass_time(0.2)
        assert (await bench.desk.plans.get(2)).orders == 138, "one client more, with all its legs"
        assert isinstance(bench.screen.focused, MatrixGrid)
        await bench.keys("end", "d")
        await bench.pass_time(0.2)
        plan = await bench.desk.plans.get(3)
        assert plan.orders == 135
        assert bench.desk.runs.all() == []
        await bench.keys("b")
        assert in_answer(bench), "letters of an answer are the answer's"


async def test_what_is_wrong_with_a_leg_is_named_at_its_field_and_nothing_is_planned(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await typed(bench, ("RELIANCE", "15"))
        await bench.keys("plus")
        await bench.type("NOPE")
        await bench.keys("enter")
        assert "no instrument" in bench.text or "nearest" in bench.text or "choose" in bench.text
        await bench.keys("tab")
        await bench.keys("enter")
        assert "leg 2 symbol" in bench.text
        assert "2!" in bench.text
        assert field_with_focus(bench) == (2, "symbol")
        await bench.keys("ctrl+u", "tab")
        await bench.keys("tab")
        await bench.keys("delete")
        assert len(bench.card.query(LegRow)) == 1
        await bench.keys("tab", "tab", "tab")
        await bench.type("2400.03")
        assert "leg 1 limit: '2400.03' is not valid; RELIANCE trades in ticks of 0.10" in bench.text
        await bench.keys("enter")
        assert field_with_focus(bench) == (1, "price")
        await bench.keys("ctrl+u")
        await bench.type("2400.1")
        await bench.keys("enter")
        (part,) = (await bench.desk.plans.get(1)).parts
        assert part.intent.limit_paise == 2_400_10
        assert bench.desk.runs.all() == []


def field_with_focus(bench: PaperBench) -> tuple[int, str]:
    rows = list(bench.card.query(LegRow))
    return next((place, row.focused_field) for place, row in enumerate(rows, 1) if row.focused_field)


@pytest.mark.proof
async def test_esc_goes_back_to_the_legs_which_stay_and_a_code_is_no_size(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await bench.keys("escape")
        assert "BASKET · 3 legs" in bench.text
        await bench.keys("escape")
        assert "Matrix stocks" in bench.text
        await bench.keys("e", "plus")
        await bench.type("ITC")
        await bench.keys("enter")
        await bench.type("PS1015")
        await bench.keys("enter")
        assert "leg 4" not in (await bench.desk.plans.get(1)).title
        assert bench.desk.runs.all() == []
        await bench.keys("ctrl+u")
        await bench.type("1")
        bench.card.query_one("#together", ChoiceField).focus()
        await bench.keys("right", "enter")
        plan = await bench.desk.plans.get(2)
        assert (len(plan.parts), plan.per_client) == (4, PerClient.IN_ORDER)


async def test_baskets_are_saved_opened_renamed_and_deleted_on_screen(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await bench.desk.baskets.save("Two", matrix_legs(bench), PerClient.IN_ORDER)
        await typed(bench, ("RELIANCE", "15"))
        await bench.keys("f5", "plus")
        await bench.type("Mine")
        await bench.keys("enter")
        assert [one.name for one in await bench.desk.baskets.all()] == ["Mine", "Two"]
        await bench.keys("home", "e", "ctrl+u")
        await bench.type("Ours")
        await bench.keys("enter")
        assert [one.name for one in await bench.desk.baskets.all()] == ["Ours", "Two"]
        await bench.keys("home", "delete")
        await bench.type("delete")
        await bench.pass_time(0.5)
        await bench.keys("enter")
        assert [one.name for one in await bench.desk.baskets.all()] == ["Two"]
        await bench.keys("escape")
        bench.card.query_one("#saved", ChoiceField).focus()
        await bench.keys("enter")
        await bench.keys("home", "enter")
        assert "BASKET Two · 2 legs" in bench.text
        await bench.keys("enter")
        plan = await bench.desk.plans.get(1)
        assert (plan.per_client, [part.instrument.tradingsymbol for part in plan.parts]) == (
            PerClient.IN_ORDER,
            ["TCS", "INFY"],
        )
        bench.app.run_command("basket save Again")
        await bench.settle()
        assert (await bench.desk.baskets.get("again")).legs == (await bench.desk.baskets.get("Two")).legs


def matrix_legs(bench: PaperBench):
    from engine.planning.entry.leg_words import legs_from_words

    return legs_from_words(["buy", "TCS:1", "INFY:2@1400"], bench.desk.market.index)


async def test_a_reversal_of_a_basket_opens_in_the_matrix_and_never_in_the_form_of_one_symbol(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        number = await sent(bench)
        assert "S reverses it" in bench.text
        await bench.keys("S")
        await bench.pass_time(0.5)
        plan = await bench.desk.plans.get(2)
        assert isinstance(bench.screen, MatrixScreen)
        assert (plan.answer, len(plan.parts)) == ("sell 135", 3)
        assert "type  sell 135" in bench.text
        states = {order.state for order in bench.desk.orders.all()}
        assert states == {OrderState.FILLED}
        bench.app.run_command(f"reverse {number} INFY")
        await bench.settle()
        assert "SELL what run 1 filled" in bench.text
        await bench.until(lambda: "45 orders" in bench.text)  # one leg is one symbol for many clients


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
        await bench.keys("escape")
        assert "weight of the portfolio" in bench.text
        await bench.keys("comma")
        assert "─ shares ·" in bench.text
        grid = matrix(bench).query_one(MatrixGrid)
        while grid.look is not HeldLook.NET:
            await bench.keys("comma")
        client = bench.client("AM1010")
        held = bench.desk.holdings.of(client)
        net = sum(bench.desk.valuation.together([one]).net_day_pnl_paise or 0 for one in held)
        assert net == bench.desk.valuation.client(client).net_day_pnl_paise < 0, "charges are taken off"
        await bench.keys("comma")
        assert grid.look is HeldLook.DRIFT
        assert "no target is set" in bench.text
        await bench.keys("comma")
        assert "6/6" in bench.text
        await bench.keys("tab")
        assert "Matrix sectors" in bench.text
        index = bench.desk.market.index
        sectors = {one.sector for name in ("RELIANCE", "TCS") if (one := index.get(f"NSE:{name}"))}
        assert {column.title for column in grid.columns} >= sectors


@pytest.mark.proof
async def test_capitals_take_a_column_a_block_or_rows_into_a_form(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        await sent(bench)
        await bench.keys("escape", "home", "S")
        rows = [row.typed for row in bench.card.query(LegRow)]
        assert [(one.side, one.value, one.product) for one in rows] == [(Side.SELL, "100", AS_HELD)] * 3
        assert "1 MARKED of 50" in bench.text
        await bench.keys("escape", "space", "down", "space", "right", "B")
        form = bench.screen.query_one(BulkForm)
        assert (form.side, len(form.marked)) == (Side.BUY, 2)
        assert form.key == "NSE:RELIANCE" or form.key.startswith("NSE:")
        await bench.keys("5", "tab", "right", "S")
        assert len(bench.card.query(LegRow)) >= 1
        assert "2 MARKED of 50" in bench.text


@pytest.mark.proof
async def test_runs_of_several_legs_are_turned_through_by_braces(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await planned(bench)
        number = await sent(bench)
        await bench.keys("escape", "left_curly_bracket")
        assert f"run {number} finished" in bench.text
        assert "45/45" in bench.text
        await bench.keys("r")
        repair = await bench.desk.plans.get(2)
        assert repair.title.startswith(f"repair of run {number}")
        assert len(repair.parts) == 3
        assert "PS1015" in bench.text
        assert "AM1010" not in bench.text


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
    monkeypatch.setattr(MatrixGrid, "show_held", lambda grid: times.append(grid) or show(grid))
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("5")
        assert len(times) == 1


async def test_an_order_elsewhere_leaves_the_columns_where_they_were_panned_to(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        client = bench.client("RG1008")
        for symbol in ("RELIANCE", "TCS", "INFY", "ITC", "SBIN", "WIPRO"):
            await carry_out(bench.desk, buy(symbol, SizingKind.FIXED_QUANTITY, 1, client))
        await bench.keys("5", *["right"] * 6)
        panned = next(line for line in bench.lines() if "client" in line)
        await bench.rest_orders("AM1042")
        await bench.pass_time(2)
        assert panned in bench.lines()
