"""A day as a document: the desk's report or a client's statement, as it stands now or was closed."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.records import replace
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.close.views import DayReport
    from engine.desk import Desk


def report(
    code: Annotated[
        str | None,
        typer.Argument(metavar="[CLIENT]", help="A client's statement; the desk's report, unless given."),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="Which day; without it today.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .pdf or .xlsx file; without it a PDF in the home's exports."),
    ] = None,
    folder: Annotated[
        bool, typer.Option("--folder", help="The desk's and every client's files, in a folder of the day.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a day as PDF or workbook on the letterhead of the home; provisional until the day is closed."""
    wanted = None if day is None else day_from("day", day)
    if folder and (code is not None or out is not None):
        raise BadInput("folder", "", "it is of the desk and every client: leave CLIENT and --out away")

    async def work(desk: "Desk") -> Exit:
        from tradedesk.reports.day_folder import write_day

        one = None if code is None else desk.clients.find(code).id
        found = await _day(desk, wanted, one)
        accounts = await desk.statements.of_day([each.client_id for each in found.clients], found.day)
        whose = "" if desk.who.scope() is None else desk.actor
        if folder:
            place, files = write_day(desk.home, found, accounts, whose)
            if as_json:
                document({"folder": place, "files": files})
            else:
                line(f"{counted(len(files), 'file')} in {place}")
            return Exit.DONE
        from tradedesk.reports.one_file import write_one

        path = write_one(desk.home, found, accounts, one, out, whose)
        if as_json:
            document({"file": path})
        else:
            line(f"written to {path}")
        return Exit.DONE

    run(work, needs_secrets=False)


async def _day(desk: "Desk", day: date | None, client_id: int | None) -> "DayReport":
    """The day as it was closed, else as it stands; of one client alone where one is named."""
    today = desk.market_clock.trading_day
    try:
        found = await desk.close.report(day or today)
    except BadInput:
        return await desk.close.preview(day, None if client_id is None else [client_id], costs=True)
    if client_id is None:
        return found
    return replace(found, clients=tuple(one for one in found.clients if one.client_id == client_id))
