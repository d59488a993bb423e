"""A PostgreSQL of a test's own, to be killed, frozen and started again, and a line to it that can be cut."""

import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine import Engine

from tests.postgres import (
    SETTINGS,
    address_of,
    copy_of_template,
    end_with_run,
    make_cluster,
    start_cluster,
    with_template,
)

KEPT = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""What a server needs that is killed in the middle of its work."""


class OwnServer:
    """It, with empty books of this version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_cluster(folder, SETTINGS | KEPT)
        start_cluster(folder)
        end_with_run(folder)
        self.books = copy_of_template(with_template(address_of(folder)))
        self._frozen: list[int] = []

    def refresh(self) -> None:
        """Have empty books again, in a database of their own."""
        self.books = copy_of_template(address_of(self._folder))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / "socket" / ".s.PGSQL.5432"

    def start(self) -> None:
        """Start it again."""
        start_cluster(self._folder)

    def kill(self) -> None:
        """End all of its processes at once."""
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while self._processes():
            pass
        for left in (
            self._folder / "data" / "postmaster.pid",
            self.socket.with_name(f"{self.socket.name}.lock"),
        ):
            left.unlink(missing_ok=True)  # a process that nobody has asked for its end still stands

    def freeze(self) -> None:
        """Stop all of its processes where they are."""
        self._frozen = self._processes()
        for process in self._frozen:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for process in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        self._frozen = []

    def _processes(self) -> list[int]:
        """The first, and those that it began."""
        with suppress(FileNotFoundError):
            first = (self._folder / "data" / "postmaster.pid").read_text().split()[0]
            told = subprocess.run(
                ["ps", "-o", "pid=,stat=", "--pid", first, "--ppid", first],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            return [int(pid) for pid, state in map(str.split, told.splitlines()) if state[0] != "Z"]
        return []


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server that is there for one test."""
    with tempfile.TemporaryDirectory(prefix="tdpg-") as folder:  # short, since a socket's path is
        Path(folder).chmod(0o755)
        server = OwnServer(Path(folder))
        try:
            yield server
        finally:
            server.thaw()
            server.kill()


class Cut(Enum):
    """Where a commit is cut off."""

    BEFORE = "before the server had it"
    AFTER = "after the server had kept it"


class CutLine:
    """A line to a server on loopback, which is cut at a commit when a test says so."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: dict[int, tuple[socket.socket, socket.socket]] = {}
        self.cut: Cut | None = None
        """Where the next commit is cut off."""
        self.always: Cut | None = None
        """Where every other commit is cut off; the one behind it is that which does it again, or asks."""
        self._spared = False
        self.cuts = 0
        self.then: Callable[[], object] = lambda: None
        """What happens as it is cut."""
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> URL:
        """The address of the server's books by this line."""
        host, port = self._listening.getsockname()
        return self._server.books.set(host=host, port=port, query={})

    def close(self) -> None:
        """Take no more calls."""
        self._listening.close()

    def committing(self, port: int) -> None:
        """A commit is about to leave from a port."""
        if self.always is not None:
            self._spared = not self._spared
            self.cut = self.always if self._spared else None
        if self.cut is Cut.BEFORE:
            self._end(port)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, (_, port) = self._listening.accept()
                there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    there.connect(str(self._server.socket))
                except OSError:
                    client.close()
                    continue
                self._ends[port] = client, there
                for work in (self._towards, self._back):
                    threading.Thread(target=work, args=[port], daemon=True).start()

    def _towards(self, port: int) -> None:
        client, there = self._ends[port]
        with suppress(OSError):
            while said := client.recv(65536):
                there.sendall(said)
        _shut(client, there)

    def _back(self, port: int) -> None:
        client, there = self._ends[port]
        with suppress(OSError):
            while said := there.recv(65536):
                if self.cut is Cut.AFTER and COMMITTED in said:
                    self._end(port)
                    return
                client.sendall(said)
        _shut(client, there)

    def _end(self, port: int) -> None:
        self.cut = None
        self.cuts += 1
        self.then()
        _shut(*self._ends[port])


COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""The server's answer to a commit."""


def _shut(*ends: socket.socket) -> None:
    for one in ends:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_line(server: OwnServer) -> Iterator[CutLine]:
    """A line that hears of the commits of stores while it is open."""
    line = CutLine(server)

    def before(connection: Connection, cursor: object, sql: str, *rest: object) -> None:
        if sql == "COMMIT" and threading.current_thread().name == "store-writer":
            own: Any = connection.connection.driver_connection
            with socket.socket(fileno=os.dup(own.fileno())) as end:
                line.committing(end.getsockname()[1])

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield line
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        line.close()
