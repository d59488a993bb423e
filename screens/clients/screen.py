"""Workspace 7, Clients and the morning gate: what each client still lacks, waivers, and the sign-in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from data.errors import BadInput
from data.records import replace
from data.vocabulary import ExportWhat
from engine.events import Event
from screens.clients.changing import ChangesClients
from screens.clients.gate_detail import GateDetail
from screens.clients.gate_rows import (
    can_retry,
    counted_words,
    gate_columns,
    is_meant,
    needs_attention,
)
from screens.clients.mending import Mended, renew_sessions, retry_routes
from screens.clients.roster import GateRoster
from screens.clients.sign_in import SignInScreen
from screens.clients.sign_in_round import SignInRound, begin_round, goes_on
from screens.clients.waive import ask_waive
from screens.desk.side import SidePane
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import ToRecord, gate_record
from screens.frame.routes import View
from screens.frame.shell import Here, Table
from screens.frame.whose import ready_by_broker
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.access.gate import GateRow
    from engine.book.views import ClientView


class ClientsScreen(ChangesClients):
    """Every client at the gate, red first. `d` waives an amber item, `r` signs in whoever is due.

    On a client whose session holds but whose route the broker refused, `r` lets orders out again.
    """

    CSS_PATH = Path(__file__).with_name("clients.tcss")
    AUTO_FOCUS = "#gate"
    TITLE_WORDS = "Clients and the morning gate"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(replace(COMMANDS["run.repair"], words="sign in, retry")),
        binding(replace(COMMANDS["plan.drop"], action="waive", words="waive")),
        binding(replace(COMMANDS["needs_me"], action="needs_here")),
        *bindings("filter", "previous", "next", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, GateRow] = {}
        self._roster = GateRoster()
        self._only_attention = False
        self._group: str | None = None
        self._round: SignInRound | None = None

    def compose_body(self) -> ComposeResult:
        """The gate, the words behind it, the filter."""
        with Pane("gate-pane", hint="{ } group  e edit  p pause  Insert add  < import  r sign in  d waive"):
            with Container(id="gate-body"):
                yield LiveGrid(
                    gate_columns(self.desk, self._rows, lambda: self.shell.privacy),
                    monotonic=self.shell.monotonic,
                    hint="no client here",
                    id="gate",
                )
                with Vertical(id="gate-beside"):
                    yield GateDetail(id="gate-detail")
                    yield SidePane(self.shell, with_symbol=False)
            yield FilterLine(id="gate-filter")

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#gate", LiveGrid)

    @property
    def _side(self) -> SidePane:
        return self.query_one(SidePane)

    @property
    def _filter(self) -> FilterLine:
        return self.query_one(FilterLine)

    # Filling

    def on_mount(self) -> None:
        """Listen, and show the red ones on top."""
        self.listen(self._desk_event)
        self._bring_up_to_date()
        self._grid.sort_by("gate")
        self._grid.to_top()
        self._paint_detail()

    def _desk_event(self, event: Event) -> None:
        self._roster.note(event)
        self._side.heard(event)

    def on_frame(self) -> None:
        """Judge whom something was heard of, and some of the others in turn."""
        self._bring_up_to_date()
        self._grid.resort()
        self._side.show(None, self._row.client_id if self._row else None)
        self._side.on_frame()

    def redraw(self) -> None:
        """Everything painted anew."""
        if self.is_mounted:
            self._bring_up_to_date()
            self._grid.apply(set(self._grid.shown_keys))
            self._paint_title()
            self._paint_detail()
            self._side.redraw()

    def on_resize(self) -> None:
        """The words behind the row stand below or beside it."""
        self.call_after_refresh(self._paint_detail)

    def _bring_up_to_date(self) -> None:
        changed = self._roster.read(self.desk)
        for gone in self._rows.keys() - self._roster.known.keys():
            del self._rows[gone]
        self._judge(self._roster.due(), changed)

    def _judge(self, client_ids: Iterable[int], roster: bool = False) -> None:
        """Ask the gate about these clients and show what is different."""
        changed: set[int] = set()
        for client_id in client_ids:
            row = self.desk.gate.of(client_id)
            if row != self._rows.get(client_id):
                self._rows[client_id] = row
                changed.add(client_id)
        if roster:
            self._grid.set_rows({one: one for one in self._roster.known}, self._shown())
        elif changed and self._narrowed:
            self._grid.set_order(self._shown())
        self._grid.apply(changed)
        if changed or roster:
            self._paint_title()
            self._paint_detail()
            self.refresh_bindings()

    @property
    def _turned_to(self) -> str | None:
        """The group whose clients are shown, kept by its name; everyone once nobody is in it."""
        return self._group if self._group in self.desk.clients.groups() else None

    @property
    def _narrowed(self) -> bool:
        return self._only_attention or self._turned_to is not None or bool(self._filter.value.strip())

    def _shown(self) -> list[int]:
        words, group = self._filter.value.casefold().split(), self._turned_to
        return [
            one
            for one, client in self._roster.known.items()
            if (not self._only_attention or needs_attention(self._rows[one]))
            and (group is None or group in client.groups)
            and is_meant(self.desk, client, self._rows[one], words)
        ]

    # Painting

    def _paint_title(self) -> None:
        parts = counted_words(self.desk, self._rows.values())
        shown, marked = len(self._grid.shown_keys), len(self._grid.marked_keys)
        if shown != self.desk.counts().clients:
            parts.append(f"shown {shown}")
        if marked:
            parts.append(f"marked {marked}")
        if self._turned_to is not None:
            parts.append(f"group {self._turned_to}")
        if self._only_attention:
            parts.append("needs me")
        if self._filter.value.strip():
            parts.append(f"filter {self._filter.value.strip()}")
        if self._round is not None and goes_on(self._round, self._due()):
            at = self._round.queue.progress()
            parts.append(f"sign-in {at.done}/{at.total}, r goes on")
        parts.append(ready_by_broker(self._roster.known.values(), self.desk.clients.total))
        heading = "Gate" if self.size.width < 110 else "Clients and the morning gate"
        self.query_one(Pane).set_title(heading, parts)

    def _due(self) -> list[int]:
        """Whom a round of sign-ins would take."""
        return [client.id for client in self.desk.sessions.due()]

    def _paint_detail(self) -> None:
        self.query_one(GateDetail).show(self.desk, self._row, self.shell.privacy)

    # What the cursor is on

    @property
    def _row(self) -> GateRow | None:
        key = self._grid.cursor_key if self.is_mounted else None
        return self._rows.get(key) if isinstance(key, int) else None

    @property
    def _marked(self) -> tuple[int, ...]:
        return tuple(sorted(key for key in self._grid.marked_keys if isinstance(key, int)))

    def here(self) -> Here:
        """The client under the cursor, the marked ones, and those in view."""
        if not self.is_mounted:
            return Here()
        row = self._row
        shown = tuple(sorted(self._shown()))
        return Here(
            client_id=row.client_id if row else None,
            client_ids=self._marked,
            shown=shown if len(shown) < len(self._roster.known) else None,
            group=self._turned_to,
        )

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are client ids."""
        record: ToRecord = lambda key: gate_record(self.desk, self._rows[key])  # noqa: E731 - of a row's key
        return Table("gate", tuple(grid.columns), tuple(grid.shown_keys), grid.cursor_key, record)

    def in_view(self, what: ExportWhat) -> Sequence[int] | None:
        """The clients that are shown."""
        if what not in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
            return None
        return [key for key in self._grid.shown_keys if isinstance(key, int)]

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        if isinstance(event.key, int):
            shown = [key for key in self._grid.shown_keys if isinstance(key, int)]
            self.shell.open_client(event.key, shown)

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Words and keys depend on the client."""
        self._paint_detail()
        self.refresh_bindings()

    def on_live_grid_marked(self, event: LiveGrid.Marked) -> None:
        """Say how many are marked."""
        self._paint_title()

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "filter_here":
            return self.focused is self._grid
        if action == "waive":
            return self._row is not None and needs_attention(self._row)
        if action == "repair":
            return bool(self._rows)
        if action == "close":
            return self._narrowed or self.focused is self._filter
        if action == "step":
            return bool(self.desk.clients.groups())
        return super().check_action(action, parameters)

    def action_needs_here(self) -> None:
        """Only red and amber clients, or all again."""
        self._only_attention = not self._only_attention
        self._narrow()
        self._grid.to_top()
        self.set_focus(self._grid)
        self._paint_detail()

    def _narrow(self) -> None:
        none = "no client needs attention" if self._only_attention else "no client here"
        self._grid.hint = f"{none}: {{ }} turns the group" if self._turned_to is not None else none
        self._grid.set_order(self._shown())
        self._paint_title()
        self._paint_detail()
        self.refresh_bindings()

    def action_filter_here(self) -> None:
        """Filter by code, name, group, or what is missing."""
        self._filter.open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        self._narrow()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back to the rows."""
        self._filter.settle()
        self.set_focus(self._grid)

    def action_close(self) -> None:
        """First the filter goes, then the view."""
        if self._filter.value or self.focused is self._filter:
            self._filter.value = ""
            self._filter.settle()
        else:
            self._only_attention, self._group = False, None
            self._narrow()
        self.set_focus(self._grid)

    def action_step(self, step: int) -> None:
        """Turn to the clients of another group, or to everyone."""
        groups = [None, *self.desk.clients.groups()]
        self._group = groups[(groups.index(self._turned_to) + step) % len(groups)]
        self._narrow()
        self._grid.to_top()

    @property
    def client_here(self) -> ClientView | None:
        """The client under the cursor."""
        return None if self._row is None else self.desk.clients.get(self._row.client_id)

    def client_added(self, client_id: int) -> None:
        """The cursor goes to it."""
        self._bring_up_to_date()
        self._grid.move_cursor(client_id)

    # Waiving

    def action_waive(self) -> None:
        """Ask why an amber item may pass today; say why red may not."""
        if (row := self._row) is not None:
            ask_waive(self, row)

    # Signing in

    def show_view(self, view: View) -> None:
        """The sign-in of whoever is due."""
        if view is View.SIGN_IN:
            self.call_later(self.action_repair)

    def sign_in_by_code(self, code: str) -> None:
        """The sign-in of one client; a code that is none is said."""
        try:
            self._sign_in([self.desk.clients.find(code).id])
        except BadInput as problem:
            self.shell.say(str(problem), "warning")

    def action_repair(self) -> None:
        """Retry refused routes of the marked clients, or of the cursor's, where their sessions stand.

        Sign in: the marked clients that are due; else go on; else all that are due, the cursor's first.
        """
        due = self._due()
        marked = set(self._marked)
        here = self._marked or ((self._row.client_id,) if self._row is not None else ())
        refused = [one for one in here if can_retry(self._rows[one])]
        if refused:
            self.carry_out(self._retry_routes(refused))
        if marked:
            due = [one for one in due if one in marked]
            if refused and not due:
                return
        elif refused:
            return
        elif self._round is not None and goes_on(self._round, due):
            self.app.push_screen(SignInScreen(self._round))
            return
        elif self._row is not None and self._row.client_id in due:
            first = self._row.client_id
            due = [first, *(one for one in due if one != first)]
        if due:
            self._sign_in(due)
        elif marked:
            self.shell.say(f"none of the {len(marked)} marked clients is due to sign in")
        elif not any(self.desk.sessions.needs_sign_in(one) for one in self._roster.known):
            self.shell.say("nothing needs signing in on this desk")
        else:
            self.shell.say("nobody is due to sign in: every session holds")

    async def _retry_routes(self, client_ids: Sequence[int]) -> None:
        self._judge_told(await retry_routes(self.desk, client_ids), client_ids)

    async def _renew(self, client_ids: Sequence[int]) -> None:
        self._judge_told(await renew_sessions(self.desk, client_ids), client_ids)

    def _judge_told(self, told: Mended, client_ids: Sequence[int]) -> None:
        """Say what came of it, and judge anew whom it concerned."""
        self.shell.say(told.words, "information" if told.done else "error")
        if told.done and self.is_mounted:
            self._judge(client_ids)

    def _sign_in(self, client_ids: Sequence[int]) -> None:
        if not any(self.desk.sessions.needs_sign_in(one) for one in client_ids):
            self.carry_out(self._renew(client_ids))
            return
        going = begin_round(self.desk, client_ids)
        due = self._due()
        if self._round is None or self._marked or not goes_on(self._round, due):
            self._round = going  # a single client asked for by its code leaves the morning's queue as it is
        self.app.push_screen(SignInScreen(going))
