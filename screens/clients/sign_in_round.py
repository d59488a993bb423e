"""A round of sign-ins: whom it began with, and what is still open of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from engine.access.sign_in_queue import QueuedSignIn, SignInQueue, SignInState

if TYPE_CHECKING:
    from engine.desk import Desk

ELSEWHERE = "signed in meanwhile, not by this queue"

RESULTS = {
    SignInState.WAITING: ("waiting", "dim"),
    SignInState.CHECKING: ("checking…", "strong"),
    SignInState.DONE: ("ok", "up"),
    SignInState.RED: ("RED", "armed"),
    SignInState.SKIPPED: ("skipped", "warn"),
}
"""What became of a client, in a word and its style."""


@dataclass
class SignInRound:
    """A queue of the desk with what the pane tells of it: in which order, and why there was no link.

    `before` holds when each client was last signed in, so that one signed in elsewhere is not asked again.
    """

    queue: SignInQueue
    before: dict[int, datetime | None]
    given: list[int] = field(default_factory=list[int])
    words: dict[int, str] = field(default_factory=dict[int, str])

    def give(self, client_id: int, words: str = "") -> None:
        """Note that a client had its turn."""
        if client_id in self.given:
            self.given.remove(client_id)
        self.given.append(client_id)
        self.words[client_id] = words

    @property
    def over(self) -> bool:
        """Whether everybody had a turn and every answer was checked."""
        at = self.queue.progress()
        return not at.waiting and not at.checking

    @property
    def open_ends(self) -> list[QueuedSignIn]:
        """Who can be tried again: red ones, and skipped ones that nobody signed in since."""
        return [
            one
            for one in self.queue.entries
            if one.state is SignInState.RED
            or (one.state is SignInState.SKIPPED and self.words.get(one.client_id) != ELSEWHERE)
        ]


def begin_round(desk: Desk, client_ids: Collection[int]) -> SignInRound:
    """A round for these clients, in their order. Raises `BadInput` for one that this desk does not serve."""
    sessions = {one: desk.sessions.of(one) for one in client_ids}
    before = {one: session.login_at if session else None for one, session in sessions.items()}
    return SignInRound(desk.sessions.queue(client_ids), before)


def goes_on(going: SignInRound, due: Collection[int]) -> bool:
    """Whether a round that was left still is the one to go on with: nobody is due whom it has not before it.

    On the next day, or where its clients were signed in elsewhere, another is to be begun.
    """
    entries = going.queue.entries
    waiting = {one.client_id for one in entries if one.state is SignInState.WAITING}
    behind = {one.client_id for one in entries if one.state is SignInState.DONE}
    known = {one.client_id for one in entries}
    return bool(waiting & set(due)) and not set(due) - (known - behind)


def minutes(seconds: float) -> str:
    """A span as `3:20`, with hours in front where there are any."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3_600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


ELSEWHERE = "signed in meanwhile, not by this queue"
