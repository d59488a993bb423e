"""The morning's sign-in: one client after another, each answer checked while the next link is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Input

from data.errors import BadInput
from data.records import replace
from data.vocabulary import Right, SessionState
from engine.access.sign_in_queue import QueuedSignIn, Redirects, SignInQueue, SignInState
from engine.events import Event, SessionsChanged
from engine.words.formats import MASK
from screens.clients.sign_in_round import ELSEWHERE, RESULTS, SignInRound, minutes
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.pane import Pane
from screens.frame.shell import HasRights
from screens.frame.workspace import Dialog
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.qr import QrCode
from widgets.steady import SteadyStatic
from widgets.text import plain
from widgets.tokenfield import TokenField

if TYPE_CHECKING:
    from engine.book.views import ClientView

RESULTS_LEAST = Size(50, 0)
"""What a code must leave for the results beside it."""


class SignInScreen(HasRights, Dialog[None]):
    """The link of one client, the field for its token, and below what became of those before.

    A token stands only in the masked field, and from Enter on only in the desk's own check of it. What is
    seen to be wrong at once keeps the client in the field and copies its link again; what the broker refuses
    later makes the client red, and the round goes on.
    """

    CSS_PATH = Path(__file__).with_name("sign_in.tcss")
    AUTO_FOCUS = "TokenField"
    TITLE_WORDS = "Sign in"
    rights: ClassVar[Mapping[str, Right]] = {"repair": Right.SIGN_CLIENTS_IN}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("next"),
        binding(replace(COMMANDS["run.repair"], words="try again")),
    ]

    def __init__(self, going: SignInRound) -> None:
        super().__init__()
        self._going = going
        self.shown: int | None = None
        self._said = ""
        self._refused = False
        self._listens = False
        self._changed = True
        self._entries: dict[int, QueuedSignIn] = {}
        self._ended: bool | None = None
        self._lacking = Size(0, 0)
        """What the window lacks that could show the code."""

    def compose_body(self) -> ComposeResult:
        """Progress, the client, its link, the field, the results."""
        with Pane("sign-in-pane"):
            yield SteadyStatic(id="sign-in-who")
            yield SteadyStatic(id="sign-in-link")
            with Horizontal(id="sign-in-ask"):
                yield SteadyStatic(id="sign-in-field")
                yield TokenField(id="token")
            yield SteadyStatic(id="sign-in-hint", classes="hint")
        with Horizontal(id="sign-in-below"):
            with Pane("results-pane"):
                yield LiveGrid(
                    self._columns(),
                    monotonic=self.shell.monotonic,
                    markable=False,
                    hint="nobody had a turn yet",
                    id="results",
                )
                yield SteadyStatic(id="sign-in-why")
            yield QrCode(id="sign-in-qr")

    def _columns(self) -> list[Column]:
        def entry(client_id: int) -> QueuedSignIn:
            return self._entries[client_id]

        return [
            Column("code", "code", 8, lambda c: entry(c).code, style=lambda _: "strong"),
            Column("result", "result", 9, lambda c: RESULTS[entry(c).state][0], style=self._style),
            Column("why", "", 46, self._why, flex=True, most=LINE_CELLS),
            Column("name", "client", 18, self._client_name, priority=1),
        ]

    def _style(self, client_id: int) -> str:
        return RESULTS[self._entries[client_id].state][1]

    def _why(self, client_id: int) -> str:
        return self._entries[client_id].words or self._going.words.get(client_id, "")

    def _client_name(self, client_id: int) -> str:
        return MASK if self.shell.privacy else self.desk.clients.get(client_id).name

    @property
    def _field(self) -> TokenField:
        return self.query_one(TokenField)

    @property
    def queue(self) -> SignInQueue:
        """Who signs in, in which order, and how far that is."""
        return self._going.queue

    # Filling

    def on_mount(self) -> None:
        """Listen, and begin with the client whose turn it is."""
        self.listen(self._desk_event)
        if self.desk.sessions.redirects is not None:
            self.run_worker(self._catch(self.desk.sessions.redirects), group="catch", exit_on_error=False)
        self._next()

    def _desk_event(self, event: Event) -> None:
        if isinstance(event, SessionsChanged):
            self._changed = True

    def on_frame(self) -> None:
        """The clock of the round, and results that came in."""
        if self._changed:
            self._changed = False
            self._fill()
        self._fit_code()
        self._paint_progress()
        self.query_one(LiveGrid).apply(())

    def redraw(self) -> None:
        """Everything anew."""
        if self.is_mounted:
            self._changed = False
            self._fill()
            self._paint()

    def _fill(self) -> None:
        """Results, the red ones and then the latest first; at the end all that need another try."""
        self._entries = {one.client_id: one for one in self.queue.entries}
        shown = [
            one for one in reversed(self._going.given) if self._entries[one].state != SignInState.WAITING
        ]
        over = self._going.over
        again = {one.client_id for one in self._going.open_ends} if over else set[int]()
        shown.sort(key=lambda one: (self._entries[one].state != SignInState.RED, one not in again))
        grid = self.query_one(LiveGrid)
        grid.set_rows({one: one for one in shown})
        if not over:
            grid.to_top()  # else it would stay with the oldest row, out of sight of what came last
        if over != self._ended:
            self._ended = over
            self.query_one("#sign-in-ask").display = not over
            grid.can_focus = over
            (grid if over else self._field).focus()
            if over:
                self.shown = None
                self.query_one(QrCode).take("")
            grid.to_top()
            self._paint()
            self.refresh_bindings()

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """A row has no room for all of a reason."""
        self._paint_why()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page, as for a call to whoever is red."""
        if isinstance(event.key, int):
            self.shell.open_client(event.key)

    # The client whose turn it is

    def _next(self) -> None:
        self.shown = None
        self.query_one(QrCode).take("")
        self._fill()
        self._paint()
        self.run_worker(self._show_link(), exclusive=True, exit_on_error=False)

    async def _show_link(self) -> None:
        """Fetch and copy the link of whose turn it is; pass over those that need or have none."""
        queue, going = self.queue, self._going
        while (client := queue.current) is not None:
            if self._signed_in_elsewhere(client):
                queue.skip()
                going.give(client.id, ELSEWHERE)
                continue
            try:
                link = await queue.link()
                if queue.current != client:
                    return
                if not link:
                    queue.submit("")
            except BadInput as problem:
                if queue.current == client:
                    queue.skip()
                    going.give(client.id, f"no link: {problem.expected}")
                continue
            if link:
                self.shown = client.id
                self.query_one("#sign-in-link", SteadyStatic).update(Content(plain(f" {link}")))
                self.query_one(QrCode).take(link)
                self._copy(link, "link copied, Enter on the empty field copies it again")
                break
            asked = self.desk.sessions.form(client.id) is not None
            going.give(client.id, "by its stored key" if asked else "no sign-in needed")
        self._fill()
        self._paint()

    def _signed_in_elsewhere(self, client: ClientView) -> bool:
        session = self.desk.sessions.of(client.id)
        if session is None or client.session is not SessionState.OK:
            return False
        return session.login_at != self._going.before.get(client.id)

    def _copy(self, link: str, words: str, refused: bool = False) -> None:
        self.app.copy_to_clipboard(link)
        self._said, self._refused = words, refused

    async def _copy_again(self, why: str = "") -> None:
        """Copy the link once more; `why` tells what was not taken, with a bell for eyes at the browser."""
        if why:
            self.app.bell()
        client = self.queue.current
        try:
            link = await self.queue.link()
        except BadInput as problem:
            self._said, self._refused = f"{why}{problem.expected}", True
        else:
            if self.queue.current == client:  # else the next one's link is the one to paste
                self._copy(link, f"{why}link copied again", bool(why))
        self._paint()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What is typed is nobody else's."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the token to the desk and go on; on an empty field copy the link again."""
        event.stop()
        self._take(self._field.take())

    async def _catch(self, opened: Callable[[], AbstractAsyncContextManager[Redirects]]) -> None:
        """Take the addresses that browsers are sent to, as if they were pasted here."""
        try:
            async with opened() as redirects:
                self._listens = True
                self._paint()
                while True:
                    address = await redirects.address()
                    if self.queue.awaits(address):
                        self._field.take()  # what stands there was meant for this client too
                        self._take(address)
                    else:
                        self.shell.say("an address came back that is not of this sign-in: dropped", "warning")
        except BadInput as problem:
            self.shell.say(f"no redirect is caught, paste the addresses: {problem}", "warning")

    def _take(self, text: str) -> None:
        client = self.queue.current
        if client is None or self.shown != client.id:
            if text.strip():
                self.shell.say("wait for the link: what was typed belongs to nobody and is gone", "warning")
        elif not text.strip():
            self.run_worker(self._copy_again(), exit_on_error=False)
        else:
            try:
                self.queue.submit(text)
            except BadInput as problem:
                why = f"not taken: {problem.expected} · still {client.code}, "
                self.run_worker(self._copy_again(why), exit_on_error=False)
            else:
                if self.queue.current == client:  # its form asks for more
                    self._paint_field()
                    return
                self._going.give(client.id)
                self._next()

    # Painting

    def _paint_field(self) -> None:
        """What is asked for now, which shows dots where it is a secret."""
        asked = self.queue.field
        words = f"paste {asked.label}:" if asked else "any word:"
        self.query_one("#sign-in-field", SteadyStatic).update(Content(plain(words)))
        self._field.password = asked is None or asked.secret

    def _paint_progress(self) -> None:
        at, following = self.queue.progress(), self.queue.following
        clients = [self.desk.clients.get(one.client_id) for one in self.queue.entries]
        red = sum(client.session is not SessionState.OK for client in clients)
        parts = [f"red {red}", f"{minutes(at.spent_s)} gone"]
        if at.red:
            parts.insert(1, f"refused {at.red}")
        if at.left_s:
            parts.append(f"about {minutes(at.left_s)} left")
        if at.checking:
            parts.append(f"checking {at.checking}")
        if any(self._lacking):
            cells, rows = self.size + self._lacking
            parts.append(f"QR needs {cells}x{rows}")
        if following is not None:
            parts.append(f"next {following.code}" + (" after this" if self.size.width >= 110 else ""))
        self.query_one("#sign-in-pane", Pane).set_title(f"Sign in {at.done}/{at.total}", parts)
        shown = len(self.query_one(LiveGrid).shown_keys)
        self.query_one("#results-pane", Pane).set_title("Results", [str(shown) if shown else ""])

    def _fit_code(self) -> None:
        """The link for the camera of the client's phone, beside the results where there is room."""
        room = self.query_one("#sign-in-below").size - RESULTS_LEAST
        self._lacking = self.query_one(QrCode).fit(room)

    def _paint(self) -> None:
        self._paint_progress()
        self._paint_field()
        client, again = self.queue.current, len(self._going.open_ends)
        if client is not None:
            name = MASK if self.shell.privacy else client.name
            who = f" {client.code} {name}  {client.broker_user_id} at {client.broker.capitalize()}"
            hint = self._said if self.shown == client.id else "fetching the link…"
            if self._listens and not self._refused:
                hint = hint.replace(
                    "Enter on the empty field copies it again", "the browser's return is caught"
                )
            hint = f" {hint}   }} skips   Esc leaves, the rest stays"
        elif not self._going.over:
            who, hint = " the last answers are being checked…", " Esc leaves, they are checked all the same"
        elif again:
            who = f" everybody had a turn, {again} {'is' if again == 1 else 'are'} left"
            hint = f" r tries {'it' if again == 1 else 'them'} again   Esc closes"
        else:
            others = len(self.desk.sessions.due())
            who = f" this round is signed in, {others} more are due" if others else " everybody is signed in"
            hint = " Esc closes, then r begins with them" if others else " Esc closes"
        self.query_one("#sign-in-who", SteadyStatic).update(Content(plain(who)))
        told = self.query_one("#sign-in-hint", SteadyStatic)
        told.update(Content(plain(hint)))
        told.set_class(self._refused and client is not None, "refused")
        self.query_one("#sign-in-link", SteadyStatic).display = self.shown is not None
        self._paint_why()

    def _paint_why(self) -> None:
        """At the end the whole reason of the cursor's row."""
        row = self.query_one(LiveGrid).cursor_key if self._going.over else None
        words = self._why(row) if isinstance(row, int) and row in self._entries else ""
        told = self.query_one("#sign-in-why", SteadyStatic)
        told.display = bool(words)
        if isinstance(row, int) and words:
            told.update(Content(plain(f" {self._entries[row].code}: {words}")))

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent; the field keeps the focus while somebody's turn lasts."""
        if action == "step":
            return self.queue.current is not None
        if action == "repair":
            return self._going.over and bool(self._going.open_ends)
        if action == "next_pane":
            return False
        return super().check_action(action, parameters)

    def action_step(self, step: int) -> None:
        """Leave this client for later."""
        client = self.queue.current
        if client is not None and step > 0:
            self._field.take()
            self.queue.skip()
            self._going.give(client.id)
            self._next()

    def action_repair(self) -> None:
        """Try those again that are red or were skipped."""
        for one in self._going.open_ends:
            self.queue.retry(one.client_id)
        self._next()

    def action_close(self) -> None:
        """Leave; the queue stays as it is, and answers go on being checked."""
        self._field.take()
        at = self.queue.progress()
        self.dismiss(None)
        if at.waiting:
            self.shell.say(f"sign-in left at {at.done}/{at.total}; r goes on with it")
