"""Modifies of many orders, and chases, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.vocabulary import ChaseEnd, ChaseWait, LimitTo
from engine.refusals import ChangeBeyondLimit
from engine.words import formats
from engine.words.formats import MASK, counted
from engine.words.market import PHASES

if TYPE_CHECKING:
    from datetime import datetime

    from data.vocabulary import PhaseKind
    from engine.execution.changes.bulk import ModifyEnd
    from engine.execution.changes.chases import Chase
    from engine.execution.changes.needs import ChangeNeeds
    from engine.execution.changes.new_limits import ModifyLine, ModifyPlan, NewLimit

CHASE_ENDS = {
    ChaseEnd.ORDER_ENDED: "its order has ended",
    ChaseEnd.AT_BOUND: "it stands at its bound",
    ChaseEnd.SPENT: "it has used its changes; the order stays where it is",
    ChaseEnd.STOPPED: "the trader let it stand",
    ChaseEnd.HALTED: "the desk is halted",
    ChaseEnd.CHANGED: "its order was changed beside it",
    ChaseEnd.REFUSED: "its change was refused",
    ChaseEnd.ENGINE_ENDED: "its program ended",
}


def chase_end_words(why: ChaseEnd, detail: str) -> str:
    """Why a chase has ended."""
    return f"{CHASE_ENDS[why]}: {detail}" if detail else CHASE_ENDS[why]


def wait_words(why: ChaseWait, phase: PhaseKind | None, until: datetime | None, detail: str) -> str:
    """Why a chase waits: `auction, no entry until 15:20`."""
    match why:
        case ChaseWait.HALTED:
            return "halted"
        case ChaseWait.MARKET_HALTED:
            return "market halted"
        case ChaseWait.TRADING_DISABLED:
            return f"the desk sends nothing: {detail}"
        case ChaseWait.PHASE:
            named = PHASES[phase][0] if phase is not None else "no continuous trading"
            return f"{named}{f' until {formats.time_of_day(until)[:5]}' if until else ''}"


def chase_words(chase: Chase) -> str:
    """How far a chase has come, and why it waits: `chasing to 2,510.00, 3 of 20`."""
    pricing, pause = chase.pricing, chase.pause
    bound, count = formats.price(chase.bound_paise), f"{pricing.moved} of {pricing.most}"
    if pause is None:
        return f"chasing to {bound}, {count}"
    why = wait_words(pause.why, pause.phase, pause.until, pause.detail)
    return f"chase to {bound} WAITS: {why}, {count}"


def lost_words(orders: int) -> str:
    """`2 orders follow the market no more: their program ended`."""
    one = orders == 1
    verb, whose = ("follows", "its") if one else ("follow", "their")
    return f"{counted(orders, 'order')} {verb} the market no more: {whose} program ended"


def wish_words(wish: NewLimit) -> str:
    """Where limits are to go: `to 2,500.00`, `by +2 ticks`, `to the last price`."""
    match wish.to:
        case LimitTo.PRICE:
            return f"to {formats.price(wish.value)}"
        case LimitTo.TICKS:
            noun = "tick" if abs(wish.value) == 1 else "ticks"
            return f"by {wish.value:+d} {noun}"
        case LimitTo.LAST:
            return "to the last price"
        case LimitTo.CHASE:
            return f"chased to {formats.price(wish.value)}"


def _amount(paise: int, masked: bool) -> str:
    return MASK if masked else formats.amount(paise)


def needs_words(needs: ChangeNeeds, masked: bool = False) -> str:
    """What a change blocks more: money, a loan, shares."""
    more = f"₹{_amount(needs.money_paise, masked)} more" if needs.money_paise else "no further money"
    parts = [f"blocks {more}"]
    if needs.loan_paise:
        parts.append(f"MTF lends ₹{_amount(needs.loan_paise, masked)} more")
    if needs.shares:
        parts.append(f"{counted(needs.shares, 'share')} more")
    return ", ".join(parts)


def short_words(needs: ChangeNeeds | None, masked: bool = False) -> str:
    """What the client lacks for a change; empty where it has all."""
    if needs is None or needs.covered:
        return ""
    parts: list[str] = []
    if needs.short_paise:
        parts.append(f"short by ₹{_amount(needs.short_paise, masked)}")
    if needs.loan_short_paise:
        parts.append(f"₹{_amount(needs.loan_short_paise, masked)} beyond the MTF limit")
    if needs.shares_short:
        parts.append(f"short by {counted(needs.shares_short, 'share')}")
    return ", ".join(parts)


def line_words(line: ModifyLine, masked: bool = False) -> str:
    """Why an order of a list stays as it is; empty where it would be modified."""
    return line.why or short_words(line.needs, masked)


def plan_words(plan: ModifyPlan, masked: bool = False) -> str:
    """The list in one line: how many orders go where, what that blocks more, and how many stay."""
    left = f" · {len(plan.left)} left as they are" if plan.left else ""
    money = f" · blocks ₹{_amount(plan.money_paise, masked)} more" if plan.money_paise else ""
    of = counted(len(plan.going), "order")
    beyond = f" · beyond soft limits: {plan.wish.override}" if plan.wish.override else ""
    return f"{of} {wish_words(plan.wish)}{money}{left}{beyond} · {plan.short_digest}"


def beyond_soft(ends: Sequence[ModifyEnd]) -> dict[int, str]:
    """The orders of a list that soft limits kept as they are, by number, and what those say of each."""
    kept = [(end.order.id, end.asked.problem) for end in ends]
    return {one: why.told for one, why in kept if isinstance(why, ChangeBeyondLimit) and why.soft}


def ended_words(ends: Sequence[ModifyEnd]) -> str:
    """How a list ended, in counts by the state of its requests."""
    counts: dict[str, int] = {}
    for end in ends:
        word = "refused here" if end.state is None else end.state.value.lower().replace("_", " ")
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())
