"""Child processes that start in milliseconds, since their parent has imported everything already."""

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from os import _exit as leave_at_once
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """A forked process and the pipe to it."""

    pid: int
    pipe: Connection
    ended: int | None = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.ended is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its wait status, once it has ended."""
        if self.ended is None:
            _, self.ended = os.waitpid(self.pid, 0)
            self.pipe.close()
        return self.ended

    def receive(self, within_s: float) -> Any:
        """What it sends next. Raises `EOFError` if it ended first, `TimeoutError` if it says nothing."""
        if not self.pipe.poll(within_s):
            raise TimeoutError(f"process {self.pid} said nothing for {within_s:g} s")
        try:
            return self.pipe.recv()
        except ConnectionResetError:
            raise EOFError from None


def fork(work: Callable[..., None], *args: Any, words: Path | None = None) -> Child:
    """Run `work(pipe, *args)` in a forked process; what it prints goes to the file `words` if given.

    The parent must have one thread only. The child is killed when its parent ends.
    """
    ours, theirs = Pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    gc.freeze()  # the collector of a child shall not touch, and so copy, what it shares with its parent
    pid = os.fork()
    if pid:
        theirs.close()
        return Child(pid, ours)
    code = 1
    try:
        ours.close()
        _end_with(parent)
        if words is not None:
            file = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(file, 1)
            os.dup2(file, 2)
        work(theirs, *args)
        code = 0
    except BaseException:  # whatever it was, the child must end here and not run the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        leave_at_once(code)


def _end_with(parent: int) -> None:
    """Have this process killed when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        leave_at_once(1)
