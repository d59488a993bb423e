"""Held file locks: what tells a living engine from a dead one, and keeps a second app out."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from data.errors import BadInput


class HeldLock:
    """An exclusive lock on a file, held while this process lives; the system frees it when it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, wait: bool = False) -> bool:
        """Take the lock; returns whether it was free. Raises `BadInput` where the file cannot be made.

        `wait` is for a lock that is one's own by right, which another may hold only while looking at it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise BadInput(
                "home",
                str(self.path.parent),
                f"give a folder that this user can write to ({problem.strerror})",
            ) from problem
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return True

    def free(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> str:
        """The process id its holder wrote, for a message."""
        with suppress(OSError):
            return self.path.read_text(encoding="utf-8").strip() or "unknown"
        return "unknown"


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`; looking changes nothing in the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def process_start(pid: int) -> str:
    """When a process started, as the system counts it, so that a reused pid is not taken for it."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    return ""
