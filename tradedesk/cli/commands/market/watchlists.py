"""Watchlists from the command line: made, ordered, filled, and as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.money import count_from_text
from engine.words.formats import counted
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views import values
from tradedesk.cli.views.market import list_shape

if TYPE_CHECKING:
    from engine.desk import Desk

watchlist_app = typer.Typer(
    invoke_without_command=True, help="Watchlists: make, rename, order, fill, import and export."
)
NameWord = Annotated[str, typer.Argument(metavar="NAME", help="The list's name.")]
Symbols = Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Symbols, or EXCHANGE:SYMBOL.")]
Place = Annotated[str, typer.Argument(metavar="PLACE", help="1 is the first.")]


@watchlist_app.callback()
def list_watchlists(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The lists, in their order; `tradedesk watch --list NAME` has the prices of one."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = [list_shape(desk, name) for name in desk.watchlists.names()]
        if as_json:
            document(found)
        else:
            rows = [(str(one.place), one.name, str(len(one.keys)), _some(one.keys)) for one in found]
            table((">place", "watchlist", ">symbols", ""), rows)
        return Exit.DONE

    run(work, needs_secrets=False)


SHOWN = 8
"""Symbols of a list that stand beside its name."""


def _some(keys: Sequence[str]) -> str:
    rest = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return " ".join(key.partition(":")[2] for key in keys[:SHOWN]) + rest


def _tell(desk: "Desk", name: str, words: str, as_json: bool) -> Exit:
    """Say what was done, or show the list as it is now."""
    if as_json:
        document(list_shape(desk, name))
    else:
        line(words)
    return Exit.DONE


@watchlist_app.command("make")
def make(
    name: NameWord,
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]…")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a list behind the others, with these symbols on it."""

    async def work(desk: "Desk") -> Exit:
        keys = [desk.market.index.resolve(word).key for word in symbols or ()]
        made = await desk.watchlists.make(name)
        await desk.watchlists.add_all(keys, made)
        return _tell(desk, made, f"{made} made, with {counted(len(keys), 'symbol')}", as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("rename")
def rename(
    name: NameWord,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its name from now on.")],
    as_json: AsJson = False,
) -> None:
    """Give a list another name."""

    async def work(desk: "Desk") -> Exit:
        before = desk.watchlists.find(name)
        now = await desk.watchlists.rename(before, new)
        return _tell(desk, now, f"{before} is {now} now", as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("move")
def move(name: NameWord, place: Place, as_json: AsJson = False) -> None:
    """Give a list another place among the lists."""
    wanted = count_from_text(place, "place")

    async def work(desk: "Desk") -> Exit:
        found = desk.watchlists.find(name)
        names = desk.watchlists.names()
        now = await desk.watchlists.move(found, wanted - 1 - names.index(found))
        return _tell(desk, found, f"{found} is list {now} of {len(names)}", as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("delete")
def delete(name: NameWord, as_json: AsJson = False) -> None:
    """Delete a list; what was on it is printed, and stands in the audit."""

    async def work(desk: "Desk") -> Exit:
        found = desk.watchlists.find(name)
        shape = list_shape(desk, found)
        await desk.watchlists.delete(found)
        if as_json:
            document(shape)
        else:
            held = f": {' '.join(shape.keys)}" if shape.keys else ""
            line(f"{found} deleted, with {counted(len(shape.keys), 'symbol')}{held}")
        return Exit.DONE

    run(work, needs_secrets=False)


@watchlist_app.command("add")
def add(name: NameWord, symbols: Symbols, as_json: AsJson = False) -> None:
    """Put symbols at a list's end; a list that is not there is made."""

    async def work(desk: "Desk") -> Exit:
        keys = [desk.market.index.resolve(word).key for word in symbols]
        added = await desk.watchlists.add_all(keys, name)
        there = len(dict.fromkeys(keys)) - len(added)
        words = f"{counted(len(added), 'symbol')} put on {name}" + (f", {there} were there" if there else "")
        return _tell(desk, desk.watchlists.find(name), words, as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("remove")
def remove(name: NameWord, symbols: Symbols, as_json: AsJson = False) -> None:
    """Take symbols off a list."""

    async def work(desk: "Desk") -> Exit:
        found = desk.watchlists.find(name)
        keys = {desk.watchlists.key_on(word, found): word for word in symbols}
        for key, word in keys.items():
            if key not in desk.watchlists.keys(found):
                raise BadInput("symbol", word, f"it is not on the watchlist {found}")
        await desk.watchlists.remove_all(list(keys), found)
        return _tell(desk, found, f"{counted(len(keys), 'symbol')} taken off {found}", as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("place")
def place(
    name: NameWord,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    at: Place,
    as_json: AsJson = False,
) -> None:
    """Give a symbol another place on a list."""
    wanted = count_from_text(at, "place")

    async def work(desk: "Desk") -> Exit:
        found = desk.watchlists.find(name)
        key = desk.watchlists.key_on(symbol, found)
        keys = desk.watchlists.keys(found)
        by = wanted - 1 - keys.index(key) if key in keys else 0
        now = await desk.watchlists.move_row(key, by, found)
        return _tell(desk, found, f"{key} is row {now} of {len(keys)} on {found}", as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("import")
def import_list(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="CSV: symbol, and exchange, isin, name.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--list", metavar="NAME", help="Onto this list; else the file's name.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of what the list holds.")] = False,
    valid: Annotated[
        bool, typer.Option("--valid", help="Take the rows that can be taken; else all or none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the instruments of a CSV file on a list, all of them or, with any fault, none."""
    path = readable(file)
    wanted = path.stem if name is None else name

    async def work(desk: "Desk") -> Exit:
        from engine.market.lists.list_files import read_list

        keys, problems = read_list(path, desk.market.index)
        if problems and not valid:
            raise FileProblem(path, problems)
        for problem in problems:
            say(str(problem))
        if replace:
            _, came = await desk.watchlists.replace(keys, wanted)
        else:
            came = await desk.watchlists.add_all(keys, wanted)
        left = f", {counted(len(problems), 'row')} left out" if problems else ""
        words = f"{counted(len(came), 'symbol')} of {len(keys)} put on {wanted}, the others were there{left}"
        return _tell(desk, desk.watchlists.find(wanted), words, as_json)

    run(work, needs_secrets=False)


@watchlist_app.command("export")
def export(
    name: NameWord,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Where to; else the exports folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a list to a CSV file that `import` takes."""

    async def work(desk: "Desk") -> Exit:
        from data.home import exports_folder
        from engine.market.lists.list_files import list_text

        found = desk.watchlists.find(name)
        keys = desk.watchlists.keys(found)
        path = file if file is not None else exports_folder(desk.home) / f"watchlist-{_file_name(found)}.csv"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(list_text(keys, desk.market.index), encoding="utf-8")
        except OSError as problem:
            raise BadInput("file", str(path), f"it cannot be written: {problem.strerror}") from None
        if as_json:
            document({"file": str(path), **values(list_shape(desk, found))})
        else:
            line(f"{counted(len(keys), 'symbol')} of {found} written to {path}")
        return Exit.DONE

    run(work, needs_secrets=False)


def _file_name(name: str) -> str:
    """A list's name as part of a file's: nothing in it may lead to another folder."""
    return "".join(sign if sign.isalnum() else "-" for sign in name)


@watchlist_app.command("columns")
def columns(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COLUMN]…", help="ltp chg day high low vol bid ask open prev age, in order."),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Those of the settings again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Choose the columns of the watchlist on screen, or show those that were chosen."""
    if words and default:
        raise BadInput("default", "--default", "leave it out, or the columns")

    async def work(desk: "Desk") -> Exit:
        from engine.market.lists.watch_columns import columns_from, words_of

        if words or default:
            await desk.watchlists.choose_columns(columns_from(" ".join(words or ())))
        chosen = desk.watchlists.columns()
        if as_json:
            document({"columns": chosen})
        else:
            line(words_of(chosen) or "none chosen: the columns of the settings, or the program's own")
        return Exit.DONE

    run(work, needs_secrets=False)
