"""What a line would leave of its client, in rows: what, before, after, and what else is to be known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import BPS, half_up
from data.vocabulary import Side
from engine.words import formats
from engine.words.formats import DASH, MASK, counted

if TYPE_CHECKING:
    from engine.planning.what_if import WhatIf

Row = tuple[str, str, str, str]


def what_if_title(found: WhatIf, masked: bool = False) -> str:
    """What it is about: side, quantity, symbol, client."""
    name = MASK if masked else found.name
    size = f"{found.side.value} {formats.quantity(found.quantity)} {found.tradingsymbol}"
    return f"WHAT IF {size} {found.product.value} for {found.code} {name}"


def what_if_rows(found: WhatIf, masked: bool = False) -> list[Row]:
    """Cash, MTF, the stock, charges, each before and after."""

    def money(paise: int | None) -> str:
        return MASK if masked else formats.rupees(paise)

    short = max(0, -found.cash_after_paise)
    cash = f"short by {money(short)}" if short else ""
    if found.side is Side.SELL:
        cash = "once it has traded at the last price; of T1 shares when they have settled"
    limit = f"of {money(found.mtf_limit_paise)}" if found.mtf_limit_paise else "no MTF limit"
    if found.mtf_after_paise is None:
        limit = f"{limit}; a sale repays what its own lots were lent"
    return [
        ("cash", money(found.cash_before_paise), money(found.cash_after_paise), cash),
        (
            "MTF used",
            _part(found.mtf_before_paise, found.mtf_limit_paise),
            _part(found.mtf_after_paise, found.mtf_limit_paise),
            limit,
        ),
        (
            "weight",
            _percent(found.weight_before_bps),
            _percent(found.weight_after_bps),
            f"{formats.quantity(found.shares_before)} → {counted(found.shares_after, 'share')}",
        ),
        ("charges", "", money(found.charges_paise), "" if found.goes else "it cannot go as it stands"),
    ]


def _part(used_paise: int | None, limit_paise: int) -> str:
    if used_paise is None or not limit_paise:
        return DASH
    return _percent(half_up(used_paise * BPS, limit_paise))


def _percent(bps: int | None) -> str:
    return DASH if bps is None else f"{formats.percent(bps)} %"
