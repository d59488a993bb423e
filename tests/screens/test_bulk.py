"""From B over the frozen plan to the run: what sends, what never does, and how lines are mended by hand."""

from pathlib import Path
from unittest.mock import patch

import pytest
from textual.widgets import Static

from data.vocabulary import Product, RunCount, RunStatus, Side, SizingKind
from engine.accounts.client_edit import ClientEdit
from engine.planning.plan import Plan
from screens.bulk.form import BulkForm
from screens.bulk.plan_view import PlanView
from screens.bulk.run_stop import StopCard
from screens.bulk.run_view import RunPanel
from screens.bulk.run_words import bar, counts_line
from screens.bulk.screen import BulkScreen
from screens.desk.screen import DeskScreen
from tests.desks import buy, carry_out
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.testing import seam
from widgets.answerfield import AnswerField
from widgets.choicefield import ChoiceField
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField


def plan_view(bench: PaperBench) -> PlanView:
    return bench.screen.query_one(PlanView)


def planned(view: PlanView) -> Plan:
    assert view.plan is not None
    return view.plan


def run_view(bench: PaperBench) -> RunPanel:
    return bench.screen.query_one(RunPanel)


def in_answer(bench: PaperBench) -> bool:
    return plan_view(bench).query_one(AnswerField) in bench.screen.focused.ancestors


async def to_plan(bench: PaperBench) -> None:
    await bench.keys("B")
    await bench.keys("enter")


async def test_enter_freezes_the_plan_problems_first_and_waits_for_the_answer(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.number == 1
        assert await bench.desk.plans.get(1) == plan
        assert (plan.orders, len(plan.skipped_lines)) == (45, 5)
        shown = [line.lstrip("│▸ ").partition(" ")[0] for line in bench.lines()]
        assert shown.index("PS1015") < shown.index("CC0003") < shown.index("AM1042")
        assert "short 77,63" in bench.text
        assert "a 19 sh · m 39 MTF · 20 before charges" in bench.text
        assert "45 ok · 5 skipped" in bench.text
        assert in_answer(bench)
        assert "Tab lines" in bench.lines()[-1], "the keys of the lines work there alone"
        await bench.keys("tab")
        assert "Tab lines" not in bench.lines()[-1]
        assert bench.desk.runs.all() == []


async def test_the_words_in_any_letter_case_send_the_plan_once(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("BuY 45")
        await bench.keys("enter", "enter", "enter")
        runs = bench.desk.runs.all()
        assert [(run.plan_number, run.counts[RunCount.FILLED]) for run in runs] == [(1, 45)]
        assert "45 filled" in bench.text
        assert "rounding leaves ₹37,00" in bench.text
        assert run_view(bench).number == 1


async def test_enter_alone_and_other_words_send_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B")
        await bench.keys("enter", "enter", "enter")
        for words in ("buy 44", "sell 45", "45", "yes", "buy45"):
            await bench.type(words)
            await bench.keys("enter")
            assert bench.toasts[-1] == "that was not “buy 45”: nothing has been sent"
            assert plan_view(bench).query_one(AnswerField).text == ""
        assert bench.desk.runs.all() == []
        assert bench.desk.orders.all() == []
        await bench.type("b")
        assert bench.toasts == [], "a refusal goes once something else is typed"


async def test_a_refused_size_is_told_until_it_is_another(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", *"1000", "enter")
        assert "give more than 0 and at most 100" in bench.toasts[-1]
        await bench.keys("enter", apart=0.03)
        assert bench.toasts, "a held Enter reads nothing away"
        await bench.keys("2")
        assert bench.toasts == []


async def test_a_moved_price_makes_the_plan_anew_and_empties_the_answer(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 45")
        await bench.pin("RELIANCE", 247050)
        plan = plan_view(bench).plan
        assert plan is not None
        assert (plan.number, plan.last_paise) == (2, 247050)
        assert plan_view(bench).query_one(AnswerField).text == ""
        assert "plan 2 replaces 1, the price moved +0.82 %: LTP 2,450.50 → 2,470.50" in bench.text
        await bench.keys("enter")
        assert bench.desk.runs.all() == []


@pytest.mark.proof
async def test_without_a_price_limit_a_plan_stays_as_it_is_and_says_so(tmp_path: Path) -> None:
    for size in ((80, 24), (120, 40)):
        async with opened_on_paper(tmp_path / str(size[0]), size=size) as bench:
            await bench.keys("B", "tab", "tab", "tab", "tab", "tab")
            await bench.type("NONE")
            assert "drift  ‹NONE›  no drift limit" in bench.text
            assert "no drift limit" in bench.text
            await bench.keys("enter")
            plan = plan_view(bench).plan
            assert plan is not None
            assert (plan.number, plan.drift_limit_bps) == (1, None)
            assert "no drift limit" in bench.text
            await bench.pin("RELIANCE", 247050)
            assert plan_view(bench).plan is plan, "the price moved 0.82 %"
            await bench.type("buy 45")
            await bench.keys("enter")
            assert [run.counts[RunCount.FILLED] for run in bench.desk.runs.all()] == [45]


@pytest.mark.proof
async def test_an_old_plan_is_made_anew_a_few_times_and_then_waits(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 4")
        await bench.pass_time(61)
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.number == 2
        assert plan_view(bench).query_one(AnswerField).text == ""
        assert "it was too old: no figure changed" in bench.text
        for _ in range(12):
            await bench.pass_time(61)
        waiting = plan_view(bench).plan
        assert waiting is not None
        assert waiting.number is not None
        assert waiting.number <= 8, "nobody looks at it, so plans do not pile up"
        assert "too old to send" in bench.text
        await bench.type("b")
        await bench.settle()
        assert plan_view(bench).plan is not waiting
        assert bench.desk.runs.all() == []


async def test_the_live_price_stands_beside_the_frozen_one(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.pin("RELIANCE", 245450)
        assert "LTP 2,454.50" in bench.text
        assert "+0.16 %" in bench.text
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.number == 1, "within the limit the plan stays"


@pytest.mark.proof
async def test_a_long_wish_is_said_in_brief_before_the_price_is_cut(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        assert "MARKET up to 2,499.60 (2 %) │ clients all (50)   LTP 2,450.50" in bench.text
        await bench.type("buy 45")
        await bench.keys("enter")
        await bench.keys("escape", "escape", "S")
        await bench.settle()  # the frame after what is read beside the form
        assert "down to 2,401.40 (2 %) · @ last price" in bench.text
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.intent.side is Side.SELL
        await bench.pin("RELIANCE", 245450)
        assert "│ as held │ MKT ≥2,401.40 │ holders (45)   LTP 2,454.50 0.0s +0.16 %" in bench.text


async def test_marks_narrow_only_where_the_screen_says_so(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("space", "j", "space")
        await bench.keys("B")
        assert "2 MARKED of 50" in bench.text
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert len(plan.lines) == 2
        assert bench.text.count("2 MARKED of 50") == 2, "in the intent and beside the answer"
        await bench.keys("escape")
        choice = bench.screen.query_one("#clients", ChoiceField)
        assert choice.value == "2 MARKED of 50"


async def test_a_group_or_a_filter_on_the_desk_narrows_the_form_and_says_so(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("right_curly_bracket")
        shown = sorted(key for key in bench.screen.query_one("#clients", LiveGrid).shown_keys)
        assert 0 < len(shown) < 50
        words = f"the {len(shown)} shown of 50"
        await bench.keys("B")
        choice = bench.screen.query_one("#clients", ChoiceField)
        assert choice.value == words
        assert "all (50)" in choice.options
        await bench.keys("S", "B")
        assert choice.value == words, "carried on within the form"
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert sorted(line.client_id for line in plan.lines) == shown
        assert bench.text.count(words) == 2, "in the intent and beside the answer"


async def test_marks_stand_before_what_is_shown_and_an_empty_view_opens_no_form(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("f", *"nobody of this name", "enter", "B")
        assert isinstance(bench.screen, DeskScreen)
        assert any("no client is shown" in toast for toast in bench.toasts)
        await bench.keys("escape", "space", "f", *"mehta", "enter", "B")
        assert bench.screen.query_one("#clients", ChoiceField).value == "1 MARKED of 50"


async def test_a_mends_a_whole_reason_and_d_takes_it_back(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.keys("tab")
        await bench.keys("a")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer == "buy 47"
        by_hand = {line.code: line.quantity for line in plan.lines if line.by_hand}
        assert by_hand == {"PS1015": 19, "SK0031": 3}
        assert "plan 2 · 2 lines changed by hand" in bench.text
        assert (await bench.desk.plans.get(plan.number or 0)).intent.line_changes == plan.intent.line_changes
        plan_view(bench).grid.move_cursor((bench.client("PS1015"), "CNC"))
        await bench.keys("d")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer == "buy 46"
        assert [line.code for line in plan.skipped_lines if line.by_hand] == []


async def test_m_d_and_e_change_one_line_and_keep_the_others(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.keys("tab")
        grid = plan_view(bench).grid
        grid.move_cursor((bench.client("PS1015"), "CNC"))
        await bench.keys("m")
        line = _line(bench, "PS1015")
        assert (line.product, line.quantity, line.ok) == (Product.MTF, 39, True)
        grid.move_cursor((bench.client("AM1042"), "CNC"))
        await bench.keys("d")
        assert not _line(bench, "AM1042").ok
        assert "dropped by hand" in bench.text
        grid.move_cursor((bench.client("AM1042"), "CNC"))
        await bench.keys("d")
        assert _line(bench, "AM1042").quantity == 11
        grid.move_cursor((bench.client("AM1042"), "CNC"))
        await bench.keys("e")
        assert isinstance(bench.screen.focused, NumberField)
        await bench.keys("7", "enter")
        assert _line(bench, "AM1042").quantity == 7
        assert _line(bench, "PS1015").product is Product.MTF, "earlier changes stay"
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer == "buy 46"
        assert bench.desk.runs.all() == []


def _line(bench: PaperBench, code: str):
    plan = plan_view(bench).plan
    assert plan is not None
    return next(line for line in plan.lines if line.code == code)


async def test_a_fresh_form_is_as_documented_and_shows_no_figure_of_the_other_side(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B")
        await bench.keys("tab", "1", "0", "at", "enter")
        assert plan_view(bench).plan is not None
        await bench.keys("escape")
        assert "at the price now" in bench.text
        form = bench.screen.query_one(BulkForm)
        form.begin(Side.SELL, form.key, ())
        assert bench.screen.query_one("#preview", Static).visual.plain == "", "before the next look"  # type: ignore[attr-defined]
        await bench.settle()
        assert bench.screen.query_one("#value", NumberField).value == "100"
        assert bench.screen.query_one("#kind", ChoiceField).value == "% of position"
        assert bench.screen.query_one("#product", ChoiceField).value == "as held"
        await bench.keys("B")
        shown = {
            name: bench.screen.query_one(f"#{name}", ChoiceField).value
            for name in ("kind", "type", "product")
        }
        assert shown == {"kind": "% of capital", "type": "MARKET", "product": "CNC"}
        assert bench.screen.query_one("#value", NumberField).value == "25"
        assert bench.screen.query_one("#price", NumberField).value == ""


async def test_marks_are_carried_on_when_the_form_is_begun_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        clients.set_marks([bench.client("CB0002"), bench.client("CC0003")])
        await bench.keys("B")
        await bench.keys("S")
        await bench.keys("B")
        choice = bench.screen.query_one("#clients", ChoiceField)
        assert choice.value == "2 MARKED of 50"
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert (plan.orders, len(plan.lines)) == (0, 2)
        await bench.keys("escape")
        assert choice.value == "2 MARKED of 50"
        await bench.keys("B")
        assert choice.value == "2 MARKED of 50", "after a plan with nothing to send as well"
        await bench.keys("escape")
        assert isinstance(bench.screen, DeskScreen)


async def test_words_typed_on_a_plan_are_its_answer_and_never_commands(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        clients.set_marks([bench.client("CB0002"), bench.client("CC0003")])
        await to_plan(bench)
        assert bench.screen.focused is plan_view(bench).grid, "no line can be sent, so the lines come first"
        await bench.type("buy 0")
        assert isinstance(bench.screen, BulkScreen)
        assert plan_view(bench).query_one(AnswerField).text == ""
        assert set(bench.toasts) == {"nothing to send: no line of plan 1 can go"}
        await bench.keys("tab")
        assert bench.screen.focused is plan_view(bench).grid, "Tab leads into no line that takes no answer"
        await bench.keys("escape", "escape", "b")
        assert bench.screen.query_one("#quantity", NumberField).value == "", "no draft was left behind"


async def test_an_answer_typed_in_the_lines_is_taken_up_whole(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.keys("tab")
        assert "b s order" not in bench.lines()[-1]
        await bench.type("buy 45")
        await bench.keys("enter")
        assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 45


async def test_each_plan_starts_at_its_top_and_a_key_without_use_says_why(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.keys("tab", "end", "a")
        last = plan_view(bench).line
        assert last is not None
        assert bench.toasts[-1] == f"a: {last.code}: ok as it is; no smaller quantity would help"
        await bench.keys("escape", "enter")
        grid = plan_view(bench).grid
        assert grid.cursor_key == grid.shown_keys[0]
        await bench.keys("tab", "d")
        assert bench.toasts[-1] == "d and e work on one client's line"
        await bench.keys("a")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer == "buy 47"


async def test_the_same_again_within_a_minute_is_left_out_until_a_capital_a_insists(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        bench.screen.query_one("#clients", LiveGrid).set_marks(
            [bench.client("AM1042"), bench.client("RV1012")]
        )
        await bench.keys("B")
        await bench.keys("tab", "1", "0", "enter")
        await bench.type("buy 2")
        await bench.keys("enter")
        assert "A again" not in bench.lines()[-1]
        await bench.keys("full_stop")
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.orders == 0
        assert "same just sent · A again" in bench.text
        assert "A again" in bench.lines()[-1]
        await bench.keys("A")
        plan = plan_view(bench).plan
        assert plan is not None
        assert (plan.answer, plan.intent.again) == ("buy 2", True)
        assert "A again" not in bench.lines()[-1]


async def test_the_same_sent_elsewhere_while_the_plan_stood_makes_it_anew_with_a_to_insist(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        bench.screen.query_one("#clients", LiveGrid).set_marks([bench.client("AM1042")])
        await bench.keys("B")
        await bench.keys("tab", "1", "0", "enter")
        shown = plan_view(bench).plan
        assert shown is not None
        elsewhere = await bench.desk.plans.freeze(shown.intent)
        await bench.desk.runs.start(elsewhere, elsewhere.digest)
        await bench.type("buy 1")
        await bench.keys("enter")
        assert len(bench.desk.runs.all()) == 1
        assert "run 1 sent the same" in bench.toasts[-1]
        fresh = plan_view(bench).plan
        assert fresh is not None
        assert (fresh.orders, fresh.number) == (0, 3)
        assert "same just sent · A again" in bench.text


async def test_enter_on_a_client_without_a_session_signs_it_in_and_plans_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.keys("tab")
        view, deepa = plan_view(bench), bench.client("DR0044")
        line = next(one for one in planned(view).lines if one.client_id == deepa)
        view.grid.move_cursor((deepa, line.product))
        await bench.settle()
        assert "session expired · Enter: sign in" in bench.text
        assert "session_expired" in planned(view).skipped_by_reason
        await bench.keys("enter")
        await bench.settle()
        again = planned(view)
        assert (again.number, again.orders) == (2, 46)
        assert "session_expired" not in again.skipped_by_reason
        assert "DR0044 signed in" in bench.text
        assert isinstance(bench.screen, BulkScreen)
        assert bench.desk.runs.all() == []


async def test_esc_keeps_what_was_typed_for_the_next_b_in_the_same_place(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B")
        await bench.keys("tab", "3", "3")
        await bench.keys("at", "escape")
        await bench.keys("B")
        assert bench.screen.query_one("#value", NumberField).value == "33"
        assert bench.screen.query_one("#price", NumberField).value == "2450.50"
        await bench.keys("escape", "shift+tab", "j")
        await bench.keys("B")
        assert bench.screen.query_one("#value", NumberField).value == "25", "another symbol, another wish"


async def test_digits_read_in_one_go_with_tab_are_all_of_the_size(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", "2", "5", "0", apart=0.0001)
        assert bench.screen.query_one("#value", NumberField).value == "250"
        await bench.keys("backspace", "backspace", "backspace", "escape", "B", "tab", "1", "2")
        assert bench.screen.query_one("#value", NumberField).value == "12"


async def test_a_percentage_typed_by_hand_stays_with_another_base(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "tab", "2", "0", "tab")
        shown: list[tuple[str, str]] = []
        for key in ("right", "left", "right", "right", "left"):
            await bench.keys(key)
            kind = bench.screen.query_one("#kind", ChoiceField).value
            shown.append((kind, bench.screen.query_one("#value", NumberField).value))
        assert shown == [
            ("% of available", "20"),
            ("% of capital", "20"),
            ("% of available", "20"),
            ("₹ each", ""),
            ("% of available", "25"),
        ]


async def test_a_form_that_opens_on_a_sale_shows_each_choice_whole(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("S")
        assert "‹as held›" in bench.text
        shown = {one.id: one.size.width for one in bench.screen.query(ChoiceField) if one.display}
        whole = {one.id: len(max(one.options, key=len)) + 2 for one in bench.screen.query(ChoiceField)}
        assert shown == {name: whole[name] for name in shown}


async def test_a_sell_of_half_rounds_down_and_names_its_side(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 45")
        await bench.keys("enter")
        await bench.keys("1", "S")
        await bench.keys("tab", "5", "0", "enter")
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer.startswith("sell ")
        held = {line.code: (line.sellable, line.quantity) for line in plan.ok_lines}
        assert held["AM1042"] == (11, 5)
        assert "short" not in bench.text, "holders only"
        await bench.type(plan.answer)
        await bench.keys("enter")
        assert bench.desk.runs.get(2).counts[RunCount.FILLED] == plan.orders


async def test_p_pauses_and_only_typed_words_go_on(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        dispatcher = seam(bench.desk).workers.dispatcher
        with patch.object(dispatcher, "submit"):
            await bench.type("buy 45")
            await bench.keys("enter")
            run = bench.desk.runs.get(1)
            assert run.counts[RunCount.UNSENT] == 45
            await bench.keys("p")
            assert bench.desk.runs.get(1).status is RunStatus.PAUSED
            assert "PAUSED" in bench.text
            assert "unsent 45" in bench.text
        await bench.keys("p", "escape")
        bench.app.run_command("run 1 resume")
        await bench.settle()
        assert "type  send 45  and Enter" in bench.text
        assert "45 orders are unsent" in bench.text
        await bench.type("send 44")
        await bench.keys("enter")
        await bench.settle()
        assert bench.desk.runs.get(1).counts[RunCount.UNSENT] == 45
        await bench.type("send 45")
        await bench.keys("enter")
        await bench.settle()
        assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 45
        await bench.keys("p")
        assert bench.desk.runs.get(1).status is RunStatus.FINISHED


async def test_x_stops_a_run_only_on_words_that_name_the_counts(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B")
        bench.screen.query_one("#type", ChoiceField).value = "LIMIT"
        bench.screen.query_one("#price", NumberField).value = "2400.00"
        await bench.keys("enter")
        plan = plan_view(bench).plan
        assert plan is not None
        await bench.type(plan.answer)
        await bench.keys("enter")
        live = bench.desk.runs.get(1).counts[RunCount.OPEN]
        assert live == plan.orders
        assert "at 2,400.00 ─" in bench.text
        await bench.desk.orders.modify(bench.desk.runs.get(1).order_ids[0], limit_paise=2390_00)
        await bench.settle()
        assert "at 2,400.00, modified to 2,390.00-2,400.00" in bench.text
        assert f"run 1 0/{live} resting" in bench.text
        await bench.keys("x")
        assert isinstance(bench.card, StopCard)
        await bench.keys("escape")
        bench.app.run_command("run 1 resume")
        await bench.settle()
        assert bench.card is None, "nothing is paused"
        bench.app.run_command("run 1 stop")
        await bench.settle()
        assert isinstance(bench.card, StopCard)
        await bench.type("stop 1")
        await bench.keys("enter")
        assert isinstance(bench.card, StopCard)
        assert bench.desk.runs.get(1).counts[RunCount.OPEN] == live
        await bench.type(f"stop {live}")
        await bench.keys("enter")
        await bench.pass_time(1)
        assert bench.desk.runs.get(1).counts[RunCount.CANCELLED] == live
        assert f"{live} cancelled" in bench.text
        assert bench.desk.halt.active() == []


async def test_r_repairs_what_was_skipped_and_leaves_the_rest(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 45")
        await bench.keys("enter")
        await bench.keys("r")
        plan = plan_view(bench).plan
        assert plan is not None
        assert {line.code for line in plan.lines} == {"PS1015", "SK0031", "DR0044", "CB0002", "CC0003"}
        assert "repair of run 1" in bench.text
        assert bench.screen.focused is plan_view(bench).grid, "no line can be sent, so the lines come first"
        await bench.keys("a", "tab")
        await bench.type("buy 2")
        await bench.keys("enter")
        assert bench.desk.runs.get(2).counts[RunCount.FILLED] == 2
        assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 45
        await bench.keys("left_curly_bracket")
        assert run_view(bench).number == 1
        assert "r plans a repair of the 3 left" in bench.text
        await bench.keys("right_curly_bracket")
        assert run_view(bench).number == 2


async def test_reverse_and_again_open_the_form_and_send_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 45")
        await bench.keys("enter")
        assert "S sells what it bought" in bench.text
        await bench.keys("S")
        await bench.settle()
        assert "SELL what run 1 filled" in bench.text
        for line in ("run 99", "run 99 reverse"):
            bench.app.run_command(line)
            await bench.settle()
            assert bench.toasts[-1].startswith("99: no run of today")
            assert "SELL what run 1 filled" in bench.text, "nothing else opens"
        bench.app.run_command("run 1")
        await bench.settle()
        await bench.keys("B")
        assert "BUY for many clients" in bench.text, "on its own side the form is an ordinary one"
        bench.app.run_command("run 1 reverse")
        await bench.settle()
        form = bench.screen.query_one(BulkForm)
        assert (form.side, len(form.intent().line_changes)) == (Side.SELL, 45)
        assert "by hand" not in bench.text, "its quantities are what filled"
        assert "SELL what run 1 filled" in bench.text
        await bench.keys("enter")
        assert "SELL RELIANCE │ what run 1 filled" in bench.text
        plan = plan_view(bench).plan
        assert plan is not None
        assert plan.answer == "sell 45"
        assert plan.shares == 495
        await bench.keys("1")
        assert in_answer(bench), "a digit is part of the answer while it is typed"
        await bench.keys("escape", "escape")
        await bench.keys("full_stop")
        assert isinstance(bench.screen, BulkScreen)
        assert bench.screen.query_one(BulkForm).side is Side.BUY, (
            "the last that was sent, not the last planned"
        )
        assert len(bench.desk.runs.all()) == 1


async def test_a_halted_desk_plans_but_does_not_send(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.f9()
        await bench.f9()
        for _ in range(5):
            await bench.pass_time(1)
        await bench.keys("escape")
        await to_plan(bench)
        assert "DESK HALTED, sending is refused" in bench.text
        await bench.type("buy 45")
        await bench.keys("enter")
        assert bench.desk.runs.all() == []
        assert "halted" in bench.toasts[-1]


@pytest.mark.proof
async def test_enter_on_a_run_row_opens_the_order(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await to_plan(bench)
        await bench.type("buy 45")
        await bench.keys("enter")
        grid = run_view(bench).grid
        assert isinstance(grid, LiveGrid)
        keys = grid.shown_keys
        assert [key[0] for key in keys[:5]] == ["skipped"] * 5  # type: ignore[index]
        orders = [bench.desk.orders.get(key[1]) for key in keys[5:]]  # type: ignore[index]
        codes = [bench.desk.clients.get(order.client_id).code for order in orders]
        assert codes == sorted(codes), "whoever was sent first"
        assert grid.cursor_key == keys[0]
        assert " a 19 sh" not in bench.text, "nothing can be mended here"
        assert "x cancel" not in bench.lines()[-1], "nothing is live"
        bench.clock.shift(2)
        grid.move_cursor(keys[5])
        await bench.keys("enter")
        assert "ORDER_RESERVED" in bench.text
        assert "fill" in bench.text


async def test_both_sizes_show_the_intent_the_verdicts_and_the_answer(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await to_plan(bench)
        text = bench.text
        assert "BUY RELIANCE │ 25 % capital │ CNC │ MKT ≤2,499.60" in text
        assert "short 77,63" in text
        assert "a 19 sh · m 39 MTF" in text
        assert "type  buy 45  and Enter to send (60 s left):" in text
        assert all(len(line) <= 80 for line in bench.lines())


def test_the_bar_shows_every_kind_there_is_and_is_as_wide_as_it_should_be() -> None:
    some = {"filled": 995, "rejected": 1, "unknown": 4, "total": 1000}
    counts = dict.fromkeys(RunCount, 0) | {RunCount(kind): count for kind, count in some.items()}
    drawn = "".join(signs for signs, _ in bar(counts, 40))
    assert len(drawn) == 40
    assert drawn.count("×") == 1
    assert drawn.count("?") == 1


def test_the_counts_of_a_run_leave_their_bar_what_room_there_is() -> None:
    counts = dict.fromkeys(RunCount, 0) | {RunCount.FILLED: 1182, RunCount.TOTAL: 1182}
    cells = [len(part if isinstance(part, str) else part[0]) for part in counts_line(counts, 80)]
    assert sum(cells) == 80
    assert sum(len(part if isinstance(part, str) else part[0]) for part in counts_line(counts, 120)) > 90


async def test_m_on_a_line_changed_by_hand_keeps_its_quantity_both_ways(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("B", "enter")
        view = plan_view(bench)
        await bench.keys("tab", "end", "e", "3", "enter")
        assert view.plan is not None
        (change,) = view.plan.intent.line_changes
        for product in (Product.MTF, Product.CNC, Product.MTF):
            await bench.keys("m")
            line = next(each for each in view.plan.lines if each.client_id == change.client_id)
            assert (line.quantity, line.product) == (3, product)


@pytest.mark.proof
async def test_a_wish_is_saved_from_the_form_and_brought_back_and_w_looks_at_a_line(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client_id = bench.client("RV1012")
        await bench.desk.clients.edit(client_id, ClientEdit(multiplier_bps=20_000))
        await bench.keys("B")
        assert "1 client ×2" in bench.text
        await bench.keys("tab", "ctrl+u")
        await bench.type("5")
        await bench.keys("f5")
        await bench.type("save Small")
        await bench.keys("enter")
        await bench.until(lambda: bench.card is None)
        (preset,) = await bench.desk.presets.all()
        assert (preset.name, preset.intent.sizing.value, preset.intent.multiplied) == ("Small", 500, True)
        await bench.keys("ctrl+u")
        await bench.type("9")
        await bench.keys("f5")
        assert "Small   BUY" in bench.text
        await bench.type("sm")
        await bench.keys("enter")
        assert bench.screen.query_one("#value", NumberField).value == "5"
        await bench.keys("enter")
        await bench.settle()
        plan = bench.screen.query_one(PlanView).plan
        assert plan is not None
        assert {line.code for line in plan.lines if line.multiplier_bps == 20_000} == {"RV1012"}
        await bench.keys("tab", "end", "w")
        assert "WHAT IF BUY" in bench.text
        await bench.keys("escape")
        assert bench.card is None
        assert bench.desk.orders.all() == []


async def test_a_run_at_120_columns_has_names_whole(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        _, run = await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        bench.app.open_run(run.number)
        await bench.settle()
        assert "Deepak Yadav" in bench.text
        assert "…" not in "".join(line[:40] for line in bench.lines() if "09:15" in line)
