"""A day as a document: the desk's report or a client's statement, as it stands now or was closed."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import run

if TYPE_CHECKING:
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
        from tradedesk.jobs.days import day_of, write_folder, write_statement

        one = None if code is None else desk.clients.find(code).id
        found = await day_of(desk, wanted or desk.market_clock.trading_day, one)
        whose = "" if desk.who.scope() is None else desk.actor
        if folder and not desk.jobs.works_here:
            return await _queued(desk, found.day, as_json)
        if folder:
            place, files = await write_folder(desk, found, whose)
            if as_json:
                document({"folder": place, "files": files})
            else:
                line(f"{counted(len(files), 'file')} in {place}")
            return Exit.DONE
        path = await write_statement(desk, found, one, out, whose)
        if as_json:
            document({"file": path})
        else:
            line(f"written to {path}")
        return Exit.DONE

    run(work, needs_secrets=False)


async def _queued(desk: "Desk", day: date, as_json: bool) -> Exit:
    """Leave a day's folder to a worker, and tell how far that is."""
    from engine.jobs.asked import DayReportAsked
    from engine.words.firm.jobs import job_words
    from tradedesk.cli.views.firm.jobs import job_shape
    from tradedesk.jobs.days import of_whom

    ids = of_whom(desk)
    sent = await desk.jobs.ask(DayReportAsked(day, ids, "" if ids is None else desk.actor))
    if as_json:
        document(job_shape(sent.job, sent.waits))
    else:
        line(f"{job_words(sent.job)}{f', waits: {sent.waits}' if sent.waits else ''}")
        say(f"`tradedesk jobs show {sent.job.number}` tells how far it is")
    return Exit.DONE
