"""What the vault of a home should hold by the books, and what of that is not there."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from data.engines.sqlite import SqliteFile
from data.errors import BadInput
from data.home import SECRETS, secrets_file
from data.repositories.connections import ConnectionRow, connections_in
from data.secrets import NoVault, Vault
from data.tables.access import BrokerSession, ClientRoute
from data.tables.books import Client, ConnectionRecord
from data.tables.columns import table
from data.vocabulary import ClientStatus, SessionProblem
from tradedesk.compose.desk_access import BROKERS, LONGEST_NAME, ZERODHA, secret_key, token_key
from tradedesk.compose.home import has_books
from tradedesk.compose.server import books_at
from tradedesk.compose.settings import Settings
from tradedesk.compose.vaults import vault_standing

API_SECRET, TOKEN = "api_secret", "token"

_FEW = 5
"""How many names stand in words."""

_SHOWN = 16
"""How much of a long api key is shown."""


class Wanted(Struct, frozen=True):
    """A secret that the books call for: the `api_secret` of an api key, or the `token` of a user signed in.

    `name` is the api key or the user id, `codes` the clients of this `broker` that need it.
    """

    what: str
    name: str
    codes: tuple[str, ...]
    broker: str = ZERODHA

    @property
    def key(self) -> str:
        """Under which name the vault keeps it."""
        of = secret_key if self.what == API_SECRET else token_key
        return of(self.broker, self.name)


class SecretsLook(Struct, frozen=True):
    """Where a home's secrets are, and what is `missing`; None where the vault was not opened."""

    backend: str
    ok: bool
    why: str
    todo: str
    missing: tuple[Wanted, ...] | None

    @property
    def words(self) -> str:
        """All of it on one line."""
        return f"{self.backend}: {self.why}" + (f"; {self.todo}" if self.todo else "")


def look(home: Path, settings: Settings, opened: Callable[[], Vault], now: datetime) -> SecretsLook:
    """Look where the secrets are, and into what is `opened` for those that the books call for; it may block.

    A file that is not there is not opened: it holds nothing. One whose passphrase nobody gave is no fault.
    """
    state = vault_standing(home, settings)
    if not state.ok:
        return SecretsLook(state.backend, False, state.why, state.todo, None)
    wanted = wanted_secrets(home, now)
    absent = state.backend == "file" and not secrets_file(home).exists()
    try:
        vault = NoVault() if absent else opened()
        missing = tuple(one for one in wanted if not vault.get(one.key))
    except BadInput as problem:
        if problem.field == "passphrase" and not problem.value:
            why = f"{state.why}; it was not opened to look what is missing"
            return SecretsLook(state.backend, True, why, state.todo, None)
        return SecretsLook(state.backend, False, problem.expected, "", None)
    if not missing:
        return SecretsLook(state.backend, True, state.why, state.todo, ())
    keys = [one for one in missing if one.what == API_SECRET]
    users = [one for one in missing if one.what == TOKEN]
    why = [f"{SECRETS} is not there" if absent else state.why]
    todo = [f"put {SECRETS} back from a copy, or:"] if absent and users else []
    if keys:
        why.append(f"no api secret of {_few([one.name for one in keys])}")
        todo.append("`tradedesk secrets set-key API_KEY`")
    if users:
        why.append(
            f"no token of {_few([code for one in users for code in one.codes])}, signed in by the books"
        )
        todo.append("sign in again (`tradedesk login next`)")
    return SecretsLook(state.backend, False, "; ".join(why), " ".join(todo), missing)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:_SHOWN]}..." for name in names[:_FEW]]
    return ", ".join(shown) + more


def broker_of_keys(home: Path, given: str) -> str:
    """The broker whose api key is meant: the one that was named, else that of the home's only connection.

    Raises `BadInput` where the home has several and none is named.
    """
    known = BROKERS
    if given:
        word = given.strip().lower()
        if word not in known:
            raise BadInput("broker", given, f"give one of {', '.join(known)}")
        return word
    there = [one.broker for one in _connections(home) if one.broker in known]
    if len(there) > 1:
        raise BadInput("broker", "", f"this home has connections to {' and '.join(there)}: say --broker")
    return there[0] if there else ZERODHA


def _connections(home: Path) -> list[ConnectionRow]:
    return connections_in(books_at(home)) if has_books(home) else []


def wanted_secrets(home: Path, now: datetime) -> list[Wanted]:
    """The secrets that the books of a home call for at the aware time `now`.

    None for books of the paper exchange, and for what cannot be read.
    """
    if not has_books(home):
        return []
    books = books_at(home)
    database = SqliteFile(books) if isinstance(books, Path) else books
    try:
        return database.read(lambda connection: _wanted(connection, now))
    except DBAPIError:  # a database of another version, or none: the doctor of the books says which
        return []


def _wanted(connection: Connection, now: datetime) -> list[Wanted]:
    return [one for broker in BROKERS for one in _wanted_of(connection, broker, now)]


def _wanted_of(connection: Connection, broker: str, now: datetime) -> list[Wanted]:
    connections, clients = table(ConnectionRecord), table(Client)
    routes, sessions = table(ClientRoute), table(BrokerSession)
    there = select(connections.c.name).where(connections.c.broker == broker)
    trading = (clients.c.connection.in_(there), clients.c.status == ClientStatus.ACTIVE.value)
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for api_key, code in connection.execute(
        select(routes.c.api_key, clients.c.code)
        .join(clients, clients.c.id == routes.c.client_id)
        .where(*trading, routes.c.api_key != "")
        .order_by(clients.c.code)
    ):
        keys[api_key].append(code)
    standing = (SessionProblem.NONE, SessionProblem.UNREACHABLE, SessionProblem.NO_TOKEN)
    users = connection.execute(
        select(clients.c.broker_user_id, clients.c.code)
        .join(sessions, sessions.c.client_id == clients.c.id)
        .where(
            *trading,
            sessions.c.login_at.is_not(None),
            sessions.c.problem_code.in_([one.value for one in standing]),
            sessions.c.expires_at.is_(None) | (sessions.c.expires_at > now),
        )
        .order_by(clients.c.code)
    )
    return [
        *(Wanted(API_SECRET, api_key, tuple(codes), broker) for api_key, codes in keys.items()),
        *(Wanted(TOKEN, user_id, (code,), broker) for user_id, code in users),
    ]
