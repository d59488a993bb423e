"""The signing service from the command line: served, its key rotated; sign-ins listed and revoked."""

import asyncio
import random
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from data.errors import BadInput
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.firm.auth import KeyRotatedShape, StandingSignInShape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.people.signer import OwnSigner
    from engine.people.signing import StandingSignIn
    from tradedesk.compose.settings import Settings

NAME = "tradedesk auth"
"""Who acts, for the audit, where the service makes a key."""

auth_app = typer.Typer(
    invoke_without_command=True,
    help="The signing service of a firm, run by a user of its own: it alone has the key that signs.",
)
sessions_app = typer.Typer(
    invoke_without_command=True, help="Who is signed in, and ending it: by an admin, for anybody."
)


@auth_app.callback()
def auth(ctx: typer.Context) -> None:
    """Sign people in for the desks that reach its socket (`auth_socket`), until ctrl+c or a TERM.

    Its user reads `database_url` and keeps the key; a desk has neither the key nor a way to make one.
    """
    if ctx.invoked_subcommand is not None:
        return

    async def work(signer: "OwnSigner", settings: "Settings") -> Exit:
        from data.clock import SystemClock
        from tradedesk.auth.serving import serving

        if settings.auth_socket is None:
            expected = "name where the service listens, such as /run/tradedesk-auth/sign-in.sock"
            raise BadInput("auth_socket", "", expected)
        await signer.make_ready()
        place, over = settings.auth_socket.expanduser(), asyncio.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, over.set)
        try:
            async with serving(signer, SystemClock(), place, socket.gethostname()):
                say(f"signing people in at {place}; ctrl+c ends it")
                await over.wait()
        except OSError as problem:
            raise BadInput("auth_socket", str(place), f"it cannot listen there: {problem}") from problem
        return Exit.DONE

    _carry_out(work)


@auth_app.command("rotate")
def rotate(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Void what the key before has signed: everybody signs in again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sign by another key from here on. What the one before has signed is taken for twelve hours more.

    Run it as the service's user; a service that is running takes the new key up by itself.
    """

    async def work(signer: "OwnSigner", settings: "Settings") -> Exit:
        kid = await signer.rotate(at_once)
        if as_json:
            document(KeyRotatedShape(kid, at_once))
        else:
            line(f"key {kid} signs from here on; the one before is {'void' if at_once else 'taken for 12 h'}")
        return Exit.DONE

    _carry_out(work)


def _carry_out(work: "Callable[[OwnSigner, Settings], Awaitable[Exit]]") -> NoReturn:
    async def opened() -> Exit:
        from tradedesk.compose.foundation import prepare_home
        from tradedesk.compose.settings import load_settings

        home = prepare_home(spare=False)
        settings = load_settings(home)
        async with _signer(settings) as signer:
            return await work(signer, settings)

    raise typer.Exit(asyncio.run(opened()))


@asynccontextmanager
async def _signer(settings: "Settings") -> "AsyncGenerator[OwnSigner]":
    """What signs by the service's own key. Raises `BadInput`."""
    from data.clock import SystemClock
    from data.home import books_file
    from data.store import Store
    from engine.people.signer import OwnSigner
    from tradedesk.auth.key_file import KeyFile
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.server import books_on_server

    if (server := books_on_server(settings.database_url)) is None:
        expected = "it takes books on a server: a desk of a home of its own signs people in by itself"
        raise BadInput("database_url", "", expected)
    home, clock = home_folder(), SystemClock()
    key = settings.auth_key_file or home / "signing.key"
    store = Store(books_file(home), clock, database=server)
    await store.open()
    try:
        keys = KeyFile(key.expanduser())
        signer = OwnSigner(store, clock, random.SystemRandom(), keys, lambda: NAME, is_service=True)
        yield signer
    finally:
        await store.close()


# --- who is signed in ---


@sessions_app.callback()
def sessions(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the sign-ins that stand."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.signing.standing()
        if as_json:
            document([_shape(one) for one in found])
            return Exit.DONE
        _print(desk, found)
        return Exit.DONE

    run(work, needs_secrets=False)


@sessions_app.command("revoke")
def revoke(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="As `sessions` lists them.")
    ] = None,
    person: Annotated[str, typer.Option("--of", metavar="NAME", help="All of somebody's.")] = "",
    as_json: AsJson = False,
) -> None:
    """End sign-ins: whoever has one writes nothing from their next commit on, and their screen locks."""
    if bool(ids) == bool(person):
        raise BadInput("id", "", "give ids of sign-ins, or --of NAME")

    async def work(desk: "Desk") -> Exit:
        ended = await desk.signing.revoke(ids or (), person)
        if as_json:
            document([_shape(one) for one in ended])
        elif ended:
            line("ended:")
            _print(desk, ended)
        else:
            line(f"{person} was not signed in")
        return Exit.DONE

    run(work, needs_secrets=False)


def _print(desk: "Desk", found: "list[StandingSignIn]") -> None:
    from tradedesk.cli.printing.clocks import wall_time

    rows = [
        (one.id, one.person, one.place, wall_time(desk, one.at), wall_time(desk, one.until)) for one in found
    ]
    table(("id", "name", "from", "since (wall)", "until (wall)"), rows)


def _shape(one: "StandingSignIn") -> StandingSignInShape:
    return StandingSignInShape(one.id, one.person, one.place, one.at, one.until)
