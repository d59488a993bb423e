"""What the desk refuses to do, each with a stable word; the message says why and what would be right."""

from data.errors import TradedeskError


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
