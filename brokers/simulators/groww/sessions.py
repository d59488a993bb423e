"""Signing in at the local Groww: a key mints a token that ends at 06:00 (documentation, "authentication")."""

import hashlib
import hmac
import random
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from brokers.simulators.groww.answers import BAD_REQUEST, MintRefused, bad_token
from brokers.simulators.groww.apps import APPROVAL, TOTP, ApiKey
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.groww.totp import is_code_of
from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.keeping import Keeping
from brokers.simulators.serving.sessions import SimulatedSession, SimulatedSessions
from data.clock import Clock, MarketClock

STAMP_LASTS = timedelta(minutes=10)
"""How far from now the time may be that a checksum is made with."""


class GrowwSessions(SimulatedSessions):
    """Who is signed in, by which key; the access token alone proves a session."""

    EXPIRY = time(6)

    def __init__(
        self,
        keys: Mapping[str, ApiKey],
        clock: Clock,
        market: MarketClock,
        dice: random.Random,
        keeping: Keeping,
    ) -> None:
        super().__init__({key: one.secret for key, one in keys.items()}, clock, market, dice, keeping)
        self.keys = keys
        self._approved = {key: datetime.fromisoformat(body["until"]) for key, body in keeping.all("approval")}

    def of_header(self, authorization: str) -> SimulatedSession | None:
        """The session of a call by its `Authorization` header."""
        scheme, _, token = authorization.partition(" ")
        return self.session(token) if scheme == "Bearer" else None

    def approve(self, api_key: str) -> None:
        """Let a key sign in until sessions end next, as its owner does on Groww's page of keys."""
        until = self.end_of(self._market.now())
        self._approved[api_key] = until
        self._keeping.put("approval", api_key, {"until": until.isoformat()})

    def is_approved(self, api_key: str) -> bool:
        """Whether a key was approved for today."""
        until = self._approved.get(api_key)
        return until is not None and self._market.now() < until

    def mint(self, api_key: str, body: Mapping[str, Any], switches: GrowwSwitches) -> SimulatedSession:
        """The session that a key may begin with what was posted. Raises `Turned`."""
        key = self.keys.get(api_key)
        if key is None:
            raise bad_token()
        match body.get("key_type"):
            case "totp" if key.kind == TOTP:
                if not is_code_of(key.secret, str(body.get("totp", "")), self._clock.now()):
                    raise _refused("Invalid TOTP")
                needs_approval = switches.totp_needs_approval
            case "approval" if key.kind == APPROVAL:
                self._check_sum(key.secret, body)
                needs_approval = True
            case _:
                raise _refused("Invalid key type")
        if needs_approval and not self.is_approved(api_key):
            raise _refused("Please approve today's session on the API keys page")
        return SimulatedSession(key.user_id, api_key, self.end_of(self._market.now()))

    def started(self, session: SimulatedSession, switches: GrowwSwitches) -> str:
        """Begin a session that may be; returns its token."""
        if switches.older_token_ends:
            self.end_user(session.user_id, session.api_key)
        return self.request_token(session.api_key, session.user_id)

    def request_token(self, api_key: str, user_id: str, led_to: str = "") -> str:
        """An access token as the web profile generates one, which is a session at once."""
        token = self.new_token()
        self.begin(token, user_id, api_key)
        return token

    def _check_sum(self, secret: str, body: Mapping[str, Any]) -> None:
        """The checksum of secret and time, which is told as a number or as a text. Raises `Turned`."""
        stamp = str(body.get("timestamp", ""))
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise _refused("Invalid timestamp")
        if abs(self._clock.now().timestamp() - int(stamp)) > STAMP_LASTS.total_seconds():
            raise _refused("The timestamp is too old")
        right = hashlib.sha256(f"{secret}{stamp}".encode()).hexdigest()
        if not hmac.compare_digest(right, str(body.get("checksum", "")).lower()):
            raise _refused("Invalid checksum")


def _refused(message: str) -> Turned:
    return MintRefused(400, BAD_REQUEST, message)
