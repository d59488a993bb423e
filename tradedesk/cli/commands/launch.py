"""The commands that open the screen: on the home, or on the demonstration."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from data.errors import BadInput
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document_line
from tradedesk.cli.session import run
from tradedesk.cli.start import open_screen

if TYPE_CHECKING:
    from engine.desk import Desk


def open_app() -> None:
    """Open the screen on the home.

    Raises `BadInput` away from a terminal and `AppAlreadyRuns` beside another app, before the screen is up.
    """
    _leave(open_screen(with_demo=False))


def demo(
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="FAULTS",
            help="Rehearse a broker that goes wrong: `storm`, `answers`, `stream`, or `fault=share,…`.",
        ),
    ] = None,
    day: Annotated[
        bool, typer.Option("--day", help="Play a whole day in a minute: a dealer's orders at their times.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open the screen on the demonstration; its market and clients are laid into an empty home first.

    With `--json` the day is played without a screen, a line for whatever happens.
    """
    if as_json:
        if not day or faults is not None:
            raise BadInput("json", "--json", "give --day with it, and no faults: the screen has no JSON")
        _play_in_lines()
    from brokers.simulators.faults.menu import faults_from_text

    found = None if faults is None else faults_from_text(faults)
    _leave(open_screen(with_demo=True, faults=found, plays_day=day))


def _play_in_lines() -> NoReturn:
    """Play the day on the demonstration without a screen, a JSON line for whatever happens."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.commands.setup import lay_demo
        from tradedesk.compose.demo.day import played_day

        if not desk.who.asked:
            await lay_demo(desk)
        async for told in played_day(desk):
            document_line({"market_time": told.at.isoformat(), "line": told.line, "words": told.words})
        return Exit.DONE

    run(work, needs_secrets=False)


def _leave(code: int) -> None:
    if code:
        raise typer.Exit(code)
