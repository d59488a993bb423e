"""What a typed line about a run does: paused at once, planned anew, or its question in the run's own view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.colon.asked import AskedOfRun, OfRun
from engine.words.refusals import refusal_words

if TYPE_CHECKING:
    from tradedesk.app.shell import ShellApp


def about_runs(app: ShellApp, asked: AskedOfRun) -> None:
    """Carry it out. Raises `BadInput` for a run that there is not."""
    app.desk.runs.get(asked.number)
    match asked.what:
        case OfRun.RESUME | OfRun.STOP:
            app.open_run(asked.number, asked.what)
        case OfRun.PAUSE:
            app.run_worker(_pause(app, asked.number), exit_on_error=False)
        case OfRun.REPAIR | OfRun.REVERSE:
            app.run_worker(_plan(app, asked), exit_on_error=False)


async def _pause(app: ShellApp, number: int) -> None:
    try:
        await app.desk.runs.pause(number)
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
    else:
        app.say(f"run {number} is paused: typed words go on with it, p in it asks for them")


async def _plan(app: ShellApp, asked: AskedOfRun) -> None:
    """The form of a run's repair or reversal, or of that of one of its legs."""
    runs, reverses = app.desk.runs, asked.what is OfRun.REVERSE
    try:
        intent = await (runs.reverse_intent if reverses else runs.repair_intent)(asked.number, asked.key)
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
        return
    if intent is None:
        app.say(f"run {asked.number} has nothing left to {asked.what}", "warning")
    else:
        app.open_bulk(intent.side, intent.key, (), intent)
