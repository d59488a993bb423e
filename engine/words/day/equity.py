"""The course of a day's equity, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words import formats
from engine.words.formats import MASK

if TYPE_CHECKING:
    from engine.accounts.values import ClientValue


def course_figures(value: ClientValue, began: int | None, masked: bool) -> list[str]:
    """What stands now, what the day has brought, and since when it was looked at each minute."""

    def money(words: str) -> str:
        return MASK if masked else words

    since = "" if began is None else f"each minute from {began // 60:02}:{began % 60:02}"
    net = f"day net {money(formats.signed(value.net_day_pnl_paise))}"
    percent = "" if value.net_day_bps is None else f" ({formats.signed_percent(value.net_day_bps)} %)"
    return [money(formats.rupees(value.portfolio_paise)), f"{net}{percent}", since]
