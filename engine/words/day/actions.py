"""Companies' actions in words: what each does, and what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import ActionState
from engine.words.formats import amount, counted, quantity

if TYPE_CHECKING:
    from data.repositories.accounts.actions import StoredBooking
    from data.repositories.mtf import StoredAction
    from engine.corporate.service import ActionView, ClientAction

STATE_WORDS = {
    ActionState.BOOKED: "booked",
    ActionState.UNDONE: "taken back",
    ActionState.COMING: "to come",
    ActionState.OPEN: "not booked yet",
    ActionState.PROOF: "booked once the broker's books show it",
    ActionState.UNSAID: "by hand: its words do not say what becomes of a share",
    ActionState.TRADED: "by hand: shares of before were sold since",
    ActionState.ADOPTED: "by hand: the broker's shares were taken over since",
}


STATE_SHORT = {
    **STATE_WORDS,
    ActionState.PROOF: "waits for broker",
    ActionState.UNSAID: "by hand: unclear",
    ActionState.TRADED: "by hand: sold since",
    ActionState.ADOPTED: "by hand: adopted",
}
"""The same where there is little room."""


def action_words(one: StoredAction) -> str:
    """`INFY Merger of X, ex-date 19 Nov`."""
    return f"{one.key.partition(':')[2]} {one.purpose}, ex-date {one.ex_date:%d %b}"


def view_words(view: ActionView) -> str:
    """`INFY Bonus 1:1, ex-date 19 Nov: booked for 12 clients, by hand: … for 1 client`."""
    said = [f"{STATE_WORDS[state]} for {counted(count, 'client')}" for state, count in view.counts.items()]
    return f"{action_words(view.told)}: {', '.join(said) or STATE_WORDS[view.state]}"


def client_action_words(one: ClientAction) -> str:
    """`booked: of 5 shares 2 more and 1/2 in cash`."""
    return f"{STATE_WORDS[one.state]}: {_figures(one)}{f' ({one.reason})' if one.reason else ''}"


def booking_words(one: StoredBooking) -> str:
    """`INFY Bonus 1:1, ex-date 19 Nov booked: of 5 shares 2 more`."""
    state = ActionState.BOOKED if one.stands else ActionState.UNDONE
    what = f"{one.key.partition(':')[2]} {one.purpose}, ex-date {one.ex_date:%d %b}"
    return f"{what} {STATE_WORDS[state]}: {_figures(one)}{f' ({one.reason})' if one.reason else ''}"


def _figures(one: ClientAction | StoredBooking) -> str:
    parts = [f"of {counted(one.entitled, 'share')}"]
    if one.shares:
        parts.append(f"{quantity(one.shares)} made")
    if one.fraction:
        parts.append(f"{one.fraction} of a share is paid in cash: not booked, a person has to")
    if one.paise:
        parts.append(f"₹{amount(one.paise)} of dividend")
    return ", ".join(parts)
