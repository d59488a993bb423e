"""The exchanges' calendar from the command line: a day's phases by class, and a year's list imported."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.day.calendar import day_lines, imported_words, missing_words
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.calendar import calendar_shape

if TYPE_CHECKING:
    from engine.desk import Desk

calendar_app = typer.Typer(
    invoke_without_command=True, help="Trading days, phases by class of share, and whose changes they have."
)


@calendar_app.callback()
def calendar(
    ctx: typer.Context,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Another day than the market's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a day is to the exchanges: its phases by class, when brokers end MIS, when it settles."""
    if ctx.invoked_subcommand is not None:
        return
    wanted = None if day is None else _date_of(day)

    async def work(desk: "Desk") -> Exit:
        shown = wanted or desk.market_clock.trading_day
        if as_json:
            document(calendar_shape(desk, shown))
            return Exit.DONE
        for words in day_lines(desk.calendar.day(shown)):
            line(words)
        for row in desk.calendar.own_rows:
            line(f"{row.file}: {row.table} {row.what} ({row.source}), by {row.author}")
        if (missing := desk.calendar.missing_year) is not None:
            line(f"{missing_words(missing)}: `tradedesk calendar import FILE` takes the exchange's list")
        return Exit.DONE

    run(work, needs_secrets=False)


@calendar_app.command("import")
def import_year(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NSE's CSV or JSON, or BSE's CSV.")],
    settlement: Annotated[
        bool, typer.Option("--settlement", help="The clearing corporation's list: what does not settle.")
    ] = False,
    valid: Annotated[
        bool, typer.Option("--valid", help="Take the valid rows; bad ones are named and left out.")
    ] = False,
    source: Annotated[str, typer.Option(metavar="TEXT", help="Such as the circular; else the file.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take an exchange's list of holidays of one year into this home, or nothing where a row is bad."""
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        made = await desk.calendar.take(path, source, settlement=settlement, valid=valid)
        if as_json:
            document(made)
            return Exit.DONE
        for words in imported_words(made):
            line(words)
        return Exit.DONE

    run(work, needs_secrets=False)


def _date_of(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("date", text, "give a day such as 2026-11-18") from None
