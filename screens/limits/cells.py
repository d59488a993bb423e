"""The cells of a limit, in the panel and on a client's page alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import LimitUnit
from engine.words.formats import MASK
from engine.words.trading.limits import figure_words
from widgets.sparks import bar

if TYPE_CHECKING:
    from data.vocabulary import LimitKind

BAR_CELLS = 8
PART_CELLS = 6 + BAR_CELLS

NEAR_BPS = 80_00
"""From which part on a limit is painted as near."""


def figure_cell(kind: LimitKind, figure: int | None, masked: bool) -> str:
    """A limit's figure, or what is used of it; an amount is hidden where it is `masked`."""
    hides = masked and figure is not None and kind.unit is LimitUnit.PAISE
    return MASK if hides else figure_words(kind, figure)


def part_cell(used_bps: int | None) -> str:
    """How much of a limit is used: ` 62 % ████▉   `."""
    return "" if used_bps is None else f"{used_bps // 100:>3} % {bar(used_bps, BAR_CELLS)}"


def near_style(used_bps: int | None) -> str | None:
    """How what is used is painted."""
    return "warn" if used_bps is not None and used_bps >= NEAR_BPS else None
