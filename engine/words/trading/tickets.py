"""What a ticket says of an order's money and of what is in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from data.vocabulary import AlternativeKind, Reason, Side
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.orders import bound_words, terms_words
from engine.words.trading.plans import alternative, fewer_words, limit_words, plan_through_words
from engine.words.trading.reasons import REASON_SENTENCES, REASON_WORDS, SIGN_IN
from engine.words.trading.why import detail_words

if TYPE_CHECKING:
    from engine.book.views import FundsView, OrderView
    from engine.planning.intent import Intent
    from engine.planning.plan import Alternative, Plan, PlanLine


def money_words(
    side: Side,
    plan: Plan | None,
    funds: FundsView | None,
    held: Mapping[str, int],
    masked: bool,
    brief: bool = False,
) -> str:
    """Cash or shares the client has, and what the order takes of them; in brief some is left out."""
    if funds is None:
        return ""
    line = plan.lines[0] if plan else None
    bound = bound_words(side, plan.bound_paise) if plan and plan.bound_paise else ""

    def money(paise: int) -> str:
        return MASK if masked else formats.rupees(paise)

    if side is Side.SELL:
        parts = [f"free to sell {_shares(held) or 'none'}"]
        if line is not None and line.charges_paise:
            charges = "" if brief else f"charges about {money(line.charges_paise)}"
            parts.extend(filter(None, (bound, charges)))
        return " · ".join(parts)
    parts = [f"cash {money(funds.available_paise)}", _blocked(funds, money)]
    if line is not None and line.reserve_paise:
        at = f" at {bound}" if bound else ""
        needs = f"needs {money(line.reserve_paise)}{at} with charges {money(line.charges_paise)}"
        if brief:
            worst = f" at ≤{formats.price(plan.bound_paise)}" if plan and plan.bound_paise else ""
            needs = f"needs {money(line.reserve_paise)}{'' if line.loan_paise else worst}"
        if line.loan_paise:
            needs += f"{' + MTF' if brief else ', MTF lends'} {money(line.loan_paise)}"
        parts.append(needs)
    return " · ".join(parts)


def _blocked(funds: FundsView, money: Callable[[int], str]) -> str:
    """What of a client's money is not to be had, in few words: a hold that is all of it is named alone."""
    if not funds.held_paise:
        return f"blocked {money(funds.blocked_paise)}"
    held = f"held {money(funds.held_paise)}"
    if funds.held_paise == funds.blocked_paise:
        return held
    return f"blocked {money(funds.blocked_paise)} ({held})"


def standing_words(held: Mapping[str, int], live: Sequence[OrderView], brief: bool) -> str:
    """What the client has of the symbol already: shares by product, and live orders."""
    parts = [f"holds {_shares(held)}"] if held else []
    if live and (brief or len(live) > 1):
        parts.append(f"live {len(live)}")
    elif live:
        parts.append(f"1 live {live[0].side.value} {formats.quantity(live[0].quantity)}")
    return " · ".join(parts)


def _shares(held: Mapping[str, int]) -> str:
    return " ".join(f"{formats.quantity(shares)} {product}" for product, shares in held.items())


def problem_lines(line: PlanLine | None, side: Side, masked: bool, width: int) -> list[str]:
    """Why the order cannot be sent, and in a line of at most `width` cells under which keys are ways out."""
    if line is None or line.ok or line.reason is None:
        return []
    if line.reason is Reason.SESSION_EXPIRED:
        return [f"CANNOT SEND: {SIGN_IN}"]
    detail = detail_words(line).replace("short ", "short by ", 1)
    if masked and line.reason in (Reason.INSUFFICIENT_FUNDS, Reason.MTF_LIMIT):
        detail = ""
    sentence = REASON_SENTENCES.get(line.reason, REASON_WORDS[line.reason])
    lines = [f"CANNOT SEND: {sentence}{f', {detail}' if detail else ''}"]
    ways = _ways(line, side, masked)
    if ways:
        lines.append(next((words for words in ways if len(words) <= width), ways[-1]))
    return lines


def _ways(line: PlanLine, side: Side, masked: bool) -> list[str]:
    """The ways out in one line, the longest wording first; empty where there is none."""
    fewer, lent = alternative(line, AlternativeKind.AFFORDABLE), alternative(line, AlternativeKind.MTF)
    wordings: list[str] = []
    for gap, counts, limit in (("     ", True, "limit used "), ("     ", True, ""), (" · ", False, "")):
        ways: list[str] = []
        if fewer is not None:
            short = f"a {formats.quantity(fewer.quantity)} sh"
            ways.append(f"a  {fewer_words(fewer, side)}" if counts else short)
        if lent is not None:
            ways.append(f"{'m  ' if counts else 'm '}{_lent_words(lent, masked, limit)}")
        wordings.append(gap.join(ways))
    return wordings if any(wordings) else []


def _lent_words(way: Alternative, masked: bool, limit: str) -> str:
    before = formats.whole_percent(way.limit_used_before_bps, "")
    after = formats.whole_percent(way.limit_used_after_bps, " %")
    money = (
        f"own {MASK}, borrowed {MASK}"
        if masked
        else f"own {formats.rupees(way.cash_paise)}, borrowed {formats.rupees(way.loan_paise)}"
    )
    return f"{formats.quantity(way.quantity)} by MTF: {money}, {limit}{before}→{after}"


def review_sentence(plan: Plan, masked: bool) -> str:
    """The one sentence a review asks `y` for."""
    line = plan.ok_lines[0]
    side, name = plan.intent.side, MASK if masked else line.name
    intent = plan.intent
    price = terms_words(
        intent.order_type,
        intent.limit_paise,
        intent.trigger_paise,
        plan.standing,
        bound_words(side, plan.bound_paise) if plan.bound_paise else "",
    )
    limit = f", {words}" if (words := limit_words(plan)) else ""
    price += f", {words}" if (words := plan_through_words(plan)) else ""
    if side is Side.BUY:
        own = MASK if masked else formats.rupees(line.reserve_paise)
        money = f"reserves ₹{own}" if limit else f"max ₹{own}"
        if line.loan_paise:
            money = f"own at most ₹{own}, MTF lends ₹{MASK if masked else formats.rupees(line.loan_paise)}"
    else:
        least = MASK if masked else formats.rupees(plan.brings_at_least(line))
        money = f"brings at least ₹{least} before charges"
    return (
        f"{side.value} {formats.quantity(line.quantity)} {plan.instrument.tradingsymbol} "
        f"for {line.code} {name}, {line.product.value}, {price}{limit}, {money}{_terms_of(intent, line.ref)}"
    )


def _terms_of(intent: Intent, ref: str) -> str:
    """What of the order the market sees, and on which instruction it is made."""
    shown = f", shows {formats.quantity(intent.disclosed_quantity)}" if intent.disclosed_quantity else ""
    reason = f", beyond a soft limit: {intent.override}" if intent.override else ""
    return f"{shown}, ref {ref}{reason}" if ref else f"{shown}{reason}"
