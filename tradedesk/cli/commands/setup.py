"""Preparing a home and its instruments."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.home import open_to_others
from data.vocabulary import ConnectionKind
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from data.reference.instruments import Instrument
    from engine.desk import Desk
    from engine.market.renames import Taken

instruments_app = typer.Typer(
    help="Instruments: import a broker's dump, or the list of an index.", no_args_is_help=True
)

UNREAD_SHOWN = 20
"""Odd rows of a dump that are named one by one; JSON has them all."""

CsvFile = Annotated[Path | None, typer.Argument(metavar="FILE", help="A CSV file.")]


def init(
    demo: Annotated[
        bool, typer.Option("--demo", help="With the demonstration's market and clients.")
    ] = False,
    bare: Annotated[
        bool, typer.Option("--bare", help="With --demo: clients have their cash alone, and no shares.")
    ] = False,
    brokers: Annotated[
        str | None,
        typer.Option(
            metavar="BROKERS",
            help="With --demo: at brokers on this machine, as zerodha,upstox,groww (`simulate all`).",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prepare a home (TRADEDESK_HOME, or the user's data folder) and exit. Does nothing twice."""
    if bare and not demo:
        raise BadInput("bare", "", "give it with --demo")
    if brokers is not None:
        if not demo or bare:
            raise BadInput("brokers", brokers, "give it with --demo, and without --bare")
        _connect(brokers)

    async def work(desk: "Desk") -> Exit:
        laid = await lay_demo(desk, bare) if demo else False
        if as_json:
            found = {
                "home": desk.home,
                "mode": desk.mode,
                "demo_laid": laid,
                "clients": len(desk.clients.all()),
            }
            document(found)
        else:
            line(f"{desk.home} is ready: {desk.mode}, {counted(len(desk.clients.all()), 'client')}")
        if others := open_to_others(desk.home)[0]:
            say(others)
        return Exit.DONE

    run(work)


def _connect(brokers: str) -> None:
    """Give the home a connection to each of these brokers on this machine. Raises `BadInput`."""
    import asyncio

    from tradedesk.cli.commands.connections import row_of
    from tradedesk.compose.foundation import prepare_home
    from tradedesk.compose.rehearsing.at_brokers import (
        asked_brokers,
        begin_home,
        check_all_answer,
        local_addresses,
    )
    from tradedesk.compose.settings import load_settings

    home = prepare_home()
    addresses = local_addresses(asked_brokers(brokers), load_settings(home))
    asyncio.run(check_all_answer(addresses))
    begin_home(home, addresses)
    rows = [row_of(venue, url) for venue, url in addresses.items()]

    async def work(desk: "Desk") -> Exit:
        known = {one.row.name for one in desk.connecting.all()}
        for row in rows:
            if row.name not in known:
                await desk.connecting.add(row)
        return Exit.DONE

    try:
        run(work, needs_secrets=False)
    except typer.Exit as ended:
        if ended.exit_code:
            raise


async def lay_demo(desk: "Desk", bare: bool = False) -> bool:
    """Lay the demonstration into an empty home; returns whether it was laid now. Raises `BadInput`.

    A `bare` one has clients with their cash alone.
    """
    kind = desk.connections.kind
    try:
        if kind is ConnectionKind.LIVE:
            raise BadInput("home", str(desk.home), "a live desk takes no demonstration")
        if kind is ConnectionKind.SIM:
            if bare:
                raise BadInput("bare", "", "clients at a local broker hold shares there; leave it out")
            from tradedesk.compose.rehearsing.rehearsal import prepare_rehearsal

            return await prepare_rehearsal(desk)
        from tradedesk.compose.brokers.paper import prepare_demo

        return await prepare_demo(desk, shares=not bare)
    except BadInput as problem:
        # The home itself can be used; it is the demonstration that may not go there.
        raise BadInput("demo", problem.value, problem.expected) from None


def readable(file: Path | None) -> Path:
    """The file, which must be there and readable. Raises `BadInput`."""
    if file is None:
        raise BadInput("file", "", "give a file to import")
    try:
        with file.open("rb"):
            return file
    except OSError as problem:
        raise BadInput("file", str(file), f"it cannot be read: {problem.strerror}") from None


def print_template(text: str, as_json: bool) -> None:
    """Print a file to begin with, row by row."""
    rows = text.splitlines()
    if as_json:
        document({"template": rows})
        return
    for row in rows:
        line(row)


@instruments_app.command("import")
def import_instruments(file: CsvFile = None, as_json: AsJson = False) -> None:
    """Take the NSE and BSE shares and indices of Kite's instrument dump (CSV, or gzipped)."""
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        from rich.console import Console
        from rich.progress import Progress

        from data.reference.instruments import read_kite_instruments

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("reading", total=None)
            taken = read_kite_instruments(
                path, lambda done, size: bar.update(task, completed=done, total=size)
            )
            bar.update(task, description="storing", total=None)
            told, names = await _keep(desk, taken.instruments, path.name, complete=not taken.unread)
        by_segment: dict[str, int] = {}
        for instrument in taken.instruments:
            by_segment[instrument.segment] = by_segment.get(instrument.segment, 0) + 1
        renamed, doubts = [one.words for one in names.renames], list(dict.fromkeys(names.doubts.values()))
        accept = " or ".join(f"`tradedesk instruments accept {key}`" for key in names.doubts)
        for words in (*taken.unread[:UNREAD_SHOWN], told, *renamed, *doubts):
            say(words)
        if doubts:
            say(f"nothing of it is bought before {accept}")
        ended = Exit.PARTLY if taken.unread or doubts else Exit.DONE
        count = len(taken.instruments)
        if as_json:
            document(
                {
                    "rows": taken.rows,
                    "taken": count,
                    "by_segment": by_segment,
                    "skipped": taken.skipped,
                    "unread": list(taken.unread),
                    "renamed": renamed,
                    "doubts": doubts,
                }
            )
            return ended
        unread = f", {len(taken.unread):,} unread" if taken.unread else ""
        line(f"{count:,} of {taken.rows:,} rows taken{unread}")
        rows = [("taken", name, f"{number:,}") for name, number in sorted(by_segment.items())]
        rows += [("skipped", name, f"{number:,}") for name, number in sorted(taken.skipped.items())]
        table(("", "segment", ">rows"), rows)
        return ended

    run(work)


@instruments_app.command("import-index")
def import_index(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The index: nifty50, or another's name.")],
    as_of: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="From when the list holds.")],
    file: CsvFile = None,
    as_json: AsJson = False,
) -> None:
    """Take an exchange's own list of an index, such as NSE's ind_nifty50list.csv: `index:` goes by it."""
    path = readable(file)
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        raise BadInput("as-of", as_of, "give a day as 2026-09-30") from None

    async def work(desk: "Desk") -> Exit:
        taken = await desk.index_lists.take(name, path, day)
        if as_json:
            document(taken)
            return Exit.DONE
        changed = f"{len(taken.came)} came, {len(taken.gone)} went"
        since = f"; in place of that of {taken.before:%d %b %Y}: {changed}" if taken.before else ""
        line(f"{taken.name}: {taken.shares} shares as of {day:%d %b %Y}{since}; search by index:{taken.word}")
        if taken.unknown:
            say(f"{len(taken.unknown)} not known to the desk: {', '.join(taken.unknown)}")
        return Exit.DONE

    run(work)


async def _keep(
    desk: "Desk", instruments: "Sequence[Instrument]", source: str, complete: bool
) -> "tuple[str, Taken]":
    """Store imported instruments; returns words of their prices, and what became of their names."""
    if desk.connections.kind is not ConnectionKind.PAPER:
        return "", await desk.market.store_instruments(instruments, source, complete=complete)
    from tradedesk.compose.brokers.paper_prices import take_instruments

    listed = await take_instruments(desk, instruments, source, complete)
    return listed.words, listed.taken


@instruments_app.command("accept")
def accept_instrument(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or EXCHANGE:SYMBOL.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept in the audit.")],
    as_json: AsJson = False,
) -> None:
    """Let an instrument be bought again whose token or name another security had."""

    async def work(desk: "Desk") -> Exit:
        doubt = await desk.market.accept(symbol, reason)
        key = desk.market.index.key_now(symbol.upper()) if ":" in symbol else symbol.upper()
        if as_json:
            document({"symbol": key, "doubt": doubt, "reason": reason.strip()})
        else:
            line(f"{key} may be bought again: {reason.strip()} (it was said: {doubt})")
        return Exit.DONE

    run(work)


@instruments_app.command("prices")
def import_prices(file: CsvFile = None, as_json: AsJson = False) -> None:
    """Take closing prices, from which the paper exchange starts instruments that have none.

    FILE is the bhavcopy of NSE or BSE, or has the columns symbol and close, and as you like exchange, series
    and isin.
    """
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        if desk.connections.kind is not ConnectionKind.PAPER:
            raise BadInput("file", path.name, f"a {desk.mode} desk has its prices from the broker")
        from data.reference.closes import read_closes
        from tradedesk.compose.brokers.paper_prices import take_closes

        closes = read_closes(path)
        taken = await take_closes(desk, closes, path.name)
        if as_json:
            document({"rows": len(closes), "taken": taken})
        else:
            line(f"{taken:,} prices of known instruments taken from {len(closes):,} rows")
        return Exit.DONE if taken else Exit.NOTHING_SENT

    run(work)
