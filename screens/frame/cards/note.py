"""A note on what the cursor is on: a client, an order or a run. One line, which the audit keeps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import TradedeskError
from engine.words.refusals import refusal_words
from screens.frame.dock import Card
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.desk import Desk
    from screens.frame.shell import Here

Keep = Callable[[str], Coroutine[Any, Any, None]]


class NoteCard(Card[None]):
    """Asks for one line; Enter keeps it, and what is wrong with it is said in place."""

    TITLE_WORDS = "A note"

    def __init__(self, about: str, keep: Keep) -> None:
        super().__init__()
        self._about, self._keep = about, keep
        self.rows = 3

    def compose(self) -> ComposeResult:
        """The line, and what is wrong with it."""
        with Horizontal(classes="row"):
            yield SteadyStatic("note")
            yield SteadyInput(max_length=500, compact=True, select_on_focus=False, id="note")
        yield SteadyStatic(id="note-problem", classes="problem")
        yield SteadyStatic("Enter keeps it in the audit   Esc back, nothing is noted", classes="keys -always")

    def title(self) -> str:
        """What it is on."""
        return f"NOTE on {self._about}"

    def begin(self) -> None:
        """In the line."""
        self.query_one("#note", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The note filters no rows."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self.carry_out(self.before_further_keys(self._carry_out(event.value)))

    async def _carry_out(self, text: str) -> None:
        try:
            await self._keep(text)
        except TradedeskError as problem:
            if self.is_attached:
                self.query_one("#note-problem", SteadyStatic).update(Content(plain(refusal_words(problem))))
            return
        self.shell.say(f"noted on {self._about}")
        self.close()


def note_card(desk: Desk, here: Here) -> NoteCard | None:
    """The card for what the cursor is on: an order, else a run, else a client; None on none of them."""
    notes = desk.notes
    if (order_id := here.order_id) is not None:
        return NoteCard(f"order {order_id}", lambda text: notes.on_order(order_id, text))
    if (number := here.run_number) is not None:
        return NoteCard(f"run {number}", lambda text: notes.on_run(number, text))
    if (client_id := here.client_id) is not None:
        code = desk.clients.get(client_id).code
        return NoteCard(code, lambda text: notes.on_client(client_id, text))
    return None
