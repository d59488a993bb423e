"""The line at the bottom of the gate that asks which amber item may pass today, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from engine.words.gate import verdict_words
from screens.clients.gate_rows import waivable
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engine.access.gate import GateRow


class WaiveLine(Vertical):
    """Hidden until it is asked; stays with the client it was opened on. Posts `Given` with a reason."""

    DEFAULT_CSS = """
    WaiveLine {
        display: none;
        height: auto;
        background: $panel;
        &.-open { display: block; }
        Horizontal { height: 1; }
        #waive-what { width: 1fr; height: auto; max-height: 2; color: $text-warning; }
        #waive-ask { width: auto; padding: 0 1; }
        #waive-item { margin-right: 1; }
        #waive-reason { width: 1fr; }
    }
    """

    @dataclass
    class Given(Message):
        """The trader gave a reason why an amber item may pass."""

        client_id: int
        item: str
        reason: str

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._client_id = 0
        self._told: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """What it is about, the item where there are several, the reason."""
        yield SteadyStatic(id="waive-what")
        with Horizontal():
            yield SteadyStatic(id="waive-ask")
            yield ChoiceField((), id="waive-item")
            yield SteadyInput(max_length=300, compact=True, select_on_focus=False, id="waive-reason")

    @property
    def is_open(self) -> bool:
        """Whether it asks."""
        return self.has_class("-open")

    @property
    def _choice(self) -> ChoiceField:
        return self.query_one(ChoiceField)

    @property
    def _reason(self) -> Input:
        return self.query_one(Input)

    def ask(self, row: GateRow, shown_at: Callable[[datetime], datetime]) -> None:
        """Ask about a client with at least one amber item."""
        self._client_id = row.client_id
        self._told = {one.item.value: verdict_words(one.judged, shown_at) for one in waivable(row)}
        several = len(self._told) > 1
        self._choice.set_options(tuple(self._told), next(iter(self._told)))
        self._choice.display = several
        item = "(←→ item, Enter) reason" if several else f"{self._choice.value}, reason"
        ask = f"waive {row.code} {item}:"
        self.query_one("#waive-ask", SteadyStatic).update(Content(plain(ask)))
        self._reason.value = ""
        self.add_class("-open")
        self._paint()
        (self._choice if several else self._reason).focus()

    def close(self) -> None:
        """Ask no more."""
        self._reason.value = ""
        self.remove_class("-open")

    def _paint(self) -> None:
        item = self._choice.value
        words = f" {item} amber: {self._told[item]} · Enter waives for today, Esc keeps"
        self.query_one("#waive-what", SteadyStatic).update(Content(plain(words)))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Another item."""
        event.stop()
        self._paint()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """From the item to the reason."""
        event.stop()
        self._reason.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The reason filters no rows."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand it on."""
        event.stop()
        self.post_message(self.Given(self._client_id, self._choice.value, event.value.strip()))
