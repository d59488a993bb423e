"""Processes that are stopped where they are, let go on, and ended at once."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress


class Freezing:
    """Which processes somebody has frozen, to be thawed together."""

    def __init__(self) -> None:
        self._frozen: list[int] = []

    def freeze(self, processes: Iterable[int]) -> None:
        """Stop them where they are."""
        self._frozen = list(processes)
        send(signal.SIGSTOP, self._frozen)

    def thaw(self) -> None:
        """Let them go on; those that have ended meanwhile are no matter."""
        send(signal.SIGCONT, self._frozen)
        self._frozen = []


def send(sign: signal.Signals, processes: Iterable[int]) -> None:
    """Send a signal to each that is still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, sign)


def kill(processes: Callable[[], list[int]]) -> None:
    """End at once all that are told, and return once none is left."""
    send(signal.SIGKILL, processes())
    while left := processes():
        send(signal.SIGKILL, left)


def with_children(first: int, of: str) -> list[int]:
    """A process and those that it began itself, as far as they live; nothing where it is not what it was.

    `of` stands in its words: the number of a process that has ended may be somebody else's by now.
    """
    words = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    rows = [line.split(maxsplit=3) for line in told.splitlines()]
    lives = {
        int(pid): (int(parent), of in " ".join(args)) for pid, parent, state, *args in rows if state[0] != "Z"
    }
    if not lives.get(first, (0, False))[1]:
        return []
    return [pid for pid, (parent, _) in lives.items() if first in (pid, parent)]


def memory_kb(process: int) -> int:
    """How much of the machine's memory a process has in use, in kilobytes; 0 for one that has ended."""
    words = ["ps", "-o", "rss=", "-p", str(process)]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return int(told) if told else 0
