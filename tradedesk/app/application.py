"""The app: wires the desk to the screens, drives the one frame clock, and owns the keys that always work.

The desk is opened after the first paint, so that the screen is up before anything heavy is imported.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from data.clock import Clock, SystemClock
from engine.events import AlertsChanged, Event, HaltChanged, PeopleChanged, RunChanged, StoreTrouble
from screens.frame.commands import binding, bindings
from screens.frame.fault import FaultScreen
from screens.frame.lock import LockScreen
from screens.frame.opening import OPENING, OpeningScreen
from screens.frame.workspace import Framed
from tradedesk.app.halting import EARLY_F9, NOT_CANCELLED, Halting
from tradedesk.app.keystream import KeyQueue
from tradedesk.app.list_in_view import read_list_in_view
from tradedesk.app.lockable import WHEN_LOCKED, LockableApp
from tradedesk.app.locking import LOCKED
from tradedesk.app.look import FRAMES_PER_SECOND, DeskFactory, KeptSettings, Look
from tradedesk.app.mending import FAULT
from tradedesk.app.palette import DeskCommands, Palette
from tradedesk.app.preferences import Preferences
from tradedesk.app.strip_painter import StripPainter
from tradedesk.app.styling import read_sheets, styled_by_now
from tradedesk.app.theme.files import Themes
from tradedesk.app.theme.themes import DARK_VARIABLES
from tradedesk.app.workspaces import WORKSPACES, add_workspaces, load_workspaces, without_workspace
from tradedesk.cli.entry import WHILE_OPEN
from widgets.text import plain

log = logging.getLogger(__name__)

CLOSING = "closing"
"""The mode with the screen that is up while the desk closes."""

WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-normal"), (150, "-wide"), (185, "-widest")]
"""Classes of a screen by the columns it has at least."""

HEIGHTS = [(0, "-flat"), (20, "-short"), (34, "-tall")]
"""Classes of a screen by the lines it has at least."""


class TradedeskApp(LockableApp):
    """One trader's desk in a terminal. Screens reach it through `screens.frame.shell.Shell`."""

    TITLE = "tradedesk"
    CSS_PATH = "tradedesk.tcss"
    # Textual reads these from the class though it declares them for the instance.
    HORIZONTAL_BREAKPOINTS = WIDTHS  # pyright: ignore[reportIncompatibleVariableOverride]
    VERTICAL_BREAKPOINTS = HEIGHTS  # pyright: ignore[reportIncompatibleVariableOverride]
    COMMANDS = {lambda: DeskCommands}  # noqa: RUF012 - Textual reads the set from the class
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("find", "needs_me", "alerts", "command_line", "help", "halt.press", "halt.stand_down"),
        *bindings("flatten", "intent.again", "go", "jump", "freeze", "privacy", "lock", "redraw"),
        *bindings("health", "picture", "clock", "palette", "quit", "quit.letter", "depth", "trades"),
        *(binding(entry.command) for entry in WORKSPACES if entry.available),
        *(
            Binding(digit, f"no_workspace('{digit}')", show=False, id=f"no_workspace.{digit}")
            for digit in without_workspace()
        ),
    ]

    def __init__(
        self,
        desk_factory: DeskFactory,
        *,
        prepare: Callable[[], Look | None] | None = None,
        clock: Clock | None = None,
        frames_per_second: float = FRAMES_PER_SECOND,
        halt_file: Path | None = None,
        kept: KeptSettings | None = None,
    ) -> None:
        """`prepare` runs in a thread before the desk opens: its imports, and the trader's settings.

        `halt_file` is written at once where F9 is pressed twice before the desk is open, so that nothing is
        sent; the cancels follow when it is. Without it F9 has no use before that. `kept` is where settings
        changed on the screen are kept. `clock` times F9, fields and grids; tests move one by hand. With 0
        frames a second the caller paints by `frame`.
        """
        super().__init__(clock or SystemClock())
        self._desk_factory = desk_factory
        self._prepare = prepare
        self._frames_per_second = frames_per_second
        self._quit_asked = asyncio.Event()
        self.halting = Halting(self, self.clock, halt_file)
        self.key_queue = KeyQueue(self)
        self.after_key = self.key_queue.after
        self._strip = StripPainter(self)
        self._pace: Timer | None = None
        self.desk_task: asyncio.Task[None] | None = None
        self._positions_owner = ""
        self.themes = Themes(self, kept.themes if kept is not None else None)
        self.preferences = Preferences(self, kept)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for any theme that does not set them."""
        return DARK_VARIABLES

    # Opening and closing

    def get_default_screen(self) -> Screen[Any]:
        """What is up while the desk opens."""
        return OpeningScreen(OPENING if self.halting.file is None else f"{OPENING}\n\n{EARLY_F9}")

    def on_mount(self) -> None:
        """Paint first, open then."""
        self.add_mode(CLOSING, styled_by_now(self, OpeningScreen))
        self.add_mode(FAULT, styled_by_now(self, FaultScreen))
        self.add_mode(LOCKED, styled_by_now(self, LockScreen))
        add_workspaces(self)
        self.screen_change_signal.subscribe(self, self.key_queue.screen_changed, immediate=True)
        self.call_after_refresh(self._open_desk)
        if self._frames_per_second:
            self._pace = self.set_interval(1 / self._frames_per_second, self.frame)

    def _open_desk(self) -> None:
        # A task of its own, since Textual cancels its workers when the screen goes away for any reason.
        self.desk_task = asyncio.get_running_loop().create_task(self._hold_desk())

    async def close_desk(self) -> None:
        """Close the desk in good order, whatever became of the screen. Returns when it is closed."""
        self._quit_asked.set()
        if self.desk_task is not None:
            await asyncio.wait([self.desk_task])

    async def run_async(self, **named: Any) -> None:
        """As Textual does, and then close the desk; a crashed screen must not tear an engine apart."""
        try:
            await super().run_async(**named)
        finally:
            await self.close_desk()

    async def _hold_desk(self) -> None:
        """Open the desk, and keep it open in this task until the app closes."""
        try:
            if self._prepare is not None:
                self.preferences.take(await asyncio.to_thread(self._prepare))
            async with self._desk_factory() as desk:
                from engine.following import POSITIONS

                self._positions_owner = POSITIONS
                self._desk = desk
                self._list_in_view = read_list_in_view(desk.home)
                self._open = True
                unsubscribe = desk.events.subscribe(self._desk_event)
                read_sheets(self)
                open_to_see = self.locking.begin()
                shown = self.switch_mode(self.preferences.workspace if open_to_see else LOCKED)
                self.preferences.begin(desk.home)
                if self.halting.was_early:
                    halted_after = self.halting.cancel_all()
                    if self.is_running:
                        await shown
                        self.halting.show(halted_after)
                try:
                    await shown
                    await self.painted(self._quit_asked)
                    await asyncio.to_thread(load_workspaces)
                    self.call_later(self.preferences.ask_at_first)
                    gc.freeze()  # what is loaded by now stays, and need not be looked at for garbage again
                    gc.set_threshold(*WHILE_OPEN)
                    gc.enable()
                    await self._quit_asked.wait()
                finally:
                    unsubscribe()
                    self._open = False
                await self._show_closing()
        except Exception as problem:
            log.exception("the desk did not open or close")
            from tradedesk.cli.exits import explain

            told = explain(problem)
            if self._desk is None and isinstance(self.screen, OpeningScreen):
                self._failed = told.exit
                left = f"\n\n{NOT_CANCELLED}" if self.halting.was_early else ""
                self.screen.show_problem(f"{told.message}{left}")
                return
            self.exit(return_code=told.exit, message=f"tradedesk: {plain(told.message)}")
        else:
            self.exit(return_code=self.return_code or 0)  # a screen that failed has set its code

    def pace(self, frames_per_second: float) -> None:
        """Paint so often at most, unless the caller paints."""
        if self._pace is not None:
            self._pace.stop()
            self._pace = self.set_interval(1 / frames_per_second, self.frame)

    async def _show_closing(self) -> None:
        """Leave the screens of the desk; what they show would be a desk that no longer moves."""
        if not self.is_running:
            return
        await self.switch_mode(CLOSING)
        if isinstance(self.screen, OpeningScreen):
            self.screen.say("closing the desk: calls under way are brought to their end…")

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        if self.use_command_palette and not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    async def action_quit(self) -> None:
        """Ask; the desk closes in good order only after a typed yes."""
        from screens.frame.cards.confirm import QuitCard

        if not self._open:
            self.exit(return_code=self._failed)
        elif self.locking.locked:
            self.locking.say(
                "sign in first: whoever is at the desk leaves it; or end it from another terminal"
            )
        elif isinstance(self.screen, Palette):
            self.screen.dismiss()
            self.call_later(self.action_quit)
        elif isinstance(self.screen, Framed) and not isinstance(self.screen.card, QuitCard):
            question = QuitCard(self.desk.counts(), len(self.desk.chases.going))
            self.screen.open_card(question, self._quit_answered, over=self.screen.card)

    def _quit_answered(self, yes: bool | None) -> None:
        if yes:
            self._quit_asked.set()

    # The frame

    def frame(self) -> None:
        """One tick of the frame clock: values, the strip, then the visible screen."""
        self.key_queue.frame()
        if not self._open:
            if self.halting.lapsed():
                self.paint_strip()
            return
        desk = self.desk
        self.locking.frame()
        if self.locking.locked:
            self.halting.lapsed()
            return
        owner = self._positions_owner
        aged = [desk.valuation.holders(key) for key in desk.market.take_turned(owner)]
        self.revalued = desk.valuation.revalue(desk.market.take_dirty(owner)).union(*aged)
        if self.halting.lapsed():
            self.refresh_bindings()
        try:
            self.paint_strip()
            screen = self.screen
            stands = screen.is_mounted and screen.is_running
            if isinstance(screen, Framed) and stands:
                if not self.frozen:
                    screen.on_frame()
                screen.dock_frame()
        except Exception as problem:
            self.mending.painting_failed(problem)

    def paint_strip(self) -> None:
        """Bring the strip of every open screen up to date; before the desk is open its line stands for it."""
        if not self._open:
            self.halting.say_opening()
        elif not self.locking.locked:
            self._strip.paint(self.halting.seconds_left)

    def runs_looked_for(self) -> None:
        """Find the runs that the strip may show to who sits here."""
        self._strip.runs_on = {run.number for run in self.desk.runs.all()}

    def _desk_event(self, event: Event) -> None:
        """What the app itself does when something happened on the desk; screens listen for themselves."""
        match event:
            case StoreTrouble():
                self.say(
                    event.message or "the database can be written again",
                    "error" if event.message else "information",
                )
                self.paint_strip()
            case PeopleChanged():
                self.call_later(self.locking.people_changed)
            case HaltChanged():
                self.paint_strip()
            case AlertsChanged():
                self.ring()
            case RunChanged():
                self._strip.runs_on.add(event.number)

    # Faults

    async def _dispatch_message(self, message: Message) -> None:
        """As Textual does; a message that the app fails at must not end its queue, and F9 with it."""
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        """Log what nobody caught, and make the screens anew; without an open desk there is none to keep.

        The log's traceback shows no local variables, which may be clients'.
        """
        if not self._open:
            log.critical("the screen ended unexpectedly", exc_info=error)
            super()._handle_exception(error)
            return
        self.key_queue.reset()
        self.screen_failed(error)

    def _fatal_error(self) -> None:
        """Leave with a short message where Textual would print a traceback with its local variables."""
        if not self._exit_renderables:
            from tradedesk.cli.exits import log_file

            file = log_file()
            more = f"; {file} says more" if file else ""
            self._exit_renderables.append(
                Text(
                    f"tradedesk: the screen ended unexpectedly{more}. What was sent stays at the broker; "
                    "`tradedesk cancel-all` works without the screen."
                )
            )
        self._close_messages_no_wait()

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Line the keys up; F9 passes all others."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.locking.touched()
            if not self.halting.takes(event.key, event.time):
                self.halting.other_input()
                self.key_queue.arrive(event)
            return
        if isinstance(event, (events.Paste, events.MouseDown)):
            self.halting.other_input()
        if isinstance(event, events.Paste) and not event.is_forwarded and not self.key_queue.in_field("x"):
            self.say("pasted text was ignored: no field has the focus", "warning")
            return
        await super().on_event(event)

    async def deliver(self, event: events.Key) -> None:
        """Give a key to what is on the screen, as Textual does."""
        waits, self._letter_waits = self._letter_waits, None
        if waits is not None:
            waits.over()
            if waits.screen is self.screen and (event.key == "escape" or event.is_printable):
                if event.character is not None and event.is_printable:
                    waits.then(event.character)
                return
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """A key that came back unused from a screen that is no longer up goes to the one that is."""
        if self.key_queue.strayed(event):
            event.prevent_default()
            event.stop()

    def on_key_queue_done(self, event: KeyQueue.Done) -> None:
        """The key before has been dealt with."""
        self.key_queue.done(event)

    def discard_typed(self) -> None:
        """Forget keys typed but not yet dealt with, and those typed before the next paint."""
        self.key_queue.discard_until_painted(self.screen)

    def hold_keys(self, forget: bool = False) -> Callable[[], None]:
        """Keep keys that are typed from now on until what is returned is called; then `forget` them."""
        return self.key_queue.hold(forget)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A command without use here and now is absent."""
        if action in ("stand_down", "halt_firm"):
            return self.halting.offers_firm if action == "halt_firm" else self.halting.armed
        if self.locking.locked:
            return action in WHEN_LOCKED
        if action == "workspace":
            return self._open and any(one.name == parameters[0] and one.available for one in WORKSPACES)
        return action in ("halt_press", "quit") or (self._open and self.is_of_use(action))

    # F9

    def action_halt_press(self) -> None:
        """One press of F9 from the palette, the mouse or a binding."""
        self.halting.press(events.Key("f9", None).time)

    def action_halt_firm(self) -> None:
        """Halt every desk that shares the books, after a first F9."""
        self.halting.press_firm()

    def action_stand_down(self) -> None:
        """Forget the first F9."""
        self.halting.stand_down()
