"""Signing in: what a finished sign-in page hands to an app, sessions, and when they end.

Tokens are kept as digests, so that neither a dump nor the file tells them.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

from msgspec import Struct

from brokers.simulators.serving.keeping import Keeping
from data.clock import IST, Clock, MarketClock

GRANT_S = 300.0
"""How long what a sign-in page hands out may be exchanged."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class SimulatedSession(Struct, frozen=True):
    """Whose it is, under which app, and when it ends."""

    user_id: str
    api_key: str
    ends_at: datetime


class Grant(Struct, frozen=True):
    """A finished sign-in to an app: whose, where it led to, and until when it may be exchanged."""

    api_key: str
    user_id: str
    led_to: str
    until: float


class SimulatedSessions:
    """Who is signed in; `apps` holds the secret of each app, `EXPIRY` is when all sessions end, in India.

    A credential is what a call proves its session with, in one text.
    """

    EXPIRY: ClassVar[time]

    def __init__(
        self,
        apps: Mapping[str, str],
        clock: Clock,
        market: MarketClock,
        dice: random.Random,
        keeping: Keeping,
    ) -> None:
        self.apps = apps
        self._clock = clock
        self._market = market
        self._dice = dice
        self._keeping = keeping
        self._grants: dict[str, Grant] = {}
        self._sessions: dict[str, SimulatedSession] = {}
        self._first_end = _NEVER
        self._current: dict[tuple[str, str], set[str]] = {}
        self.on_end: Callable[[str], None] = _nothing
        for digest, body in keeping.all("session"):
            ends_at = datetime.fromisoformat(body["ends_at"])
            self._hold(digest, SimulatedSession(body["user_id"], body["api_key"], ends_at))

    def knows(self, api_key: str) -> bool:
        """Whether an app has this api key."""
        return api_key in self.apps

    # --- finished sign-ins --------------------------------------------------------------------------------

    def request_token(self, api_key: str, user_id: str, led_to: str = "") -> str:
        """A token that a finished sign-in hands to the app, good once and for five minutes."""
        token = self.new_token()
        until = self._clock.monotonic() + GRANT_S
        self._grants[_digest(f"{api_key}:{token}")] = Grant(api_key, user_id, led_to, until)
        return token

    def asks_for(self, api_key: str, token: str) -> str:
        """Whose finished sign-in this is; empty where it is nobody's or was exchanged."""
        grant = self._grants.get(_digest(f"{api_key}:{token}"))
        return "" if grant is None else grant.user_id

    def redeem(self, api_key: str, token: str) -> Grant | None:
        """A finished sign-in for its token, which is good no more; None where it is over or never was."""
        grant = self._grants.pop(_digest(f"{api_key}:{token}"), None)
        return None if grant is None or self._clock.monotonic() > grant.until else grant

    # --- sessions -----------------------------------------------------------------------------------------

    def end_of(self, at: datetime) -> datetime:
        """When a session that begins at `at` ends."""
        local = at.astimezone(IST)
        day = local.date() if local.time() < self.EXPIRY else local.date() + timedelta(days=1)
        return datetime.combine(day, self.EXPIRY, IST)

    def begin(self, credential: str, user_id: str, api_key: str) -> None:
        """Let a user call under an app from now to the next expiry."""
        digest, session = (
            _digest(credential),
            SimulatedSession(user_id, api_key, self.end_of(self._market.now())),
        )
        self._hold(digest, session)
        kept = {"user_id": user_id, "api_key": api_key, "ends_at": session.ends_at.isoformat()}
        self._keeping.put("session", digest, kept)

    def session(self, credential: str) -> SimulatedSession | None:
        """The session that a credential proves; `None` where it has ended or never was."""
        digest = _digest(credential)
        session = self._sessions.get(digest)
        if session is not None and self._market.now() >= session.ends_at:
            self._end(digest)
            return None
        return session

    def finish(self, credential: str) -> bool:
        """End a session; tells whether there was one."""
        if self.session(credential) is None:
            return False
        self._end(_digest(credential))
        return True

    def end_user(self, user_id: str, api_key: str | None = None) -> None:
        """End a user's sessions, of all apps or of one."""
        for (user, key), digests in list(self._current.items()):
            if user == user_id and api_key in (None, key):
                for digest in list(digests):
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

    def new_token(self) -> str:
        """Thirty-two letters and digits of no meaning."""
        return "".join(self._dice.choices(_SIGNS, k=32))

    def _hold(self, digest: str, session: SimulatedSession) -> None:
        self._sessions[digest] = session
        self._first_end = min(self._first_end, session.ends_at)
        self._current.setdefault((session.user_id, session.api_key), set()).add(digest)

    def _end(self, digest: str) -> None:
        session = self._sessions.pop(digest)
        place = (session.user_id, session.api_key)
        self._current[place].discard(digest)
        if not self._current[place]:
            del self._current[place]
        self._keeping.drop("session", digest)
        self.on_end(session.user_id)


def _nothing(_user_id: str) -> None:
    return


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
