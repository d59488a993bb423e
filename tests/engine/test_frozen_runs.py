"""Runs of an engine that lives and does nothing: frozen, which is neither running nor dead."""

from datetime import timedelta

from data.clock import ManualClock
from data.vocabulary import DeskKind, RunCount, RunStatus, SizingKind
from engine.words.trading.runs import run_why, run_words
from tests.desks import START, Wire, buy, filed_desk, sends_nothing, until
from tradedesk.cli.views.orders import run_shape
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15
TWO = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA, limit_paise=2440_00)


async def test_a_run_whose_program_lives_and_does_nothing_is_frozen_since_its_last_heartbeat(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.APP) as app:
        sends_nothing(app)
        plan = await app.plans.freeze(TWO)
        number = (await app.runs.start(plan, plan.digest)).number
        heard = clock.now()
        later = ManualClock(heard + timedelta(seconds=75))
        async with filed_desk(tmp_path, later, DeskKind.COMMAND, seed=8) as beside:
            run = beside.runs.get(number)
            assert (run.word, run.status, run.frozen_since) == ("frozen", RunStatus.RUNNING, heard)
            assert "the app (process" in run_why(run)
            assert "nothing from it for 75 s" in run_why(run)
            assert "frozen: the app" in run_words(run)
            assert run_shape(run).status == "frozen"
            assert run.counts[RunCount.UNSENT] == 2, "by its lock it is not dead, so nothing is taken from it"
        soon = ManualClock(heard + timedelta(seconds=5))
        async with filed_desk(tmp_path, soon, DeskKind.COMMAND, seed=9) as beside:
            assert (beside.runs.get(number).word, run_why(beside.runs.get(number))) == ("running", "")


async def test_an_app_sees_a_command_freeze_and_wake_beside_it(tmp_path):
    clock, own = ManualClock(START), ManualClock(START)
    async with filed_desk(tmp_path, clock, DeskKind.COMMAND) as command:
        sends_nothing(command)
        plan = await command.plans.freeze(TWO)
        number = (await command.runs.start(plan, plan.digest)).number
        async with filed_desk(tmp_path, own, DeskKind.APP, seed=8) as app:
            Wire(app)
            assert app.runs.get(number).word == "running"
            await until(app, lambda: app.runs.get(number).word == "frozen", step_s=1.0)
            assert own.monotonic() > seam(app).waits.frozen_after_s
            clock.shift(own.monotonic())
            await clock.advance(1.0)
            await until(app, lambda: app.runs.get(number).word == "running", step_s=0.1)
