"""The questions before a run is stopped, and before a paused one goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.words.refusals import refusal_words
from engine.words.trading.runs import cancelled_words, prospect_lines
from screens.frame.cards.confirm import WordsCard
from widgets.answerfield import AnswerField

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from engine.execution.views import RunView
    from screens.frame.workspace import Framed

CANCEL_PATIENCE_S = 10.0
"""Seconds after which what became of a run's cancels is told; the run shows what comes later."""


class StopCard(WordsCard):
    """Stops a run: one set of words for the unsent, another for the live ones too."""

    def __init__(self, run: RunView) -> None:
        unsent = run.unsent
        live = run.at_brokers
        self.answers: dict[str, bool] = {}
        lines = ["What is filled stays; nothing else is halted."]
        if unsent:
            self.answers[f"stop {unsent}"] = False
            lines.append(f"stop {unsent}   frees the {unsent} unsent; {live} live go on")
        if live:
            words = f"stop {unsent} and {live}" if unsent else f"stop {live}"
            self.answers[words] = True
            also = f"frees the {unsent} unsent and cancels" if unsent else "cancels"
            lines.append(f"{words}   {also} the {live} live at the brokers")
        self.live = False
        super().__init__(f"STOP run {run.number}, {run.title}", lines, " , or ".join(self.answers))

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Either set of words is a yes, each to its own."""
        event.prevent_default()  # or the question's own handler would take its single set of words
        event.stop()
        answer = self.answers.get(" ".join(event.text.casefold().split()))
        if answer is None:
            event.field.clear()
            self.shell.say("those were not the words; the run goes on", "refused")
            return
        self.live = answer
        self.close(True)


def ask_to_stop(screen: Framed[Any], run: RunView) -> None:
    """Stop the run once typed words say how far."""
    question = StopCard(run)

    def answered(yes: bool | None) -> None:
        if yes and question.live:
            screen.carry_out(_cancel(screen, run.number))
        elif yes:
            stopping = screen.desk.runs.stop(run.number, live=False)
            screen.carry_out(told(screen, run.number, stopping, "stopped"))

    screen.open_card(question, answered)


async def ask_to_go_on(screen: Framed[Any], number: int) -> None:
    """Show what going on would do now, and do it once the words were typed."""
    runs = screen.desk.runs
    try:
        found = await runs.prospect(number)
    except Exception as problem:
        screen.shell.say(f"run {number}: {refusal_words(problem)}", "error")
        return

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(told(screen, number, runs.go_on(number, found.unsent), "goes on"))

    lines = prospect_lines(found, screen.shell.privacy)
    screen.open_card(WordsCard(f"GO ON with run {number}", lines, found.answer), answered)


async def told(screen: Framed[Any], number: int, work: Awaitable[Any], word: str) -> None:
    """Do something with a run, and say that it is done or why it is not."""
    try:
        await work
    except Exception as problem:
        screen.shell.say(f"run {number}: {refusal_words(problem)}", "error")
    else:
        screen.shell.say(f"run {number} {word}")


async def _cancel(screen: Framed[Any], number: int) -> None:
    try:
        ended = await screen.desk.runs.cancel(number, CANCEL_PATIENCE_S)
    except Exception as problem:
        screen.shell.say(f"run {number}: {refusal_words(problem)}", "error")
    else:
        failed = any(not one.cancelled for one in ended)
        screen.shell.say(f"run {number}: {cancelled_words(ended)}", "warning" if failed else "information")
