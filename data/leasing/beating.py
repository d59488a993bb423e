"""What goes on beside a desk with leases: a thread that renews them, a child that ends a desk at a stand."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from data.leasing import watchdog
from data.leasing.leases import BEAT_S, Leases


class LeaseBeats:
    """Renews leases on a thread of its own, as long as the event loop turns: who stands still loses them."""

    def __init__(self, leases: Leases, beat_s: float = BEAT_S) -> None:
        self._leases, self._beat_s = leases, beat_s
        self._turned, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease-beats", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def turned(self) -> None:
        """The event loop turns."""
        self._turned.set()

    def stop(self) -> None:
        """End; the leases last until they run out, or are ended."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._beat_s):
            if self._turned.is_set():
                self._turned.clear()
                self._leases.beat()


class Watchdog:
    """A child process that ends this one once its event loop has not turned for so many seconds."""

    def __init__(self, silent_s: float = watchdog.SILENT_S) -> None:
        words = [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), str(os.getpid()), str(silent_s)]
        self._child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        assert self._child.stdin is not None
        self._pipe = self._child.stdin
        os.set_blocking(self._pipe.fileno(), False)

    def turned(self) -> None:
        """The event loop turns."""
        with suppress(OSError):  # a child that is gone watches nothing, and a full pipe says enough
            os.write(self._pipe.fileno(), b".")

    def stop(self) -> None:
        """Watch no more."""
        with suppress(OSError):
            self._pipe.close()
        self._child.wait()
