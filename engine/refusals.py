"""What the desk refuses to do, each with a stable word; the message says why and what would be right."""

from collections.abc import Mapping, Sequence

from data.errors import TradedeskError
from data.vocabulary import Reason
from engine.planning.why import Why


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


class EngineFrozen(CannotGoOn):
    """The run belongs to an engine that lives and does nothing: its kind, process, and seconds of silence."""

    def __init__(self, run: int, kind: str, pid: int, silent_s: float) -> None:
        self.run, self.kind, self.pid, self.silent_s = run, kind, pid, silent_s
        super().__init__(f"run {run}: its engine, process {pid}, lives and is frozen; end that process")


class MarketTakesNone(CannotGoOn):
    """The market takes no order of a paused run now; `why` is what `engine.planning.why` has of it."""

    def __init__(self, run: int, why: Sequence[Why]) -> None:
        self.run, self.why = run, why
        super().__init__(f"run {run} cannot go on now: {', '.join(map(str, why))}")


class NoneMayGo(CannotGoOn):
    """Each unsent order of a paused run is barred; `barred` counts the clients by reason."""

    def __init__(self, run: int, unsent: int, barred: Mapping[Reason, int]) -> None:
        self.run, self.unsent, self.barred = run, unsent, barred
        why = ", ".join(f"{count} {reason.value}" for reason, count in barred.items())
        super().__init__(f"none of the {unsent} unsent of run {run} may go: {why}; stop it")


class Halted(Refusal):
    """The desk is halted."""

    reason = "halted"


class NotConfirmed(Refusal):
    """The hash given is not that of the plan."""

    reason = "not_confirmed"


class TradingStopped(Refusal):
    """The store cannot be written, so nothing may be sent."""

    reason = "trading_stopped"
