"""Workspace 7, Clients and the morning gate: what each client still lacks, waivers, and the sign-in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput
from data.vocabulary import GateColour, GateItem
from engine.events import ClientsChanged, Event, FundsChanged, SessionsChanged
from engine.words.gate import verdict_words
from engine.words.refusals import refusal_words
from screens.clients.gate_rows import (
    ITEM_TITLES,
    STYLES,
    can_retry,
    client_head,
    gate_columns,
    is_out,
    item_words,
    needs_attention,
    waivable,
)
from screens.clients.sign_in import SignInRound, SignInScreen, begin_round, goes_on
from screens.clients.waive import WaiveLine
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.pane import FilterLine, Pane
from screens.frame.records import ToRecord, gate_record
from screens.frame.workspace import Here, Table, Workspace
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.access.gate import GateCheck, GateRow
    from engine.book.views import ClientView

A_FRAME = 30
"""Clients judged anew in each frame though nothing was heard of them: ages and ends of sessions move."""

SIGN_IN = "sign-in"
"""The view that opens the sign-in; a client's code may follow it after a blank."""

COLOURS = {"up": "$pnl-up", "warn": "$text-warning", "armed": "$armed"}
"""Colours of the grid's styles in the words beside it."""


class ClientsScreen(Workspace):
    """Every client at the gate, red first. `n` waives an amber item, `r` signs in whoever is due.

    On a client whose session holds but whose route the broker refused, `r` lets orders out again.
    """

    CSS_PATH = Path(__file__).with_name("clients.tcss")
    AUTO_FOCUS = "#gate"
    TITLE_WORDS = "Clients and the morning gate"
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(replace(COMMANDS["needs_me"], action="needs_here")),
        binding(replace(COMMANDS["run.repair"], words="sign in, retry", rank=3)),
        binding(replace(COMMANDS["note"], words="waive", rank=4)),
        *bindings("filter", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, GateRow] = {}
        self._known: dict[int, ClientView] = {}
        self._dirty: set[int] = set()
        self._roster_changed = True
        self._turn = 0
        self._only_attention = False
        self._round: SignInRound | None = None

    def compose_body(self) -> ComposeResult:
        """The gate, the words behind it, the filter, the line that waives."""
        with Pane(id="gate-pane"):
            yield SteadyStatic(classes="title")
            with Container(id="gate-body"):
                yield LiveGrid(
                    gate_columns(self.desk, self._rows, lambda: self.shell.privacy),
                    monotonic=self.shell.monotonic,
                    hint="no client here",
                    id="gate",
                )
                yield SteadyStatic(id="gate-detail")
            yield FilterLine(id="gate-filter")
            yield WaiveLine(id="waive")

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#gate", LiveGrid)

    @property
    def _filter(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def _waive(self) -> WaiveLine:
        return self.query_one(WaiveLine)

    # Filling

    def on_mount(self) -> None:
        """Listen, and show the red ones on top."""
        self._unsubscribe = self.desk.events.subscribe(self._heard)
        self._bring_up_to_date()
        self._grid.sort_by("gate")
        self._grid.to_top()
        self._paint_detail()

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unsubscribe()

    def _heard(self, event: Event) -> None:
        match event:
            case ClientsChanged():
                self._roster_changed = True
            case SessionsChanged() | FundsChanged():
                self._dirty |= event.client_ids
            case _:
                pass

    def on_frame(self) -> None:
        """Judge whom something was heard of, and some of the others in turn."""
        self._bring_up_to_date()
        self._grid.resort()

    def redraw(self) -> None:
        """Everything painted anew."""
        if self.is_mounted:
            self._bring_up_to_date()
            self._grid.apply(set(self._grid.shown_keys))
            self._paint_title()
            self._paint_detail()

    def on_resize(self) -> None:
        """The words behind the row stand below or beside it."""
        self.call_after_refresh(self._paint_detail)

    def _bring_up_to_date(self) -> None:
        roster = self._roster_changed
        if roster:
            self._roster_changed = False
            clients = {client.id: client for client in self.desk.clients.all()}
            self._dirty |= {one for one, client in clients.items() if client != self._known.get(one)}
            for gone in self._rows.keys() - clients.keys():
                del self._rows[gone]
            self._known = clients
        due = (self._dirty & self._known.keys()) | set(self._next_in_turn())
        self._dirty = set()
        self._judge(due, roster)

    def _next_in_turn(self) -> Sequence[int]:
        ids = list(self._known)
        self._turn = 0 if self._turn >= len(ids) else self._turn
        part = ids[self._turn : self._turn + A_FRAME]
        self._turn += A_FRAME
        return part

    def _judge(self, client_ids: Iterable[int], roster: bool = False) -> None:
        """Ask the gate about these clients and show what is different."""
        changed: set[int] = set()
        for client_id in client_ids:
            row = self.desk.gate.of(client_id)
            if row != self._rows.get(client_id):
                self._rows[client_id] = row
                changed.add(client_id)
        if roster:
            self._grid.set_rows({one: one for one in self._known}, self._shown())
        elif changed and (self._only_attention or self._filter.value.strip()):
            self._grid.set_order(self._shown())
        self._grid.apply(changed)
        if changed or roster:
            self._paint_title()
            self._paint_detail()
            self.refresh_bindings()

    def _shown(self) -> list[int]:
        words = self._filter.value.casefold().split()
        return [
            one
            for one, client in self._known.items()
            if (not self._only_attention or needs_attention(self._rows[one]))
            and (not words or all(word in self._about(client) for word in words))
        ]

    def _told(self, check: GateCheck) -> str:
        return verdict_words(check.judged, self.desk.shown_at)

    def _about(self, client: ClientView) -> str:
        """What the filter looks into: who it is, and the items that are not green."""
        row = self._rows[client.id]
        items = " ".join(
            f"{ITEM_TITLES[check.item]} {check.colour.value} {self._told(check)}"
            for check in row.checks
            if check.colour is not GateColour.GREEN or check.waived
        )
        who = f"{client.code} {client.name} {client.broker} {client.status} {' '.join(client.groups)}"
        return f"{who} {items}".casefold()

    # Painting

    def _paint_title(self) -> None:
        counts = self.desk.counts()
        active = [row for row in self._rows.values() if not is_out(row)]
        amber = sum(row.colour is GateColour.AMBER for row in active)
        red = sum(row.colour is GateColour.RED for row in active)
        parts = [f"gate {counts.ready}/{counts.clients}", f"red {red}", f"amber {amber}"]
        if len(active) < counts.clients:
            parts.append(f"not active {counts.clients - len(active)}")
        shown, marked = len(self._grid.shown_keys), len(self._grid.marked_keys)
        if shown != counts.clients:
            parts.append(f"shown {shown}")
        if marked:
            parts.append(f"marked {marked}")
        if self._only_attention:
            parts.append("needs me")
        if self._filter.value.strip():
            parts.append(f"filter {self._filter.value.strip()}")
        due = [client.id for client in self.desk.sessions.due()]
        if self._round is not None and goes_on(self._round, due):
            at = self._round.queue.progress()
            parts.append(f"sign-in {at.done}/{at.total}, r goes on")
        heading = "" if self.size.width < 110 else "Clients and the morning gate · "
        self.query_one(Pane).set_title(heading + " · ".join(parts))

    def _paint_detail(self) -> None:
        """The words behind the cursor's row: all of them beside it, what is not green below it."""
        row = self._row
        detail = self.query_one("#gate-detail", SteadyStatic)
        if row is None:
            detail.update("")
            return
        masked, beside = self.shell.privacy, self.size.width >= 110
        head = client_head(self.desk, row, masked)
        parts: list[str | tuple[str, str]] = [(plain(head), "bold")]
        fine: list[str] = []
        for title, mark, colour, words in item_words(self.desk, row, masked):
            told = plain(words)
            if beside:
                parts += ["\n\n" if self.size.height >= 34 else "\n", (f"{title} ", "bold")]
                parts += [(mark, COLOURS[STYLES[colour]]), f"\n{told}"]
            elif mark == "ok":
                fine.append(title)
            else:
                parts += ["\n", (f"{title} {mark} ", COLOURS[STYLES[colour]]), told]
        if fine:
            parts.append(f"\nok: {' '.join(fine)}")
        keys = ["r retries the route"] if can_retry(row) else []
        if needs_attention(row) and waivable(row):
            keys.append("n waives amber for today")
        if keys:
            parts.append(("\n\n" if beside else " · ") + " · ".join(keys))
        detail.update(Content.assemble(*parts))

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
            shown=shown if len(shown) < len(self._known) else None,
        )

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows are client ids."""
        record: ToRecord = lambda key: gate_record(self.desk, self._rows[key])  # noqa: E731 - of a row's key
        return Table("gate", tuple(grid.columns), tuple(grid.shown_keys), grid.cursor_key, record)

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
        if action == "note":
            return self._row is not None and needs_attention(self._row)
        if action == "repair":
            return bool(self._rows)
        if action == "close":
            narrowed = self._only_attention or bool(self._filter.value)
            return narrowed or self._waive.is_open or self.focused is self._filter
        return super().check_action(action, parameters)

    def action_needs_here(self) -> None:
        """Only red and amber clients, or all again."""
        self._only_attention = not self._only_attention
        self._narrow()
        self._grid.to_top()
        self.set_focus(self._grid)
        self._paint_detail()

    def _narrow(self) -> None:
        self._grid.hint = "no client needs attention" if self._only_attention else "no client here"
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
        """First the line that waives goes, then the filter, then the view."""
        if self._waive.is_open:
            self._waive.close()
        elif self._filter.value or self.focused is self._filter:
            self._filter.value = ""
            self._filter.settle()
        else:
            self._only_attention = False
            self._narrow()
        self.set_focus(self._grid)

    # Waiving

    def action_note(self) -> None:
        """Ask why an amber item may pass today; say why red may not."""
        row = self._row
        if row is None:
            return
        if waivable(row):
            self._waive.ask(row, self.desk.shown_at)
            return
        red = [check for check in row.checks if check.colour is GateColour.RED]
        told = "; ".join(f"{ITEM_TITLES[check.item]}: {self._told(check)}" for check in red)
        way = " (r signs in)" if any(check.item is GateItem.SESSION for check in red) else ""
        way = " (r retries the route)" if can_retry(row) else way
        self.shell.say(f"{row.code}: red cannot be waived: {told}{way}", "warning")

    def on_waive_line_given(self, event: WaiveLine.Given) -> None:
        """Waive, and close the line once that is kept."""
        event.stop()
        self.carry_out(self._keep_waiver(event))

    async def _keep_waiver(self, given: WaiveLine.Given) -> None:
        try:
            row = await self.desk.gate.waive(given.client_id, given.item, given.reason)
        except BadInput as problem:
            self.shell.say(f"not waived: {problem.expected}", "warning")
            return
        except Exception as problem:
            self.shell.say(f"not waived: {refusal_words(problem)}", "error")
            return
        self.shell.say(f"{row.code} {given.item} waived for today: {given.reason}")
        if self.is_mounted:
            self._waive.close()
            self.set_focus(self._grid)
            self._judge([given.client_id])

    # Signing in

    def show_view(self, view: str) -> None:
        """`sign-in` opens the sign-in of whoever is due, `sign-in CODE` that of one client; `needs-me`."""
        name, _, code = view.partition(" ")
        if name == SIGN_IN:
            self.call_later(self._sign_in_by_code if code else self.action_repair, *([code] if code else []))
        elif view == "needs-me" and not self._only_attention:
            self.call_later(self.action_needs_here)

    def _sign_in_by_code(self, code: str) -> None:
        try:
            self._sign_in([self.desk.clients.find(code).id])
        except BadInput as problem:
            self.shell.say(str(problem), "warning")

    def action_repair(self) -> None:
        """Retry refused routes of the marked clients, or of the cursor's, where their sessions stand.

        Sign in: the marked clients that are due; else go on; else all that are due, the cursor's first.
        """
        due = [client.id for client in self.desk.sessions.due()]
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
        elif not any(self.desk.sessions.needs_sign_in(one) for one in self._known):
            self.shell.say("nothing needs signing in on this desk")
        else:
            self.shell.say("nobody is due to sign in: every session holds")

    async def _retry_routes(self, client_ids: Sequence[int]) -> None:
        codes = [self.desk.clients.get(one).code for one in client_ids]
        try:
            for one in client_ids:
                await self.desk.routes.retry(one)
        except Exception as problem:
            self.shell.say(f"not retried: {refusal_words(problem)}", "error")
            return
        told = codes[0] if len(codes) == 1 else f"{len(codes)} clients"
        self.shell.say(f"{told}: the next order shows whether the broker takes this route")
        if self.is_mounted:
            self._judge(client_ids)

    def _sign_in(self, client_ids: Sequence[int]) -> None:
        if not any(self.desk.sessions.needs_sign_in(one) for one in client_ids):
            self.carry_out(self._renew(client_ids))
            return
        going = begin_round(self.desk, client_ids)
        due = [client.id for client in self.desk.sessions.due()]
        if self._round is None or self._marked or not goes_on(self._round, due):
            self._round = going  # a single client asked for by its code leaves the morning's queue as it is
        self.app.push_screen(SignInScreen(going))

    async def _renew(self, client_ids: Sequence[int]) -> None:
        """Take sessions up again where the broker asks for no token."""
        codes = [self.desk.clients.get(one).code for one in client_ids]
        try:
            for one in client_ids:
                await self.desk.sessions.sign_in(one, "")
        except Exception as problem:
            self.shell.say(f"not signed in: {refusal_words(problem)}", "error")
            return
        told = codes[0] if len(codes) == 1 else f"{len(codes)} clients"
        self.shell.say(f"nothing needs signing in here: {told} ready without a token")
