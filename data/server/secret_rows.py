"""Secrets as rows of books on a server: each sealed by AES-256-GCM under a key that lies in no database.

Desks of a firm share them, so that whoever takes a client over has its token. A row is sealed for its name
and its version (additional data, NIST SP 800-38D): one that is put under another name, or under a number it
was not written by, opens no more. Whoever owns the database can put an older row back whole; a program that
has seen a later one refuses it.
"""

import base64
import os
import secrets
import threading
from binascii import Error
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from data.engines.driver import fetch, run
from data.engines.fates import is_lost
from data.engines.postgres import PostgresBooks
from data.errors import BadInput

T = TypeVar("T")

_BYTES = 32
_NONCE = 12
"""Bytes; random ones may be used for 2^32 secrets of one key (NIST SP 800-38D, 8.3)."""

FIELD = "wrapping_key_file"


class WrappingKey(Struct, frozen=True):
    """The key that seals secrets. `id` tells it from others, and nothing of what it is."""

    secret: bytes

    @property
    def id(self) -> str:
        """The beginning of its digest."""
        return sha256(b"tradedesk wrapping key" + self.secret).hexdigest()[:16]


def make_key(path: Path) -> WrappingKey:
    """Make a key in a file of its own, which its owner alone may read. Raises `BadInput`."""
    key = WrappingKey(secrets.token_bytes(_BYTES))
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key.secret) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise BadInput("file", str(path), "it is there already; a key that is lost opens nothing") from None
    except OSError as problem:
        raise BadInput("file", str(path), f"it cannot be written: {problem.strerror}") from None
    return key


def read_key(path: Path) -> WrappingKey:
    """The key in a file. Raises `BadInput` where others may read it, or it is none."""
    expected = "name a file that `tradedesk secrets make-key` has made"
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as problem:
        raise BadInput(FIELD, str(path), f"it cannot be read: {problem.strerror}; {expected}") from None
    if mode & 0o077:
        raise BadInput(FIELD, str(path), "only its owner may read it: chmod 600")
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (Error, ValueError):
        secret = b""
    if len(secret) != _BYTES:
        raise BadInput(FIELD, str(path), f"it holds no key; {expected}")
    return WrappingKey(secret)


class SecretRows:
    """Implements `data.secrets.Vault` over the rows of a server, for several processes and any thread."""

    name = "rows"

    def __init__(self, books: PostgresBooks, key: WrappingKey) -> None:
        self._books = books
        self._key = key
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._seen: dict[str, int] = {}
        """The latest version of each secret that this program has read or written."""
        self.why = f"sealed rows of {books.name}"

    def get(self, key: str) -> str | None:
        """The secret, None where there is none. Raises `BadInput` where it cannot be had."""
        rows = self._do(lambda to: fetch(to, f"SELECT {_CELLS} FROM secret WHERE name = ?", (key,)))
        return self._opened(*rows[0]) if rows else None

    def put(self, key: str, value: str) -> None:
        """Keep a secret in place of what stood there; it is durable on return."""

        def work(connection: Connection) -> int:
            rows = fetch(connection, "SELECT version FROM secret WHERE name = ? FOR UPDATE", (key,))
            version = max(int(rows[0][0]) if rows else 0, self._seen.get(key, 0)) + 1
            cells = (version, self._key.id, sealed(self._key, key, version, value), self._now(), key)
            run(connection, _CHANGE if rows else _FIRST, cells)
            return version

        while True:
            try:
                self._seen[key] = self._whole(work)
            except IntegrityError:  # another program put its first one at the same moment: this comes behind
                continue
            return

    def delete(self, key: str) -> None:
        """Forget a secret; one that is not there is no fault."""
        self._whole(lambda to: run(to, "DELETE FROM secret WHERE name = ?", (key,)))

    def unreadable(self) -> tuple[int, list[str]]:
        """How many secrets there are, and the names of those that this key does not open."""
        rows = self._do(lambda to: fetch(to, f"SELECT {_CELLS} FROM secret ORDER BY name"))
        found = list[str]()
        for row in rows:
            try:
                self._opened(*row)
            except BadInput:
                found.append(str(row[0]))
        return len(rows), found

    def rewrap(self, key: WrappingKey) -> int:
        """Seal every secret by another key, all or none; returns how many there are. Raises `BadInput`."""

        def work(connection: Connection) -> dict[str, int]:
            later = dict[str, int]()
            for row in fetch(connection, f"SELECT {_CELLS} FROM secret ORDER BY name FOR UPDATE"):
                name, value = str(row[0]), self._opened(*row)
                later[name] = int(row[1]) + 1
                text = sealed(key, name, later[name], value)
                run(connection, _CHANGE, (later[name], key.id, text, self._now(), name))
            return later

        later = self._whole(work)
        self._key = key
        self._seen |= later
        return len(later)

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._drop()

    def _now(self) -> Any:
        return self._books.clock.now()

    def _opened(self, name: str, version: int, key_id: str, text: str) -> str:
        if key_id != self._key.id:
            expected = f"it was sealed by key {key_id}, this is {self._key.id}: name that key's file"
            raise BadInput(FIELD, name, expected)
        if version < self._seen.get(name, 0):
            raise BadInput("secret", name, "an older one was put in its place: keep it again")
        value = unsealed(self._key, name, version, text)
        if value is None:
            raise BadInput("secret", name, "its row is not as it was written: keep it again")
        self._seen[name] = version
        return value

    def _whole(self, work: Callable[[Connection], T]) -> T:
        def within(connection: Connection) -> T:
            run(connection, "BEGIN")
            try:
                made = work(connection)
            except BaseException:
                with suppress(DBAPIError):  # a connection that is gone has no transaction either
                    run(connection, "ROLLBACK")
                raise
            run(connection, "COMMIT")
            return made

        return self._do(within)

    def _do(self, work: Callable[[Connection], T]) -> T:
        """Do it on the kept connection, once more on another where that one is lost."""
        with self._lock:
            for again in (False, True):
                connection = self._connected()
                try:
                    return work(connection)
                except IntegrityError:
                    raise
                except DBAPIError as problem:
                    lost = is_lost(connection)
                    self._drop()
                    if again or not lost:
                        words = f"the server does not answer so: {str(problem.orig).strip().splitlines()[0]}"
                        raise BadInput("secrets", self._books.name, words) from None
        raise AssertionError

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._books.writer().connect()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


_CELLS = "name, version, key_id, sealed"
_FIRST = "INSERT INTO secret (version, key_id, sealed, at, name) VALUES (?, ?, ?, ?, ?)"
_CHANGE = "UPDATE secret SET version = ?, key_id = ?, sealed = ?, at = ? WHERE name = ?"


def sealed(key: WrappingKey, name: str, version: int, value: str) -> str:
    """A secret as its row keeps it, for this name and version alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    whole = nonce + AESGCM(key.secret).encrypt(nonce, value.encode(), _for(name, version))
    return base64.b64encode(whole).decode()


def unsealed(key: WrappingKey, name: str, version: int, text: str) -> str | None:
    """The secret in a row; None where it is not what was sealed for this name and version."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        whole = base64.b64decode(text, validate=True)
        plain = AESGCM(key.secret).decrypt(whole[:_NONCE], whole[_NONCE:], _for(name, version))
        return plain.decode()
    except (InvalidTag, Error, ValueError):
        return None


def _for(name: str, version: int) -> bytes:
    return f"{version}|{name}".encode()
