"""A Kite on this machine to rehearse a morning against, and everybody's sign-in there."""

import asyncio
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.clock import IST
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
    time_given: Annotated[
        str | None,
        typer.Argument(metavar="[TIME]", help="Later on the market's day: 15:20, auction, close, tomorrow."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The same, as an option.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the simulated market's time, or move it on; at the close, 16:00, the next day begins."""
    from tradedesk.compose.foundation import prepare_home
    from tradedesk.compose.settings import load_settings

    if to is not None and time_given is not None:
        raise BadInput("to", to, f"the time was given already: {time_given}")
    wanted = time_given if to is None else to
    if kite_url := load_settings(prepare_home()).kite_url:
        _show_time(_kite_clock(kite_url, wanted), as_json)
        return

    async def work(desk: "Desk") -> Exit:
        from tradedesk.compose.foundation import calendar_of
        from tradedesk.compose.market_clock import moment_of
        from tradedesk.compose.paper import exchange_of

        exchange = exchange_of(desk)
        if wanted is not None:
            now, day = desk.market.now(), desk.market_clock.trading_day
            exchange.jump(moment_of(wanted, now, day, calendar_of(desk.home)))
        told = exchange.market_clock
        _show_time((told.now(), told.trading_day), as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


def _kite_clock(kite_url: str, wanted: str | None) -> tuple[datetime, date]:
    """The local Kite's time and day, after it was moved on. Raises `BadInput`."""
    from brokers.kite.access import kite_roots
    from data.reference.phases import load_calendar
    from tradedesk.compose.market_clock import moment_of
    from tradedesk.compose.rehearsal import control

    def asked(body: dict[str, str] | None) -> tuple[datetime, date]:
        told = asyncio.run(control(kite_roots(kite_url).rest, "clock", body))
        return datetime.fromisoformat(str(told["market_time"])), date.fromisoformat(str(told["trading_day"]))

    now, day = asked(None)
    if wanted is None:
        return now, day
    moment = moment_of(wanted, now, day, load_calendar())
    return asked({"to": f"{moment.astimezone(IST):%H:%M:%S}"})


def _show_time(told: tuple[datetime, date], as_json: bool) -> None:
    at, day = told
    if as_json:
        document({"market_time": at.isoformat(), "trading_day": day.isoformat()})
    else:
        line(f"{at.astimezone(IST):%d %b %Y %H:%M:%S}")


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
