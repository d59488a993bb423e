"""Presets from the bulk form: a name brings a saved wish back; `save` and `delete` keep and forget one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from data.errors import BadInput
from engine.labels import begun_label
from engine.refusals import Refusal
from engine.words.refusals import refusal_words
from engine.words.trading.plans import sizing_words
from screens.frame.cards.confirm import QuestionCard
from widgets.answerfield import AnswerField
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from engine.planning.entry.presets import Preset
    from engine.planning.intent import Intent

SAVE, DELETE = "save ", "delete "
"""Before a name, they keep the form's wish under it, and forget what is kept."""


def preset_words(preset: Preset) -> str:
    """A preset in a line: its name, side, symbol, size and clients."""
    intent = preset.intent
    symbol = intent.key.partition(":")[2]
    size = sizing_words(intent.sizing)
    return f"{preset.name}   {intent.side.value} {symbol} {size}, clients {intent.selection.title}"


class PresetsCard(QuestionCard):
    """Lists presets and takes a name or its beginning, or `save` or `delete` and one. `chosen` came back.

    A click on one writes its name into the line.
    """

    TITLE_WORDS = "Presets"

    def __init__(self, presets: Sequence[Preset], wish: Intent | None) -> None:
        lines = [preset_words(one) for one in presets] or ["none is saved yet"]
        super().__init__("PRESETS", lines)
        self._presets = {one.name: one for one in presets}
        self._wish = wish
        self.chosen: Intent | None = None

    def compose(self) -> ComposeResult:
        """The list, and the line for a name."""
        yield from super().compose()
        ways = ["a name", "delete NAME"] if self._presets else []
        ways += ["save NAME"] if self._wish is not None else []
        yield AnswerField(f"type  {'  or  '.join(ways)}  and Enter:", monotonic=self.shell.monotonic)

    def begin(self) -> None:
        """In the line for the name."""
        self.query_one(AnswerField).focus()

    def on_click(self, event: events.Click) -> None:
        """The name of the line that was clicked, to be looked at and sent off by Enter."""
        lines = self.query_one("#question", SteadyStatic)
        if not lines.region.contains(event.screen_x, event.screen_y):
            return
        event.stop()
        shown = lines.render_line(event.screen_y - lines.region.y).text.strip()
        name = next((one.name for one in self._presets.values() if preset_words(one).startswith(shown)), "")
        if name:
            field = self.query_one(AnswerField)
            field.clear()
            field.type_on(name)

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Bring back, or keep."""
        event.stop()
        typed = event.text.strip()
        if typed.casefold().startswith(SAVE) and self._wish is not None:
            self.carry_out(self._save(typed[len(SAVE) :], self._wish))
            return
        if typed.casefold().startswith(DELETE):
            self.carry_out(self._delete(typed[len(DELETE) :].strip()))
            return
        try:
            found = self._presets[begun_label(typed, "preset", list(self._presets))]
        except BadInput as bad:
            event.field.clear()
            self.shell.say(f"no preset {typed!r}: {bad.expected}; save NAME keeps the form", "refused")
            return
        self.chosen = found.intent
        self.close(True)

    async def _save(self, name: str, wish: Intent) -> None:
        try:
            replaced = await self.desk.presets.save(name, wish)
        except BadInput as bad:
            self.shell.say(str(bad), "refused")
            return
        self.shell.say(f"preset {name.strip()} {'replaced' if replaced else 'saved'}")
        self.close(False)

    async def _delete(self, name: str) -> None:
        try:
            await self.desk.presets.remove(name)
        except (BadInput, Refusal) as problem:
            self.shell.say(refusal_words(problem), "warning")
            return
        self.shell.say(f"preset {name} deleted")
        self.close(False)
