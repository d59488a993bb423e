"""What a search found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.formats import counted, quantity

if TYPE_CHECKING:
    from engine.market.finding import Found
    from engine.market.search_words import Search

WORDS_HINT = "index:nifty50 sector:it cap:large mtf fno vol>1M value>50cr chg>2 price<500"
"""Words that a search takes beside a text."""


def found_words(found: Found, search: Search | None) -> str:
    """How many were found of how many by lists of when, and of whom what was asked is not known."""
    told = [f"{quantity(len(found.keys))} of {quantity(found.of)}"]
    if dates := [one.as_of for one in (search.dated if search else ()) if one.as_of is not None]:
        told.append(f"lists of {min(dates):%d %b %Y}")
    told += [f"{name} not known of {quantity(count)}" for name, count in found.unknown.items()]
    if found.unasked:
        told.append(
            f"prices of {quantity(found.unasked)} more not asked: narrow it by index:, sector: or cap:"
        )
    return " · ".join(told)


def put_words(added: int, there: int, name: str) -> str:
    """How many were put on a watchlist, and how many it had."""
    had = f"{quantity(there)} {'was' if there == 1 else 'were'} there"
    if not added:
        return f"nothing put on {name}: {had}"
    return f"{counted(added, 'symbol')} put on {name}" + (f", {had}" if there else "")
