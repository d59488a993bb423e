"""Ends a program that has stood still: run as a child of it, by its file, with nothing but Python's own.

The program writes to it while its event loop turns. One that froze may thaw at the worst moment, between its
last look at an order and the call, when another desk has its clients already.
"""

import os
import select
import signal
import sys
from contextlib import suppress

SILENT_S = 10.0
"""How long it may say nothing."""


def watch(pipe: int, parent: int, silent_s: float) -> None:
    """End the parent once nothing has come through the pipe for so long; return where it has ended itself."""
    while True:
        ready, _, _ = select.select([pipe], [], [], silent_s)
        if not ready:  # it still holds the other end, so that its number is nobody else's
            with suppress(ProcessLookupError):
                os.kill(parent, signal.SIGKILL)
            return
        if not os.read(pipe, 4096):
            return


if __name__ == "__main__":
    watch(sys.stdin.fileno(), int(sys.argv[1]), float(sys.argv[2]))
