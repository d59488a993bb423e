"""The morning's queue: one client after another signs in while the answers before are still checked."""

import asyncio
import hashlib
import statistics
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from brokers.contract import HIDDEN, SignInField
from data.errors import BadInput
from data.records import replace
from data.store import StoreError
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.events import SessionsChanged
from engine.timing import Timing

if TYPE_CHECKING:
    from engine.access.sessions import Sessions


STATE_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
STATE_LENGTH = 20
"""Of the parameter by which a redirected address is known again: about a hundred bits."""

PACE_TURNS = 20
"""Over how many of the latest turns the pace is taken."""


class Redirects(Protocol):
    """Catches the addresses to which browsers are sent at the end of a sign-in."""

    @property
    def url(self) -> str:
        """Where it listens."""
        ...

    async def address(self) -> str:
        """The next redirected address, whole."""
        ...


class SignInState(StrEnum):
    """How far one client's sign-in has come."""

    WAITING = "waiting"
    CHECKING = "checking"
    DONE = "done"
    RED = "red"
    SKIPPED = "skipped"


class QueuedSignIn(Struct, frozen=True):
    """One client of the queue; `words` says why it is red."""

    client_id: int
    code: str
    state: SignInState
    words: str = ""


class Progress(Struct, frozen=True):
    """How far the queue has come. `left_s` is about how long it takes; None before the first answer.

    `spent_s` stands still while nobody waits and nothing is checked.
    """

    total: int
    done: int
    red: int
    checking: int
    waiting: int
    spent_s: float
    left_s: float | None


class SignInQueue:
    """Clients to sign in, in order. `submit` goes on to the next at once; the desk does the checking."""

    def __init__(
        self, kept: Kept, timing: Timing, rng: Random, sessions: "Sessions", client_ids: Sequence[int]
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._rng = rng
        self._sessions = sessions
        self._entries = {
            client_id: QueuedSignIn(client_id, kept.book.clients[client_id].code, SignInState.WAITING)
            for client_id in client_ids
        }
        self._waiting = list(self._entries)
        self._began: datetime | None = None
        self._turn_at: datetime | None = None
        self._last_at: datetime | None = None
        self._pace: deque[float] = deque(maxlen=PACE_TURNS)
        self._given: dict[bytes, str] = {}
        """Digests of the tokens that are being checked or were taken, and whose they are."""
        self._states: dict[int, str] = {}
        """What comes back in the redirected address of each client whose link was given out."""
        self._typed: list[str] = []
        """The first fields of the client whose turn it is, while others are still asked for."""
        self._checks: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> ClientView | None:
        """Whose turn it is; None when everybody had theirs."""
        return self._kept.book.clients.get(self._waiting[0]) if self._waiting else None

    @property
    def following(self) -> ClientView | None:
        """Who comes after."""
        return self._kept.book.clients.get(self._waiting[1]) if len(self._waiting) > 1 else None

    @property
    def entries(self) -> list[QueuedSignIn]:
        """Every client of the queue, in its order."""
        return list(self._entries.values())

    def red(self) -> list[QueuedSignIn]:
        """Clients whose sign-in failed, with the reason."""
        return [one for one in self._entries.values() if one.state is SignInState.RED]

    def progress(self) -> Progress:
        """Counts, seconds since the first link was asked for, and about how many are left.

        The pace is the median of the latest turns, so that a break or a client that took long is no pace.
        """
        states = [one.state for one in self._entries.values()]
        at = self._now() if self._waiting or self._checks else self._last_at
        spent = (at - self._began).total_seconds() if self._began and at else 0.0
        left = statistics.median(self._pace) * len(self._waiting) if self._pace else None
        return Progress(
            len(states),
            states.count(SignInState.DONE),
            states.count(SignInState.RED),
            states.count(SignInState.CHECKING),
            len(self._waiting),
            spent,
            left,
        )

    async def link(self) -> str:
        """Where the client whose turn it is signs in. Raises `BadInput` where there is no link for it."""
        client = self._now_serving()
        if self._began is None:
            self._began = self._now()
        state = self._states.setdefault(client.id, "".join(self._rng.choices(STATE_ALPHABET, k=STATE_LENGTH)))
        return await self._sessions.login_url(client.id, state)

    def awaits(self, address: str) -> bool:
        """Whether an address that nobody pasted comes from the sign-in whose turn it is."""
        client = self.current
        form = None if client is None else self._sessions.form(client.id)
        if client is None or form is None:
            return False
        state = form.state_of(address)
        return state is not None and state == self._states.get(client.id)

    @property
    def field(self) -> SignInField | None:
        """What is asked of the client whose turn it is; None where nothing is, or everybody had a turn."""
        client = self.current
        form = None if client is None else self._sessions.form(client.id)
        return None if form is None else form.fields[len(self._typed)]

    def submit(self, text: str) -> None:
        """Take what was typed into the `field` of the client whose turn it is.

        With the last one it is checked beside, and the turn is the next one's. Raises `BadInput` for what the
        form cannot read and for a token that was given and not refused, as when the address before is pasted
        again; then the turn stays, and begins with the first field.
        """
        from engine.access.sessions import read_form

        client, digest = self._now_serving(), b""
        form, given = self._sessions.form(client.id), [*self._typed, text]
        self._typed = []
        if form is not None:
            if len(given) < len(form.fields):
                self._typed = given
                return
            state = form.state_of(text)
            if state is not None and state != self._states.get(client.id):
                whose = [self._entries[c].code for c, known in self._states.items() if known == state]
                raise BadInput(
                    "address", HIDDEN, f"it is from the sign-in of {whose[0] if whose else 'another round'}"
                )
            if token := read_form(form, given):
                digest = hashlib.sha256(token.encode()).digest()
                if (code := self._given.get(digest)) is not None:
                    raise BadInput("token", HIDDEN, f"it was given for {code} already")
                self._given[digest] = client.code
                self._keep_pace()
        self._turn_over(client.id, SignInState.CHECKING)
        task = asyncio.create_task(self._check(client.id, given, digest))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    def skip(self) -> None:
        """Leave the client whose turn it is for later. Raises `BadInput` when nobody is left."""
        self._turn_over(self._now_serving().id, SignInState.SKIPPED)

    def retry(self, client_id: int) -> None:
        """Put a red or skipped client at the end of the queue again. Raises `BadInput` for any other."""
        one = self._entries.get(client_id)
        if one is None or one.state not in (SignInState.RED, SignInState.SKIPPED):
            raise BadInput(
                "client", client_id, "only a red or skipped client of this queue can be tried again"
            )
        self._set(client_id, SignInState.WAITING)
        self._waiting.append(client_id)

    async def settled(self) -> None:
        """Wait until no answer is being checked any more."""
        while self._checks:
            await asyncio.wait(self._checks)

    async def _check(self, client_id: int, given: Sequence[str], digest: bytes) -> None:
        from engine.access.sessions import REFUSED

        state, words = SignInState.RED, ""
        try:
            await self._sessions.sign_in(client_id, *given)
        except BadInput as refused:
            words = refused.expected.removeprefix(REFUSED)  # a red row says that already
        except StoreError as problem:
            words = f"it could not be kept: {problem}"
        except Exception as problem:  # an adapter's fault ends no queue; its words may hold the token
            words = f"it failed unexpectedly ({type(problem).__name__})"
        else:
            state = SignInState.DONE
        if state is SignInState.RED:
            self._given.pop(digest, None)  # given to the wrong client, its own may still be signed in with it
        self._last_at = self._now()
        self._set(client_id, state, words)

    def _keep_pace(self) -> None:
        """Note how long the turn that ends took; those without a sign-in are no pace."""
        since = self._turn_at or self._began
        if since is not None:
            self._pace.append((self._now() - since).total_seconds())

    def _turn_over(self, client_id: int, state: SignInState) -> None:
        now = self._now()
        self._began = self._began or now
        self._turn_at = self._last_at = now
        self._waiting.remove(client_id)
        self._typed = []
        self._set(client_id, state)

    def _set(self, client_id: int, state: SignInState, words: str = "") -> None:
        self._entries[client_id] = replace(self._entries[client_id], state=state, words=words)
        self._kept.bus.publish([SessionsChanged(frozenset({client_id}))])

    def _now_serving(self) -> ClientView:
        client = self.current
        if client is None:
            raise BadInput("queue", "", "everybody had a turn")
        return client

    def _now(self) -> datetime:
        return self._timing.wall.now()
