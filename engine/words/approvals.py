"""How far a plan is confirmed by others, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import amount_words

if TYPE_CHECKING:
    from engine.people.approvals import ApprovalState


def before_words(state: ApprovalState) -> str:
    """What was bought before that counts with a plan; empty where nothing does."""
    before = state.before_paise
    return f" (and ₹{amount_words(before)} bought of it before)" if before else ""


def approval_words(state: ApprovalState) -> str:
    """Who has frozen a plan, what it is worth, and whether it may be sent."""
    made, worth = state.plan, f"buys for ₹{amount_words(state.worth_paise)}{before_words(state)}"
    told = f"plan {made.number} {made.title}, {worth if state.worth_paise else 'no buys'}, by {state.maker}"
    if state.limit is None:
        return f"{told}: it needs nobody else"
    if state.missing:
        return f"{told}: {state.missing} of {state.limit.needed} must still confirm it"
    return f"{told}: confirmed by {', '.join(one.person for one in state.given)}; it may be sent"
