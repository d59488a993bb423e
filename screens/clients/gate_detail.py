"""The words behind one client's row of the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.words.gate import READY
from screens.clients.gate_rows import STYLES, can_retry, client_head, item_words, needs_attention, waivable
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.access.gate import GateRow
    from engine.desk import Desk

COLOURS = {"up": "$pnl-up", "warn": "$text-warning", "armed": "$armed"}
"""Colours of the grid's styles in the words beside it."""


class GateDetail(SteadyStatic):
    """All items of a client where it stands beside the grid; what is not green where it stands below."""

    def show(self, desk: Desk, row: GateRow | None, masked: bool) -> None:
        """Show a client's items, or nothing."""
        if row is None:
            self.update("")
            return
        size = self.screen.size
        beside = size.width >= 110
        parts: list[str | tuple[str, str]] = [(plain(client_head(desk, row, masked)), "bold")]
        fine: list[str] = []
        for title, mark, colour, words in item_words(desk, row, masked):
            told = plain(words)
            if beside:
                parts += ["\n\n" if size.height >= 34 else "\n", (f"{title} ", "bold")]
                parts += [(mark, COLOURS[STYLES[colour]]), f"\n{told}"]
            elif mark == READY:
                fine.append(title)
            else:
                parts += ["\n", (f"{title} {mark} ", COLOURS[STYLES[colour]]), told]
        if fine:
            parts.append(f"\nok: {' '.join(fine)}")
        keys = ["r retries the route"] if can_retry(row) else []
        if needs_attention(row) and waivable(row):
            keys.append("d waives amber for today")
        if keys:
            parts.append(("\n\n" if beside else " · ") + " · ".join(keys))
        self.update(Content.assemble(*parts))
