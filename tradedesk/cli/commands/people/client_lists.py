"""Lists of clients from the command line: taken in, looked at first, their columns kept, and written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from engine.words.formats import counted
from tradedesk.cli.commands.setup import CsvFile, print_template, readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Template
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import at_terminal, next_line, run
from tradedesk.cli.views.people.imports import import_shape, kept_columns_shape

if TYPE_CHECKING:
    from engine.desk import Desk

lists_app = typer.Typer()
"""Stands among the commands of `clients`."""


@lists_app.command("import")
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
    without_refused: Annotated[
        bool, typer.Option("--without-refused", help="Take the other rows where some are refused.")
    ] = False,
    template: Template = False,
    as_json: AsJson = False,
) -> None:
    """Add the clients of a list as a trader keeps it, all of them or, with any fault, none.

    CSV with any separator, or the first sheet of a workbook (with the extra `excel`); titles may stand above
    its headers. Columns are known by name; what is not is asked at a terminal once, or said by `--map`.
    """
    if template:
        from engine.accounts.client_file import template as first_file

        print_template(first_file(), as_json)
        return
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        said = await _columns(desk, path, columns or [])
        if preview:
            return await _preview(desk, path, said, update, as_json)
        report = await desk.importing.take(path, said, update, without_refused)
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
    from data.vocabulary import ImportDoes
    from engine.words.imports import line_words, source_words

    looked = await desk.importing.look(path, said, update)
    if as_json:
        document(import_shape(looked))
    else:
        named = (f"{field} = {source_words(of, looked.headers)}" for field, of in looked.columns.items())
        kept_as = f" as {looked.map_name}" if looked.map_name else ""
        line(f"columns ({looked.known}{kept_as}), headers in row {looked.header_row}: {', '.join(named)}")
        if looked.missing:
            say(f"not known: {', '.join(looked.missing)}; --map FIELD=HEADER says which column it is")
        rows = [
            (
                str(one.row),
                one.does.value,
                one.code,
                one.name,
                line_words(
                    one,
                    None if one.client_id is None else desk.clients.get(one.client_id),
                    looked.rows.by_row.get(one.row),
                    desk.next_trading_day,
                ),
            )
            for one in looked.lines
            if one.does is not ImportDoes.SAME
        ]
        table((">row", "does", "code", "client", "what"), rows)
        counts = (f"{looked.count(does)} {does.value}" for does in ImportDoes)
        line(f"{', '.join(counts)}; nothing was taken")
        if looked.problems and looked.taken:
            say("--without-refused takes the other rows")
    return Exit.BAD_INPUT if looked.problems or looked.missing else Exit.DONE


@lists_app.command("columns")
def kept_columns(
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="NAME", help="Keep those of this name no longer.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which columns are kept for lists of clients, by the name under which an import keeps them."""

    async def work(desk: "Desk") -> Exit:
        from engine.words.imports import source_words

        kept = await desk.importing.maps() if forget is None else [await desk.importing.forget_map(forget)]
        if as_json:
            document([kept_columns_shape(one) for one in kept])
            return Exit.DONE
        named = [
            ", ".join(f"{field} = {source_words(of, ())}" for field, of in one.columns.items())
            for one in kept
        ]
        told = [(one.name, words, one.made_by) for one, words in zip(kept, named, strict=True)]
        table(("name", "columns", "by"), told)
        if forget is not None:
            line("kept no longer")
        return Exit.DONE

    run(work)


@lists_app.command("export")
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
