"""The open app's end of the socket: it takes commands, does them on its desk, and prints to who asked.

Whatever comes in is held to the protocol; what is not of it ends that connection and nothing else.
"""

import asyncio
import logging
import os
import re
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from data.acting import Actor
from data.clock import Clock
from data.engines.at_rest import FileError
from data.home import command_socket
from data.repositories.base import DatabaseError
from data.sign_in.peers import peer_uid
from data.vocabulary import Via
from data.writing.asked import Asked, Did, asked_now
from data.writing.asked_before import keep_end
from engine.people.who import SIGNED_OUT
from engine.refusals import NobodySignedIn
from engine.words.privacy import without_privacy
from tradedesk.cli.printing.output import PIPED_WIDTH, Printer, Question, printer
from tradedesk.compose.server import books_at
from tradedesk.socket.protocol import (
    BEAT_S,
    GO_S,
    HARMLESS,
    LONGEST_LINE,
    WHEN_LOCKED,
    Effect,
    Line,
    decoded,
    effect_of,
    encoded,
    hello,
    is_name,
)

if TYPE_CHECKING:
    from rich.console import Console

    from engine.desk import Desk

log = logging.getLogger(__name__)

SLOW_S = 30.0
"""How long an app waits for the next line of a command before it closes the connection."""

WARM_AFTER_S = 2.0
"""How long after the start what commands need is imported."""

MOST = 64
"""Connections at a time; more are closed at once."""

PIECE = 16 * 1024
"""Characters of text in one line."""

MOST_WORDS = 2_000
"""Words of a command; parsing more would hold up the screen, so the command does it itself."""

MOST_WAITING = 64 * 1024 * 1024
"""Bytes that wait for a command that does not read; more end its connection."""


def _open() -> bool:
    return False


POINTS = ("asked", "taken", "gone", "kept")
"""Where an app may die as it answers: before `taken`, behind it, behind `go`, behind each commit."""


def _passed(point: str) -> None:
    pass


@asynccontextmanager
async def listening(
    desk: "Desk", locked: Callable[[], bool] = _open, reached: Callable[[str], None] = _passed
) -> AsyncIterator[None]:
    """Answer commands on this desk, which holds the app's lock, for as long as the context lasts.

    `locked` says whether the app is; then only halts and cancels are taken. `reached` is told of each of
    `POINTS`. Where the home takes no socket the log says so and nobody is answered.
    """
    try:
        listener = bound(command_socket(desk.home))
    except OSError as problem:
        log.warning("commands are not answered by this app: %s: %s", command_socket(desk.home), problem)
        yield
        return
    place = os.fstat(listener.fileno()), os.lstat(command_socket(desk.home))
    answering = Answering(desk, locked, reached)
    try:
        server = await asyncio.start_unix_server(answering.meet, sock=listener, limit=LONGEST_LINE)
        warming = asyncio.create_task(_warm_up(desk.clock))
        try:
            yield
        finally:
            warming.cancel()
            server.close()
            _remove(command_socket(desk.home), place[1])
            await answering.close()
    finally:
        listener.close()


async def _warm_up(clock: Clock) -> None:
    """Import what commands are done with once the start is over: neither it nor the first command waits."""
    await clock.sleep(WARM_AFTER_S)
    await asyncio.to_thread(import_module, "tradedesk.cli.hosted")


def bound(place: Path) -> socket.socket:
    """A listening socket at `place` for this user alone, in place of a stale one.

    Only who holds the app's lock may call it. Raises `OSError` where the path is too long for a socket, the
    file system takes none, or something other than a socket is there.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(place).st_mode):
            raise FileExistsError("something that is no socket is there")
        os.unlink(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # what is bound has the mode that its descriptor had
        listener.bind(str(place))
        os.chmod(place, 0o600)
        listener.listen(MOST)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove(place: Path, ours: os.stat_result) -> None:
    """Remove our socket, if it is still ours that is there."""
    with suppress(OSError):
        found = os.lstat(place)
        if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino):
            os.unlink(place)


class _NothingToAnswer(Exception):  # noqa: N818 - reads as a state
    """This connection brought nothing that may be answered."""


class Answering:
    """Every connection of one app."""

    def __init__(self, desk: "Desk", locked: Callable[[], bool], reached: Callable[[str], None]) -> None:
        self._desk = desk
        self._reached = reached
        self._locked = locked
        self._hello = hello(desk.home)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._under_way: set[str] = set()

    async def close(self) -> None:
        """End what is being answered; what a command has had committed by then stands."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) > MOST or peer_uid(writer.get_extra_info("socket")) != os.getuid():
                return
            await self._answer(reader, writer)
        except (_NothingToAnswer, OSError, TimeoutError):
            pass
        except asyncio.CancelledError:  # the app closes; the loop would log it as a fault
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        actor = await self._greeted(reader, writer)
        line = await self._line(reader)
        request_id, words = line.get("request"), line.get("words")
        if not _is_id(request_id) or not _are_words(words):
            raise _NothingToAnswer
        effect = effect_of(words)
        if effect is None or not self._may(effect, actor) or request_id in self._under_way:
            raise _NothingToAnswer
        self._under_way.add(request_id)
        try:
            to = SocketPrinter(writer, line.get("terminal"))
            self._reached("asked")
            clock = self._desk.clock
            since = clock.now(), clock.monotonic()  # before the other end can know of it
            writer.write(encoded({"taken": request_id}))
            self._reached("taken")
            if await self._told_to_go(reader, request_id, *since):
                self._reached("gone")
                with self._desk.acting(actor), without_privacy():
                    await self._do(Asked(request_id, words[0], actor.name), effect, words, to)
            else:
                to.send({"refused": "it slept between the command and its go"})
            await writer.drain()
        finally:
            self._under_way.discard(request_id)

    async def _greeted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Actor:
        """Who asks, once both ends are the same; where the home has people, whose token it is."""
        theirs = (await self._line(reader)).get("hello")
        writer.write(encoded({"hello": self._hello}))
        if not isinstance(theirs, dict) or not is_name(actor := theirs.pop("actor", None)):
            raise _NothingToAnswer
        token = theirs.pop("token", "")
        if theirs != self._hello:
            raise _NothingToAnswer
        if not self._desk.who.asked:
            return Actor(actor, Via.SOCKET)
        try:
            return self._desk.signing.actor(str(token), Via.SOCKET)
        except NobodySignedIn:  # a stop is taken of anybody; all else the command is refused by its own desk
            return Actor(SIGNED_OUT, Via.SOCKET)

    async def _line(self, reader: asyncio.StreamReader) -> Line:
        try:
            async with self._desk.clock.timeout(SLOW_S):
                return decoded(await reader.readline())
        except ValueError as problem:  # too long, not whole, or no JSON object
            raise _NothingToAnswer from problem

    def _may(self, effect: Effect, actor: Actor) -> bool:
        """Whether this app does such a command for others at all, as it stands."""
        if self._desk.who.asked and not actor.sign_in:
            return effect is Effect.HALT
        if self._locked():
            return effect in WHEN_LOCKED
        return self._desk.market_is_simulated or bool(actor.sign_in) or effect in HARMLESS

    async def _told_to_go(
        self, reader: asyncio.StreamReader, request_id: str, wall: datetime, steady: float
    ) -> bool:
        """Whether `go` was read in time, by both of the machine's clocks. Nothing is done before."""
        clock = self._desk.clock
        try:
            line = await self._line(reader)
        except TimeoutError:
            return False
        if line.get("go") != request_id:
            raise _NothingToAnswer
        slept_s = max((clock.now() - wall).total_seconds(), clock.monotonic() - steady)
        return slept_s <= GO_S

    async def _do(self, asked: Asked, effect: Effect, words: list[str], to: "SocketPrinter") -> None:
        """Do a command, keep under its id what it did and how it ended, and tell that."""
        from tradedesk.cli.hosted import answer

        printer.set(to)  # of this connection's task alone, as is what was asked
        if effect is Effect.READ:
            to.send({"done": int(await answer(self._desk, words))})
            return
        asked_now.set(asked)
        beating = None
        asked.on_kept = partial(self._kept, to if effect is Effect.HALT else None)
        if effect is Effect.HALT:
            beating = asyncio.create_task(self._beat(to))
        try:
            code = int(await answer(self._desk, words))
        finally:
            if beating is not None:
                beating.cancel()
        await self._keep_end(asked, code)
        to.send({"done": code})

    async def _keep_end(self, asked: Asked, code: int) -> None:
        """Keep the exit code for who asks later. Where that cannot be written, what was done stands."""
        books, now = books_at(self._desk.home), self._desk.clock.now()
        try:
            await asyncio.to_thread(keep_end, books, asked, code, now)
        except (FileError, DatabaseError) as problem:
            log.warning("how the command %s ended could not be kept: %s", asked.request_id, problem)

    def _kept(self, halted: "SocketPrinter | None", did: Did) -> None:
        """Something of a command is committed; who asked for a halt is told of it at once."""
        self._reached("kept")
        if halted is not None:
            for number in did.get("halts", ()):
                halted.send({"halt": number})

    async def _beat(self, to: "SocketPrinter") -> None:
        while True:
            await self._desk.clock.sleep(BEAT_S / 4)
            to.send({"beat": True})


def _is_id(found: object) -> TypeGuard[str]:
    return isinstance(found, str) and re.fullmatch("[0-9a-f]{32}", found) is not None


def _are_words(found: object) -> TypeGuard[list[str]]:
    return isinstance(found, list) and len(found) <= MOST_WORDS and all(isinstance(w, str) for w in found)


class SocketPrinter(Printer):
    """The streams of the command that asks. Words to one that is gone, or reads nothing, are lost."""

    def __init__(self, writer: asyncio.StreamWriter, terminal: object) -> None:
        told: dict[str, Any] = terminal if isinstance(terminal, dict) else {}
        self._writer = writer
        self._at_terminal = told.get("at_terminal") is True
        self._every_sign = told.get("every_sign") is True
        columns = told.get("columns")
        self._columns = columns if isinstance(columns, int) and 1 <= columns <= 10_000 else None
        given = told.get("environment")
        environment: dict[Any, Any] = given if isinstance(given, dict) else {}
        self._environment = {str(name): str(value) for name, value in environment.items()}

    def send(self, line: Line) -> None:
        """Send a line, unless nobody reads."""
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_WAITING:
            self._writer.transport.abort()
            return
        self._writer.write(encoded(line))

    def _print(self, stream: str, text: str) -> None:
        for start in range(0, len(text), PIECE):
            self.send({stream: text[start : start + PIECE]})

    def out(self, text: str) -> None:
        """Text for the command's stdout."""
        self._print("out", text)

    def err(self, text: str) -> None:
        """Text for the command's stderr."""
        self._print("err", text)

    @property
    def at_terminal(self) -> bool:
        """Whether someone is at the command's terminal."""
        return self._at_terminal

    @property
    def every_sign(self) -> bool:
        """Whether the command's stdout has every sign."""
        return self._every_sign

    def console(self) -> "Console":
        """What draws as the command itself would."""
        from rich.console import Console

        tty = self._columns is not None
        return Console(
            file=StringIO(),
            width=self._columns or PIPED_WIDTH,
            force_terminal=tty,
            markup=False,
            highlight=False,
            _environ=self._environment,
        )

    def ask(self, question: Question) -> bool:
        """Have the command put the question once this has ended. What follows is printed for a no."""
        asked = {"what": question.what, "words": question.words, "then": question.then}
        self.send({"question": asked})
        return True
