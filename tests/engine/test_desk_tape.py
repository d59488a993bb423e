"""The tape tells what another process did, once."""

from pathlib import Path

from data.clock import ManualClock
from data.vocabulary import DeskKind, SizingKind
from engine.desk import Desk
from engine.news import Page, Subject
from engine.words.tape import news_words
from tests.desks import START, buy, carry_out, filed_desk, in_time, sends_nothing, until

AMIT = 22


async def test_halts_resumptions_and_runs_of_another_process_are_told_once(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock, DeskKind.APP) as desk,
        filed_desk(tmp_path, clock, DeskKind.COMMAND, seed=8) as other,
    ):

        def told(page: Page, number: int) -> list[str]:
            return [
                news_words(line.news) for line in desk.tape() if line.news.subject == Subject(page, number)
            ]

        _, run = await carry_out(other, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, AMIT))
        await until(desk, lambda: any("finished" in text for text in told(Page.RUN, run.number)), step_s=0.1)
        assert sum("finished" in text for text in told(Page.RUN, run.number)) == 1
        certificate = await in_time(other, other.halt.fire("cli"))
        halt = (Page.HALT, certificate.number)
        await until(desk, lambda: told(*halt), step_s=0.1)
        assert told(*halt) == [f"HALT {certificate.number} by cli, in another process"]
        await other.halt.resume(certificate.number, "resume", "cli")
        await until(desk, lambda: len(told(*halt)) == 2, step_s=0.1)
        assert told(*halt)[1] == f"halt {certificate.number} resumed in another process"
        await in_time(desk, desk.halt.fire("app"))
        await desk.halt.resume(certificate.number + 1, "resume", "app")
        assert [text for text in told(Page.HALT, certificate.number + 1) if "another" in text] == []


async def test_a_run_that_waits_for_the_trader_is_told_as_paused_at_every_opening(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, AMIT))
        sends_nothing(desk)  # its program ends before the first claim
        run = await desk.runs.start(plan, plan.digest)

    def told(desk: Desk) -> list[str]:
        lines = [line.news for line in desk.tape() if line.news.subject == Subject(Page.RUN, run.number)]
        return [news_words(news) for news in lines]

    async with filed_desk(tmp_path, clock, seed=8) as desk:  # pauses it as it takes over
        await until(desk, lambda: desk.runs.get(run.number).needs_attention)
        began, paused = told(desk)
        assert began == f"run {run.number} {run.title}"
        assert paused.startswith(f"run {run.number} PAUSED: its program ended; 1 unsent")
    async with filed_desk(tmp_path, clock, seed=9) as desk:
        assert told(desk) == [f"run {run.number} PAUSED: its program ended; 1 unsent: {run.title}"]
