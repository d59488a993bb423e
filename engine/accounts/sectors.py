"""What the desk holds by sector: its part of all shares, and what its day has brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from data.money import BPS, half_up

if TYPE_CHECKING:  # a command's help looks at this file, and waits for nothing heavy
    from engine.accounts.valuation import Valuation
    from engine.book.views import HoldingView

NO_SECTOR = "other"
"""Where an instrument's file tells none."""


class SectorValue(Struct, frozen=True):
    """A sector's shares of all clients, in paise; `day_pnl_paise` is gross, None where a price is missing.

    `share_bps` is its part of all shares, None where there are none. Charges are a client's, not a sector's.
    """

    sector: str
    value_paise: int
    day_pnl_paise: int | None
    share_bps: int | None
    symbols: int


def by_sector(
    holdings: Iterable[HoldingView], valuation: Valuation, sector_of: Callable[[str], str]
) -> list[SectorValue]:
    """Holdings by sector, the largest first; `sector_of` tells that of a key."""
    keys: defaultdict[str, list[HoldingView]] = defaultdict(list)
    for holding in holdings:
        keys[holding.key].append(holding)
    sectors: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        sectors[sector_of(key) or NO_SECTOR].append(key)
    worth = {key: valuation.together(held) for key, held in keys.items()}
    whole = sum(one.value_paise for one in worth.values())
    found: list[SectorValue] = []
    for sector, of_sector in sectors.items():
        value = sum(worth[key].value_paise for key in of_sector)
        days = [worth[key].day_pnl_paise for key in of_sector]
        known = [day for day in days if day is not None]
        held = sum(1 for key in of_sector if worth[key].quantity)
        day = sum(known) if len(known) == len(days) else None
        share = half_up(value * BPS, whole) if whole > 0 else None
        found.append(SectorValue(sector, value, day, share, held))
    return sorted(found, key=lambda one: (-one.value_paise, one.sector))
