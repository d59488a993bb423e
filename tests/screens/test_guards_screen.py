"""Guards on screen: a form that asks for words, a bar in the clients grid, nothing that interrupts."""

import pytest
from textual.widgets import Input

from data.vocabulary import GuardState, Product, SizingKind
from screens.frame.cards.alerts_card import AlertsCard
from screens.frame.cards.commandline import CommandLineCard
from screens.guards.guard_card import GuardCard
from screens.guards.guards_card import GuardsCard
from tests.desks import buy
from tests.further import further
from tests.screens.bench import Bench
from tests.screens.papers import opened_on_paper

PRIYA, SHARES = 15, 20


async def _with_tcs(bench: Bench) -> None:
    intent = buy("TCS", SizingKind.FIXED_QUANTITY, SHARES, PRIYA, product=Product.MIS)
    plan = await bench.desk.plans.freeze(intent)
    run = await bench.desk.runs.start(plan, plan.digest)
    await bench.until(lambda: bench.desk.runs.get(run.number).finished_at is not None)


async def _typed(bench: Bench, words: str) -> None:
    await bench.keys("colon")
    await bench.type(words)
    await bench.keys("enter")


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_a_line_fills_the_form_which_takes_the_words_and_the_bar_stands(tmp_path, size):
    async with opened_on_paper(tmp_path, size=size) as bench:
        await _with_tcs(bench)
        await _typed(bench, "guard PS1015 mis loss 2% flat")
        assert isinstance(bench.card, GuardCard)
        assert "type  flat  and Enter to set it" in bench.text
        assert "/ 2.0 %" in bench.text
        await bench.type("yes")
        await bench.keys("enter")
        assert isinstance(bench.card, GuardCard)
        assert bench.desk.guards.all() == []
        await bench.type("flat")
        await bench.keys("enter")
        await bench.until(lambda: len(bench.desk.guards.all()) == 1)
        await _typed(bench, "guard")
        assert isinstance(bench.card, GuardsCard)
        await bench.until(lambda: "0.0 / 2.0 %" in bench.text and "armed" in bench.text)


async def test_a_guard_that_only_blocks_is_set_by_a_word_of_the_form(tmp_path):
    async with opened_on_paper(tmp_path) as bench:
        await _typed(bench, "guard PS1015 mis loss 2%")
        assert "type  set  and Enter" in bench.text
        await bench.keys("enter")
        assert bench.desk.guards.all() == []
        await bench.type("yes")
        await bench.keys("enter")
        await bench.settle()
        assert "'yes' is not valid; type set" in bench.text, "its figures are painted on meanwhile"
        await bench.type("set")
        await bench.keys("enter")
        await bench.until(lambda: len(bench.desk.guards.all()) == 1)
        assert bench.card is None


async def test_a_bad_limit_is_said_where_it_is_typed_and_sets_nothing(tmp_path):
    async with opened_on_paper(tmp_path) as bench:
        await _typed(bench, "guard PS1015")
        assert isinstance(bench.card, GuardCard)
        assert bench.screen.focused is bench.screen.query_one("#guard-loss", Input)
        await bench.type("200%")
        assert "at most 100 %" in bench.text
        await bench.keys("tab", "tab", "tab", "enter")
        assert bench.desk.guards.all() == []
        await bench.keys("escape")
        assert bench.card is None


@pytest.mark.proof
async def test_what_trips_waits_behind_the_alerts_and_takes_nothing_that_is_typed(tmp_path):
    async with opened_on_paper(tmp_path) as bench:
        await _with_tcs(bench)
        await _typed(bench, "guard PS1015 mis loss 2000 flat")
        await bench.type("flat")
        await bench.keys("enter")
        await bench.until(lambda: len(bench.desk.guards.all()) == 1)
        await bench.keys("colon")
        await bench.type("buy TCS 2")
        await bench.pin("TCS", 2_350_00)
        await bench.until(lambda: bench.desk.guards.of(PRIYA)[0].state is GuardState.FLAT)
        assert isinstance(bench.card, CommandLineCard)
        assert bench.screen.query_one(CommandLineCard).query_one(Input).value == "buy TCS 2"
        await bench.keys("escape", "exclamation_mark")
        assert isinstance(bench.card, AlertsCard)
        await bench.until(lambda: "flat: loss limit" in bench.text)
        await bench.keys("down", "enter")
        await bench.until(lambda: "FLATTEN 1 MIS" in bench.text and "certified" in bench.text)
