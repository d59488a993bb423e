"""Jobs from the command line: asked for, listed, tried again, taken back."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import ClientStatus, ExportKind, ExportWhat, JobKind, JobState
from engine.words.firm.jobs import job_words, kind_words, result_words
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Wait, day_from
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run, seconds_from
from tradedesk.cli.views.firm.jobs import job_shape

if TYPE_CHECKING:
    from data.repositories.jobs import Job
    from engine.desk import Desk
    from engine.jobs.asked import JobAsked

jobs_app = typer.Typer(
    help="Jobs: reports, exports, imports and checks that workers do; listed, asked for, tried again.",
    invoke_without_command=True,
)

JobNumber = Annotated[str, typer.Argument(metavar="JOB", help="A job's number.")]


@jobs_app.callback()
def jobs(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The latest jobs, the newest first."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.jobs.all()
        if as_json:
            document([job_shape(one) for one in found])
            return Exit.DONE
        rows = [
            (
                str(one.number),
                kind_words(one.kind),
                one.state,
                wall_time(desk, one.asked_at),
                one.asked_by,
                str(one.attempts),
                one.problem or result_words(one.result),
            )
            for one in found
        ]
        if rows:
            table((">job", "what", "state", "asked", "by", ">tries", "what came of it"), rows)
        else:
            line("no job; `tradedesk jobs ask day_report` asks for one")
        return Exit.DONE

    run(work, needs_secrets=False)


@jobs_app.command("show")
def show(job: JobNumber, as_json: AsJson = False) -> None:
    """A job: what is to be done, how far it is, and what came of it."""
    number = count_from_text(job, "job")

    async def work(desk: "Desk") -> Exit:
        found = await desk.jobs.get(number)
        if as_json:
            document(job_shape(found))
            return _exit(found)
        line(job_words(found))
        line(f"  asked by {found.asked_by} at {wall_time(desk, found.asked_at)}, key {found.key}")
        for name, value in found.args.items():
            line(f"  {name.replace('_', ' ')}: {value}")
        return _exit(found)

    run(work, needs_secrets=False)


@jobs_app.command("ask")
def ask(
    kind: Annotated[JobKind, typer.Argument(metavar="|".join(JobKind), help="What is to be done.")],
    client: Annotated[
        str | None, typer.Option(metavar="CODE", help="Whose statement, or whose books are compared.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="Which day; without it today.")
    ] = None,
    what: Annotated[
        ExportWhat | None, typer.Option("--table", metavar="|".join(ExportWhat), help="Which table.")
    ] = None,
    form: Annotated[
        ExportKind, typer.Option("--format", metavar="csv|xlsx", help="How the table is written.")
    ] = ExportKind.CSV,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is imported, or the backup to check.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take over what the file has of clients that exist.")
    ] = False,
    key: Annotated[
        str, typer.Option(metavar="TEXT", help="Stands once: asked for again under it, nothing is done.")
    ] = "",
    wait: Wait = "60",
    as_json: AsJson = False,
) -> None:
    """Ask for a job. Without Redis it is done now, in this process or the open app; else by a worker.

    An import's file is read first: its bad rows are named, and no job is asked for.
    """
    wait_s, path = seconds_from(wait), None if file is None else file.expanduser().absolute()
    given = _Given(kind, client, None if day is None else day_from("day", day), what, form, path, update)

    async def work(desk: "Desk") -> Exit:
        asked = await _asked(desk, given)
        sent = await desk.jobs.ask(asked, key)
        if not sent.fresh:
            say(f"job {sent.job.number} stands under this key already")
        if sent.waits:
            say(f"job {sent.job.number} waits: {sent.waits}; it is sent again by `tradedesk beat`")
        job = sent.job if sent.waits else await desk.jobs.finished(sent.job.number, wait_s)
        return _tell(job, sent.waits, as_json)

    run(work, needs_secrets=False)


@jobs_app.command("retry")
def retry(job: JobNumber, wait: Wait = "60", as_json: AsJson = False) -> None:
    """Have a job that failed or was cancelled done after all."""
    number, wait_s = count_from_text(job, "job"), seconds_from(wait)

    async def work(desk: "Desk") -> Exit:
        sent = await desk.jobs.retry(number)
        found = sent.job if sent.waits else await desk.jobs.finished(number, wait_s)
        return _tell(found, sent.waits, as_json)

    run(work, needs_secrets=False)


@jobs_app.command("cancel")
def cancel(job: JobNumber, as_json: AsJson = False) -> None:
    """Take back a job that waits and that nobody has begun."""
    number = count_from_text(job, "job")

    async def work(desk: "Desk") -> Exit:
        return _tell(await desk.jobs.cancel(number), "", as_json)

    run(work, needs_secrets=False)


def _tell(job: "Job", waits: str, as_json: bool) -> Exit:
    if as_json:
        document(job_shape(job, waits))
    else:
        line(job_words(job))
    return _exit(job)


def _exit(job: "Job") -> Exit:
    return Exit.PARTLY if job.state == JobState.FAILED else Exit.DONE


class _Given(Struct, frozen=True):
    """What was typed of a job."""

    kind: JobKind
    client: str | None
    day: date | None
    what: ExportWhat | None
    form: ExportKind
    file: Path | None
    update: bool


async def _asked(desk: "Desk", given: _Given) -> "JobAsked":
    """What a job is asked to do. Raises `BadInput` for what is missing, `FileProblem` for bad rows."""
    from engine.jobs import asked
    from tradedesk.jobs.days import of_whom

    ids = of_whom(desk)
    day = given.day or desk.market_clock.trading_day
    match given.kind:
        case JobKind.DAY_REPORT:
            return asked.DayReportAsked(day, ids, "" if ids is None else desk.actor)
        case JobKind.STATEMENT:
            return asked.StatementAsked(_client(desk, given), day, given.form is ExportKind.XLSX)
        case JobKind.EXPORT:
            if given.what is None:
                raise BadInput("table", "", f"say which: {', '.join(ExportWhat)}")
            if given.what is ExportWhat.AUDIT:
                return asked.ExportAsked(given.what, given.form)
            named = ids if given.client is None else (_client(desk, given),)
            return asked.ExportAsked(given.what, given.form, named)
        case JobKind.RECONCILIATION:
            return asked.ReconciliationAsked(_client(desk, given))
        case JobKind.BOOKS_READ:
            everybody = [one.id for one in desk.clients.all() if one.status is ClientStatus.ACTIVE]
            named = everybody if given.client is None else (_client(desk, given),)
            return asked.BooksReadAsked(tuple(sorted(named)))
        case JobKind.FIRM_RESERVE:
            raise BadInput(
                "job", given.kind.value, "`tradedesk firm bulk` asks for it, once a plan is confirmed"
            )
        case JobKind.AUDIT_CHECK:
            return asked.AuditCheckAsked()
        case JobKind.BACKUP_CHECK:
            return asked.BackupCheckAsked(str(given.file or ""))
        case JobKind.CLIENT_IMPORT | JobKind.INSTRUMENT_IMPORT:
            return await _import(desk, given)


def _client(desk: "Desk", given: _Given) -> int:
    if given.client is None:
        raise BadInput("client", "", "say whose: --client CODE")
    return desk.clients.find(given.client).id


async def _import(desk: "Desk", given: _Given) -> "JobAsked":
    """An import, once its file was read and nothing is against it. Raises `BadInput`, `FileProblem`."""
    from data.csvfiles import FileProblem
    from engine.jobs import asked
    from tradedesk.cli.commands.setup import readable
    from tradedesk.jobs.doing import digest_of_file

    path = readable(given.file)
    digest = digest_of_file(path)
    if given.kind is JobKind.INSTRUMENT_IMPORT:
        from data.reference.instruments import read_kite_instruments

        taken = read_kite_instruments(path)
        say(f"{counted(len(taken.instruments), 'instrument')} in {path.name}")
        return asked.InstrumentImportAsked(str(path), digest)
    looked = await desk.importing.look(path, None, given.update)
    if looked.missing:
        raise BadInput("file", path.name, f"`clients import` asks which column is {looked.missing[0]}")
    if looked.problems:
        raise FileProblem(path, looked.problems)
    return asked.ClientImportAsked(str(path), digest, given.update)
