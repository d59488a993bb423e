"""What the desk says where it will not do something."""

from collections.abc import Collection, Mapping

from data.clock import IST
from data.money import amount_words
from data.vocabulary import Right
from engine import refusals as kinds
from engine.close.refused import CloseChanged, DayNotOver
from engine.words.formats import counted
from engine.words.trading.reasons import counts_words
from engine.words.trading.runs import frozen_words, who_words
from engine.words.trading.why import all_words

LOOKS_ONLY = (
    "LOOK: this desk only looks, it has no way to send, modify, convert or cancel; "
    'do it at your other terminal, or set mode = "trade" and open the desk again'
)


ONLY_SHOWS = "LOOK: nothing is sent from here, this only shows what would be"
"""Said where a desk that may trade asks for the words that send."""


def f9_looks_words(live: int) -> str:
    """What F9 can and cannot do on a desk that only looks, with how many orders live at the brokers."""
    known = counted(live, "order") if live else "no order"
    return f"LOOK: F9 cancels nothing here, {known} known to live elsewhere: cancel at your other terminal"


def refusal_words(problem: BaseException) -> str:
    """A refusal in a trader's words; of any other problem, its own. Raises `TypeError` for one without."""
    match problem:
        case kinds.SigningAway(why=why):
            return f"the signing service does not answer ({why}): nobody can sign in or be renewed meanwhile"
        case kinds.PlanExpired():
            return _expired(problem)
        case kinds.PlanDrifted():
            return _drifted(problem)
        case kinds.CannotGoOn():
            return _cannot_go_on(problem)
        case kinds.Halted():
            return _halted(problem)
        case kinds.LooksOnly():
            return LOOKS_ONLY
        case kinds.Forbidden():
            return _forbidden(problem)
        case kinds.ChangeBeyondLimit(told=told, soft=soft):
            limit = "a soft limit, which takes a reason" if soft else "a limit"
            return f"the change would be beyond {limit}: {told}"
        case DayNotOver() | CloseChanged():
            return _not_closed(problem)
        case kinds.Refusal():
            return _refused(problem)
        case _:
            return str(problem)


def _not_closed(refusal: DayNotOver | CloseChanged) -> str:
    match refusal:
        case DayNotOver(day=day, begins_at=begins):
            at = f"{begins.astimezone(IST):%H:%M}"
            return (
                f"{day:%d %b} is closed from {at} on, when its last session has ended; "
                "`tradedesk eod --preview` shows its figures at any time"
            )
        case CloseChanged(confirmed=confirmed, closing=closing):
            return (
                f"{closing} clients can be closed by now, not the {confirmed} that were confirmed: look again"
            )


def _refused(refusal: kinds.Refusal) -> str:
    match refusal:
        case kinds.NothingToSend():
            return "the plan has no order to send"
        case kinds.ChangeTooDear(more_paise=more, available_paise=available, loan_paise=loan):
            money = f"₹{amount_words(more)} more of the client's money and ₹{amount_words(available)}"
            beyond = ", or it goes beyond the MTF limit" if loan else ""
            return f"the change needs {money} is available{beyond}"
        case kinds.ChangeTooLarge(more_shares=more):
            return f"the change needs {counted(more, 'more share')} than the client can sell"
        case kinds.AlreadyRun(plan=plan):
            return f"plan {plan} was sent before; make a plan of its own to send again"
        case kinds.DuplicateIntent(runs=runs):
            sent = f"{_runs(runs)} sent the same within the last minute, or {_still(runs)}"
            return f"{sent}: nothing was sent; to send it once more, make a plan that says again"
        case kinds.NotConfirmed(plan=plan):
            return f"{_plan(plan)} was not confirmed by its hash"
        case kinds.SignInRefused(wait_s=0):
            return "name and password are not of one person; nobody was signed in"
        case kinds.SignInRefused(wait_s=wait):
            return f"too many wrong passwords: wait {counted(wait, 'second')}, then give it again"
        case kinds.NeedsApproval():
            return _needs_approval(refusal)
        case kinds.OwnPlan(plan=plan):
            return f"plan {plan} is your own: somebody else has to confirm it"
        case kinds.TradingStopped(why=why):
            return f"trading is stopped: {why}; cancels still go"
        case _:
            raise TypeError(f"no words for {refusal!r}")


def _needs_approval(refusal: kinds.NeedsApproval) -> str:
    value, above = amount_words(refusal.value_paise), amount_words(refusal.above_paise)
    before = (
        f" with ₹{amount_words(refusal.before_paise)} bought of it before" if refusal.before_paise else ""
    )
    if refusal.plan is None:
        what = f"the change makes it worth ₹{value}{before}, above ₹{above}"
        return f"{what}: plan it anew, so that others can confirm it"
    others = "somebody else" if refusal.needed == 1 else f"{refusal.needed} others"
    told = f"{_plan(refusal.plan)} is worth ₹{value}{before}, above ₹{above}: {others} must confirm it first"
    given = f" ({refusal.given} of {refusal.needed} have)" if refusal.given else ""
    return f"{told}{given}; `tradedesk approve {refusal.plan} --digest …` there"


RIGHT_WORDS: Mapping[Right, str] = {
    Right.LOOK: "look at the market",
    Right.READ_CLIENTS: "see clients",
    Right.READ_FIRM: "see the firm's desks",
    Right.READ_AUDIT: "read the audit",
    Right.KEEP_LISTS: "keep lists, baskets and presets",
    Right.PLAN: "plan",
    Right.SIGN_CLIENTS_IN: "sign clients in and compare books",
    Right.SEND: "send, modify and convert",
    Right.CANCEL: "cancel, pause and stop",
    Right.FLATTEN: "take positions flat",
    Right.GUARD: "set guards or arm them again",
    Right.HALT: "cancel all and halt",
    Right.HALT_FIRM: "halt the firm",
    Right.RESUME: "end a halt",
    Right.APPROVE: "confirm others' plans",
    Right.SETTLE: "settle orders in doubt and books",
    Right.CLOSE: "close a day",
    Right.CLIENTS: "change clients",
    Right.HAND_OVER: "hand clients over",
    Right.SET_UP: "set the desk up",
    Right.PEOPLE: "change people",
}
"""What each right is to do, as it follows `may`."""


def _forbidden(refusal: kinds.Forbidden) -> str:
    what = RIGHT_WORDS[refusal.right]
    match refusal:
        case kinds.NobodySignedIn(why=why):
            told = f"nobody is signed in ({why})" if why else "nobody is signed in"
            return f"{told}; `tradedesk sign-in NAME` first; nothing was done"
        case kinds.NotOfRole(person=person, role=role, roles=roles):
            article = "an" if role.value[0] in "aeiou" else "a"
            who = " or ".join(one.value for one in roles)
            return f"{person} is {article} {role.value} and may not {what}: {who} may; nothing was done"
        case kinds.OutOfScope(person=person, clients=clients, named=named):
            if clients and not named:
                return f"{person} may not {what} out of scope: that is of clients of others; nothing was done"
            whose = f"{', '.join(sorted(clients))}" if clients else "all clients of the desk"
            return f"{person} may not {what} for {whose}: out of scope; nothing was done"
        case kinds.NoLongerStands(person=person, why=why):
            return f"{person}: {why}; sign in again; nothing was done"
        case _:
            raise TypeError(f"no words for {refusal!r}")


def _runs(numbers: Collection[int]) -> str:
    """`run 7`, or `runs 7, 9`."""
    return f"{'run' if len(numbers) == 1 else 'runs'} {', '.join(map(str, sorted(numbers)))}"


def _still(runs: Collection[int]) -> str:
    return "is still sending it" if len(runs) == 1 else "are still sending it"


def _plan(number: int | None) -> str:
    """`plan 3`; a plan that was never stored has no number."""
    return "the plan" if number is None else f"plan {number}"


def _expired(refusal: kinds.PlanExpired) -> str:
    plan = _plan(refusal.plan)
    match refusal:
        case kinds.PlanTooOld(valid_s=valid):
            return f"{plan} is older than {valid:g} s, or the clock was set back since; plan again"
        case kinds.PlanRenamed(key=key, now=now):
            return f"{_renamed(key, now)} since {plan}; plan again"
        case kinds.PlanSessionOver(begun=begun):
            return f"the session of {plan} has {'begun' if begun else 'ended'} since; plan again"
        case kinds.PlanIntradayOver(key=key):
            return f"intraday buying of {key} has ended since {plan}; plan again"
        case _:
            raise TypeError(f"no words for {refusal!r}")


def _drifted(refusal: kinds.PlanDrifted) -> str:
    symbol, moved = refusal.tradingsymbol, refusal.moved_bps
    if isinstance(refusal, kinds.PriceNotYoung):
        return f"{symbol} has no price that is young enough; plan again"
    if moved is None:
        return f"{symbol} has no price now to hold {_plan(refusal.plan)} against; plan again"
    return f"{symbol} moved {moved / 100:+.2f} % since {_plan(refusal.plan)}; plan again"


def _cannot_go_on(refusal: kinds.CannotGoOn) -> str:
    run = refusal.run
    match refusal:
        case kinds.BeingSent(sending=sending):
            are = f"{counted(sending, 'order')} of run {run} {'is' if sending == 1 else 'are'}"
            return f"{are} being sent just now; ask again in a moment"
        case kinds.UnsentChanged(unsent=unsent, answered=answered):
            are = f"{counted(unsent, 'order')} of run {run} {'is' if unsent == 1 else 'are'}"
            return f"{are} unsent now, not {answered}; look at it again"
        case kinds.EngineFrozen(kind=kind, pid=pid, silent_s=silent_s):
            return f"run {run}: {frozen_words(kind, pid, silent_s)}; end that process, then go on here"
        case kinds.EngineLives(kind=kind, pid=pid):
            owner = f"run {run} belongs to {who_words(kind, pid)}, which lives"
            return f"{owner}: go on with it there, or end it first"
        case kinds.NotPlannable(problem=problem):
            return f"run {run} cannot go on now: {problem}"
        case kinds.MarketTakesNone(why=why):
            return f"run {run} cannot go on now: {all_words(why)}"
        case kinds.NoneMayGo(unsent=unsent, barred=barred):
            return f"none of the {unsent} unsent of run {run} may go: {counts_words(barred)}; stop it"
        case _:
            return _to_be_stopped(refusal)


def _to_be_stopped(refusal: kinds.CannotGoOn) -> str:
    """Of a run that has nothing to send, or whose rest will never go."""
    run = refusal.run
    match refusal:
        case kinds.NothingUnsent():
            return f"run {run} has nothing unsent"
        case kinds.RunOver():
            return f"run {run} has ended"
        case kinds.NotPaused():
            return f"run {run} is not paused"
        case kinds.RunRenamed(plan=plan, key=key, now=now):
            return f"{_renamed(key, now)} since {_plan(plan)}; stop run {run} and plan again"
        case kinds.RunSessionOver():
            return f"the session of run {run} is over; stop it, what is blocked is freed"
        case kinds.RunIntradayOver(key=key):
            return f"intraday buying of {key} has ended; stop run {run}"
        case kinds.NotAsPlanned(order=order, plan=plan):
            return f"order {order} is not what {_plan(plan)} says: {_let_doctor_look(run)}"
        case kinds.NotAsAudited(order=order):
            return f"order {order} is not as the audit left it: {_let_doctor_look(run)}"
        case _:
            raise TypeError(f"no words for {refusal!r}")


def _let_doctor_look(run: int) -> str:
    return f"stop run {run}, and let the doctor look at the books"


def _renamed(key: str, now: str) -> str:
    return f"{key} names another security" if key == now else f"{key} is now {now}"


def _halted(refusal: kinds.Halted) -> str:
    match refusal:
        case kinds.OrderHalted():
            return "a halt covers this order; resume it first"
        case kinds.HaltedMeanwhile():
            return "a halt came after this was confirmed; look again, and confirm it anew"
        case kinds.Halted(halt=None):
            return "the desk is halted; resume it first"
        case kinds.Halted(halt=halt, by=by):
            return f"the desk is halted (halt {halt}{f' by {by}' if by else ''}); resume it first"
