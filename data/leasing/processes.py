"""Processes of this machine: where their numbers mean something, whether one lives, and its end."""

import os
import signal
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from data.writing.locks import process_start


@cache
def this_host() -> str:
    """Where numbers of processes mean what they do here: the machine, since its start, and its room in it.

    A container counts its own processes, so that a number says nothing in the next one.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def is_running(pid: int, started: str) -> bool:
    """Whether the process of this machine that has this number is the one that started then."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not started or process_start(pid) in ("", started)


def end_process(pid: int, started: str) -> bool:
    """End a process of this machine at once; returns whether it is gone. No other of its number is ended."""
    if is_running(pid, started):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return not is_running(pid, started) or _is_ended(pid)


def _is_ended(pid: int) -> bool:
    """Whether it has ended, and only waits for its parent to hear of that."""
    with suppress(OSError, IndexError):
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0]
        return state in ("Z", "X")
    return False


def since_boot() -> float:
    """Seconds that go on while the machine sleeps, as a lease does."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
