"""The question before a run is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.frame.cards.confirm import WordsCard
from widgets.answerfield import AnswerField

if TYPE_CHECKING:
    from engine.execution.views import RunView


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
            self.shell.say("those were not the words; the run goes on", "warning")
            return
        self.live = answer
        self.close(True)
