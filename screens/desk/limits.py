"""What of a client's limits is used, as bars with their figures, which are louder than the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.accounts.limits import client_limits
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.used_limits import LimitWords, limit_words
from widgets.sparks import FULL, PARTS_OF_CELL, bar
from widgets.text import fit, plain

if TYPE_CHECKING:
    from engine.desk import Desk

NAME_CELLS = 10
BAR_CELLS = 10
SIDE_CELLS = 7
"""Of a bar beside the clients, where a line has 40 cells."""


def limit_lines(desk: Desk, client_id: int, masked: bool) -> list[Content]:
    """A line a limit: its name, its bar, its figures."""
    return [
        _with_bars(f" {fit(one.name, NAME_CELLS)} {bar(one.bps, SIDE_CELLS)} {plain(one.figures)}")
        for one in _limits(desk, client_id, masked)
    ]


def limits_line(desk: Desk, client_id: int, masked: bool, brief: bool) -> Content:
    """All limits in one line; `brief` leaves their wholes out."""
    cells = BAR_CELLS // 2 if brief else BAR_CELLS
    line = " " + "  ".join(
        f"{plain(one.name)} {bar(one.bps, cells)} "
        f"{formats.whole_percent(one.bps, ' %') if brief else one.figures}"
        for one in _limits(desk, client_id, masked)
    )
    return _with_bars(line)


def _limits(desk: Desk, client_id: int, masked: bool) -> list[LimitWords]:
    found = client_limits(desk.funds.of(client_id), desk.holdings.of(client_id), desk.valuation)
    return limit_words(found, lambda paise: MASK if masked else formats.rupees(paise))


def _with_bars(words: str) -> Content:
    return Content(words).highlight_regex(f"[{FULL}{PARTS_OF_CELL.strip()}]+·*", style="$primary")
