"""Notes on what the cursor is on, a client, an order or a run: the newest, and a line for one more."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from screens.frame.cards.form import FormCard
from screens.frame.times import market_stamp
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.desk import Desk
    from engine.review.notes import Note
    from screens.frame.shell import Here

Keep = Callable[[str], Coroutine[Any, Any, None]]
Before = Callable[[], Coroutine[Any, Any, "list[Note]"]]

SHOWN = 3
"""Lines in which the newest notes stand above the field."""


class NoteCard(FormCard[None]):
    """Asks for one line; Enter keeps it, and what is wrong with it is said in place."""

    TITLE_WORDS = "A note"
    SAYS = "#note-problem"

    def __init__(self, about: str, keep: Keep, before: Before) -> None:
        super().__init__()
        self._about, self._add, self._before = about, keep, before
        self.rows = 3 + SHOWN

    def compose(self) -> ComposeResult:
        """What is noted already, the line, and what is wrong with it."""
        yield SteadyStatic(id="note-before")
        with Horizontal(classes="row"):
            yield SteadyStatic("note")
            yield SteadyInput(max_length=500, compact=True, select_on_focus=False, id="note")
        yield SteadyStatic(id="note-problem", classes="problem")
        yield KeyHint("Enter keeps it in the audit   Esc back, nothing is noted", classes="keys -always")

    def title(self) -> str:
        """What it is on."""
        return f"NOTE on {self._about}"

    def begin(self) -> None:
        """In the line, the newest notes above it."""
        self.query_one("#note", Input).focus()
        self.carry_out(self._show_before())

    async def _show_before(self) -> None:
        notes = await self._before()
        told = [
            f"{market_stamp(self.desk, note.at)} {note.by}{_of_order(note, self._about)}: {note.text}"
            for note in notes[-SHOWN:]
        ]
        more = [f"{len(notes) - SHOWN + 1} older ones: the client's page has them, and so has the audit"]
        lines = (more + told[1:] if len(notes) > SHOWN else told) or ["nothing is noted yet"]
        if self.is_attached:
            self.query_one("#note-before", SteadyStatic).update(Content("\n".join(map(plain, lines))))

    def entered(self, field: Widget) -> None:
        """Keep it."""
        self.keep(self._note())

    async def _note(self) -> None:
        await self._add(self.query_one("#note", Input).value)
        self.shell.say(f"noted on {self._about}")
        self.close()


def _of_order(note: Note, about: str) -> str:
    """Of which order a note is that stands among its client's or its run's."""
    order = "" if note.order_id is None else f"order {note.order_id}"
    return f" on {order}" if order and order != about else ""


def note_card(desk: Desk, here: Here) -> NoteCard | None:
    """The card for what the cursor is on: an order, else a run, else a client; None on none of them."""
    notes = desk.notes
    if (order_id := here.order_id) is not None:
        keep = partial(notes.on_order, order_id)
        return NoteCard(f"order {order_id}", keep, partial(notes.of, order_id=order_id))
    if (number := here.run_number) is not None:
        return NoteCard(f"run {number}", partial(notes.on_run, number), partial(notes.of, run_number=number))
    if (client_id := here.client_id) is not None:
        code = desk.clients.get(client_id).code
        return NoteCard(code, partial(notes.on_client, client_id), partial(notes.of, client_id=client_id))
    return None
