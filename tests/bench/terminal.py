"""A program in a pseudo terminal of its own, which is drained and watched for words."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LINES, CELLS = 40, 120
_STYLE = re.compile(rb"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\x1b\][^\x07]*\x07")


class Terminal:
    """Runs a command; a context manager that ends it by its process id."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        size: tuple[int, int] = (LINES, CELLS),
    ) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.began = time.perf_counter()
        self._child = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=dict(env),
            pass_fds=pass_fds,
            start_new_session=True,
        )
        os.close(follower)
        self._seen = b""
        self.drained = 0

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        end = time.perf_counter() + 10
        while self._child.poll() is None and time.perf_counter() < end:
            self._read(0.05)
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        os.close(self._leader)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._child.pid

    def worked(self) -> float:
        """Processor seconds of the program so far, of all its threads; 0 where the system does not tell."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in threads) / 1e9

    def write(self, keys: str) -> None:
        """Type."""
        os.write(self._leader, keys.encode())

    def forget(self) -> None:
        """Look only at what is painted from now on."""
        while self._read(0):
            pass
        self._seen = b""

    def wait_for(self, words: str, seconds: float = 120.0) -> float:
        """Wait until these words are painted in one piece; returns when, as `time.perf_counter` counts."""
        wanted, end = words.encode(), time.perf_counter() + seconds
        while True:
            if wanted in _STYLE.sub(b"", self._seen):
                return time.perf_counter()
            if time.perf_counter() > end or (not self._read(0.5) and self._child.poll() is not None):
                told = _STYLE.sub(b"", self._seen)[-800:].decode(errors="replace")
                raise SystemExit(f"{words!r} was not painted; last seen: {told}")

    def heard(self, seconds: float) -> bool:
        """Whether anything was painted, waiting for it for so long at most."""
        return self._read(seconds) > 0

    def shows(self, words: str) -> bool:
        """Whether these words were painted in one piece since it was forgotten."""
        return words.encode() in _STYLE.sub(b"", self._seen)

    def wait_for_output(self, seconds: float = 120.0) -> float:
        """Wait until anything is painted."""
        end = time.perf_counter() + seconds
        while not self._read(0.5):
            if time.perf_counter() > end or self._child.poll() is not None:
                raise SystemExit("nothing was painted")
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Take what is painted for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)
        self._seen = b""

    @contextmanager
    def drained_aside(self) -> Iterator[None]:
        """Take what is painted in a thread of its own: a screen that nobody reads from holds up its app."""
        ended = threading.Event()

        def drain() -> None:
            while not ended.is_set():
                self.drain(0.1)

        thread = threading.Thread(target=drain)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _read(self, seconds: float) -> int:
        if not select.select([self._leader], [], [], seconds)[0]:
            return 0
        try:
            chunk = os.read(self._leader, 65_536)
        except OSError:  # the terminal is gone with the child
            return 0
        self._seen = (self._seen + chunk)[-400_000:]
        self.drained += len(chunk)
        return len(chunk)
