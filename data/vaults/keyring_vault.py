"""Secrets in the system's keyring, where a probing read of it succeeds."""

import threading
from collections.abc import Callable
from typing import Any

from data.errors import BadInput

PROBE_SECONDS = 3.0
"""A keyring that has not answered by then is not used: its dialogue may wait on a screen nobody sees."""

_WEAK_BACKENDS = ("keyring.backends.null", "keyring.backends.fail", "keyrings.alt")
"""Backends that forget, refuse, or write plain text."""


def _run_for(seconds: float, call: Callable[[], Any]) -> tuple[bool, Any]:
    """Whether a call returned in time, and what; its exception is returned as its value.

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
