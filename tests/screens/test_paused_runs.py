"""No key sends by itself: whatever is shown and however a run was paused, typed words alone send its rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import cycle

import pytest

from data.vocabulary import OrderState, PauseReason, RunStatus, Side, SizingKind
from engine.execution.sending.conditions import Standing
from engine.execution.sending.pauses import pause
from engine.planning.intent import Intent, Selection, Sizing
from engine.words.trading.runs import run_why
from screens.frame.routes import WorkspaceName
from tests.screens.bench import Bench, opened
from tradedesk.testing import seam
from widgets.livegrid import LiveGrid

LEAVES = {"q", "ctrl+q", "f9", "ctrl+g"}
"""Keys that ask to quit, and F9, whose second press cancels."""

CLIENTS = ("AM1042", "RG1008", "AP1022")

PAUSED = {
    PauseReason.DRIFTED: (12, 2395_00),
    PauseReason.TOO_OLD: (75, 2300_00),
    PauseReason.ENGINE_DIED: (90, None),
    PauseReason.TRADER: (3, 2300_00),
}
"""Seconds and price in paise at which a run of each kind was paused."""


@asynccontextmanager
async def paused_runs() -> AsyncIterator[Bench]:
    """A desk with a run of three unsent orders for every reason to pause, and a dispatcher that works."""
    async with opened((80, 24)) as bench:
        await bench.pass_time(0.3)
        desk, dispatcher = bench.desk, seam(bench.desk).workers.dispatcher
        submit, dispatcher.submit = dispatcher.submit, lambda order_ids: None
        clients = Selection(tuple(desk.clients.find(code).id for code in CLIENTS), title="some")
        for quantity, (reason, (age_s, price)) in enumerate(PAUSED.items(), 1):
            sizing = Sizing(SizingKind.FIXED_QUANTITY, quantity)
            plan = await desk.plans.freeze(Intent(Side.BUY, "NSE:TCS", sizing, selection=clients))
            number = (await desk.runs.start(plan, plan.digest)).number
            run, at = seam(desk).book.runs[number], Standing(age_s, price, None, reason, False)
            await seam(desk).store.write(partial(pause, run=run, reason=reason, at=at, actor="tester"))
        dispatcher.submit = submit
        await bench.pass_time(0.3)
        assert [run.pause_reason for run in desk.runs.all()] == list(reversed(PAUSED))
        yield bench


EVEN, ODD = slice(0, None, 2), slice(1, None, 2)
"""Keys of the workspaces: nearly all are keys of both, and of the run's own screen, where each is pressed."""


@pytest.mark.proof
@pytest.mark.parametrize(
    ("workspace", "part"), [(None, slice(None)), (WorkspaceName.ORDERS, EVEN), (WorkspaceName.DESK, ODD)]
)
async def test_no_bound_key_sends_an_unsent_order(workspace: WorkspaceName | None, part: slice) -> None:
    async with paused_runs() as bench:
        numbers = [run.number for run in bench.desk.runs.all()]

        async def turn_to(number: int) -> None:
            if workspace is None:
                bench.app.open_run(number)
            else:
                bench.app.open_workspace(workspace)
            await bench.settle()

        await turn_to(numbers[0])
        shown = bench.screen
        bound = sorted(bench.screen.active_bindings.keys() - LEAVES)
        assert len(bound) > 20
        pressed = zip(cycle(numbers), bound[part], strict=False)
        presses = [(number, "p") for number in numbers] + list(pressed)
        for number, key in presses:
            if workspace is None or bench.screen is not shown:
                await turn_to(number)
            await bench.keys(key, key, "enter", "enter", "escape", "escape", "escape")
            assert all(run.paused for run in bench.desk.runs.all()), f"{key} has moved a run"
        await bench.pass_time(1)
        of_runs = [order for number in numbers for order in bench.desk.orders.all(run=number)]
        assert len(of_runs) == len(CLIENTS) * len(PAUSED)
        assert {(order.state, order.sent_at) for order in of_runs} == {(OrderState.RESERVED, None)}


async def test_strip_and_needs_me_tell_of_runs_that_paused_by_themselves() -> None:
    async with paused_runs() as bench:
        by_itself = [run for run in bench.desk.runs.all() if run.pause_reason is not PauseReason.TRADER]
        needs = {order.id for order in bench.desk.orders.needs_attention() if order.run_number}
        assert needs == {order_id for run in by_itself for order_id in run.order_ids}
        assert "3 runs PAUSED 9" in bench.text
        for run in bench.desk.runs.all():
            bench.app.open_run(run.number)
            await bench.settle()
            assert run.status is RunStatus.PAUSED
            assert run_why(run) in bench.text
            assert "p asks to send the 3 unsent   x frees the 3 unsent" in bench.text


async def test_the_key_line_says_what_p_does_on_a_paused_run() -> None:
    async with paused_runs() as bench:
        bench.app.open_run(bench.desk.runs.all()[0].number)
        await bench.settle()
        line = bench.text.splitlines()[-1]
        assert "p send the rest" in line
        assert "p pause" not in line


async def test_needs_me_tells_of_what_waits_in_a_run_the_trader_paused_and_3_shows_every_order() -> None:
    async with paused_runs() as bench:
        by_hand = next(run for run in bench.desk.runs.all() if not run.needs_attention)
        words = f"3 orders unsent in run {by_hand.number}, paused by the trader"
        grid = bench.screen.query_one("#clients")
        await bench.keys("u", "u")
        assert words in bench.screen.query_one("#orders", LiveGrid).hint
        shown = len(bench.screen.query_one("#orders", LiveGrid).shown_keys)
        await bench.keys("3")
        assert len(bench.screen.query_one("#orders", LiveGrid).shown_keys) > shown
        await bench.keys("u", "u", "1")
        assert grid.screen is bench.screen
        await bench.keys("3")
        assert "Needs me" not in bench.text
