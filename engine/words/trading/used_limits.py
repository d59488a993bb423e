"""What of a client's limits is used, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.words import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.accounts.limits import ClientLimits


class LimitWords(NamedTuple):
    """One limit: its name, how much of it is used in basis points, and the figures."""

    name: str
    bps: int
    figures: str


def limit_words(limits: ClientLimits, money: Callable[[int], str]) -> list[LimitWords]:
    """The limits that there are; `money` makes words of paise, or hides them."""
    found: list[LimitWords] = []
    if limits.money is not None:
        used = limits.money
        figures = f"{formats.whole_percent(used.bps, ' %')} of {money(used.whole_paise)}"
        found.append(LimitWords("blocked", used.bps, figures))
    if limits.mtf is not None:
        used = limits.mtf
        figures = f"{formats.whole_percent(used.bps, ' %')} of {money(used.whole_paise)}"
        found.append(LimitWords("MTF", used.bps, figures))
    if limits.largest is not None:
        figures = f"{formats.tenth_percent(limits.largest.bps)} % of portfolio"
        found.append(LimitWords(limits.largest_symbol, limits.largest.bps, figures))
    return found
