"""Workspace 9, Audit: every row that was written, searched, the newest first, and how the chain stands."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widgets import Input

from data.errors import BadInput, StoreAway
from engine.colon.asked import UNASKED, AuditWish
from engine.colon.searches import search_from
from engine.colon.splitting import words_of
from engine.events import Event
from engine.review.searching import PAGE
from engine.words import formats
from engine.words.audit import chain_words
from engine.words.colon import problem_words
from screens.audit.rows import RowPane, audit_columns, here_of
from screens.frame.commands import bindings
from screens.frame.exports import free_path, short_path, whole_audit_record, write_audit
from screens.frame.pane import FilterLine, Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord, ChainState
    from engine.review.searching import TrailSearch

NEAR_END = 60
"""So many rows before the last one shown, older ones are read."""
MOST_SHOWN = 20_000
"""Rows kept in view; who looks further back gives `to:`."""
LOOK_EVERY_S = 1.0
"""How often other programs' rows are looked for; what this desk does is heard of."""
CHAIN_EVERY_S = 30.0


class AuditScreen(Workspace):
    """`f` searches, Enter tells the story of a row, `t` writes all that is found to a file."""

    CSS_PATH = Path(__file__).with_name("audit.tcss")
    AUTO_FOCUS = "#audit-rows"
    TITLE_WORDS = "Audit"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter", "evidence", "close")]

    def __init__(self) -> None:
        super().__init__()
        self._wish = UNASKED
        self._search: TrailSearch | None = None
        self._rows: dict[int, AuditRecord] = {}
        self._older_from: int | None = None
        self._ended = False
        self._reached = 0
        self._chain: ChainState | None = None
        self._away = False
        """Whether the server of the books was away when it was looked for."""
        self._chain_read_at = self._looked_at = float("-inf")
        self._heard = True
        self._reading: TrailSearch | None = None
        self._said = ""
        self._changed: set[int] = set()

    def compose_body(self) -> ComposeResult:
        """The rows with their search line, and one row in full."""
        with Container(id="audit-body"):
            with Pane("audit-pane", hint="f search (action:all every row)  Enter its story  t to file"):
                yield FilterLine(id="audit-search", into="search client: order: run: halt: by: on: words")
                yield LiveGrid(
                    audit_columns(self.desk),
                    monotonic=self.shell.monotonic,
                    markable=False,
                    hint="reading…",
                    follows_top=True,
                    id="audit-rows",
                )
            yield RowPane("row-pane")

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#audit-rows", LiveGrid)

    @property
    def _line(self) -> FilterLine:
        return self.query_one(FilterLine)

    # Reading

    def on_mount(self) -> None:
        """Listen, and begin with all that is told."""
        self._grid.holds_still = True
        self.listen(self._desk_event)
        self._start()

    def _desk_event(self, event: Event) -> None:
        self._heard = True

    def look_for(self, wish: AuditWish) -> None:
        """Look for something else, from the newest row on."""
        self._wish = wish
        if self.is_mounted:  # else it is begun as soon as there is something to show it in
            self._start()

    @property
    def wish(self) -> AuditWish:
        """What is looked for now."""
        return self._wish

    def _start(self) -> None:
        wish = self._wish
        self._search, self._rows = None, {}
        self._line.value = wish.line
        self._line.set_class(bool(wish.line), "-open")
        self._grid.hint = "looking…"
        self._grid.set_rows({})
        self._grid.to_top()
        self._grid.focus()
        self._paint()
        self._look(wish)

    def _look(self, wish: AuditWish) -> None:
        self._away = False
        work = partial(self.tell_refusal, partial(self._begin, wish))
        self.run_worker(work, exclusive=True, exit_on_error=False, group="audit")

    async def _begin(self, wish: AuditWish) -> None:
        try:
            self._search = await self.desk.audit.search(wish)
        except StoreAway:  # the strip says so
            self._away, self._looked_at = True, self.shell.monotonic()
            return
        self._reached, self._older_from, self._ended = self._search.newest, None, False
        self._read_more()

    def on_frame(self) -> None:
        """Read what was written since, and older rows where the cursor comes near the end of those shown."""
        now = self.shell.monotonic()
        if now - self._chain_read_at > CHAIN_EVERY_S:
            self._examine(whole=False)
        if self._away and self.shell.monotonic() - self._looked_at > LOOK_EVERY_S:
            self._look(self._wish)
        self._paint()
        self._read_more()

    def _examine(self, whole: bool) -> None:
        """Have the chain examined aside; what is not good stops trading, and the strip says so."""
        self._chain_read_at = self.shell.monotonic()
        work = partial(self.tell_refusal, partial(self._read_chain, whole))
        self.run_worker(work, exclusive=True, exit_on_error=False, group="chain")

    def _read_more(self) -> None:
        """Begin to read one step, unless one is under way or there is nothing to read."""
        search, now = self._search, self.shell.monotonic()
        if search is None or self._reading is search:
            return
        if self._wants_older():
            work = self._read_older(search)
        elif self._heard or now - self._looked_at > LOOK_EVERY_S:
            self._heard, self._looked_at = False, now
            work = self._read_newer(search)
        else:
            return
        self._reading = search
        self.run_worker(self._step(search, work), exclusive=True, exit_on_error=False, group="audit")

    async def _step(self, search: TrailSearch, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StoreAway:  # the strip says so; it is read at the next frame
            pass
        except Exception as problem:
            if search is self._search:
                self._give_up(problem)
        finally:
            if self._reading is search:
                self._reading = None

    def _give_up(self, problem: Exception) -> None:
        """Say that there are rows here that no tradedesk wrote so, and have all examined."""
        self._search, self._grid.hint = None, "no further row can be read: `tradedesk audit verify` says why"
        self.shell.say(f"rows of the audit cannot be read: {problem}", "error")
        self._examine(whole=True)

    def _wants_older(self) -> bool:
        if self._ended or len(self._rows) >= MOST_SHOWN:
            return False
        shown = self._grid.shown_keys
        cursor = self._grid.cursor_key
        place = shown.index(cursor) if cursor in self._rows else 0
        return place + NEAR_END >= len(shown)

    async def _read_older(self, search: TrailSearch) -> None:
        step = await search.older(self._older_from, PAGE)
        if search is not self._search:
            return
        self._older_from, self._ended = step.on, step.on is None
        self._show(self._rows | {row.seq: row for row in step.rows})

    async def _read_newer(self, search: TrailSearch) -> None:
        step = await search.newer(self._reached, PAGE)
        if search is not self._search:
            return
        self._reached = max(self._reached, step.reached or 0)
        self._heard |= step.on is not None
        if step.rows:
            self._show({row.seq: row for row in reversed(step.rows)} | self._rows)

    async def _read_chain(self, whole: bool) -> None:
        report = await self.desk.audit.examine(whole)
        self._chain = await self.desk.audit.chain_state()
        if not report.ok and report.message != self._said:
            self._said = report.message
            self.shell.say(f"the audit is NOT VERIFIED: {report.message}", "error")
        self._paint()

    # Showing

    def _show(self, rows: dict[int, AuditRecord]) -> None:
        changed = {row.seq for seq, row in rows.items() if seq not in self._rows and not row.holds}
        if changed - self._changed:  # once: that may be accepted already
            self._changed |= changed
            self._examine(whole=True)
        self._rows = rows
        self._grid.hint = (
            "no row has all of this: f searches for something else" if self._ended else "looking…"
        )
        self._grid.set_rows(rows)
        self._paint()
        self._paint_row()

    def _paint(self) -> None:
        found = f"{formats.counted(len(self._rows), 'row')}{'' if self._ended else ' so far'}"
        state = self._chain
        chain = "" if state is None else chain_words(state, self.desk.clock.now())
        pane = self.query_one("#audit-pane", Pane)
        pane.set_class(state is not None and bool(state.against), "-broken")
        pane.set_title("Audit", [found, chain])

    def _paint_row(self) -> None:
        self.query_one(RowPane).show(self.desk, self._row)

    def redraw(self) -> None:
        """Everything anew, the chain's state too."""
        if self.is_mounted:
            self._heard, self._chain_read_at = True, float("-inf")
            self._grid.apply(set(self._grid.shown_keys))
            self._paint_row()

    # What the cursor is on

    @property
    def _row(self) -> AuditRecord | None:
        key = self._grid.cursor_key
        return self._rows.get(key) if isinstance(key, int) else None

    def here(self) -> Here:
        """What the row under the cursor is about."""
        return here_of(self.desk, self._row if self.is_mounted else None)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Rows of the audit, in full."""
        rows = tuple(self._rows.values())
        return Table("audit", tuple(grid.columns), rows, self._row, partial(whole_audit_record, self.desk))

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """The row in full follows the cursor."""
        self._paint_row()
        self._read_more()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The row's story."""
        if isinstance(event.key, int):
            self.shell.open_audit_row(event.key)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "filter_here":
            return self.focused is self._grid
        if action == "close":
            return self.focused is self._line or bool(self._line.value)
        return super().check_action(action, parameters)

    def action_filter_here(self) -> None:
        """Type what is looked for."""
        self._line.open()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for what was typed; a word that cannot be taken is said, and stays to be mended."""
        event.stop()
        try:
            wish = search_from(words_of(event.value), self.desk.known())
        except (BadInput, LookupError) as problem:
            self.shell.say(problem_words(problem), "refused")
            return
        self._line.settle()
        self.look_for(wish)

    def action_evidence(self) -> None:
        """What proves the order of the row under the cursor, as a folder."""
        order_id = self.here().order_id
        if order_id is None:
            self.shell.say("the row is about no order", "warning")
        else:
            self.shell.run_command(f"evidence {order_id}")

    def action_close(self) -> None:
        """All that is told again."""
        self.look_for(UNASKED)

    def action_table_file(self) -> None:
        """Write all that the search finds to a file in the exports folder, shown or not."""
        self.shell.say("the audit is being written to a file")
        self.carry_out(self._write())

    async def _write(self) -> None:
        path = free_path(self.desk, "audit")
        try:
            written = await write_audit(self.desk, await self.desk.audit.search(self._wish), path)
        except BadInput as problem:
            self.shell.say(str(problem), "error")
        else:
            self.shell.say(f"{written} rows written to {short_path(self.desk, path)}")
