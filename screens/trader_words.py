"""Words for what the program calls by stable names: reasons, counts, details of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.vocabulary import Reason
from engine.orders.refusals import REASON_WORDS, words
from widgets import formats
from widgets.formats import counted as counted

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
    return ", ".join(told for key, value in details.items() if (told := _detail(key, value)))


def _detail(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        counts = ", ".join(f"{count} {str(word).replace('_', ' ')}" for word, count in value.items() if count)
        return counts if key == "counts" else f"{key.replace('_', ' ')} {counts}"
    if key.endswith("_paise") and isinstance(value, int):
        return f"{key.removesuffix('_paise').replace('_', ' ')} ₹{formats.amount(value)}"
    if key == "reason" and isinstance(value, str):
        value = words(value)
    return f"{key.replace('_', ' ')} {formats.DASH if value in (None, '') else value}"
