"""Secrets of this desk: api secrets and access tokens, in the system's keyring or in an encrypted file.

Never plain text, and never silently forgotten: a keyring is used only where a read of it succeeds, else the
secrets stand in `secrets.enc`, encrypted by a key that scrypt derives from a passphrase.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from data.errors import BadInput
from data.home import SECRETS, secrets_file
from data.vaults.file_vault import FileVault, file_fault
from data.vaults.keyring_vault import KeyringVault, keyring_problem

PASSPHRASE_FILE = "TRADEDESK_PASSPHRASE_FILE"
"""The environment's variable that names a file whose first line is the passphrase."""

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


class VaultState(Struct, frozen=True):
    """Where a home's secrets are, for the doctor. Looking asks for no passphrase and changes nothing."""

    backend: str
    ok: bool
    why: str
    todo: str = ""


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


def closed_vault() -> Vault:
    """The vault of a desk that was given none."""
    return NoVault()


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
