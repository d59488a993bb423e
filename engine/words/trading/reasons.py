"""Why something is not done: every reason in a trader's words, in few, and in a sentence."""

from collections.abc import Mapping

from data.vocabulary import Reason

REASON_WORDS = {
    Reason.CLIENT_INACTIVE: "client inactive",
    Reason.CLIENT_PENDING: "client pending",
    Reason.CLIENT_CLOSED: "client closed",
    Reason.CLIENT_PAUSED: "client paused",
    Reason.SESSION_EXPIRED: "session expired",
    Reason.ROUTE_NOT_READY: "order route not ready",
    Reason.CONSENT_MISSING: "no consent",
    Reason.INSUFFICIENT_FUNDS: "not enough funds",
    Reason.QUANTITY_ZERO: "nothing to order",
    Reason.PRODUCT_NOT_OFFERED: "product not offered",
    Reason.VALIDITY_NOT_OFFERED: "validity not offered",
    Reason.NOT_MTF_ELIGIBLE: "MTF not offered",
    Reason.MTF_NO_CONSENT: "no consent to MTF",
    Reason.MTF_LIMIT: "over the MTF limit",
    Reason.INSUFFICIENT_HOLDING: "not enough shares",
    Reason.AUTHORISATION_MISSING: "sale not authorised",
    Reason.PRICE_STALE: "price too old",
    Reason.MARKET_CLOSED: "market closed",
    Reason.OUTSIDE_PRICE_BAND: "outside the price band",
    Reason.OVER_ORDER_LIMIT: "over the limit of one order",
    Reason.OVER_LIMIT: "over a limit",
    Reason.OVER_SOFT_LIMIT: "over a soft limit",
    Reason.DUPLICATE_INTENT: "same just sent",
    Reason.HALTED: "halted",
    Reason.OPEN_BREAK: "books differ from the broker's",
    Reason.BROKER_DOWN: "broker down",
    Reason.NOT_RECONCILED: "books not compared with the broker's yet",
    Reason.INSTRUMENT_IN_DOUBT: "it is not certain which security this is",
    Reason.NOT_LISTED: "not listed at its broker",
    Reason.SERIES_DIFFERS: "in another series at its broker",
    Reason.OTHER_LEG: "another leg cannot go",
    Reason.INSTRUCTION_MISSING: "no instruction named",
    Reason.DISCLOSED_QUANTITY: "disclosed quantity",
}
"""Reasons as a trader says them; they follow a count (`2 not enough funds`) or stand before a detail."""

REASON_BRIEF = {
    Reason.CLIENT_INACTIVE: "inactive",
    Reason.CLIENT_PENDING: "pending",
    Reason.CLIENT_CLOSED: "closed",
    Reason.CLIENT_PAUSED: "paused",
    Reason.SESSION_EXPIRED: "session",
    Reason.ROUTE_NOT_READY: "route",
    Reason.INSUFFICIENT_FUNDS: "cash",
    Reason.QUANTITY_ZERO: "zero",
    Reason.PRODUCT_NOT_OFFERED: "no product",
    Reason.VALIDITY_NOT_OFFERED: "validity",
    Reason.NOT_MTF_ELIGIBLE: "no MTF",
    Reason.MTF_NO_CONSENT: "no MTF consent",
    Reason.MTF_LIMIT: "MTF limit",
    Reason.INSUFFICIENT_HOLDING: "shares",
    Reason.PRICE_STALE: "old price",
    Reason.MARKET_CLOSED: "closed",
    Reason.OUTSIDE_PRICE_BAND: "band",
    Reason.OVER_ORDER_LIMIT: "one order",
    Reason.OVER_LIMIT: "limit",
    Reason.OVER_SOFT_LIMIT: "soft limit",
    Reason.DUPLICATE_INTENT: "duplicate",
    Reason.OPEN_BREAK: "books differ",
    Reason.NOT_RECONCILED: "not compared",
    Reason.INSTRUMENT_IN_DOUBT: "in doubt",
    Reason.NOT_LISTED: "not listed",
    Reason.SERIES_DIFFERS: "other series",
    Reason.OTHER_LEG: "other leg",
    Reason.INSTRUCTION_MISSING: "no ref",
    Reason.DISCLOSED_QUANTITY: "disclosed",
}
"""Reasons where space is short; the others keep their words."""

REASON_SENTENCES = {
    Reason.INSUFFICIENT_FUNDS: "insufficient available funds",
    Reason.INSUFFICIENT_HOLDING: "not enough shares free to sell",
    Reason.MTF_LIMIT: "the MTF limit does not carry it",
    Reason.PRODUCT_NOT_OFFERED: "its broker does not offer the product here",
    Reason.NOT_MTF_ELIGIBLE: "MTF is not offered for this stock",
    Reason.MTF_NO_CONSENT: "the client has not agreed to its broker's terms of MTF",
    Reason.CLIENT_INACTIVE: "the client is inactive",
    Reason.CLIENT_PENDING: "the client is pending",
    Reason.CLIENT_CLOSED: "the client is closed",
    Reason.CLIENT_PAUSED: "the client is paused",
    Reason.MARKET_CLOSED: "the market does not take it now",
    Reason.PRICE_STALE: "the price is too old",
    Reason.OUTSIDE_PRICE_BAND: "the price is outside the day's band",
    Reason.DUPLICATE_INTENT: "the same was sent a moment ago",
    Reason.INSTRUCTION_MISSING: "the client is traded for on its instruction alone: give ref",
}
"""Reasons as a ticket says them, where that is more than their words."""

INSIST_WORDS = {
    Reason.DUPLICATE_INTENT: "A  the same again, on purpose",
    Reason.OVER_SOFT_LIMIT: "A  go beyond it, for a reason",
}
"""Reasons that a trader may insist against, each with the key that does."""

SIGN_IN = "session expired · 7 r signs in"
"""What a ticket says of a client whose session ended, and the keys that mend it."""

GATE_WORDS = {
    Reason.CLIENT_INACTIVE: "inact",
    Reason.CLIENT_PENDING: "pend",
    Reason.CLIENT_CLOSED: "closd",
    Reason.CLIENT_PAUSED: "pausd",
    Reason.SESSION_EXPIRED: "sess",
    Reason.ROUTE_NOT_READY: "route",
    Reason.CONSENT_MISSING: "cons",
    Reason.BROKER_DOWN: "down",
}
"""The gate in five letters."""


def words(reason: Reason | str) -> str:
    """A reason, or an order's code, in a trader's words; a code that is no reason loses its bars."""
    try:
        return REASON_WORDS[Reason(reason)]
    except ValueError:
        return reason.replace("_", " ")


def reason_word(reason: Reason, brief: bool) -> str:
    """A reason as counts and group lines name it."""
    return REASON_BRIEF.get(reason, REASON_WORDS[reason]) if brief else REASON_WORDS[reason]


def counts_words(counts: Mapping[Reason, int], brief: bool = False) -> str:
    """How many each reason keeps out: `2 not enough funds, 1 session expired`."""
    return ", ".join(f"{count} {reason_word(reason, brief)}" for reason, count in counts.items())
