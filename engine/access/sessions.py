"""Sessions: each client's sign-in at its broker, its end at 06:00, and what the broker says of it.

Tokens are the adapters' and the vault's: here stands only that there is one, since when and until when.
The end is market time, which is wall time except where the broker behind the desk is a simulated one.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, time, timedelta
from random import Random

from brokers.connections import Connections
from brokers.contract import (
    HIDDEN,
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerProfile,
    NoAnswer,
    NotAsked,
    SessionExpired,
    SignInForm,
    TurnedAway,
)
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.home import sign_in_lock
from data.repositories.accounts import access
from data.repositories.accounts.access import StoredSignIn
from data.repositories.accounts.clients import set_session
from data.store import Unit
from data.vocabulary import ClientStatus, Demat, SessionProblem, SessionState
from data.writing.locks import HeldLock
from engine.access.routes import note_demat
from engine.access.sign_in_queue import Redirects, SignInQueue
from engine.book.access_views import SessionView
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.events import SessionsChanged
from engine.instances import ThisEngine
from engine.timing import Timing

log = logging.getLogger(__name__)

SOON = timedelta(hours=1)
"""How long before its end a session is worth renewing."""

REFUSED = "the broker refused it: "
"""Stands before a broker's words about a sign-in."""
UNANSWERED = "the broker did not answer: "
"""Stands before what became of a sign-in of which the broker said nothing; what was typed may be right."""
TURNED_AWAY = "the broker has taken too many calls and did not look at it: "
"""Stands before the words of a broker that turned a sign-in away; what was typed may be right."""

_USER = re.compile(r"[A-Z]{1,3}[0-9A-Z]{1,9}")


async def _nothing() -> None:
    pass


def next_end(now: datetime, session_end: time) -> datetime:
    """The next time after `now` at which sessions end, at this time of the day."""
    local = now.astimezone(session_end.tzinfo)
    today = datetime.combine(local.date(), session_end)
    return (today if local < today else today + timedelta(days=1)).astimezone(now.tzinfo)


def read_form(form: SignInForm, given: Sequence[str]) -> str:
    """What the fields of a form come to, given in their order. Raises `BadInput`."""
    if len(given) != len(form.fields):
        labels = ", then ".join(one.label for one in form.fields)
        raise BadInput("sign-in", HIDDEN, f"it takes {len(form.fields)} fields: {labels}")
    return form.read({field.name: text for field, text in zip(form.fields, given, strict=True)})


class Sessions:
    """Signs clients in and knows who is."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, connections: Connections, rng: Random
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._rng = rng
        self.redirects: Callable[[], AbstractAsyncContextManager[Redirects]] | None = None
        """Opens what catches the ends of sign-ins here; None where addresses are pasted."""
        self.after_sign_in: Callable[[], Awaitable[None]] = _nothing
        """Does what follows a sign-in before that is told of."""

    # --- what is known ---

    def of(self, client_id: int) -> SessionView | None:
        """What is known of a client's session; None where nobody ever signed in."""
        return self._kept.book.access.sessions.get(client_id)

    def form(self, client_id: int) -> SignInForm | None:
        """What this client's sign-in asks for; None where its broker asks for none."""
        connection = self._kept.book.carrier_of(client_id)
        return None if connection is None else connection.capabilities.sign_in

    def needs_sign_in(self, client_id: int) -> bool:
        """Whether this client's broker asks for a sign-in at all."""
        return self.form(client_id) is not None

    def due(self) -> list[ClientView]:
        """Active clients to sign in, the red ones first, then those whose session ends within the hour."""
        soon = self._timing.market.now() + SOON
        red: list[ClientView] = []
        ending: list[ClientView] = []
        for client in self._kept.book.clients.values():
            if client.status is not ClientStatus.ACTIVE:
                continue
            among = red
            if client.session is SessionState.OK:
                session, among = self.of(client.id), ending
                if session is None or session.expires_at is None or session.expires_at > soon:
                    continue
            if self._connections.serves(client.id):
                among.append(client)
        return red + ending

    # --- signing in ---

    async def login_url(self, client_id: int, state: str = "") -> str:
        """Where the client signs in; empty if its broker asks for no sign-in. Raises `BadInput`.

        A `state` comes back in the redirected address, and so tells whose it is.
        """
        client = self._client(client_id)
        broker, account = self._connections.broker_of(client.id)
        try:
            return await broker.login_url(account, state)
        except BrokerError as problem:
            raise BadInput("client", client.code, str(problem)) from None

    async def sign_in(self, client_id: int, *given: str) -> SessionView:
        """Sign a client in with what its broker's form asks for, in the order of the fields.

        Raises `BadInput` for what the form cannot read, for what the broker refuses, and for another user's
        token, naming whose it is. A broker that asks for no sign-in takes any text and tells no end.
        """
        client = self._client(client_id)
        broker, account = self._connections.broker_of(client.id)
        form, token = self.form(client_id), ""
        if form is not None:
            await self.login_url(client_id)  # where its route is missing, that is to be said first
            token = read_form(form, given)
        # A second exchange would end the session of the first, whichever process it is in.
        lock = HeldLock(sign_in_lock(self._kept.home, client_id))
        if not lock.take():
            raise BadInput("client", client.code, "its sign-in is under way; wait for its outcome")
        try:
            profile = await self._exchanged(client, broker, account, token)
            await self._hold_to_user(client, profile)
            await self._record(
                client,
                SessionProblem.NONE,
                "",
                profile.demat,
                StoredSignIn(
                    profile.user_name,
                    self._timing.wall.now(),
                    profile.session_ends or self._end_of_session(form),
                ),
            )
        finally:
            lock.free()
        await self.after_sign_in()
        return self._kept.book.access.sessions[client_id]

    def _end_of_session(self, form: SignInForm | None) -> datetime | None:
        """When a session that begins now ends by the clock; None where it does not."""
        if form is None or form.session_end is None:
            return None
        return next_end(self._timing.market.now(), form.session_end)

    async def _exchanged(
        self, client: ClientView, broker: Broker, account: BrokerAccount, token: str
    ) -> BrokerProfile:
        """Whose session the token became. Raises `BadInput`, and keeps why, where it became none."""
        said, problem = REFUSED, SessionProblem.REFUSED
        try:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                profile = await broker.exchange_token(account, token)
            self._call_ended(client.id, None)
            return profile
        except NotAsked as failure:
            said, words = "", str(failure)
        except TurnedAway as failure:
            said, problem, words = TURNED_AWAY, SessionProblem.UNREACHABLE, str(failure)
        except (NoAnswer, TimeoutError) as failure:
            self._call_ended(client.id, failure)
            said, problem = UNANSWERED, SessionProblem.UNREACHABLE
            words = str(failure) or "no answer in time"
        except BrokerError as failure:
            words = str(failure)
        words = self._with_codes(client, _without(token, words))
        session = self.of(client.id)
        if session is None or not session.ok:  # a session that holds is not ended by it
            await self._record(client, problem, words)
        raise BadInput("token", HIDDEN, f"{said}{words}")

    def queue(self, client_ids: Collection[int] | None = None) -> SignInQueue:
        """The morning's queue of sign-ins: of these clients, or of everybody that is due."""
        clients = self.due() if client_ids is None else [self._client(one) for one in client_ids]
        return SignInQueue(self._kept, self._timing, self._rng, self, [client.id for client in clients])

    # --- what becomes of a session ---

    async def expire(self, client_id: int, why: str) -> None:
        """Take a client for signed out, `why` in words; nothing of it is sent until it has signed in."""
        await self.expire_all([client_id], why, SessionProblem.ENDED)

    async def expire_all(self, client_ids: Collection[int], why: str, problem: SessionProblem) -> None:
        """The same for many clients at once."""
        clients = [self._client(one) for one in client_ids]
        await self._kept.store.write(lambda unit: [self._store(unit, c, problem, why) for c in clients])

    async def check(self, client_id: int) -> bool:
        """Ask the broker whose session this is; returns whether it still takes calls.

        A broker that cannot be reached proves nothing: the session stays and the failure is noted.
        """
        client = self._client(client_id)
        session = self.of(client_id)
        if self.needs_sign_in(client_id) and (session is None or not session.ok):
            return False
        broker, account = self._connections.broker_of(client_id)
        try:
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                profile = await broker.profile(account)
        except SessionExpired as problem:
            await self.expire(client_id, str(problem) or "the broker no longer takes it")
            return False
        except (BrokerError, TimeoutError) as problem:
            self._call_ended(client_id, problem)
            await self._record(client, SessionProblem.UNREACHABLE, str(problem) or "no answer")
            return False
        self._call_ended(client_id, None)
        try:
            await self._hold_to_user(client, profile)
        except BadInput:
            return False
        await self._record(client, SessionProblem.NONE, "")
        return True

    def _call_ended(self, client_id: int, problem: Exception | None) -> None:
        self._connections.call_ended(client_id, problem, self._timing.wall.now())

    async def expire_due(self) -> int:
        """End every session whose time is over; returns how many that were."""
        now = self._timing.market.now()
        over = [
            (client, s.expires_at)
            for client in self._kept.book.clients.values()
            if (s := self.of(client.id)) is not None
            and s.ok
            and s.expires_at is not None
            and s.expires_at <= now
        ]
        if over:

            def store(unit: Unit) -> None:
                for client, ended in over:
                    words = f"it ended at {ended.astimezone(IST):%H:%M}; sign in again"
                    self._store(unit, client, SessionProblem.EXPIRED, words)

            await self._kept.store.write(store)
            log.info("%s sessions ended", len(over))
        return len(over)

    # --- keeping ---

    def _client(self, client_id: int) -> ClientView:
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")
        if not self._connections.serves(client_id):
            raise BadInput("client", client.code, f"this desk has no connection to {client.broker}")
        return client

    def _with_codes(self, client: ClientView, words: str) -> str:
        """A broker's words, with the codes of other clients whose user ids stand in them."""
        connections = self._connections
        connection = connections.of(client.id)
        named = {
            self._kept.book.clients[other].code
            for word in _USER.findall(words)
            if (other := connections.client_of(connection, word)) is not None and other != client.id
        }
        return f"{words} (client {', '.join(sorted(named))})" if named else words

    async def _hold_to_user(self, client: ClientView, profile: BrokerProfile) -> None:
        """Raises `BadInput`, and ends the client's session, where the broker speaks of another user."""
        account = self._connections.account(client)
        if profile.user_id.upper() == account.user_id.upper():
            return
        connection = self._connections.of(client.id)
        other = self._connections.client_of(connection, profile.user_id)
        whose = f"user {profile.user_id}"
        if other is not None:
            whose += f", client {self._kept.book.clients[other].code}"
        await self._record(client, SessionProblem.OTHER_USER, f"token of another user ({whose})")
        raise BadInput(
            "token", HIDDEN, f"it belongs to {whose}, not to {client.code}; sign in as its own user"
        )

    async def _record(
        self,
        client: ClientView,
        problem: SessionProblem,
        words: str,
        demat: Demat = Demat.UNKNOWN,
        sign_in: StoredSignIn | None = None,
    ) -> None:
        def store(unit: Unit) -> None:
            self._store(unit, client, problem, words, sign_in)
            note_demat(unit, client.id, demat, self._engine.actor)

        await self._kept.store.write(store)

    def _store(
        self,
        unit: Unit,
        client: ClientView,
        problem: SessionProblem,
        words: str,
        sign_in: StoredSignIn | None = None,
    ) -> None:
        access.keep_session(unit, client.id, problem, words[:300], unit.now, sign_in)
        ended = problem not in (SessionProblem.NONE, SessionProblem.UNREACHABLE)
        if sign_in is not None or ended:
            state = SessionState.EXPIRED if ended else SessionState.OK
            set_session(unit, client.id, state, unit.now)
            action = AuditAction.CLIENT_SESSION_ENDED if ended else AuditAction.CLIENT_SIGNED_IN
            details = {"code": client.code, "problem": problem.value, "why": words[:300]} if ended else {}
            if sign_in is not None and sign_in.expires_at is not None:
                details = {"code": client.code, "until": sign_in.expires_at.isoformat()}
            unit.audit(AuditEntry(action, self._engine.actor, client_id=client.id, details=details))
        unit.touched.roster = True
        unit.publish(SessionsChanged(frozenset({client.id})))


def _without(token: str, words: str) -> str:
    return words.replace(token, HIDDEN) if token else words
