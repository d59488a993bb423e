"""Secrets of this desk: api secrets and access tokens, in the system's keyring or in an encrypted file.

Never plain text, and never silently forgotten: a keyring is used only where a read of it succeeds, else the
secrets stand in `secrets.enc`, encrypted by a key that scrypt derives from a passphrase.
"""

import base64
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from data.errors import BadInput
from data.home import SECRETS, secrets_file
from data.locks import HeldLock

PASSPHRASE_FILE = "TRADEDESK_PASSPHRASE_FILE"
"""The environment's variable that names a file whose first line is the passphrase."""

PROBE_SECONDS = 3.0
"""A keyring that has not answered by then is not used: its dialogue may wait on a screen nobody sees."""

SHORTEST = 8
"""Fewest characters of a passphrase."""

SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""Cost of a passphrase for files made now (OWASP's password storage advice); each file keeps its own."""

_MOST_COST = 4 * SCRYPT["n"] * SCRYPT["r"] * SCRYPT["p"]
"""What a file may ask for: a damaged one must not take all memory, or minutes, at every opening."""

_MOST_BYTES = 16 * 1024 * 1024
"""Far more than the secrets of any desk."""

_WEAK_BACKENDS = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")
"""Backends that forget, refuse, or write plain text."""

_DAMAGED = "it is damaged"
_MEND = (
    "put it back from a copy; without one move it away, keep the api secrets again "
    "(`tradedesk secrets set-key`) and sign everybody in"
)

Prefer = Literal["auto", "keyring", "file"]


class Vault(Protocol):
    """Keeps secrets by key, from any thread. `name` is `keyring` or `file`, `why` says why it was chosen."""

    @property
    def name(self) -> str:
        """`keyring` or `file`."""
        ...

    @property
    def why(self) -> str:
        """Why this one is used, in words."""
        ...

    def get(self, key: str) -> str | None:
        """The secret, None where there is none. Raises `BadInput` where the vault cannot be read."""
        ...

    def put(self, key: str, value: str) -> None:
        """Keep a secret in place of what stood there; it is durable on return."""
        ...

    def delete(self, key: str) -> None:
        """Forget a secret; one that is not there is no fault."""
        ...


@dataclass(frozen=True, slots=True)
class VaultState:
    """Where a home's secrets are, for the doctor. Looking asks for no passphrase and changes nothing."""

    backend: str
    ok: bool
    why: str
    todo: str = ""


def _run_for(seconds: float, call: Callable[[], Any]) -> tuple[bool, Any]:
    """Whether a call returned in time, and what; its exception is given back as its value.

    The thread of a call that hangs is left behind: nothing can end it, and it ends with the program.
    """
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception as problem:
            results.append(problem)

    thread = threading.Thread(target=work, name="keyring-probe", daemon=True)
    thread.start()
    thread.join(seconds)
    return (True, results[0]) if results else (False, None)


def keyring_problem(service: str, seconds: float = PROBE_SECONDS) -> str:
    """Why the system's keyring cannot be used; empty where a probing read of it succeeds."""

    def probe() -> str:
        import keyring

        backend = keyring.get_keyring()
        parts: list[Any] = list(getattr(backend, "backends", ())) or [backend]
        for one in parts:
            module = type(one).__module__
            if module.startswith(_WEAK_BACKENDS):
                return f"its backend is {module}, which keeps nothing safely"
        backend.get_password(service, "probe")
        return ""

    answered, found = _run_for(seconds, probe)
    if not answered:
        return f"it did not answer within {seconds:g} s"
    if isinstance(found, BaseException):
        return f"it cannot be read ({type(found).__name__})"
    return str(found)


class KeyringVault:
    """Secrets in the system's keyring, under one service name a home."""

    name = "keyring"

    def __init__(self, service: str, why: str = "") -> None:
        """Raises `BadInput` where the keyring cannot be read."""
        if problem := keyring_problem(service):
            raise BadInput("keyring", service, f"{problem}; use the encrypted file instead")
        self.service = service
        self.why = why or "a probing read of the system's keyring succeeded"
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """The secret, None where there is none. Raises `BadInput` where the keyring cannot be read."""
        return self._call("read", lambda backend: backend.get_password(self.service, key))

    def put(self, key: str, value: str) -> None:
        """Keep a secret; it is read back, since a keyring may forget without a word."""
        self._call("written", lambda backend: backend.set_password(self.service, key, value))
        if self.get(key) != value:
            raise BadInput(
                "keyring", self.service, "it did not keep what was written; use the encrypted file"
            )

    def delete(self, key: str) -> None:
        """Forget a secret."""
        if self.get(key) is not None:
            self._call("written", lambda backend: backend.delete_password(self.service, key))

    def _call(self, what: str, call: Callable[[Any], Any]) -> Any:
        import keyring

        with self._lock:
            try:
                return call(keyring.get_keyring())
            except Exception as problem:  # a backend raises what it likes; its words may hold what was kept
                kind = type(problem).__name__
        raise BadInput("keyring", self.service, f"it could not be {what} ({kind}); unlock it and try again")


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


class ClosedVault:
    """A vault that was not opened: what is in it is not known. Every call raises `BadInput`, saying why."""

    name = "closed"
    why = "it was not opened"

    def __init__(self, problem: BadInput) -> None:
        self._problem = problem

    def get(self, key: str) -> str | None:
        """Raises `BadInput`."""
        raise self._problem

    def put(self, key: str, value: str) -> None:
        """Raises `BadInput`."""
        raise self._problem

    def delete(self, key: str) -> None:
        """Raises `BadInput`."""
        raise self._problem


class NoVault:
    """A vault without secrets, for a desk that must open without them. It keeps nothing."""

    name = "none"
    why = "its secrets cannot be read"

    def get(self, key: str) -> str | None:
        """Nothing."""
        return None

    def put(self, key: str, value: str) -> None:
        """Refuse. Raises `BadInput`."""
        raise BadInput("secrets", "(hidden)", "this home's secrets cannot be read, so none can be kept")

    def delete(self, key: str) -> None:
        """Nothing is there."""


def service_name(home: Path) -> str:
    """The keyring's service of a home: two homes never see each other's secrets."""
    digest = hashlib.sha256(str(home.expanduser().resolve()).encode()).hexdigest()
    return f"tradedesk:{digest[:16]}"


def passphrase_file(path: Path) -> Callable[[], str]:
    """Reads the passphrase from the first line of a file. Raises `BadInput` where others may read it."""

    def read() -> str:
        try:
            mode = path.stat().st_mode
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise BadInput(PASSPHRASE_FILE, str(path), "name a text file that can be read") from None
        if mode & 0o077:
            raise BadInput(PASSPHRASE_FILE, str(path), "only its owner may read it: chmod 600")
        if not lines or not lines[0].strip():
            raise BadInput(PASSPHRASE_FILE, str(path), "its first line must be the passphrase")
        return lines[0].strip()

    return read


def passphrase_source(prompt: Callable[[], str] | None) -> Callable[[], str] | None:
    """Where a passphrase comes from: the file that the environment names, else the prompt, if any."""
    named = os.environ.get(PASSPHRASE_FILE)
    return passphrase_file(Path(named).expanduser()) if named else prompt


def open_vault(home: Path, passphrase: Callable[[], str] | None = None, prefer: Prefer = "auto") -> Vault:
    """The vault of a home, its `why` in words. `passphrase` is asked at most once, for the file alone.

    With `auto` an encrypted file that is there stays in use, so that nothing is forgotten on a day when a
    keyring answers; else the keyring, else the file. A file named by `TRADEDESK_PASSPHRASE_FILE` outranks
    `passphrase`. Raises `BadInput` where nothing can be used.
    """
    if prefer not in ("auto", "keyring", "file"):
        raise BadInput("vault", prefer, "give auto, keyring or file")
    path, service = secrets_file(home), service_name(home)
    if prefer == "keyring":
        return KeyringVault(service, "asked for")
    why = "asked for"
    if prefer == "auto":
        if path.exists():
            why = f"{SECRETS} is there"
        elif not (problem := keyring_problem(service)):
            return KeyringVault(service)
        else:
            why = f"the system's keyring is not used: {problem}"
    source = passphrase_source(passphrase)
    if source is None:
        raise BadInput(
            "passphrase", "", f"{SECRETS} needs one ({why}): name a file with it in {PASSPHRASE_FILE}"
        )
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return FileVault(path, source, why)


def vault_state(home: Path, prefer: Prefer = "auto") -> VaultState:
    """Where this home's secrets are or would be, why, and what is to be done."""
    path, service = secrets_file(home), service_name(home)
    named = os.environ.get(PASSPHRASE_FILE)
    if prefer == "keyring":
        problem = keyring_problem(service)
        return VaultState("keyring", not problem, problem or "asked for", "unlock it" if problem else "")
    if path.exists():
        if (fault := file_fault(path)) is not None:
            return VaultState("file", False, f"{SECRETS}: {fault[0]}", fault[1])
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            return VaultState("file", False, f"{SECRETS} has mode {mode:04o}", f"chmod 600 {SECRETS}")
        if named:
            return VaultState(
                "file", True, f"{SECRETS}, its passphrase in the file that {PASSPHRASE_FILE} names"
            )
        return VaultState("file", True, f"{SECRETS}, its passphrase is asked for")
    why = "asked for"
    if prefer == "auto":
        if not (problem := keyring_problem(service)):
            return VaultState("keyring", True, "a probing read of the system's keyring succeeded")
        why = f"the system's keyring is not used: {problem}"
    todo = "" if named else f"the first secret asks for a passphrase, or name a file in {PASSPHRASE_FILE}"
    return VaultState("file", True, f"no secrets yet; {why}", todo)
