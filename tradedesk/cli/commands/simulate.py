"""A Kite on this machine to rehearse a morning against, and everybody's sign-in there."""

import asyncio
import sys
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from brokers.simulators.kite.server import LocalKite
    from engine.desk import Desk

simulate_app = typer.Typer(help="Rehearse against a Kite on this machine.", no_args_is_help=True)

PORT = 8100

EARLIEST, LATEST = time(6), time(9, 15)
"""When a rehearsed day may begin: a session of the day before ends at 06:00, trading opens at 09:15."""


@simulate_app.command("kite")
def kite(
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="Of 127.0.0.1.")] = PORT,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where it keeps its orders and money; one of its own."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(metavar="HH:MM", help="When its days begin, from 06:00 on; 09:15 if not given."),
    ] = None,
    sign_in_port: Annotated[
        int,
        typer.Option(metavar="PORT", min=0, max=65535, help="Where sign-ins lead to; 0 for its own page."),
    ] = 0,
) -> None:
    """Serve Kite's routes and stream on loopback, over a paper exchange of its own, until interrupted."""
    from brokers.simulators.kite.serving import serve
    from tradedesk.compose.home import local_kite_folder

    begins = None if begin is None else _time_of_day(begin)
    redirect = f"http://127.0.0.1:{sign_in_port}/" if sign_in_port else ""
    place = folder.expanduser().absolute() if folder else local_kite_folder()

    def started(server: "LocalKite") -> None:
        line(f"a local Kite answers at {server.url}; its books are in {place}")
        sys.stdout.flush()  # it serves on, and who started it by a pipe waits for the address
        say(
            "rehearse in another terminal, in a home of its own:\n"
            f"  export TRADEDESK_HOME={place.parent / 'rehearsal'} TRADEDESK_MARKET=kite "
            f"TRADEDESK_KITE_URL={server.url}"
            + (f" TRADEDESK_SIGN_IN_PORT={sign_in_port}\n" if sign_in_port else "\n")
            + "  tradedesk init --demo && tradedesk simulate sign-in && tradedesk\n"
            "ctrl+c ends it; what happened is found again"
        )

    try:
        asyncio.run(serve(place, port, begins=begins, redirect=redirect, on_start=started))
    except OSError as problem:
        raise BadInput("port", port, f"it cannot be served ({problem.strerror}); give another") from problem


def _time_of_day(text: str) -> time:
    """When a rehearsed day begins. Raises `BadInput`."""
    try:
        found = time.fromisoformat(text.strip())
    except ValueError:
        found = time()
    if found.tzinfo is not None or not EARLIEST <= found <= LATEST:
        raise BadInput("begin", text, f"give a time from {EARLIEST:%H:%M} to {LATEST:%H:%M}, such as 08:30")
    return found


@simulate_app.command("clock")
def clock(
    to: Annotated[
        str | None, typer.Argument(metavar="[HH:MM]", help="A later time of the market's day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the local Kite's market time, or move it on; at the close, 16:00, the next day begins."""
    from brokers.kite.access import kite_roots
    from data.clock import IST
    from tradedesk.compose.foundation import prepare_home
    from tradedesk.compose.rehearsal import control
    from tradedesk.compose.settings import load_settings

    given = load_settings(prepare_home()).kite_url
    if not given:
        raise BadInput("kite_url", "", "name the local Kite in TRADEDESK_KITE_URL")
    told = asyncio.run(control(kite_roots(given).rest, "clock", None if to is None else {"to": to}))
    if as_json:
        document(told)
    else:
        line(f"{datetime.fromisoformat(str(told['market_time'])).astimezone(IST):%d %b %Y %H:%M:%S}")


@simulate_app.command("sign-in")
def sign_in(
    clients: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIENT]...", help="Codes or ids; else all who are due.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign clients in at the local Kite, as their browsers would."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.compose.rehearsal import request_token

        wanted = [desk.clients.find(one) for one in clients] if clients else desk.sessions.due()
        done: list[str] = []
        failed: dict[str, str] = {}
        for client in wanted:
            try:
                await desk.sessions.sign_in(client.id, await request_token(desk, client))
                done.append(client.code)
            except BadInput as problem:
                failed[client.code] = str(problem)
        if as_json:
            document({"signed_in": done, "failed": failed})
        else:
            for code, words in failed.items():
                line(f"{code}  {words}")
            line(f"{counted(len(done), 'client')} signed in, {len(failed)} not")
        return Exit.PARTLY if failed else Exit.DONE

    run(work)
