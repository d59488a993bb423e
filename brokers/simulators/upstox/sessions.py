"""Signing in at the local Upstox: a code becomes a token that ends at 03:30 (documentation, "login")."""

import hmac
from collections.abc import Mapping
from datetime import time

import jwt

from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.sessions import SimulatedSession, SimulatedSessions
from brokers.simulators.upstox.answers import Fault
from brokers.simulators.upstox.switches import UpstoxSwitches


class UpstoxSessions(SimulatedSessions):
    """Who is signed in, under which app; the access token alone proves a session."""

    EXPIRY = time(3, 30)

    def exchange(self, form: Mapping[str, str], switches: UpstoxSwitches) -> tuple[str, str]:
        """A user id and an access token for a posted code, which is good no more even where this fails.

        Raises `Turned`.
        """
        client_id = form.get("client_id", "")
        if client_id not in self.apps or form.get("grant_type") != "authorization_code":
            raise unknown_app()
        grant = self.redeem(client_id, form.get("code", ""))
        secret = self.apps[client_id]
        if not hmac.compare_digest(secret.encode(), form.get("client_secret", "").encode()) or grant is None:
            raise Fault("UDAPI100016", "Invalid Credentials", 401)
        if grant.led_to and grant.led_to != form.get("redirect_uri"):
            raise unknown_app()
        if switches.older_token_ends:
            self.end_user(grant.user_id, client_id)
        token = self._jwt(grant.user_id) if switches.jwt_tokens else self.new_token()
        self.begin(token, grant.user_id, client_id)
        return grant.user_id, token

    def of_header(self, authorization: str) -> SimulatedSession | None:
        """The session of a call by its `Authorization` header."""
        scheme, _, token = authorization.partition(" ")
        return self.session(token) if scheme == "Bearer" else None

    def _jwt(self, user_id: str) -> str:
        now = self._market.now()
        claims = {
            "sub": user_id,
            "jti": self.new_token(),
            "isMultiClient": False,
            "isPlusPlan": False,
            "iat": int(now.timestamp()),
            "exp": int(self.end_of(now).timestamp()),
        }
        return jwt.encode(claims, self.new_token(), algorithm="HS256")


def unknown_app() -> Turned:
    """The answer to a sign-in at an app that is not known, or that leads elsewhere."""
    return Fault("UDAPI100068", "Check your 'client_id' and 'redirect_uri'; one or both are incorrect.", 401)
