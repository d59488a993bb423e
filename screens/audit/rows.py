"""Rows of the audit on screen: their columns, and one row in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content

from data.audit import AuditAction
from engine.review.commanded import COMMANDED
from engine.words.audit import detail_lines, detail_words, row_lines
from engine.words.formats import MASK
from screens.frame.pane import Pane
from screens.frame.times import market_stamp
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column
from widgets.steady import SteadyStatic
from widgets.text import fit, plain

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord
    from engine.desk import Desk

_LOUD = ("HALT_", "AUDIT_", "BOOKS_", "BREAK_", "FLATTEN_")
_LOUD_ENDS = ("_REFUSED", "_REJECTED", "_UNKNOWN", "_DENIED", "_UNBOOKED", "_NEEDS_TRADER", "_RESURRECTED")
NAME_CELLS = 16
"""Cells of the names before what a row tells."""


def action_style(row: AuditRecord) -> str | None:
    """What went wrong or stopped the desk stands out, then what somebody asked for."""
    if row.action.startswith(_LOUD) or row.action.endswith(_LOUD_ENDS):
        return "warn"
    if row.action in COMMANDED:
        return "strong"
    return "dim" if row.action == AuditAction.ROWS_CHANGED else None


def audit_columns(desk: Desk) -> list[Column]:
    """A row of the audit in a line; rows are the records themselves."""

    def number(of: Callable[[AuditRecord], int | None]) -> Callable[[AuditRecord], str]:
        return lambda row: str(of(row) or "")

    return [
        Column("row", "row", 6, lambda row: str(row.seq), "right", style=lambda _: "dim", priority=1),
        Column("at", "time", 8, lambda row: market_stamp(desk, row.at)),
        Column("by", "by", 8, lambda row: row.actor, most=16),
        Column("what", "what", 16, lambda row: row.action, style=action_style, most=28),
        Column("code", "client", 6, lambda row: desk.clients.code_of(row.client_id) or "", priority=2),
        Column("order", "order", 5, number(lambda row: row.order_id), "right", priority=3),
        Column("run", "run", 3, number(lambda row: row.run_number), "right", priority=4),
        Column("plan", "plan", 4, number(lambda row: row.plan_number), "right", priority=6),
        Column("via", "via", 6, lambda row: row.via, priority=5, style=lambda _: "dim"),
        Column(
            "told", "what it tells", 20, lambda row: detail_words(row.details), flex=True, most=LINE_CELLS
        ),
    ]


class RowPane(Pane):
    """One row of the audit in full; where there is little room, what it tells stands first."""

    def compose(self) -> ComposeResult:
        """The row's lines."""
        yield SteadyStatic()

    def show(self, desk: Desk, row: AuditRecord | None, masked: bool) -> None:
        """Show a row, or nothing."""
        body = self.query_one(SteadyStatic)
        if row is None:
            self.set_title("Row")
            body.update("")
            return
        code = desk.clients.code_of(row.client_id)
        details = detail_lines(row.details)
        lines = row_lines(row, code, desk.shown_at(row.at))
        if not self.screen.has_class("-wide") and not self.screen.has_class("-widest"):
            lines = [*details, *(line for line in lines[1:] if line not in details)]
        whose = "" if row.client_id is None or masked else f" {desk.clients.get(row.client_id).name}"
        self.set_title(f"Row {row.seq} · {row.action}", [f"{code or ''}{whose}".strip()])
        told = [
            (f" {fit(name, NAME_CELLS)} ", MASK if masked and words.startswith("₹") else words)
            for name, words in lines
        ]
        parts: list[str | tuple[str, str]] = []
        for name, words in told:
            parts += [(plain(name), "dim"), f"{plain(words)}\n"]
        body.update(Content.assemble(*parts))
