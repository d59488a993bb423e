"""Words for what the program calls by stable names: reasons, counts, details of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from data.vocabulary import BreakKind, Reason
from engine.planning.record import SHOWN_DIGITS
from engine.refusals import REASON_WORDS
from engine.words import formats
from engine.words.formats import counted as counted

REASON_BRIEF = {
    Reason.CLIENT_INACTIVE: "inactive",
    Reason.CLIENT_PENDING: "pending",
    Reason.SESSION_EXPIRED: "session",
    Reason.ROUTE_NOT_READY: "route",
    Reason.INSUFFICIENT_FUNDS: "cash",
    Reason.QUANTITY_ZERO: "zero",
    Reason.NOT_MTF_ELIGIBLE: "no MTF",
    Reason.MTF_LIMIT: "MTF limit",
    Reason.INSUFFICIENT_HOLDING: "shares",
    Reason.PRICE_STALE: "old price",
    Reason.MARKET_CLOSED: "closed",
    Reason.OUTSIDE_PRICE_BAND: "band",
    Reason.OVER_ORDER_LIMIT: "limit",
    Reason.DUPLICATE_INTENT: "duplicate",
    Reason.OPEN_BREAK: "books differ",
    Reason.NOT_RECONCILED: "not compared",
    Reason.INSTRUMENT_IN_DOUBT: "in doubt",
}
"""Reasons where space is short; the others keep their words."""

REASON_SENTENCES = {
    Reason.INSUFFICIENT_FUNDS: "insufficient available funds",
    Reason.INSUFFICIENT_HOLDING: "not enough shares free to sell",
    Reason.MTF_LIMIT: "the MTF limit does not carry it",
    Reason.NOT_MTF_ELIGIBLE: "MTF is not offered for this stock",
    Reason.CLIENT_INACTIVE: "the client is inactive",
    Reason.CLIENT_PENDING: "the client is pending",
    Reason.MARKET_CLOSED: "the market does not take it now",
    Reason.PRICE_STALE: "the price is too old",
    Reason.OUTSIDE_PRICE_BAND: "the price is outside the day's band",
    Reason.DUPLICATE_INTENT: "the same was sent a moment ago",
}
"""Reasons as a ticket says them, where that is more than their words."""

SIGN_IN = "session expired · 7 r signs in"
"""What a ticket says of a client whose session ended, and the keys that mend it."""


def reason_word(reason: Reason, brief: bool) -> str:
    """A reason as counts and group lines name it."""
    return REASON_BRIEF.get(reason, REASON_WORDS[reason]) if brief else REASON_WORDS[reason]


def detail_words(details: Mapping[str, Any]) -> str:
    """What an audit row tells besides its action: money in rupees, names without underscores."""
    shares = details.get("kind") == BreakKind.SHARES.value
    return ", ".join(told for key, value in details.items() if (told := _detail(key, value, shares)))


_UNSAID = frozenset(
    [
        "halt",
        "message",
        "reason",
        "symbol",
        "product",
        "quantity",
        "limit_paise",
        "trigger_paise",
        "released_paise",
    ]
)
"""Details that say nothing where they are empty or nought; elsewhere that is what the row tells."""


def _detail(key: str, value: Any, shares: bool) -> str:
    name = key.removesuffix("_paise").removesuffix("_bps").removesuffix("_id").replace("_", " ")
    if key == "counts" and isinstance(value, Mapping):
        value = cast(Mapping[str, int], value)
        return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in value.items() if count)
    if isinstance(value, Mapping):
        return f"{name} ({detail_words(cast(Mapping[str, Any], value))})"
    if isinstance(value, list):
        return f"{name} ({'; '.join(_item(each) for each in cast(list[Any], value))})"
    if key in _UNSAID and not value:
        return ""
    if value in (None, ""):
        return f"{name} {formats.DASH}"
    return f"{name} {_value_words(key, value, shares)}"


def _item(value: Any) -> str:
    return detail_words(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else str(value)


def _value_words(key: str, value: Any, shares: bool) -> str:
    """One value by what its key says of it; a difference counts shares or money."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if key.endswith("_paise") or (key in ("ours", "theirs") and not shares):
            return f"₹{formats.amount(value)}"
        if key.endswith("_bps"):
            return f"{formats.percent(value)} %"
        counts = key.endswith("quantity") or key in ("ours", "theirs")
        return formats.quantity(value) if counts else str(value)
    if key == "digest":
        return str(value)[:SHOWN_DIGITS]
    return REASON_WORDS.get(value, str(value)) if key == "reason" else str(value)
