"""What of a client's limits is used, as bars with their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.accounts.limits import client_limits
from engine.words import formats
from engine.words.formats import MASK
from engine.words.limits import LimitWords, limit_words
from widgets.sparks import bar
from widgets.text import fit, plain

if TYPE_CHECKING:
    from engine.desk import Desk

NAME_CELLS = 10
BAR_CELLS = 10
SIDE_CELLS = 7
"""Of a bar beside the clients, where a line has 40 cells."""


def limit_lines(desk: Desk, client_id: int, masked: bool) -> list[str]:
    """A line a limit: its name, its bar, its figures."""
    return [
        f" {fit(one.name, NAME_CELLS)} {bar(one.bps, SIDE_CELLS)} {one.figures}"
        for one in _limits(desk, client_id, masked)
    ]


def limits_line(desk: Desk, client_id: int, masked: bool, brief: bool) -> str:
    """All limits in one line; `brief` leaves their wholes out."""
    cells = BAR_CELLS // 2 if brief else BAR_CELLS
    return " " + "  ".join(
        f"{plain(one.name)} {bar(one.bps, cells)} "
        f"{formats.whole_percent(one.bps, ' %') if brief else one.figures}"
        for one in _limits(desk, client_id, masked)
    )


def _limits(desk: Desk, client_id: int, masked: bool) -> list[LimitWords]:
    found = client_limits(desk.funds.of(client_id), desk.holdings.of(client_id), desk.valuation)
    return limit_words(found, lambda paise: MASK if masked else formats.rupees(paise))
