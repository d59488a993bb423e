"""What the desk refuses to do, each with a stable word; the message says why and what would be right."""

from data.errors import TradedeskError
from data.vocabulary import Reason

REASON_WORDS = {
    Reason.CLIENT_INACTIVE: "client inactive",
    Reason.CLIENT_PENDING: "client pending",
    Reason.SESSION_EXPIRED: "session expired",
    Reason.ROUTE_NOT_READY: "order route not ready",
    Reason.CONSENT_MISSING: "no consent",
    Reason.INSUFFICIENT_FUNDS: "not enough funds",
    Reason.QUANTITY_ZERO: "nothing to order",
    Reason.NOT_MTF_ELIGIBLE: "MTF not offered",
    Reason.MTF_LIMIT: "over the MTF limit",
    Reason.INSUFFICIENT_HOLDING: "not enough shares",
    Reason.AUTHORISATION_MISSING: "sale not authorised",
    Reason.PRICE_STALE: "price too old",
    Reason.MARKET_CLOSED: "market closed",
    Reason.OUTSIDE_PRICE_BAND: "outside the price band",
    Reason.OVER_ORDER_LIMIT: "over the limit of one order",
    Reason.DUPLICATE_INTENT: "same just sent",
    Reason.HALTED: "halted",
    Reason.OPEN_BREAK: "books differ from the broker's",
    Reason.NOT_RECONCILED: "books not compared with the broker's yet",
    Reason.INSTRUMENT_IN_DOUBT: "it is not certain which security this is",
}
"""Reasons as a trader says them; they follow a count (`2 not enough funds`) or stand before a detail."""


def words(reason: Reason | str) -> str:
    """A reason, or an order's code, in a trader's words; a code that is no reason loses its bars."""
    try:
        return REASON_WORDS[Reason(reason)]
    except ValueError:
        return reason.replace("_", " ")


class Refusal(TradedeskError):  # noqa: N818 - the desk's answer, shown to the trader
    """The desk will not do it; `reason` is a stable word, the message says why and what would be right."""

    reason = "refused"


class PlanExpired(Refusal):
    """The plan is older than its validity."""

    reason = "plan_expired"


class PlanDrifted(Refusal):
    """The price has moved further than the plan allows."""

    reason = "plan_drifted"


class AlreadyRun(Refusal):
    """The plan was carried out before."""

    reason = "already_run"


class DuplicateIntent(Refusal):
    """Another run has sent the same for every client of the plan, or still does."""

    reason = "duplicate_intent"


class CannotGoOn(Refusal):
    """A paused run may not go on now; the message says why, and what ends it."""

    reason = "cannot_go_on"


class Halted(Refusal):
    """The desk is halted."""

    reason = "halted"


class NotConfirmed(Refusal):
    """The hash given is not that of the plan."""

    reason = "not_confirmed"


class TradingStopped(Refusal):
    """The store cannot be written, so nothing may be sent."""

    reason = "trading_stopped"
