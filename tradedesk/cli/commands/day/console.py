"""A client's tradebook and ledger from Zerodha's Console, beside its books."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk

Code = Annotated[str, typer.Argument(metavar="CODE", help="The client's code or id.")]


def tradebook(
    code: Code,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV as the Console writes it.")],
    take: Annotated[
        bool, typer.Option("--take", help="Keep trades of before the client came, for its tax.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A tradebook beside a client's booked trades, row by row; nothing is booked by it."""
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        from engine.history.console import RowState
        from engine.words.day.console import lacking_trade_words, trade_row_words, tradebook_words
        from engine.words.formats import counted
        from tradedesk.cli.views.console import tradebook_shape

        client = desk.clients.find(code)
        look = desk.console_files.take if take else desk.console_files.tradebook
        check = await look(client.id, path)
        if as_json:
            document(tradebook_shape(desk, check))
            return Exit.DONE if check.agrees else Exit.NOT_VERIFIED
        for row in check.rows:
            if row.state in (RowState.DIFFERS, RowState.LACKING):
                line(trade_row_words(row))
        for one in check.lacking:
            line(lacking_trade_words(one))
        line(f"{client.code}: {tradebook_words(check)}")
        if check.taken:
            line(f"{counted(check.taken, 'trade')} taken as history: see `tradedesk tax`")
        elif not take and any(row.state is RowState.EARLIER for row in check.rows):
            line("`--take` keeps what is of before, for the tax")
        return Exit.DONE if check.agrees else Exit.NOT_VERIFIED

    run(work, needs_secrets=False)


def ledger(
    code: Code,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV as the Console writes it.")],
    as_json: AsJson = False,
) -> None:
    """A ledger beside what a client's books posted, by day and kind; nothing is booked by it."""
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        from engine.history.console import RowState
        from engine.words.day.console import ledger_day_words, ledger_words
        from tradedesk.cli.views.console import ledger_shape

        client = desk.clients.find(code)
        check = await desk.console_files.ledger(client.id, path)
        if as_json:
            document(ledger_shape(desk, check))
        else:
            for one in check.days:
                if one.state not in (RowState.ALIKE, RowState.EARLIER):
                    line(ledger_day_words(one))
            line(f"{client.code}: {ledger_words(check)}")
        return Exit.DONE if check.agrees else Exit.NOT_VERIFIED

    run(work, needs_secrets=False)
