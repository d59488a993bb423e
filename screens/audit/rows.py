"""Rows of the audit on screen: their columns, and one row in full."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content

from data.audit import AuditAction
from data.errors import BadInput
from engine.review.commanded import COMMANDED
from engine.words.audit import NOT_AS_WRITTEN, about_lines, hash_lines, told_lines, told_words
from engine.words.privacy import unless_private
from screens.frame.pane import Pane
from screens.frame.shell import Here
from screens.frame.times import market_stamp
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column
from widgets.steady import SteadyStatic
from widgets.text import fit, plain

if TYPE_CHECKING:
    from engine.book.audit_views import AuditRecord
    from engine.book.views import ClientView
    from engine.desk import Desk

_LOUD = ("HALT_", "AUDIT_", "BOOKS_", "BREAK_", "FLATTEN_")
_LOUD_ENDS = ("_REFUSED", "_REJECTED", "_UNKNOWN", "_DENIED", "_UNBOOKED", "_NEEDS_TRADER", "_RESURRECTED")
NAME_CELLS = 16
"""Cells of the names before what a row tells."""
HASH_DIGITS = 64


def action_style(row: AuditRecord) -> str | None:
    """What went wrong or stopped the desk stands out, then what somebody asked for."""
    if not row.holds or row.action.startswith(_LOUD) or row.action.endswith(_LOUD_ENDS):
        return "warn"
    if row.action in COMMANDED:
        return "strong"
    return "dim" if row.action == AuditAction.ROWS_CHANGED else None


def audit_columns(desk: Desk) -> list[Column]:
    """A row of the audit in a line; rows are the records themselves."""

    def number(of: Callable[[AuditRecord], int | None]) -> Callable[[AuditRecord], str]:
        return lambda row: str(of(row) or "")

    return [
        Column(
            "row", "row", 5, lambda row: str(row.seq), "right", style=lambda _: "dim", priority=1, grows=True
        ),
        Column("at", "time", 8, lambda row: market_stamp(desk, row.at)),
        Column("by", "by", 6, lambda row: row.actor, most=NAME_CELLS, grows=True),
        Column("what", "what", 12, lambda row: row.action, style=action_style, grows=True),
        Column(
            "code", "client", 6, lambda row: desk.clients.code_of(row.client_id) or "", grows=True, priority=2
        ),
        Column("order", "order", 5, number(lambda row: row.order_id), "right", priority=3, grows=True),
        Column("run", "run", 3, number(lambda row: row.run_number), "right", priority=4, grows=True),
        Column("plan", "plan", 4, number(lambda row: row.plan_number), "right", priority=6, grows=True),
        Column("via", "via", 6, lambda row: row.via, priority=5, style=lambda _: "dim"),
        Column("told", "what it tells", 20, told_words, flex=True, most=LINE_CELLS),
    ]


class RowPane(Pane):
    """One row of the audit in full; where there is little room, what it tells stands first."""

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's
        super().__init__(id)
        self._lines: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        """The row's lines."""
        yield SteadyStatic()

    def show(self, desk: Desk, row: AuditRecord | None) -> None:
        """Show a row, or nothing."""
        self._lines = []
        self.set_class(row is not None and not row.holds, "-broken")
        if row is None:
            self.set_title("Row")
        else:
            code = desk.clients.code_of(row.client_id)
            about, told = about_lines(row, code, desk.shown_at(row.at)), told_lines(row)
            is_wide = self.screen.has_class("-wide") or self.screen.has_class("-widest")
            self._lines = [*about, *told] if is_wide else [*told, *about]
            self._lines += hash_lines(row)
            client = client_of(desk, row)
            name = "" if client is None else unless_private(client.name)
            self.set_title(f"Row {row.seq} · {row.action}", [f"{code or ''} {name}".strip()])
        self._draw()

    def on_resize(self) -> None:
        """The lines break elsewhere."""
        self._draw()

    def _draw(self) -> None:
        """Each name with its words behind it, which go on below each other; a hash is not broken."""
        body = self.query_one(SteadyStatic)
        room = max(NAME_CELLS, body.size.width - NAME_CELLS - 2)
        parts: list[str | tuple[str, str]] = []
        for name, words in self._lines:
            style = "bold $text-error" if name == NOT_AS_WRITTEN else "dim"
            if len(words) == HASH_DIGITS > room and " " not in words:
                parts += [(f" {name} ", style), f"{words}\n"]
                continue
            for line in wrap(plain(words), room) or [""]:
                parts += [(f" {fit(name, NAME_CELLS)} ", style), f"{line}\n"]
                name = ""
        body.update(Content.assemble(*parts))


def client_of(desk: Desk, row: AuditRecord) -> ClientView | None:
    """The client that a row is of, closed or not; None where it is of none, or of one that is not known."""
    try:
        return None if row.client_id is None else desk.clients.get(row.client_id)
    except BadInput:
        return None


def here_of(desk: Desk, row: AuditRecord | None) -> Here:
    """What a row is about, for what keys do there."""
    client = None if row is None else client_of(desk, row)
    return Here(
        client_id=None if client is None else client.id, order_id=None if row is None else row.order_id
    )
