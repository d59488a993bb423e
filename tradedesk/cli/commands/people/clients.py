"""Clients from the command line: listed, added, changed, paused, closed, imported."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import paise_from_text
from data.vocabulary import ClientStatus
from engine.words.formats import counted
from engine.words.trading.client_terms import pause_words, terms_words
from tradedesk.cli.commands.setup import CsvFile, readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing import reads
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import at_terminal, next_line, run
from tradedesk.cli.views.clients import client_shape
from tradedesk.cli.views.imports import import_shape

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.desk import Desk

clients_app = typer.Typer(
    help="Clients: list, add, edit, pause, close, import, export.", invoke_without_command=True
)

STATUSES = "active|inactive|pending|closed"

Code = Annotated[str, typer.Argument(metavar="CODE", help="A client's code or id.")]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="The client's name.")]
Phone = Annotated[str | None, typer.Option(metavar="TEXT", help="Its telephone number.")]
Capital = Annotated[
    str | None, typer.Option(metavar="RUPEES", help="What it is sized on; a change counts from tomorrow.")
]
MtfLimit = Annotated[str | None, typer.Option(metavar="RUPEES", help="How much may be lent to it.")]
Multiplier = Annotated[
    str | None, typer.Option(metavar="N", help="Scales what is sized alike for many, such as 1.5.")
]
Discretionary = Annotated[
    str | None, typer.Option(metavar="yes|no", help="No: traded for on its own instruction alone.")
]
InGroups = Annotated[
    str | None, typer.Option("--groups", metavar="A;B", help="The groups that it is put into, and no other.")
]
Status = Annotated[str | None, typer.Option(metavar=STATUSES)]
Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Plans show it where the client is skipped.")
]


@clients_app.callback()
def clients(
    ctx: typer.Context,
    status: Status = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="Of one group.")] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Code or part of the name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Clients by code, with what stands against trading for each."""
    if ctx.invoked_subcommand is not None:
        return
    wanted = None if status is None else status_from(status)

    run(lambda desk: reads.clients(desk, wanted, group, search, as_json))


def status_from(text: str) -> ClientStatus:
    """A client's status as typed. Raises `BadInput`."""
    try:
        return ClientStatus(text.strip().lower())
    except ValueError:
        raise BadInput("status", text, f"give one of {', '.join(ClientStatus)}") from None


@clients_app.command("add")
def add_client(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code by which it will be known.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="The client's name.")],
    broker: Annotated[str, typer.Option(metavar="NAME", help="Its broker: zerodha, upstox, groww, paper.")],
    user: Annotated[str, typer.Option(metavar="ID", help="Its user id at the broker.")],
    capital: Annotated[str, typer.Option(metavar="RUPEES", help="What it is sized on.")],
    available: Annotated[str, typer.Option(metavar="RUPEES", help="Its cash, until the broker tells.")] = "0",
    mtf_limit: MtfLimit = None,
    groups: InGroups = None,
    phone: Phone = None,
    multiplier: Multiplier = None,
    discretionary: Discretionary = None,
    status: Annotated[str, typer.Option(metavar="active|inactive|pending")] = "active",
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Add one client."""
    from engine.accounts.client_file import new_client

    given = {
        "code": code,
        "name": name,
        "broker": broker,
        "broker_user_id": user,
        "status": status,
        "capital": capital,
        "available": available,
        "status_reason": reason,
        "mtf_limit": mtf_limit,
        "groups": groups,
        "phone": phone,
        "discretionary": discretionary,
        "multiplier": multiplier,
    }
    new = new_client({field: value for field, value in given.items() if value is not None})

    async def work(desk: "Desk") -> Exit:
        await desk.clients.add([new])
        return _told(desk, desk.clients.find(new.code), as_json)

    run(work)


@clients_app.command("set", hidden=True)
@clients_app.command("edit")
def edit_client(
    code: Code,
    name: Name = None,
    phone: Phone = None,
    capital: Capital = None,
    mtf_limit: MtfLimit = None,
    groups: InGroups = None,
    multiplier: Multiplier = None,
    discretionary: Discretionary = None,
    status: Status = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of a client; the audit keeps both. A capital counts from the next trading day.

    A status wants a `--reason`.
    """
    from data.records import values_of
    from engine.accounts.client_edit import ClientEdit
    from engine.accounts.client_file import discretionary_from, groups_from, multiplier_from

    edit = ClientEdit(
        name=name,
        phone=phone,
        capital_paise=None if capital is None else paise_from_text(capital, "capital"),
        mtf_limit_paise=None if mtf_limit is None else paise_from_text(mtf_limit, "mtf-limit"),
        multiplier_bps=None if multiplier is None else multiplier_from(multiplier),
        discretionary=None if discretionary is None else discretionary_from(discretionary),
        groups=None if groups is None else groups_from(groups),
        status=None if status is None else status_from(status),
        status_reason=reason,
    )
    if not any(value is not None for value in values_of(edit).values()):
        raise BadInput("edit", "nothing", "say what is to be another, such as --capital or --status")
    if (status is not None) != bool((reason or "").strip()):
        raise BadInput("reason", reason or "", "say why in a few words, beside --status alone")

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.edit(client.id, edit)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("pause")
def pause_client(
    code: Code,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Plans show it where the client is skipped.")],
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="14:30, 2026-12-01 or both; by itself it ends then."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send no order for a client until a time of the market, or until `unpause`.

    Cancels, changes of live orders and flattens still go.
    """
    from engine.accounts.client_edit import until_from

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        ends: datetime | None = None if until is None else until_from(until, desk.market.now())
        await desk.clients.pause(client.id, reason, ends)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("unpause")
def unpause_client(code: Code, as_json: AsJson = False) -> None:
    """Trade for a paused client again."""

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.unpause(client.id)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("close")
def close_client(
    code: Code,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the client and in the audit.")],
    as_json: AsJson = False,
) -> None:
    """Close a client: it is on no list and in no bulk any more, and its history stays.

    Refused while shares, a loan, money owed or blocked, or live orders stand. `edit --status` opens it again.
    """

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.set_status(client.id, ClientStatus.CLOSED, reason)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


def _told(desk: "Desk", now: "ClientView", as_json: bool) -> Exit:
    """Print a client as it is now."""
    if as_json:
        document(client_shape(desk, now))
        return Exit.DONE
    why = f": {now.status_reason}" if now.status_reason else ""
    words = " · ".join(filter(None, (terms_words(now), pause_words(now))))
    line(f"{now.code} {now.name} is {now.status.value}{why}{f' · {words}' if words else ''}")
    return Exit.DONE


@clients_app.command("import")
def import_clients(
    file: CsvFile = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take over what the file has of codes that exist.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=HEADER",
            help="Which column is what, or FIELD==VALUE for all rows; kept for files with these headers.",
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change, row by row; take nothing.")
    ] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print a file to begin with, and exit.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add the clients of a list as a trader keeps it, all of them or, with any fault, none.

    CSV with any separator, or the first sheet of a workbook (with the extra `excel`). Columns are known by
    their names; what is not is asked at a terminal once, or said by `--map`.
    """
    if template:
        from engine.accounts.client_file import template as first_file

        text = first_file()
        if as_json:
            document({"template": text.splitlines()})
        else:
            for row in text.splitlines():
                line(row)
        return
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        said = await _columns(desk, path, columns or [])
        if preview:
            return await _preview(desk, path, said, update, as_json)
        report = await desk.importing.take(path, said, update)
        if as_json:
            document({"added": report.added, "updated": report.updated, "unchanged": report.unchanged})
        else:
            line(f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged")
        return Exit.DONE

    run(work)


async def _columns(desk: "Desk", path: Path, words: list[str]) -> dict[str, str] | None:
    """The columns that were said, and at a terminal those that are asked for; None where nothing was."""
    from engine.accounts.client_columns import columns_from

    if not words and not at_terminal():
        return None
    try:
        looked = await desk.importing.look(path)
    except BadInput:
        if words:
            raise
        return None  # the import itself names every fault
    said = columns_from(words, looked.headers)
    lacking = [field for field in looked.missing if field not in said]
    if not lacking or not at_terminal():
        return said or None
    say(f"the columns of {path.name}: {', '.join(header for header in looked.headers if header)}")
    for field in lacking:
        say(f"which of them is the {field}? =VALUE says it for all rows")
        said |= columns_from([f"{field}={(await next_line()).strip()}"], looked.headers)
    return said


async def _preview(
    desk: "Desk", path: Path, said: dict[str, str] | None, update: bool, as_json: bool
) -> Exit:
    """Print what taking a file would do."""
    from engine.accounts.importing import Does
    from engine.words.trading.client_terms import edit_words

    looked = await desk.importing.look(path, said, update)
    if as_json:
        document(import_shape(looked))
    else:
        named = (f"{field} = {header}" for field, header in looked.columns.items())
        line(f"columns ({looked.known}): {', '.join(named)}")
        if looked.missing:
            say(f"not known: {', '.join(looked.missing)}; --map FIELD=HEADER says which column it is")
        rows = [
            (
                str(one.row),
                one.does.value,
                one.code,
                one.name,
                "; ".join(map(str, one.problems))
                if one.problems or one.edit is None or one.client_id is None
                else edit_words(desk.clients.get(one.client_id), one.edit),
            )
            for one in looked.lines
            if one.does is not Does.SAME
        ]
        table((">row", "does", "code", "client", "what"), rows)
        counts = (f"{looked.count(does)} {does.value}" for does in Does)
        line(f"{', '.join(counts)}; nothing was taken")
    return Exit.BAD_INPUT if looked.problems or looked.missing else Exit.DONE


@clients_app.command("export")
def export_clients(
    file: Annotated[
        Path | None, typer.Option("--file", help="Where to; without it a file in the home's exports.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write every client that is not closed to a CSV file, in the form that `import` takes."""

    async def work(desk: "Desk") -> Exit:
        from data.clock import IST
        from data.home import exports_folder

        path = file
        if path is None:
            folder = exports_folder(desk.home)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"clients-{desk.market.now().astimezone(IST):%Y%m%d-%H%M%S}.csv"
        try:
            count = desk.importing.write(path)
        except OSError as problem:
            raise BadInput("file", str(path), f"it cannot be written: {problem.strerror}") from None
        if as_json:
            document({"file": path, "clients": count})
        else:
            line(f"{counted(count, 'client')} written to {path}")
        return Exit.DONE

    run(work, needs_secrets=False)
