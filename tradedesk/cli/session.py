"""Opening the desk for one command, waiting for what it does, and asking for typed words."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from data.engines.at_rest import FileError
from data.errors import BadInput
from data.home import SECRETS, books_file, halt_file, paper_exchange_file, secrets_file
from data.money import decimal_from_text
from data.vocabulary import DeskKind
from engine.words.formats import counted
from tradedesk.cli.emergency import halt_at_once, may_not_halt
from tradedesk.cli.exits import CANCEL_ALL_FAILED, Exit
from tradedesk.cli.printing.output import Question, printer, say
from tradedesk.cli.questions import is_answer, prompt
from tradedesk.compose.home import books_address, has_books, shared_clients
from tradedesk.compose.spare import LEFT_AFTER_USE_BYTES, give_spare_back, keep_spare

if TYPE_CHECKING:
    from data.reference.phases import Calendar
    from data.vocabulary import Right
    from engine.desk import Desk
    from tradedesk.compose.settings import Settings

Work = Callable[["Desk"], Awaitable[Exit]]
"""What a command does with the open desk; returns how it ended."""

Unopened = Callable[[Path, Exception], Exit]
"""What a command does with a home whose desk could not be opened, and why not; returns how it ended."""

asked_as: ContextVar[str | None] = ContextVar("asked_as", default=None)
"""The id under which the open app was asked for this command, and did not answer in time."""

hosted: ContextVar[list[Work] | None] = ContextVar("hosted", default=None)
"""Where the app that answers a command takes its work from; None where a command opens its own desk."""


def run(
    work: Work,
    needs_secrets: bool = True,
    unopened: Unopened | None = None,
    migrates: bool = True,
    kind: DeskKind = DeskKind.COMMAND,
) -> NoReturn:
    """Open the desk of the home, do the work, close it, and end with the work's exit code.

    Without `needs_secrets` nobody is asked for a passphrase. `unopened` is done where the books let no desk
    open. What `migrates` not leaves books of another version as they are, and only reads them. `kind`
    is as what the desk is open: a command's for as long as that takes, another for as long as it is let.
    """
    _leave_to_host(work)
    from tradedesk.compose.foundation import prepare_home

    home = prepare_home()
    _run(work, home, needs_secrets=needs_secrets, unopened=unopened, migrates=migrates, kind=kind)


def run_emergency(work: Work, by: str | None) -> NoReturn:
    """The same for cancel-all: the HALT file is written before anything heavy is imported or opened.

    Before that the spare room is given back, since on a full disk not even that file could be written; what
    is left of it afterwards is taken again.

    A broken `config.toml` or `calendar.toml` does not stop it, and a frozen process that keeps the database
    or the paper exchange locked is ended.
    """
    from tradedesk.compose.home import home_folder

    _leave_to_host(work)
    home, began = home_folder(), False

    async def begin(desk: "Desk") -> Exit:
        nonlocal began
        began = True
        return await work(desk)

    give_spare_back(home)
    try:
        _run_emergency(begin, by, home)
    except (BadInput, OSError, FileError) as problem:
        if halt_file(home).exists():
            done = "not known what was cancelled" if began else "NOTHING WAS CANCELLED"
            say(f"the desk is halted; but {done}, since it could not be {'written' if began else 'opened'}:")
        problem.add_note(CANCEL_ALL_FAILED)
        raise
    finally:
        with suppress(OSError):
            keep_spare(home, LEFT_AFTER_USE_BYTES)


def _leave_to_host(work: Work) -> None:
    """Where an app answers the command, leave what it does to its desk. Raises `typer.Exit` then."""
    if (bodies := hosted.get()) is not None:
        bodies.append(work)
        raise typer.Exit


def _run_emergency(work: Work, by: str | None, home: Path) -> NoReturn:
    from data.clock import SystemClock

    at = SystemClock().now()
    halts = has_books(home) and not may_not_halt(home)
    if halts and (why := halt_at_once(home, by or "the command line", at)):
        say(f"the HALT file cannot be written ({why}); going on to cancel")

    from data.reference.phases import load_calendar
    from tradedesk.cli.frozen import end_frozen_writer
    from tradedesk.compose.foundation import calendar_of, prepare_home
    from tradedesk.compose.settings import Settings, load_settings

    home = prepare_home(spare=False)
    try:
        settings = load_settings(home)
    except BadInput as problem:
        say(f"going on with the default settings: {problem}")
        address, clients = books_address(home), shared_clients(home)
        settings = Settings.model_construct(database_url=address, desk_clients=clients)
    try:
        calendar = calendar_of(home)
    except (BadInput, OSError) as problem:
        say(f"going on with the built-in calendar: {problem}")
        calendar = load_calendar()
    if halts:
        halt_at_once(home, by or settings.trader, at)
        database, exchange = books_file(home), paper_exchange_file(home)
        for held in (exchange,) if books_address(home) else (database, exchange):
            end_frozen_writer(held, database)
    _run(work, home, settings, calendar, emergency=True)


def _run(
    work: Work,
    home: Path,
    settings: "Settings | None" = None,
    calendar: "Calendar | None" = None,
    emergency: bool = False,
    needs_secrets: bool = True,
    unopened: Unopened | None = None,
    migrates: bool = True,
    kind: DeskKind = DeskKind.COMMAND,
) -> NoReturn:
    async def opened() -> Exit:
        from data.proving.readable import UNREADABLE
        from data.store import StoreError
        from tradedesk.compose.wiring import compose_desk

        opening = compose_desk(
            home,
            kind=kind,
            settings=settings,
            calendar=calendar,
            emergency=emergency,
            # Asked once, though each broker's way opens the vault.
            passphrase=cache(partial(passphrase_of, home)) if needs_secrets else None,
            needs_secrets=needs_secrets,
            migrates=migrates,
            told=say,
        )
        async with AsyncExitStack() as stack:
            try:
                desk = await stack.enter_async_context(opening)
            except (StoreError, *UNREADABLE) as problem:
                wrong_input = isinstance(problem, BadInput) and problem.field != "database"
                if unopened is None or wrong_input:
                    raise
                return unopened(home, problem)
            return await carry_out(desk, work)

    raise typer.Exit(asyncio.run(opened()))


def only_for(what: str, right: "Right") -> None:
    """Have a command that opens no desk be done by whoever has a right to it, for all clients.

    Raises a `Forbidden`, which the audit keeps. Where the home has no people nobody is asked.
    """
    from tradedesk.compose.home import has_people, home_folder

    home = home_folder()
    if not has_people(home):
        return

    async def asked() -> None:
        from tradedesk.compose.wiring import compose_desk

        async with compose_desk(home, kind=DeskKind.COMMAND, needs_secrets=False, told=say) as desk:
            await desk.who.demand(what, right, whole=True)

    asyncio.run(asked())


async def carry_out(desk: "Desk", work: Work) -> Exit:
    """Do a command's work on an open desk, behind what speaks against this desk; returns how it ended."""
    if trouble := desk.connections.trouble:
        say(f"{trouble}\ngoing on without it: what is live there cannot be cancelled")
    if desk.trading_disabled:
        say(f"the database cannot be written ({desk.trading_disabled}); cancels still go out")
    return await work(desk)


def passphrase_of(home: Path) -> str:
    """The passphrase of the home's encrypted secrets, asked for twice where it is about to be set.

    Raises `BadInput` where no passphrase opens the file.
    """
    from data.secrets import PASSPHRASE_FILE
    from data.vaults.file_vault import SHORTEST, file_fault

    if (fault := file_fault(secrets_file(home))) is not None:
        raise BadInput("secrets", str(secrets_file(home)), ": ".join(fault))
    if not secrets_file(home).exists():
        from data.clock import SystemClock
        from tradedesk.compose.vault_look import TOKEN, wanted_secrets

        signed_in = sum(one.what == TOKEN for one in wanted_secrets(home, SystemClock().now()))
        if signed_in:
            say(
                f"{SECRETS} is not there, though {counted(signed_in, 'client')} signed in today: "
                "put it back from a copy, or go on with an empty one and sign in again"
            )
        say(
            f"choose a passphrase of at least {SHORTEST} characters: without a system keyring, secrets are "
            f"kept encrypted in {SECRETS} (a file that {PASSPHRASE_FILE} names may hold it instead)"
        )
        return _chosen(SHORTEST)
    return hidden(f"passphrase of {SECRETS}: ")


def _chosen(shortest: int) -> str:
    """A new passphrase, asked for again at a terminal until it is long enough, then a second time.

    Raises `BadInput` for an empty one, and where the second is another.
    """
    from data.secrets import PASSPHRASE_FILE

    given = hidden(f"passphrase of {SECRETS}: ")
    while sys.stdin.isatty() and 0 < len(given) < shortest:
        say(f"that has {len(given)} characters; give at least {shortest}")
        given = hidden(f"passphrase of {SECRETS}: ")
    if not given:
        raise BadInput("passphrase", given, f"give it, or name a file with it in {PASSPHRASE_FILE}")
    if sys.stdin.isatty() and hidden("the same again: ") != given:
        raise BadInput("passphrase", "(hidden)", "type the same twice")
    return given


def hidden(question: str) -> str:
    """A line nobody sees while it is typed; away from a terminal the next line of stdin."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(question).strip()
    return sys.stdin.readline().strip()


async def until(desk: "Desk", done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done`, looking after each event of the desk, at most `seconds`; says whether it is."""
    from engine.execution.waiting import until as told

    return await told(desk.events, desk.clock, done, seconds)


def at_terminal() -> bool:
    """Whether someone can read a question and type its answer."""
    return printer.get().at_terminal


async def typed(words: str, what: str, then: Sequence[str]) -> bool:
    """Ask for `words` to be typed, in any letter case. The desk goes on meanwhile.

    Where an app answers, the command asks, and asks the app for `then` once they were typed.
    """
    if printer.get().ask(Question(what, words, tuple(then))):
        return False
    prompt(words, what)
    return is_answer(await next_line(), words)


async def next_line() -> str:
    """The next line that is typed at the terminal; the desk goes on meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def take() -> None:
        # The terminal hands over whole lines, so that reading one does not block the loop.
        loop.remove_reader(sys.stdin.fileno())
        if not answer.done():
            answer.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), take)
    try:
        return await answer
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def confirmed(words: str, what: str, yes: bool, instead: str, then: Sequence[str]) -> bool:
    """Whether the trader wants it: `--yes`, or the typed words. Away from a terminal `instead` says how.

    `then` is the command that does it, where an app answers this one.
    """
    if yes:
        return True
    if at_terminal():
        return await typed(words, what, then)
    say(f"{what}\nnothing was done: {instead}")
    return False


def seconds_from(text: str) -> float:
    """A waiting time in seconds as typed. Raises `BadInput`."""
    expected = "give seconds from 0 to 3600"
    seconds = float(decimal_from_text(text, "wait", expected))
    if not 0 <= seconds <= 3600:
        raise BadInput("wait", text, expected)
    return seconds
