"""Calls to a broker over HTTP: so many at once of each kind, each with its client's token and way out."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, ClassVar, TypeVar, cast

import aiohttp
import msgspec
from msgspec import Struct

from brokers.contract import BrokerAccount, BrokerError, NotAsked, nothing_keeps_it_back
from brokers.meter import CallEnd, CallKind, CallMeter
from brokers.wire.access import CLOSED_CODE, AccountAccess, AccountRoute
from brokers.wire.outcomes import ROUTE, SESSION_EXPIRED, TURNED_AWAY, UNAUTHORISED, CallFailure
from brokers.wire.transport import Departure, HeldBack, WaysOut, departing
from data.clock import Clock
from data.errors import BadInput
from data.under_way import UnderWay

T = TypeVar("T")


class CallWaits(Struct, frozen=True):
    """Time-outs in seconds. A call's queueing, connecting and answering end within the engine's ten."""

    queue_s: float = 1.0
    """How long a placement or a cancel waits for a line before it is given back as never sent."""
    connect_s: float = 2.0
    send_s: float = 6.0
    cancel_s: float = 4.0
    read_s: float = 7.0
    look_s: float = 2.0
    """How long a call that was turned down as unauthorised waits for what its session's profile says."""
    cool_down_s: float = 2.0
    """How long an account's placements rest after one was turned away as too many."""
    close_s: float = 10.0


class CallPurpose(Enum):
    """What a call is for, with how many of them are under way at once; cancels wait behind nothing else.

    The number of placements bounds how many a dead upstream can bring into doubt.
    """

    PLACE = 128
    CANCEL = 288
    READ = 64


_PURPOSES = {
    CallKind.PLACE: CallPurpose.PLACE,
    CallKind.MODIFY: CallPurpose.PLACE,
    CallKind.CONVERT: CallPurpose.PLACE,
    CallKind.CANCEL: CallPurpose.CANCEL,
    CallKind.CONDITIONALS: CallPurpose.CANCEL,
}


class Call(Struct, frozen=True):
    """One request: what it is of, where it goes and what it carries; one that writes is sent `once`.

    `at_orders` sends it to the host of orders, where a broker has one. `bare` says that its answer stands in
    no envelope. It goes with `token` instead of the client's own where that is given, and no words that are
    told of it hold any of `hidden`.
    """

    kind: CallKind
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: object = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    at_orders: bool = False
    once: bool = False
    bare: bool = False
    token: str = ""
    hidden: tuple[str, ...] = ()
    last_look: Callable[[], str] = nothing_keeps_it_back

    @property
    def purpose(self) -> CallPurpose:
        """What it is for."""
        return _PURPOSES.get(self.kind, CallPurpose.READ)


class HttpCalls(ABC):
    """Makes calls of every account; each adapter makes it its broker's own.

    Cancelling the task that awaits a call breaks it off; the caller must take it for ambiguous once its last
    look was taken. `on_session_lost` is told whose token a read of the profile was turned down with.
    """

    broker: ClassVar[str]
    profile: ClassVar[str]
    """The path whose read shows whether a session holds."""

    headers: ClassVar[Mapping[str, str]] = {}
    """What every call bears."""

    def __init__(
        self,
        access: AccountAccess,
        clock: Clock,
        waits: CallWaits,
        on_session_lost: Callable[[BrokerAccount], None],
    ) -> None:
        self._access = access
        self._clock = clock
        self.waits = waits
        self._on_session_lost = on_session_lost
        self.ways = WaysOut()
        self._lines = {purpose: asyncio.Semaphore(purpose.value) for purpose in CallPurpose}
        self._looks = UnderWay[tuple[BrokerAccount, str], CallFailure | None]()
        self._resting_until: dict[BrokerAccount, float] = {}
        self._under_way = 0
        self._closed = False
        self.on_answer: Callable[[BrokerAccount], None] = lambda _: None
        """Told of every call that the broker has answered, with whatever."""
        self.meter = CallMeter(clock.monotonic)
        """What the calls took and became."""

    @abstractmethod
    def root(self, call: Call) -> str:
        """The host that a call goes to."""

    @abstractmethod
    def data_of(
        self, status: int, told: Mapping[str, object], call: Call, hidden: tuple[str | None, ...]
    ) -> object | CallFailure:
        """The data of an answer's JSON object, or what its status and the broker's words come to."""

    @property
    def closed_words(self) -> str:
        """Why a call was not begun, or dropped, at the end."""
        return f"the connection to {self.broker} is closed"

    async def close(self) -> None:
        """Begin no more, wait for what has begun, and close every connection."""
        self._closed = True
        begun = self._clock.monotonic()
        while self._under_way and self._clock.monotonic() - begun < self.waits.close_s:
            await self._clock.sleep(0.01)
        for look in self._looks:
            look.cancel()
        await self.ways.close()

    # --- whose call it is ---------------------------------------------------------------------------------

    async def ask_access(self, work: Callable[[], T]) -> T:
        """Ask for a route, a token or a secret. Raises `BrokerError` where it cannot be had."""
        if self._closed:
            raise BrokerError(self.closed_words, CLOSED_CODE)
        try:
            return await asyncio.to_thread(work)
        except BrokerError:
            raise
        except BadInput as error:
            raise NotAsked(f"{error.field}: {error.expected}", "not_had") from None
        except Exception as error:  # whose words may hold a secret
            raise NotAsked(f"the session could not be prepared ({type(error).__name__})", "not_had") from None

    async def session(self, account: BrokerAccount) -> tuple[AccountRoute, str | None]:
        """An account's route, and its token if it is signed in. Raises `BrokerError`."""
        return await self.ask_access(lambda: (self._access.route(account), self._access.token(account)))

    def route_of(self, account: BrokerAccount) -> AccountRoute:
        """How an account's calls leave. Raises `BrokerError` where it has no route."""
        return self._access.route(account)

    # --- a call -------------------------------------------------------------------------------------------

    async def run(
        self, account: BrokerAccount, call: Call, wait_s: float, signed_in: bool = True
    ) -> object | CallFailure:
        """Make one call for an account, waiting `wait_s` for its answer; returns that, or how it failed.

        What cannot begin (no route, no token, no free line) ends in a failure that was not sent. One that is
        turned down as unauthorised proves nothing of the session: its profile is read, and says.
        `signed_in` is False for the login itself, which goes without the client's token.
        """
        if self._closed:
            return CallFailure(self.closed_words, sent=False)
        try:
            route, token = await self.session(account)
        except BrokerError as error:
            return CallFailure(str(error), sent=False, refusal="" if error.code == "not_had" else ROUTE)
        if signed_in and not token:
            words = f"{account.user_id} is not signed in at {self.broker} today."
            return CallFailure(words, sent=False, refusal=SESSION_EXPIRED)
        line = self._lines[call.purpose]
        if not await self._takes(line, call.purpose):
            return CallFailure(f"every line to {self.broker} is busy", sent=False)
        self._under_way += 1
        try:
            answer = await self._made(call, route, call.token or (token if signed_in else None), wait_s)
        finally:
            self._under_way -= 1
            line.release()
        if not isinstance(answer, CallFailure) or answer.status:
            self.on_answer(account)
        if isinstance(answer, CallFailure) and answer.status == UNAUTHORISED and signed_in and token:
            return await self._looked_into(account, token, call, answer)
        return answer

    async def _takes(self, line: asyncio.Semaphore, purpose: CallPurpose) -> bool:
        """Take a line; False for a placement or cancel that found none in time."""
        if purpose is CallPurpose.READ:
            await line.acquire()
            return True
        try:
            async with self._clock.timeout(self.waits.queue_s):
                await line.acquire()
        except TimeoutError:
            return False
        return True

    async def _made(
        self, call: Call, route: AccountRoute, token: str | None, wait_s: float
    ) -> object | CallFailure:
        if self._closed:
            return CallFailure(self.closed_words, sent=False)
        began = self._clock.monotonic()
        one = Departure(call.last_look, call.once)
        headers = {"Accept": "application/json", **self.headers, **call.headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        hidden = (token, *call.hidden)
        data: Any = dict(call.form) if call.form is not None else None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(call.body)
        try:
            with departing(one):
                async with self.ways.session(route).request(
                    call.method,
                    f"{self.root(call)}{call.path}",
                    params=dict(call.query) or None,
                    data=data,
                    headers=headers,
                    proxy=route.proxy or None,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=wait_s, sock_connect=self.waits.connect_s),
                ) as response:
                    answer = self.data_of(response.status, _object(await response.read()), call, hidden)
        except HeldBack as kept:
            return CallFailure(str(kept), sent=False, kept_back=True)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            answer = self._unanswered(error, one.left, bool(route.proxy))
        self.meter.note(call.kind, self._clock.monotonic() - began, _end_of(answer))
        return answer

    def _unanswered(self, error: Exception, left: bool, by_proxy: bool) -> CallFailure:
        """What is proven of a call that got no answer: it never left where no connection came to stand."""
        where = "the proxy of this route" if by_proxy else self.broker
        if not left:
            return CallFailure(f"no connection to {where} ({type(error).__name__})", sent=False)
        if isinstance(error, TimeoutError):
            return CallFailure(f"no answer from {self.broker} in time")
        return CallFailure(f"the connection to {self.broker} broke ({type(error).__name__})")

    # --- how fast placements go -----------------------------------------------------------------------------

    def resting_words(self, account: BrokerAccount) -> str:
        """Why an account's placements wait, as one of them was turned away as too many; empty if none do."""
        resting = self._resting_until.get(account, 0.0) - self._clock.monotonic()
        if resting <= 0:
            return ""
        return f"{self.broker} turned calls away as too many; the next go in {resting:.0f} s"

    def note_placed(self, account: BrokerAccount, answer: object | CallFailure) -> None:
        """Have an account's placements rest for a moment where one was turned away as too many."""
        if isinstance(answer, CallFailure) and answer.status == TURNED_AWAY:
            self._resting_until[account] = self._clock.monotonic() + self.waits.cool_down_s
            self.meter.rest(f"place {account.user_id}", self.waits.cool_down_s)

    # --- whether a session holds --------------------------------------------------------------------------

    async def _looked_into(
        self, account: BrokerAccount, token: str, call: Call, answer: CallFailure
    ) -> CallFailure:
        """What the profile says of the session that a call was turned down with, told to whom it concerns."""
        said: CallFailure | None = answer
        if call.path != self.profile:
            said = await self._profile_says(account, token)
            if said is None:
                return msgspec.structs.replace(answer, holds=True)
            if said.status != UNAUTHORISED:
                return answer
        try:
            renewed = await self.ask_access(lambda: self._access.newest_token(account)) != token
        except BrokerError:
            renewed = True  # what cannot be looked at proves nothing of the session
        if renewed:
            return answer
        self._on_session_lost(account)
        return msgspec.structs.replace(answer, lost=True)

    async def _profile_says(self, account: BrokerAccount, token: str) -> CallFailure | None:
        """How a read of the profile with this token fails, None where it does not; one for many askers."""
        look = self._looks.get((account, token))
        if look is None:
            look = self._looks.begin((account, token), self._read_profile(account, token))
        try:
            return await asyncio.shield(look)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return CallFailure(self.closed_words, sent=False)

    async def _read_profile(self, account: BrokerAccount, token: str) -> CallFailure | None:
        call = Call(CallKind.SIGN_IN, "GET", self.profile)
        answer = await self._made(call, self._access.route(account), token, self.waits.look_s)
        return answer if isinstance(answer, CallFailure) else None


def _object(body: bytes) -> Mapping[str, object]:
    """The JSON object of an answer, empty where it is none."""
    told: object = None
    with suppress(msgspec.DecodeError, RecursionError):
        told = msgspec.json.decode(body)
    return cast("dict[str, object]", told) if isinstance(told, dict) else {}


def _end_of(answer: object) -> CallEnd:
    """How a call ended: what a broker answered below 500 in its own words is no failure of the way to it."""
    if not isinstance(answer, CallFailure):
        return CallEnd.ANSWERED
    refused = 400 <= answer.status < 500 and answer.status != TURNED_AWAY and bool(answer.words)
    return CallEnd.REFUSED if refused else CallEnd.FAILED
