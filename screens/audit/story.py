"""The story of a row of the audit: the row in full, and the rows of what it belongs to, in their order."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from engine.news import Page, Subject
from engine.words.audit import chapter_words
from engine.words.formats import counted
from screens.audit.rows import RowPane, audit_columns, client_of, here_of
from screens.frame.commands import bindings
from screens.frame.exports import whole_audit_record
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import LiveGrid

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord, Chapter, RowStory

AROUND = 500
"""Rows of a chapter before the row, and as many behind it."""


class StoryScreen(Workspace):
    """One row and what it belongs to. Tab turns from its order to its run, plan, client and the chain."""

    CSS_PATH = Path(__file__).with_name("audit.tcss")
    AUTO_FOCUS = "#story-rows"
    TITLE_WORDS = "The story of a row of the audit"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]

    def __init__(self, seq: int) -> None:
        super().__init__()
        self._seq = seq
        self._story: RowStory | None = None
        self._turned = 0
        self._rows: dict[int, AuditRecord] = {}

    def compose_body(self) -> ComposeResult:
        """The row, and the rows of its chapter."""
        with Container(id="story-body"):
            yield RowPane("row-pane")
            with Pane("story-pane", hint="Tab what it belongs to  Enter opens that  t to file"):
                yield LiveGrid(
                    audit_columns(self.desk),
                    monotonic=self.shell.monotonic,
                    markable=False,
                    hint="reading…",
                    id="story-rows",
                )

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#story-rows", LiveGrid)

    def on_mount(self) -> None:
        """Read the story, and its narrowest chapter."""
        self._read()

    def _read(self) -> None:
        self.run_worker(partial(self.tell_refusal, self._read_chapter), exclusive=True, exit_on_error=False)

    async def _read_chapter(self) -> None:
        audit = self.desk.audit
        if self._story is None:
            self._story = await audit.story(self._seq)
        chapter = await audit.chapter(self._story.subjects[self._turned], self._seq, AROUND)
        self._show(self._story, chapter)

    def _show(self, story: RowStory, chapter: Chapter) -> None:
        self._rows = {row.seq: row for row in chapter.rows}
        self._grid.set_rows(self._rows)
        self._grid.move_cursor(self._seq)
        code = self.desk.clients.code_of(story.row.client_id)
        others = [chapter_words(one, code) for one in story.subjects if one != chapter.subject]
        more = " around it" if chapter.more_before or chapter.more_after else ""
        title = chapter_words(chapter.subject, code)
        self.query_one("#story-pane", Pane).set_title(
            title[:1].upper() + title[1:],
            [f"{counted(len(self._rows), 'row')}{more}", f"Tab: {', '.join(others)}" if others else ""],
        )
        self._paint_row()

    def _paint_row(self) -> None:
        self.query_one(RowPane).show(self.desk, self._row)

    def redraw(self) -> None:
        """The same lines anew."""
        if self.is_mounted:
            self._grid.apply(set(self._grid.shown_keys))
            self._paint_row()

    @property
    def _row(self) -> AuditRecord | None:
        key = self._grid.cursor_key
        return self._rows.get(key) if isinstance(key, int) else None

    def here(self) -> Here:
        """What the row under the cursor is about."""
        return here_of(self.desk, self._row if self.is_mounted else None)

    def table_of(self, grid: LiveGrid) -> Table | None:
        """The chapter's rows, in full."""
        rows = tuple(self._rows.values())
        name = f"audit-row-{self._seq}"
        return Table(name, tuple(grid.columns), rows, self._row, partial(whole_audit_record, self.desk))

    def action_next_pane(self, step: int) -> None:
        """The next of what the row belongs to."""
        if self._story is not None:
            self._turned = (self._turned + step) % len(self._story.subjects)
            self._read()

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """The row in full follows the cursor."""
        self._paint_row()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The page of what the row under the cursor is about."""
        row = self._row
        if row is None:
            return
        subject = _page_of(row)
        if subject is not None:
            self.shell.open_subject(subject)
        elif (client := client_of(self.desk, row)) is not None:
            self.shell.open_client(client.id)
        else:
            self.shell.say(f"row {row.seq} has no page of an order, run, plan, halt, flatten or client")

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def _page_of(row: AuditRecord) -> Subject | None:
    """The narrowest page of the desk that is of what a row tells."""
    if row.order_id is not None:
        return Subject(Page.ORDER, row.order_id)
    if row.run_number is not None:
        return Subject(Page.RUN, row.run_number)
    if row.plan_number is not None:
        return Subject(Page.PLAN, row.plan_number)
    for page, key, begins in ((Page.HALT, "halt", "HALT_"), (Page.FLATTEN, "flatten", "FLATTEN_")):
        number = row.details.get(key)
        if row.action.startswith(begins) and isinstance(number, int):
            return Subject(page, number)
    return None
