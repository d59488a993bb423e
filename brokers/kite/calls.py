"""Where the blocking calls of the official client run: three bounded sets of threads and the clients in them.

Every call borrows a client of its account for itself, since a `requests.Session` is not promised to be safe
for two threads; a client whose route or token is no longer the account's is closed and built anew.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar, cast

from msgspec import Struct

from brokers.contract import BrokerAccount, BrokerError, NotAsked
from brokers.kite.access import KiteRoots
from brokers.kite.client import KiteClient, load
from brokers.kite.outcomes import ROUTE, SESSION_EXPIRED, Failure
from brokers.meter import CallEnd, CallKind, CallMeter
from brokers.wire.access import CLOSED_CODE, AccountAccess, AccountRoute
from data.clock import Clock
from data.errors import BadInput
from data.records import replace

T = TypeVar("T")

PLACE_WORKERS = 128
"""Placements and modifies under way at once. The engine begins 64 calls a second when Kite is silent; with
1,000 clients' orders waiting, this bounds how many a dead upstream can bring into doubt."""

CANCEL_WORKERS = 288
"""Cancels under way at once: the engine's 96, three times over for calls that hang."""

READ_WORKERS = 64
"""Reads and logins under way at once: twice the books that the engine reads at once."""

IDLE_CLIENTS = 4
"""Clients kept with their connections for an account: as many as it has placements under way."""

CLOSED = "the connection to Kite is closed"
"""Why a call was not begun, or dropped, at the end."""

_NOT_HAD = "not_had"

BUSY = "every line to Kite is busy"
"""Why a call was not begun."""


class KiteWaits(Struct, frozen=True):
    """Time-outs in seconds. A call's queueing, connecting and answering end within the engine's ten."""

    queue_s: float = 1.0
    """How long a placement or a cancel waits for a thread before it is given back as never sent."""
    connect_s: float = 2.0
    send_s: float = 7.0
    cancel_s: float = 4.0
    read_s: float = 7.0
    turned_away_s: float = 1.1
    """How long after a read that was turned away for its api key's budget it is tried again."""
    authorise_s: float = 1.5
    """How long a refusal for want of authorisation waits for the client's link."""
    look_again_s: float = 5.0
    """How long after a read that did not tell whether a session holds it is asked again."""
    cool_down_s: float = 10.0
    """How long an account's placements rest after Kite's gateway has turned one away (its staff's figure)."""


class Purpose(Enum):
    """What a call is for: each kind has threads of its own, so that cancels wait behind nothing else."""

    PLACE = "place"
    CANCEL = "cancel"
    READ = "read"


@dataclass(slots=True)
class _CallResult:
    """A call's answer, the token that it was made with, and how long it took where it was made."""

    answer: object
    token: str | None
    took_s: float | None = None


@dataclass(slots=True)
class _IdleClients:
    idle: list[KiteClient] = field(default_factory=list[KiteClient])


class KiteCalls:
    """Runs calls of `KiteClient` in threads.

    Cancelling the task that awaits a call does not stop one that has begun: its request still goes out and
    its answer is dropped, so the caller must take it for ambiguous. One that has not begun is never sent.
    """

    def __init__(
        self,
        access: AccountAccess,
        roots: KiteRoots,
        clock: Clock,
        waits: KiteWaits,
        on_session_lost: Callable[[BrokerAccount], None],
    ) -> None:
        self._access = access
        self._roots = roots
        self._clock = clock
        self.waits = waits
        self._on_session_lost = on_session_lost
        self.on_answer: Callable[[BrokerAccount], None] = lambda _: None
        """Told of every call that Kite has answered, with whatever."""
        sizes = {
            Purpose.PLACE: PLACE_WORKERS,
            Purpose.CANCEL: CANCEL_WORKERS,
            Purpose.READ: READ_WORKERS,
        }
        self._threads = {
            purpose: ThreadPoolExecutor(size, thread_name_prefix=f"kite-{purpose.value}")
            for purpose, size in sizes.items()
        }
        self._lock = threading.Lock()
        self._pools: defaultdict[BrokerAccount, _IdleClients] = defaultdict(_IdleClients)
        self._closed = False
        self.meter = CallMeter(clock.monotonic)
        """What the calls took and became."""

    async def open(self) -> None:
        """Load the official client before the first call needs it."""
        await self.in_thread(load)

    async def close(self) -> None:
        """Drop what has not begun and wait for what has; close every connection."""
        self._closed = True
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._wind_up)

    def _wind_up(self) -> None:
        for threads in self._threads.values():
            threads.shutdown(wait=True)
        self.close_idle()

    def close_idle(self) -> None:
        """Close the connections that wait for their next call; each is made anew when one comes."""
        with self._lock:
            for pool in self._pools.values():
                for client in pool.idle:
                    client.close()
            self._pools.clear()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run what may block, beside the reads. Raises what `work` raises, and `BrokerError` when closed."""
        started = self._submit(Purpose.READ, work)
        if started is None:
            raise BrokerError(CLOSED, CLOSED_CODE)
        try:
            return await asyncio.wrap_future(started)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise BrokerError(CLOSED, CLOSED_CODE) from None

    async def ask_access(self, work: Callable[[], T]) -> T:
        """Ask for a route, a token or a secret. Raises `BrokerError` where it cannot be had."""
        answer = await self.in_thread(lambda: _attempt(work))
        if isinstance(answer, BrokerError):
            raise answer
        return answer

    async def session(self, account: BrokerAccount) -> tuple[AccountRoute, str | None]:
        """An account's route, and its token if it is signed in. Raises `BrokerError`."""
        return await self.ask_access(lambda: (self._access.route(account), self._access.token(account)))

    def key_of(self, account: BrokerAccount) -> str:
        """The api key that an account's calls use. Raises `BrokerError` where it has no route."""
        return self._access.route(account).api_key

    async def run(
        self,
        purpose: Purpose,
        kind: CallKind | None,
        account: BrokerAccount,
        ask: Callable[[KiteClient], T],
        wait_s: float,
        signed_in: bool = True,
    ) -> T | Failure:
        """Make one call for an account, waiting `wait_s` for its answer.

        What cannot begin (no route, no token, no free thread) ends in a failure that was not sent. Without a
        `kind` it asks Kite nothing, and what it took is not kept. `signed_in` is False for the login itself,
        which goes without a token.
        """
        time_out = (self.waits.connect_s, wait_s)
        work = self._submit(purpose, lambda: self._make(account, ask, time_out, signed_in))
        if work is None:
            return Failure(CLOSED, sent=False)
        try:
            ended = await self._await(work, purpose)
        except asyncio.CancelledError:
            work.cancel()
            if _is_cancelled():
                raise
            return Failure(CLOSED, sent=False)  # it was dropped before it began
        if ended is None:
            return Failure(BUSY, sent=False)
        answer = ended.answer
        if kind is not None and ended.took_s is not None and (end := _end_of(answer)) is not None:
            self.meter.note(kind, ended.took_s, end)
        if not isinstance(answer, Failure) or answer.status:
            self.on_answer(account)
        if isinstance(answer, Failure) and answer.session_lost and ended.token is not None:
            answer = replace(answer, renewed=await self.is_renewed(account, ended.token))
            if answer.session_lost:
                self._on_session_lost(account)
        return cast("T | Failure", answer)

    async def _await(self, work: "Future[_CallResult]", purpose: Purpose) -> _CallResult | None:
        """The end of a call; None for a placement or cancel that found no thread in time."""
        ended = asyncio.wrap_future(work)
        if purpose is not Purpose.READ:
            try:
                async with self._clock.timeout(self.waits.queue_s):
                    return await asyncio.shield(ended)
            except TimeoutError:
                if work.cancel():
                    return None
        return await ended

    def _submit(self, purpose: Purpose, work: Callable[[], T]) -> "Future[T] | None":
        """Queue work for a thread; None once closed."""
        return None if self._closed else self._threads[purpose].submit(work)

    async def is_renewed(self, account: BrokerAccount, token: str) -> bool:
        """Whether the client has signed in anew since a call with this token began, here or elsewhere.

        What cannot be looked at counts as renewed: it proves nothing of the session.
        """
        try:
            return await self.ask_access(lambda: self._access.newest_token(account)) != token
        except BrokerError:
            return True

    # --- in a thread --------------------------------------------------------------------------------------

    def _make(
        self,
        account: BrokerAccount,
        ask: Callable[[KiteClient], T],
        time_out: tuple[float, float],
        signed_in: bool,
    ) -> _CallResult:
        session = _attempt(lambda: (self._access.route(account), self._session_token(account, signed_in)))
        if isinstance(session, BrokerError):
            refusal = ROUTE if session.code != _NOT_HAD else ""
            return _CallResult(Failure(str(session), sent=False, refusal=refusal), None)
        route, token = session
        if signed_in and not token:
            words = f"{account.user_id} is not signed in at Kite today."
            return _CallResult(Failure(words, sent=False, refusal=SESSION_EXPIRED), None)
        client = _attempt(lambda: self._borrow(account, route, token))
        if isinstance(client, BrokerError):
            return _CallResult(Failure(str(client), sent=False), None)
        try:
            began = self._clock.monotonic()
            answer = client.call(ask, time_out)
            return _CallResult(answer, token, self._clock.monotonic() - began)
        finally:
            self._give_back(account, client)

    def _session_token(self, account: BrokerAccount, signed_in: bool) -> str | None:
        return self._access.token(account) if signed_in else None

    def _borrow(self, account: BrokerAccount, route: AccountRoute, token: str | None) -> KiteClient:
        stale: list[KiteClient] = []
        found: KiteClient | None = None
        with self._lock:
            idle = self._pools[account].idle
            while idle and found is None:
                client = idle.pop()
                if client.route == route and client.token == token:
                    found = client
                else:
                    stale.append(client)
        for client in stale:
            client.close()
        return found or KiteClient(self._roots, route, token)

    def _give_back(self, account: BrokerAccount, client: KiteClient) -> None:
        with self._lock:
            idle = self._pools[account].idle
            if client.token is not None and len(idle) < IDLE_CLIENTS and not self._closed:
                idle.append(client)
                return
        client.close()


def _attempt(work: Callable[[], T]) -> "T | BrokerError":
    """What `work` returns. What it raises becomes a `BrokerError`, without words that may hold a secret."""
    try:
        return work()
    except BrokerError as error:
        return error
    except BadInput as error:
        return NotAsked(f"{error.field}: {error.expected}", _NOT_HAD)
    except Exception as error:
        return NotAsked(f"the session could not be prepared ({type(error).__name__})", _NOT_HAD)


def _end_of(answer: object) -> CallEnd | None:
    """How a call ended: what Kite answered below 500 in its own words is no failure of the way to it.

    None of what was kept back here.
    """
    if isinstance(answer, Failure) and answer.kept_back:
        return None
    if not isinstance(answer, Failure):
        return CallEnd.ANSWERED
    refused = 400 <= answer.status < 500 and answer.status != 429
    return CallEnd.REFUSED if refused and answer.error_type != "NetworkException" else CallEnd.FAILED


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
