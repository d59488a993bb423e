"""Presets from the bulk form: a name brings a saved wish back, `save NAME` keeps what the form says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadInput
from engine.words.trading.plans import sizing_words
from screens.frame.cards.confirm import QuestionCard
from widgets.answerfield import AnswerField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from engine.planning.entry.presets import Preset
    from engine.planning.intent import Intent

SAVE = "save "
"""Before a name, it keeps the form's wish under it."""


def preset_words(preset: Preset) -> str:
    """A preset in a line: its name, side, symbol, size and clients."""
    intent = preset.intent
    symbol = intent.key.partition(":")[2]
    size = sizing_words(intent.sizing)
    return f"{preset.name}   {intent.side.value} {symbol} {size}, clients {intent.selection.title}"


class PresetsCard(QuestionCard):
    """Lists the presets and takes a name, or `save` and a name. `chosen` is what was brought back."""

    TITLE_WORDS = "Presets"

    def __init__(self, presets: Sequence[Preset], wish: Intent | None) -> None:
        lines = [preset_words(one) for one in presets] or ["none is saved yet"]
        super().__init__("PRESETS", lines)
        self._presets = {one.name.casefold(): one for one in presets}
        self._wish = wish
        self.chosen: Intent | None = None

    def compose(self) -> ComposeResult:
        """The list, and the line for a name."""
        yield from super().compose()
        keeps = " , or  save NAME" if self._wish is not None else ""
        yield AnswerField(f"type a name{keeps}  and Enter:", monotonic=self.shell.monotonic)

    def begin(self) -> None:
        """In the line for the name."""
        self.query_one(AnswerField).focus()

    def on_answer_field_answered(self, event: AnswerField.Answered) -> None:
        """Bring back, or keep."""
        event.stop()
        typed = event.text.strip()
        if typed.casefold().startswith(SAVE) and self._wish is not None:
            self.carry_out(self._save(typed[len(SAVE) :], self._wish))
            return
        found = self._presets.get(typed.casefold())
        if found is None:
            event.field.clear()
            self.shell.say(f"no preset {typed!r}; save NAME keeps what the form says", "warning")
            return
        self.chosen = found.intent
        self.close(True)

    async def _save(self, name: str, wish: Intent) -> None:
        try:
            replaced = await self.desk.presets.save(name, wish)
        except BadInput as bad:
            self.shell.say(str(bad), "warning")
            return
        self.shell.say(f"preset {name.strip()} {'replaced' if replaced else 'saved'}")
        self.close(False)
