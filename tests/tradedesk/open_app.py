"""An app that is open on a home, without its screen: a desk on a thread of its own that listens."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tradedesk.compose.wiring
from data.vocabulary import DeskKind
from tests.tradedesk.cli_desk import Printed, Terminal
from tradedesk.cli.printing.output import Printer, printer
from tradedesk.cli.session import asked_as
from tradedesk.socket.client import ask
from tradedesk.socket.server import listening

READY_S = 60.0


@contextmanager
def open_app(home: Path, locked: Callable[[], bool] = lambda: False, **named: Any) -> Iterator[Any]:
    """Hold a desk of kind `app` open on a thread; returns the desk, which is that thread's."""
    app = _App(home, locked, named)
    thread = threading.Thread(target=lambda: asyncio.run(app.hold()), name="app")
    thread.start()
    try:
        assert app.ready.wait(READY_S), "the app did not open"
        if app.problem is not None:
            raise app.problem
        yield app.desk
    finally:
        if app.loop is not None and app.stop is not None:
            app.loop.call_soon_threadsafe(app.stop.set)
        thread.join(READY_S)
        assert not thread.is_alive(), "the app did not close"


@dataclass
class _App:
    home: Path
    locked: Callable[[], bool]
    named: dict[str, Any]
    ready: threading.Event = field(default_factory=threading.Event)
    desk: Any = None
    problem: BaseException | None = None
    loop: asyncio.AbstractEventLoop | None = None
    stop: asyncio.Event | None = None

    async def hold(self) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with (
                tradedesk.compose.wiring.compose_desk(
                    self.home, kind=DeskKind.APP, **self.named
                ) as self.desk,
                listening(self.desk, self.locked),
            ):
                self.ready.set()
                await self.stop.wait()
        except BaseException as problem:
            self.problem = problem
        finally:
            self.ready.set()


class Captured(Printer):
    """What a command prints, away from a terminal."""

    def __init__(self) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []

    def out(self, text: str) -> None:
        self.stdout.append(text)

    def err(self, text: str) -> None:
        self.stderr.append(text)

    @property
    def at_terminal(self) -> bool:
        return False

    @property
    def every_sign(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Beside(Terminal):
    """The command line beside an open app, in this process; `own_way` names what the app did not answer."""

    own_way: list[str] = field(default_factory=list)

    def run(self, *args: str, stdin: str | None = None) -> Printed:
        """Ask the open app, or do it as a command does that finds none."""
        to = Captured()
        before = printer.set(to)
        try:
            answered = ask(self.home, list(args))
        finally:
            printer.reset(before)
        if answered.code is not None:
            return Printed(answered.code, "".join(to.stdout), "".join(to.stderr))
        self.own_way.append(" ".join(answered.words))
        unset = asked_as.set(answered.request_id)
        try:
            return super(Beside, self).run(*answered.words, stdin=stdin)
        finally:
            asked_as.reset(unset)
