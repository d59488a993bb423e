"""What the desk refuses to do: each kind with its figures; `engine/words/refusals.py` makes the sentences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from data.errors import BadInput, TradedeskError
from data.vocabulary import DeskKind, Reason, Right, Role
from engine.planning.why import Why


class RefusalReason(StrEnum):
    """The stable words of refusals, as scripts read them."""

    REFUSED = "refused"
    PLAN_EXPIRED = "plan_expired"
    PLAN_DRIFTED = "plan_drifted"
    ALREADY_RUN = "already_run"
    DUPLICATE_INTENT = "duplicate_intent"
    CANNOT_GO_ON = "cannot_go_on"
    HALTED = "halted"
    NOT_CONFIRMED = "not_confirmed"
    TRADING_STOPPED = "trading_stopped"
    FORBIDDEN = "forbidden"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNING_AWAY = "signing_away"
    NEEDS_APPROVAL = "needs_approval"
    LOOKS_ONLY = "looks_only"
    DAY_NOT_OVER = "day_not_over"
    CLOSE_CHANGED = "close_changed"


@dataclass(eq=False)
class Refusal(TradedeskError):  # noqa: N818 - the desk's answer, shown to the trader
    """The desk will not do it. `refusal_words` of `engine/words` says why, and what would be right."""

    reason: ClassVar[RefusalReason] = RefusalReason.REFUSED

    def __str__(self) -> str:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        figures = ", ".join(f"{name} {value}" for name, value in values if value is not None)
        return f"{self.reason.value}: {type(self).__name__} {figures}".rstrip()


@dataclass(eq=False)
class NothingToSend(Refusal):
    """No line of the plan has an order."""

    plan: int | None


@dataclass(eq=False)
class ChangeBeyondLimit(Refusal):
    """A modify would make a buy worth more than a limit lets it be; `told` says which.

    Beyond a `soft` limit it goes by a reason.
    """

    order: int
    told: str
    soft: bool


@dataclass(eq=False)
class ChangeTooDear(Refusal):
    """A modify needs more of the client's money than is available, or `loan_paise` beyond the MTF limit."""

    order: int
    more_paise: int
    available_paise: int
    loan_paise: int


@dataclass(eq=False)
class ChangeTooLarge(Refusal):
    """A modify needs more shares than the client can sell."""

    order: int
    more_shares: int


@dataclass(eq=False)
class PlanExpired(Refusal):
    """What the plan was made for no longer stands."""

    reason = RefusalReason.PLAN_EXPIRED

    plan: int | None


@dataclass(eq=False)
class PlanTooOld(PlanExpired):
    """The plan is older than its validity, by one of the machine's two clocks."""

    valid_s: float


@dataclass(eq=False)
class PlanRenamed(PlanExpired):
    """The key of the plan names another security since, or its security is called `now`."""

    key: str
    now: str


@dataclass(eq=False)
class PlanSessionOver(PlanExpired):
    """The session of the plan has ended; or it waited for one that has begun."""

    begun: bool


@dataclass(eq=False)
class PlanIntradayOver(PlanExpired):
    """Intraday buying of the instrument has ended since."""

    key: str


@dataclass(eq=False)
class PlanDrifted(Refusal):
    """The price has moved further than the plan allows, or is not known; then `moved_bps` is None."""

    reason = RefusalReason.PLAN_DRIFTED

    plan: int | None
    tradingsymbol: str
    moved_bps: int | None


@dataclass(eq=False)
class PriceNotYoung(PlanDrifted):
    """No price of the instrument is young enough to hold the plan against."""


@dataclass(eq=False)
class AlreadyRun(Refusal):
    """The plan was carried out before."""

    reason = RefusalReason.ALREADY_RUN

    plan: int


@dataclass(eq=False)
class DuplicateIntent(Refusal):
    """Other `runs` have sent the same for every client of the plan, or still do."""

    reason = RefusalReason.DUPLICATE_INTENT

    runs: Collection[int]


@dataclass(eq=False)
class CannotGoOn(Refusal):
    """A paused run may not go on now."""

    reason = RefusalReason.CANNOT_GO_ON

    run: int


@dataclass(eq=False)
class BeingSent(CannotGoOn):
    """Some of its orders are in a call to a broker."""

    sending: int


@dataclass(eq=False)
class NothingUnsent(CannotGoOn):
    """No order of the run waits."""


@dataclass(eq=False)
class RunOver(CannotGoOn):
    """The run has ended."""


@dataclass(eq=False)
class NotPaused(CannotGoOn):
    """The run sends."""


@dataclass(eq=False)
class UnsentChanged(CannotGoOn):
    """Another number of orders is unsent than the `answered` one that the trader read."""

    unsent: int
    answered: int


@dataclass(eq=False)
class EngineLives(CannotGoOn):
    """The run belongs to another engine that lives: its kind and process."""

    kind: DeskKind
    pid: int


@dataclass(eq=False)
class EngineFrozen(EngineLives):
    """That engine lives and does nothing: seconds of its silence."""

    silent_s: float


@dataclass(eq=False)
class RunRenamed(CannotGoOn):
    """The key of its plan names another security since, or its security is called `now`."""

    plan: int | None
    key: str
    now: str


@dataclass(eq=False)
class RunSessionOver(CannotGoOn):
    """The session that its orders are for is over."""


@dataclass(eq=False)
class RunIntradayOver(CannotGoOn):
    """Intraday buying of the instrument has ended."""

    key: str


@dataclass(eq=False)
class NotAsPlanned(CannotGoOn):
    """An order of the run is not what the plan says."""

    order: int
    plan: int | None


@dataclass(eq=False)
class NotAsAudited(CannotGoOn):
    """An order of the run is not as the audit left it."""

    order: int


@dataclass(eq=False)
class NotPlannable(CannotGoOn):
    """What it was planned for would be turned away now; `problem` says which value of it."""

    problem: BadInput


@dataclass(eq=False)
class MarketTakesNone(CannotGoOn):
    """The market takes no order of it; `why` is what `engine.planning.why` has of that."""

    why: Sequence[Why]


@dataclass(eq=False)
class NoneMayGo(CannotGoOn):
    """Each unsent order of it is barred; `barred` counts the clients by reason."""

    unsent: int
    barred: Mapping[Reason, int]


@dataclass(eq=False)
class Halted(Refusal):
    """The desk is halted: the halt that stands, and by whom, where the books know it."""

    reason = RefusalReason.HALTED

    halt: int | None = None
    by: str = ""


@dataclass(eq=False)
class OrderHalted(Halted):
    """A halt covers an order that was to be modified."""


@dataclass(eq=False)
class HaltedMeanwhile(Halted):
    """A halt came after what was confirmed and before it could be sent, though it may be resumed by now."""


@dataclass(eq=False)
class NotConfirmed(Refusal):
    """The hash given is not that of the plan, or the plan is not as it was stored."""

    reason = RefusalReason.NOT_CONFIRMED

    plan: int | None


@dataclass(eq=False)
class LooksOnly(Refusal):
    """This desk only looks; it has nothing that could send, modify, convert or cancel."""

    reason = RefusalReason.LOOKS_ONLY


@dataclass(eq=False)
class TradingStopped(Refusal):
    """Nothing may be sent: the store takes nothing or its books are not to be relied on; `why` tells."""

    reason = RefusalReason.TRADING_STOPPED

    why: str


@dataclass(eq=False)
class Forbidden(Refusal):
    """Whoever asks may not do this here; `person` is empty where nobody is signed in."""

    reason = RefusalReason.FORBIDDEN

    person: str
    right: Right

    @property
    def kind(self) -> str:
        """Which of them it is, as the audit keeps it."""
        return type(self).__name__


@dataclass(eq=False)
class NobodySignedIn(Forbidden):
    """Nobody is signed in whose sign-in stands; `why` says what became of the one there was."""

    why: str


@dataclass(eq=False)
class NotOfRole(Forbidden):
    """The role of who is signed in does not do this; `roles` do."""

    role: Role
    roles: Collection[Role]


@dataclass(eq=False)
class OutOfScope(Forbidden):
    """It is of clients, by code, who are none of the person's; without any it is of the whole desk.

    They are told only to who has `named` them: else a number of an order or a plan would tell whose it is.
    """

    clients: Collection[str]
    named: bool = True


@dataclass(eq=False)
class NoLongerStands(Forbidden):
    """What the person may do was changed, or the sign-in was ended, since they signed in."""

    why: str


@dataclass(eq=False)
class SignInRefused(Refusal):
    """A name and a password that are not of one person; or of one who has to wait so many seconds first."""

    reason = RefusalReason.SIGN_IN_REFUSED

    wait_s: int = 0


@dataclass(eq=False)
class SigningAway(Refusal):
    """The service that signs people in does not answer, and why; who is signed in goes on for a while."""

    reason = RefusalReason.SIGNING_AWAY
    why: str


@dataclass(eq=False)
class NeedsApproval(Refusal):
    """A plan of this value needs so many others to confirm it before it is sent.

    `before_paise` is what else the same person has bought of one of its securities without a confirmation.
    """

    reason = RefusalReason.NEEDS_APPROVAL

    plan: int | None
    value_paise: int
    above_paise: int
    needed: int
    given: int
    before_paise: int = 0


@dataclass(eq=False)
class OwnPlan(Refusal):
    """Nobody confirms the plan that they have frozen, nor sends what they alone have confirmed."""

    reason = RefusalReason.NEEDS_APPROVAL

    plan: int
