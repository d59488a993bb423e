"""Companies' actions from the command line: the exchange's file, what was booked, taking back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.day.actions import booking_words, client_action_words, view_words
from engine.words.formats import counted
from tradedesk.cli.commands.queries import ClientWord
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.risk.actions import action_shape, action_view_shape, booking_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.repositories.accounts.actions import StoredBooking
    from engine.desk import Desk

actions_app = typer.Typer(
    no_args_is_help=False, help="Splits, bonuses, dividends, mergers: known and booked."
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The client's code or id.")]
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The share, such as INFY.")]
ExDate = Annotated[str, typer.Argument(metavar="EX-DATE", help="As YYYY-MM-DD.")]


@actions_app.callback(invoke_without_command=True)
def actions(ctx: typer.Context, client: ClientWord = None, as_json: AsJson = False) -> None:
    """Companies' actions of the last 60 days and to come, and what has become of them for clients."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        whom = desk.clients.all() if client is None else [desk.clients.find(client)]
        found = await desk.company_actions.all([one.id for one in whom])
        if client is not None:
            found = [one for one in found if one.clients]
        if as_json:
            document([action_view_shape(desk, one) for one in found])
            return Exit.DONE
        for one in found:
            line(view_words(one))
            for each in one.clients if client is not None else ():
                line(f"  {client_action_words(each)}")
        if not found:
            line("no action is known: tradedesk actions import FILE")
        return Exit.DONE

    run(work, needs_secrets=False)


@actions_app.command("import")
def import_actions(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The exchange's CSV; your own may add becomes, allotment_date, paid_to.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Take a file of corporate actions, and book those whose ex-date has come, once for each client."""
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        made = await desk.actions.take(path)
        booked = await desk.company_actions.book()
        if as_json:
            taken = [action_shape(one) for one in made.actions]
            document({"actions": taken, "unknown": list(made.unknown), "booked": booked})
            return Exit.DONE
        unknown = counted(len(made.unknown), "symbol")
        line(f"{counted(len(made.actions), 'action')} taken; {unknown} not known here")
        if booked:
            line(f"booked for {counted(booked, 'client')}: see tradedesk actions")
        return Exit.DONE

    run(work, needs_secrets=False)


@actions_app.command("undo")
def undo(
    code: Code,
    symbol: Symbol,
    ex_date: ExDate,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is taken back.")],
    as_json: AsJson = False,
) -> None:
    """Take back what was booked of a share's action for a client, by a counter entry of the same day."""

    async def work(desk: "Desk") -> Exit:
        client, key = desk.clients.find(code), desk.market.index.resolve(symbol).key
        done = await desk.company_actions.undo(client.id, key, day_from("ex-date", ex_date), reason)
        return _tell(desk, done, as_json)

    run(work, needs_secrets=False)


@actions_app.command("book")
def book(code: Code, symbol: Symbol, ex_date: ExDate, as_json: AsJson = False) -> None:
    """Book again for a client what was taken back."""

    async def work(desk: "Desk") -> Exit:
        client, key = desk.clients.find(code), desk.market.index.resolve(symbol).key
        done = await desk.company_actions.book_again(client.id, key, day_from("ex-date", ex_date))
        return _tell(desk, done, as_json)

    run(work, needs_secrets=False)


def _tell(desk: "Desk", done: "Sequence[StoredBooking]", as_json: bool) -> Exit:
    if as_json:
        document([booking_shape(desk, one) for one in done])
        return Exit.DONE
    for one in done:
        line(f"{desk.clients.get(one.client_id).code}: {booking_words(one)}")
    return Exit.DONE
