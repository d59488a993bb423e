"""What every screen stands on: the strip above, the key line below, the way to the desk and to the app.

The app calls `on_frame` of the visible screen five times a second; nothing else may repaint live figures.
Screens read the desk's book directly, and ask the app (`shell`) for everything that leads elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Container
from textual.events import ScreenResume, ScreenSuspend
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget

from data.errors import BadInput
from data.vocabulary import ExportWhat, Side
from engine.refusals import Refusal
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.cards.note import note_card
from screens.frame.commands import bindings, rank_of
from screens.frame.dock import DockHost
from screens.frame.key_words import key_words
from screens.frame.nothing_here import NOTHING_HERE
from screens.frame.routes import View
from screens.frame.shell import Here, Table
from widgets.answerfield import AnswerField
from widgets.keyline import CANCELS_NOTHING, KeyLine
from widgets.livegrid import LiveGrid
from widgets.statusstrip import Mode, Segment, StatusStrip
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from engine.events import Event

Result = TypeVar("Result")

SENDING = (
    *("ticket(", "bulk(", "cancel_", "modify_marked", "send_again", "repair", "app.again"),
    *("flatten", "yes"),
)
"""How actions begin that lead to an order, a change or a cancel: a desk that only looks offers none."""


class Framed(DockHost[Result], inherit_bindings=False):
    """A screen with the strip on top and the key line at the bottom; `compose_body` gives the middle."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("pane.next", "pane.previous", "copy.text")]

    DISCARDS_EARLY_KEYS: ClassVar[bool] = False
    """Whether keys typed before the first paint are forgotten, as a review must."""

    TITLE_WORDS: ClassVar[str] = ""
    """What the help calls this screen."""

    BUYS_OTHERS: ClassVar[bool] = False
    """Whether a buy only proposes the symbol under the cursor, so that another is typed over it."""

    _end_listening: Callable[[], None] = staticmethod(lambda: None)
    _dismissed = False
    _waiting_to_dismiss: tuple[Result | None] | None = None
    _resume_waits = False
    _strip: StatusStrip | None = None

    def compose(self) -> ComposeResult:
        """Strip, body, key line, and the words for a terminal that is too small for them."""
        self.add_class(*self._size_classes(), update=False)
        self._strip = StatusStrip(id="strip")
        yield self._strip
        with Container(id="body"):
            yield from self.compose_body()
        yield self._key_line()
        yield SteadyStatic(
            "tradedesk needs 60 columns and 20 lines. F9 F9 still cancels all.", id="too-small"
        )

    def _key_line(self) -> KeyLine:
        if not (self.shell.desk_is_open and self.desk.looks_only):
            return KeyLine(id="keys", rank_of=rank_of)
        return KeyLine(
            id="keys",
            ends_in=CANCELS_NOTHING,
            leaves_out=lambda word: word.startswith(SENDING),
            rank_of=rank_of,
        )

    def on_mount(self) -> None:
        """Toasts are drawn over the key line, in whose place they stand: Textual puts them under all else."""
        for rack in self.query("ToastRack"):
            self.move_child(rack, after=self.query_one(KeyLine))

    def _size_classes(self) -> set[str]:
        """The classes of the terminal's size: Textual sets them once all is styled, and styles it again."""
        width, height = self.app.size
        return self._get_breakpoint_classes(
            width, self.app.HORIZONTAL_BREAKPOINTS or []
        ) | self._get_breakpoint_classes(height, self.app.VERTICAL_BREAKPOINTS or [])

    def compose_body(self) -> Iterable[Widget]:
        """The screen's own widgets."""
        return ()

    @property
    def is_current(self) -> bool:
        """Whether it is seen, and so is to be painted: one of ours is opaque and covers what lies under it.

        Textual takes what lies under a dialog for seen, and has both painted whole for each change of it.
        """
        return super().is_current and (self.app.screen is self or not isinstance(self.app.screen, Framed))

    def listen(self, heard: Callable[[Event], None]) -> None:
        """Hear the desk's events until this screen begins to go away: its widgets go before it does."""

        def while_running(event: Event) -> None:
            if self.is_running:
                heard(event)

        self._end_listening = self.desk.events.subscribe(while_running)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._end_listening()

    # Hooks

    def on_frame(self) -> None:
        """Five times a second while this screen is the visible one."""

    def redraw(self) -> None:
        """Bring everything up to date, as after another screen was on top. Must be cheap to call."""

    def show_view(self, view: View) -> None:
        """Turn to one of this workspace's views."""

    def show_whole(self) -> None:
        """Turn back from a view that a key of its own had opened: the workspace itself was asked for."""

    def here(self) -> Here:
        """What commands work on."""
        return Here()

    def table(self) -> Table | None:
        """What `c` copies from and `t` writes; the grid with the focus, by default."""
        grid = self.focused
        return self.table_of(grid) if isinstance(grid, LiveGrid) else None

    def table_of(self, grid: LiveGrid) -> Table | None:
        """A grid as a table; screens with grids whose rows are not themselves keys say how."""
        return None

    def in_view(self, what: ExportWhat) -> Sequence[int] | None:
        """The rows in view of a table of the desk, by ids as in `desk_records`; None where it is not here."""
        return None

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result, once: keys typed ahead and work that ends late may ask for it again.

        A screen that another one covers is closed when it comes up again; what covers it stays.
        """
        if self._dismissed:
            return AwaitComplete.nothing()
        if not self.is_active:
            self._waiting_to_dismiss = self._waiting_to_dismiss or (result,)
            return AwaitComplete.nothing()
        self._dismissed = True
        return super().dismiss(result)

    def follow(self, keys: Iterable[str], owner: str) -> None:
        """Have the desk follow these prices for `owner`; what is asked for later takes their place."""
        work = partial(self.desk.market.follow, set(keys), owner)
        self.run_worker(work, group="follow", exclusive=True, exit_on_error=False)

    async def tell_refusal(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for what the desk was asked; say why where it is refused or fails."""
        try:
            await work()
        except (BadInput, LookupError, Refusal) as problem:
            self.shell.say(refusal_words(problem), "refused")
        except Exception as problem:
            self.shell.say(f"{type(problem).__name__}: {problem}", "error")

    def key_words(self, action: str) -> str | None:
        """What Tab leads to from the line of an answer: the keys of its rows work there alone."""
        focused = self.focused
        answering = focused is not None and isinstance(focused.parent, AnswerField)
        return "lines" if action == "next_pane(1)" and answering and len(self.focus_chain) > 1 else None

    def action_next_pane(self, step: int) -> None:
        """The next or previous pane or field; screens with views of one pane turn to the next view."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    # Strip

    def show_strip(self, mode: Mode, segments: Sequence[Segment]) -> None:
        """Put the frame's facts into the strip."""
        if self._strip is not None and self._strip.is_attached:
            self._strip.mode = mode
            self._strip.set_segments(segments)

    def post_message(self, message: Message) -> bool:
        """As Textual does; but a workspace that opens is told twice that it is up before it hears it once."""
        if isinstance(message, ScreenResume | ScreenSuspend):
            if self._resume_waits and isinstance(message, ScreenResume):
                return True
            self._resume_waits = isinstance(message, ScreenResume)
        return super().post_message(message)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on top."""
        self._resume_waits = False
        if self._waiting_to_dismiss is not None:
            self.dismiss(*self._waiting_to_dismiss)
            return
        self.shell.paint_strip()
        self.redraw()

    def on_key_line_not_clicked(self, event: KeyLine.NotClicked) -> None:
        """Say why a click pressed nothing."""
        event.stop()
        self.shell.say(event.why, "warning")

    def on_steady_input_too_long(self, event: SteadyInput.TooLong) -> None:
        """Say why a field took nothing."""
        event.stop()
        self.shell.say(
            f"the field takes {event.most} characters at most; nothing of that was taken", "refused"
        )

    def on_answer_field_ignored(self, event: AnswerField.Ignored) -> None:
        """Say why what was typed was not taken."""
        event.stop()
        self.shell.say(event.why, "refused")


class Workspace(Framed[None], inherit_bindings=True):
    """One of the numbered screens. Orders are opened here from what `here` says is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("ticket.buy", "ticket.sell", "bulk.buy", "bulk.sell", "copy", "file", "export", "note")
    ]

    def on_mount(self) -> None:
        """Know what was noted elsewhere."""
        self.run_worker(self.desk.notes.look(), exit_on_error=False, group="notes")

    def key_words(self, action: str) -> str | None:
        """How many notes there are on what the cursor is on, where there are any."""
        if action == "note" and self.is_mounted and (found := self._notes_here()):
            return counted(found, "note")
        return super().key_words(action)

    def _notes_here(self) -> int:
        here = self.here()
        if here.order_id is not None:
            return self.desk.notes.count(order_id=here.order_id)
        if here.run_number is not None:
            return self.desk.notes.count(run_number=here.run_number)
        return 0 if here.client_id is None else self.desk.notes.count(here.client_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if action == "note":
            return self.is_mounted and note_card(self.desk, self.here()) is not None
        return self.table() is not None if action == "copy_row" else True

    def on_key(self, event: events.Key) -> None:
        """A command's key that has nothing to do here says why."""
        words = NOTHING_HERE.get(self.shell.meaning(event.key))
        nothing = words is not None and self.card is None and event.key not in self.active_bindings
        if nothing and not self.shell.keeps_from(event.key):
            event.stop()
            event.prevent_default()
            self.shell.say(f"{key_words(event.key)} {words}")

    def action_ticket(self, side: str) -> None:
        """Open the ticket on what the cursor is on."""
        here = self.here()
        proposed = here.key_proposed or (self.BUYS_OTHERS and side == Side.BUY)
        self.shell.open_ticket(Side(side), here.key, here.client_id, proposed, here.product)

    def action_bulk(self, side: str) -> None:
        """Open the bulk form on the symbol; marks, else a narrowed view, are carried along and named."""
        here = self.here()
        if here.shown == () and not here.client_ids:
            # A form for everyone is not what an empty view means.
            self.shell.say("no client is shown: clear the filter or turn the group first", "warning")
            return
        self.shell.open_bulk(Side(side), here.key, here.client_ids, shown=here.shown)

    def action_note(self) -> None:
        """A note on what the cursor is on."""
        if (card := note_card(self.desk, self.here())) is not None:
            self.open_card(card)

    def action_chart(self) -> None:
        """The page of the symbol under the cursor."""
        key = self.here().key
        if key is None:
            self.shell.say("no symbol is under the cursor: / finds one", "warning")
        else:
            self.shell.open_symbol(key)

    def action_copy_row(self) -> None:
        """Copy the cursor's row, its cells divided by tabs."""
        table = self.table()
        if table is None or table.row is None:
            return
        text = "\t".join(column.cell(table.row).strip() for column in table.columns)
        self.app.copy_to_clipboard(text)
        self.shell.say(f"copied: {text.replace(chr(9), '  ')[:60]}")

    def action_table_file(self) -> None:
        """Write the table to a file in the exports folder."""
        table = self.table()
        if table is None or not table.rows:
            what = "what has the focus is no table" if table is None else f"{table.name} has no row"
            self.shell.say(f"no file written: {what}", "warning")
            return
        from screens.frame.exports import short_path, write_table

        try:
            path = write_table(self.desk, table)
        except BadInput as problem:
            self.shell.say(refusal_words(problem), "warning")
            return
        self.shell.say(f"{counted(len(table.rows), 'row')} written to {short_path(self.desk, path)}")


class Dialog(Framed[Result], ModalScreen[Result], inherit_bindings=True):
    """A screen on top of another: opaque, left by Esc, closed with a result or none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("close", "help", "jump", "privacy", "redraw", "picture")
    ]

    def on_key(self, event: events.Key) -> None:
        """A workspace's digit does nothing here, and says so."""
        if event.character and event.character in "123456789" and event.key not in self.active_bindings:
            event.stop()
            self.shell.say(f"{event.character} turns to a workspace: Esc goes back first")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
