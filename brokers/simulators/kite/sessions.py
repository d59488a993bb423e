"""Signing in: request tokens, access tokens and when they end (Kite Connect documentation, "user").

Tokens are kept as digests, so that neither a dump nor the file tells them.
"""

import hashlib
import hmac
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from brokers.simulators.kite.answers import Turned
from brokers.simulators.kite.books.keeping import Keeping
from data.clock import IST, Clock, MarketClock

REQUEST_TOKEN_S = 300.0
"""How long a request token may be exchanged."""

EXPIRY = time(6, 0)
"""When access tokens end, in India."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _SimulatedSession(Struct, frozen=True):
    user_id: str
    api_key: str
    ends_at: datetime


class SimulatedSessions:
    """Who is signed in, under which app; `apps` holds the secret of each api key."""

    def __init__(
        self,
        apps: Mapping[str, str],
        clock: Clock,
        market: MarketClock,
        dice: random.Random,
        keeping: Keeping,
    ) -> None:
        self._apps = apps
        self._clock = clock
        self._market = market
        self._dice = dice
        self._keeping = keeping
        self._requests: dict[str, tuple[str, str, float]] = {}
        self._sessions: dict[str, _SimulatedSession] = {}
        self._first_end = _NEVER
        self._current: dict[tuple[str, str], str] = {}
        self.on_end: Callable[[str], None] = _nothing
        for digest, body in keeping.all("session"):
            ends_at = datetime.fromisoformat(body["ends_at"])
            self._hold(digest, _SimulatedSession(body["user_id"], body["api_key"], ends_at))

    def knows(self, api_key: str) -> bool:
        """Whether an app has this api key."""
        return api_key in self._apps

    def request_token(self, api_key: str, user_id: str) -> str:
        """A token that a finished sign-in hands to the app, good once and for five minutes."""
        token = self._token()
        self._requests[_digest(api_key, token)] = (
            api_key,
            user_id,
            self._clock.monotonic() + REQUEST_TOKEN_S,
        )
        return token

    def asks_for(self, api_key: str, request_token: str) -> str:
        """Whose request token this is; empty where it is nobody's or was exchanged."""
        return self._requests.get(_digest(api_key, request_token), ("", "", 0.0))[1]

    def exchange(self, api_key: str, request_token: str, checksum: str) -> tuple[str, str]:
        """A user id and an access token for a request token; the user's older token of that app ends.

        Raises `Turned` with 403.
        """
        if api_key not in self._apps:
            raise Turned(403, "TokenException", "Invalid `api_key`.")
        secret = self._apps[api_key]
        expected = hashlib.sha256(f"{api_key}{request_token}{secret}".encode()).hexdigest()
        if not hmac.compare_digest(expected.encode(), checksum.encode()):
            raise Turned(403, "TokenException", "Invalid `checksum`.")
        _, user_id, until = self._requests.pop(_digest(api_key, request_token), ("", "", 0.0))
        if not user_id or self._clock.monotonic() > until:
            raise Turned(403, "TokenException", "Token is invalid or has expired.")
        self.end_user(user_id, api_key)
        token = self._token()
        digest = _digest(api_key, token)
        session = _SimulatedSession(user_id, api_key, _next_expiry(self._market.now()))
        self._hold(digest, session)
        kept = {"user_id": user_id, "api_key": api_key, "ends_at": session.ends_at.isoformat()}
        self._keeping.put("session", digest, kept)
        return user_id, token

    def user_of(self, api_key: str, access_token: str) -> str | None:
        """Whose session this is, `None` where it has ended or never was."""
        digest = _digest(api_key, access_token)
        session = self._sessions.get(digest)
        if session is None:
            return None
        if self._market.now() >= session.ends_at:
            self._end(digest)
            return None
        return session.user_id

    def end(self, api_key: str, access_token: str) -> bool:
        """End a session; tells whether there was one."""
        if self.user_of(api_key, access_token) is None:
            return False
        self._end(_digest(api_key, access_token))
        return True

    def end_user(self, user_id: str, api_key: str | None = None) -> None:
        """End a user's sessions, of all apps or of one."""
        for (user, key), digest in list(self._current.items()):
            if user == user_id and api_key in (None, key):
                self._end(digest)

    def sweep(self) -> None:
        """End the sessions whose time is over."""
        now = self._market.now()
        if now >= self._first_end:
            for digest, session in list(self._sessions.items()):
                if now >= session.ends_at:
                    self._end(digest)
            self._first_end = min((one.ends_at for one in self._sessions.values()), default=_NEVER)

    def signed_in(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def _hold(self, digest: str, session: _SimulatedSession) -> None:
        self._sessions[digest] = session
        self._first_end = min(self._first_end, session.ends_at)
        self._current[session.user_id, session.api_key] = digest

    def _end(self, digest: str) -> None:
        session = self._sessions.pop(digest)
        self._current.pop((session.user_id, session.api_key), None)
        self._keeping.drop("session", digest)
        self.on_end(session.user_id)

    def _token(self) -> str:
        return "".join(self._dice.choices(_SIGNS, k=32))


def _nothing(_user_id: str) -> None:
    return


def _digest(api_key: str, token: str) -> str:
    return hashlib.sha256(f"{api_key}:{token}".encode()).hexdigest()


def _next_expiry(at: datetime) -> datetime:
    local = at.astimezone(IST)
    day = local.date() if local.time() < EXPIRY else local.date() + timedelta(days=1)
    return datetime.combine(day, EXPIRY, IST)
