"""Signing in at the local Kite: request tokens become access tokens (Kite Connect documentation, "user")."""

import hashlib
import hmac
from datetime import time

from brokers.simulators.serving.answers import Turned
from brokers.simulators.serving.sessions import SimulatedSessions


class KiteSessions(SimulatedSessions):
    """Who is signed in, under which app; a call proves its session by api key and access token."""

    EXPIRY = time(6, 0)

    def exchange(self, api_key: str, request_token: str, checksum: str) -> tuple[str, str]:
        """A user id and an access token for a request token; the user's older token of that app ends.

        Raises `Turned` with 403.
        """
        if api_key not in self.apps:
            raise Turned(403, "TokenException", "Invalid `api_key`.")
        secret = self.apps[api_key]
        expected = hashlib.sha256(f"{api_key}{request_token}{secret}".encode()).hexdigest()
        if not hmac.compare_digest(expected.encode(), checksum.encode()):
            raise Turned(403, "TokenException", "Invalid `checksum`.")
        grant = self.redeem(api_key, request_token)
        if grant is None:
            raise Turned(403, "TokenException", "Token is invalid or has expired.")
        self.end_user(grant.user_id, api_key)
        token = self.new_token()
        self.begin(f"{api_key}:{token}", grant.user_id, api_key)
        return grant.user_id, token

    def user_of(self, api_key: str, access_token: str) -> str | None:
        """Whose session this is, `None` where it has ended or never was."""
        session = self.session(f"{api_key}:{access_token}")
        return None if session is None else session.user_id

    def end(self, api_key: str, access_token: str) -> bool:
        """End a session; tells whether there was one."""
        return self.finish(f"{api_key}:{access_token}")
