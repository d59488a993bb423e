"""Lists of shares from the command line: the exchange's files as they are, and lists of the desk's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.trading.limits import list_import_words
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk

lists_app = typer.Typer(
    help="Lists of shares that plans tell of and limits name: surveillance, T2T, F&O, sectors, your own.",
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The list's name.")]


@lists_app.callback()
def show_lists(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the lists, as of which day each is, and whether a newer one should be there."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = desk.share_lists.all()
        if as_json:
            document(found)
            return Exit.DONE
        rows = [
            (
                one.name,
                f"{one.as_of:%d %b %Y}",
                "STALE" if one.stale else "",
                str(one.shares),
                str(one.unknown or ""),
                one.file,
                one.by,
            )
            for one in found
        ]
        table(("list", "as of", "", ">shares", ">not known", "file", "by"), rows)
        if not found:
            say("no list: `tradedesk lists import REG1_IND171126.csv`")
        return Exit.DONE

    run(work, needs_secrets=False)


@lists_app.command("import")
def import_list(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file of the exchange, or one with a Symbol.")
    ],
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Its name, such as restricted, where none is known.")
    ] = "",
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Its day, where the file says none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take lists from a file, as it is, in place of those of before."""
    readable(file)
    day = None if as_of is None else day_from("as-of", as_of)

    async def work(desk: "Desk") -> Exit:
        done = await desk.share_lists.take(file, name, day)
        if as_json:
            document(done)
            return Exit.DONE
        for one in done:
            line(list_import_words(one))
        return Exit.DONE

    run(work, needs_secrets=False)


@lists_app.command("show")
def show_list(name: Name, as_json: AsJson = False) -> None:
    """The shares of a list, with what it says of each."""

    async def work(desk: "Desk") -> Exit:
        found = desk.share_lists.find(name)
        if as_json:
            shares = [{"symbol": symbol, "told": told} for symbol, told in sorted(found.by_symbol.items())]
            document({"name": found.name, "as_of": found.as_of, "shares": shares})
        else:
            table(("symbol", "told"), sorted(found.by_symbol.items()))
        return Exit.DONE

    run(work, needs_secrets=False)


@lists_app.command("remove")
def remove_list(name: Name, as_json: AsJson = False) -> None:
    """Have a list be no more; the audit keeps what it was."""

    async def work(desk: "Desk") -> Exit:
        await desk.share_lists.remove(name)
        if as_json:
            document(desk.share_lists.all())
        else:
            line("taken away")
        return Exit.DONE

    run(work, needs_secrets=False)
