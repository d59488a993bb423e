"""What adapters ask of this desk: each client's key and way out, and the tokens in the vault."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

from brokers.connection import Connection
from brokers.contract import BrokerAccount, NotAsked
from brokers.wire.access import AccountRoute
from brokers.wire.life import SignedInLife
from data.errors import BadInput
from data.secrets import Vault
from engine.book.access_views import RouteView, SessionView

ZERODHA, UPSTOX, GROWW = BROKERS = "zerodha", "upstox", "groww"
"""The words in client files of the brokers whom this desk has adapters for."""

LONGEST_NAME = 64
"""Of an api key in the name of a secret, which a system's keyring bounds."""

_PLACES = {ZERODHA: "kite"}
"""Under which name the vault keeps a broker's secrets where that is not its word."""


def secret_key(broker: str, api_key: str) -> str:
    """Under which name the vault keeps the api secret of a broker's key; of a long one its digest stands."""
    named = api_key if len(api_key) <= LONGEST_NAME else hashlib.sha256(api_key.encode()).hexdigest()
    return f"{_PLACES.get(broker, broker)}/secret/{named}"


def token_key(broker: str, user_id: str) -> str:
    """Under which name the vault keeps today's access token of a broker's user."""
    return f"{_PLACES.get(broker, broker)}/token/{user_id}"


class DeskAccess:
    """Implements `brokers.wire.access.AccountAccess` over the desk's routes, its sessions and the vault.

    A token is read from the vault once a sign-in, so that one made by another process is noticed too.
    """

    def __init__(self, vault: Vault, broker: str) -> None:
        self._vault = vault
        self._broker = broker
        self._tokens: dict[str, tuple[datetime | None, str | None]] = {}
        self.route_of: Callable[[int], RouteView | None] = _nothing
        self.session_of: Callable[[int], SessionView | None] = _nothing

    def route(self, account: BrokerAccount) -> AccountRoute:
        """How this client's calls leave. Raises `BrokerError` where none is recorded."""
        found = self.route_of(account.client_id)
        if found is None or not found.api_key:
            raise NotAsked(f"{account.user_id} has no route with an api key", "no_route")
        straight = found.egress_ip and not found.proxy and not found.bind_address
        version = ip_address(found.egress_ip).version if straight else 0
        return AccountRoute(found.api_key, found.proxy, found.bind_address, version)

    def token(self, account: BrokerAccount) -> str | None:
        """Today's access token; None if the client has not signed in."""
        session = self.session_of(account.client_id)
        login_at = session.login_at if session else None
        known = self._tokens.get(account.user_id)
        if known is None or known[0] != login_at:
            known = (login_at, self._vault.get(token_key(self._broker, account.user_id)))
            self._tokens[account.user_id] = known
        return known[1]

    def newest_token(self, account: BrokerAccount) -> str | None:
        """The token as the vault has it now, in place of the one that was known."""
        self._tokens.pop(account.user_id, None)
        return self.token(account)

    def secret(self, api_key: str) -> str | None:
        """The api secret that belongs to a key."""
        return self._vault.get(secret_key(self._broker, api_key))

    def keep_secret(self, api_key: str, secret: str) -> None:
        """Store the api secret of a key."""
        self._vault.put(secret_key(self._broker, api_key), secret)

    def keep_token(self, account: BrokerAccount, token: str) -> None:
        """Store the token of a fresh login in place of the old one."""
        self._vault.put(token_key(self._broker, account.user_id), token)
        self._tokens.pop(account.user_id, None)

    def drop_token(self, account: BrokerAccount) -> None:
        """Forget a client's token."""
        self._vault.delete(token_key(self._broker, account.user_id))
        self._tokens.pop(account.user_id, None)


def access_of(connection: Connection) -> DeskAccess:
    """Where the secrets of a connection whose clients sign in are kept. Raises `BadInput` where none are."""
    access = connection.life.access if isinstance(connection.life, SignedInLife) else None
    if not isinstance(access, DeskAccess):
        raise BadInput("connection", connection.name, "name one whose clients sign in")
    return access


def _nothing(_client_id: int) -> None:
    return None
