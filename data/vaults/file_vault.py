"""Secrets in one encrypted file, and what a file has to be for any passphrase to open it."""

import base64
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from data.errors import BadInput
from data.writing.locks import HeldLock

SHORTEST = 8
"""Fewest characters of a passphrase."""

SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""Cost of a passphrase for files made now (OWASP's password storage advice); each file keeps its own."""

_MOST_COST = 4 * SCRYPT["n"] * SCRYPT["r"] * SCRYPT["p"]
"""What a file may ask for: a damaged one must not take all memory, or minutes, at every opening."""

_MOST_BYTES = 16 * 1024 * 1024
"""Far more than the secrets of any desk."""

_DAMAGED = "it is damaged"
_MEND = (
    "put it back from a copy; without one move it away, keep the api secrets again "
    "(`tradedesk secrets set-key`) and sign everybody in"
)


class FileVault:
    """Secrets in one encrypted file, which several processes may read and write.

    The file is JSON: how the key is derived from the passphrase, and one Fernet token over all secrets.
    """

    name = "file"

    def __init__(self, path: Path, passphrase: Callable[[], str], why: str = "") -> None:
        """Raises `BadInput` for a wrong passphrase, or one that is too short for a file made now."""
        self.path = path
        self.why = why or "chosen"
        self._passphrase = passphrase()
        self._keys: dict[str, bytes] = {}
        self._lock = threading.RLock()
        if path.exists():
            self._read()
        elif len(self._passphrase) < SHORTEST:
            raise BadInput("passphrase", "(hidden)", f"give at least {SHORTEST} characters")

    def get(self, key: str) -> str | None:
        """The secret, None where there is none. What another process wrote meanwhile is seen."""
        with self._lock:
            return self._read()[1].get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a secret in place of what stood there; it is durable on return."""
        with self._changing() as kept:
            kept[key] = value

    def delete(self, key: str) -> None:
        """Forget a secret."""
        with self._changing() as kept:
            kept.pop(key, None)

    @contextmanager
    def _changing(self) -> Generator[dict[str, str], None, None]:
        """What is kept, to be changed and written back while no other process does the same."""
        lock = HeldLock(self.path.with_name(f"{self.path.name}.lock"))
        with self._lock:
            lock.take(wait=True)
            try:
                derivation, kept = self._read()
                before = dict(kept)
                yield kept
                if kept != before:
                    self._write(derivation, kept)
            finally:
                lock.free()

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """How the key is derived, and what is kept; a file that is not there keeps nothing."""
        from cryptography.fernet import InvalidToken

        try:
            raw = _raw(self.path)
        except FileNotFoundError:
            salt = base64.b64encode(secrets.token_bytes(16)).decode()
            return {**SCRYPT, "salt": salt}, {}
        except OSError as problem:
            raise BadInput("secrets", str(self.path), f"it cannot be read: {problem.strerror}") from None
        stored = _parsed(raw)
        if stored is None:
            raise BadInput("secrets", str(self.path), f"{_DAMAGED}: {_MEND}")
        derivation, token = stored
        try:
            plain = self._fernet(derivation).decrypt(token.encode())
        except InvalidToken:
            raise BadInput(
                "passphrase", "(hidden)", f"it does not open {self.path.name}; give the one it was made with"
            ) from None
        return derivation, cast(dict[str, str], json.loads(plain))

    def _fernet(self, derivation: dict[str, Any]) -> Any:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        named = json.dumps(derivation, sort_keys=True)
        if named not in self._keys:
            salt, n, r, p = _derivation_of(derivation)
            key = Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(self._passphrase.encode())
            self._keys[named] = base64.urlsafe_b64encode(key)
        return Fernet(self._keys[named])

    def _write(self, derivation: dict[str, Any], kept: dict[str, str]) -> None:
        """Replace the file at once or not at all, on the disk before this returns."""
        token = self._fernet(derivation).encrypt(json.dumps(kept).encode()).decode()
        kept_as = {"scrypt": derivation, "secrets": token, "sum": _sum_of(derivation, token)}
        body = json.dumps(kept_as).encode()
        beside = self.path.with_name(f"{self.path.name}.part")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as problem:
            raise BadInput("secrets", str(self.path), f"it cannot be written: {problem.strerror}") from None


def _raw(path: Path) -> bytes:
    """The bytes of a file, as many as are looked at. Raises `OSError`."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)


def _sum_of(derivation: Mapping[str, Any], token: str) -> str:
    """What shows that a file is as it was written, before a passphrase is tried: a changed salt would else
    be told as a wrong passphrase."""
    return hashlib.sha256(json.dumps([derivation, token], sort_keys=True).encode()).hexdigest()


def _derivation_of(stored: Mapping[str, Any]) -> tuple[bytes, int, int, int]:
    """Salt and cost of a file's key. Raises `ValueError` and its like for what is none of ours."""
    cost, salt_text = [stored[name] for name in ("n", "r", "p")], stored["salt"]
    if any(type(value) is not int or value < 1 for value in cost) or not isinstance(salt_text, str):
        raise ValueError("no derivation of ours")
    n, r, p = cost
    salt = base64.b64decode(salt_text, validate=True)
    power_of_two = n >= 2**10 and n & (n - 1) == 0  # scrypt takes no other (RFC 7914)
    if not (power_of_two and n * r * p <= _MOST_COST and 16 <= len(salt) <= 64):
        raise ValueError("no derivation of ours")
    return salt, n, r, p


def _parsed(raw: bytes) -> tuple[dict[str, Any], str] | None:
    """How the key of a file is derived, and its token; None where no passphrase could open it."""
    if len(raw) > _MOST_BYTES:
        return None
    try:
        stored = cast(dict[str, Any], json.loads(raw))
        derivation, token = cast(dict[str, Any], stored["scrypt"]), str(stored["secrets"])
        _derivation_of(derivation)
        sealed = base64.b64decode(token, altchars=b"-_", validate=True)
        # Files of the first version have no sum.
        if stored.keys() - {"sum"} != {"scrypt", "secrets"}:
            return None
        if stored.get("sum", _sum_of(derivation, token)) != _sum_of(derivation, token):
            return None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    # A version byte, a time and an initial vector, whole blocks, a signature (the Fernet specification).
    whole = sealed[:1] == b"\x80" and len(sealed) >= 73 and (len(sealed) - 57) % 16 == 0
    return (derivation, token) if whole else None


def file_fault(path: Path) -> tuple[str, str] | None:
    """Why no passphrase opens the encrypted file at `path`, and what to do; None where it may be opened.

    A file that is not there is no fault.
    """
    try:
        raw = _raw(path)
    except FileNotFoundError:
        return None
    except OSError as problem:
        return f"it cannot be read: {problem.strerror}", "let this user read it"
    return (_DAMAGED, _MEND) if _parsed(raw) is None else None
