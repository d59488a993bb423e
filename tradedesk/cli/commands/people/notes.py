"""Notes on clients, orders and runs from the command line; the audit keeps them."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from engine.words.formats import DASH
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import MOST_NUMBER, AsJson
from tradedesk.cli.printing.clocks import clock_words, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.people.clients import note_shape

if TYPE_CHECKING:
    from engine.desk import Desk

notes_app = typer.Typer(
    help="Notes on clients, orders and runs, kept in the audit.", invoke_without_command=True
)

OfClient = Annotated[
    str | None, typer.Option("--client", metavar="CODE", help="On this client and its orders.")
]
OfOrder = Annotated[
    int | None, typer.Option("--order", metavar="ID", min=1, max=MOST_NUMBER, help="On this order.")
]
OfRun = Annotated[int | None, typer.Option("--run", metavar="N", min=1, max=MOST_NUMBER, help="On this run.")]


@notes_app.callback()
def list_notes(
    ctx: typer.Context,
    client: OfClient = None,
    order: OfOrder = None,
    number: OfRun = None,
    as_json: AsJson = False,
) -> None:
    """List notes, oldest first: all, or those on a client, an order or a run."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        client_id = None if client is None else desk.clients.find(client).id
        found = [note_shape(desk, one) for one in await desk.notes.of(client_id, order, number)]
        if as_json:
            document(found)
            return Exit.DONE
        line(clock_words(desk))
        rows = [
            (
                wall_time(desk, one.at),
                one.by,
                one.code or DASH,
                "" if one.order_id is None else f"order {one.order_id}",
                "" if one.run is None else f"run {one.run}",
                one.text,
            )
            for one in found
        ]
        table(("time", "by", "client", "", "", "note"), rows)
        if not found:
            say("nothing was noted yet: `tradedesk notes add client CODE TEXT`")
        return Exit.DONE

    run(work, needs_secrets=False)


@notes_app.command("add")
def add_note(
    on: Annotated[str, typer.Argument(metavar="client|order|run", help="What it is on.")],
    which: Annotated[str, typer.Argument(metavar="CODE|NUMBER", help="A client's code, or a number.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="One line.")],
    as_json: AsJson = False,
) -> None:
    """Note something on a client, an order or a run."""
    if on not in ("client", "order", "run"):
        raise BadInput("on", on, "give client, order or run")

    async def work(desk: "Desk") -> Exit:
        if on == "client":
            about: dict[str, int] = {"client_id": desk.clients.find(which).id}
            await desk.notes.on_client(about["client_id"], text)
        elif on == "order":
            about = {"order_id": count_from_text(which, "order")}
            await desk.notes.on_order(about["order_id"], text)
        else:
            about = {"run_number": count_from_text(which, "run")}
            await desk.notes.on_run(about["run_number"], text)
        kept = note_shape(desk, (await desk.notes.of(**about))[-1])
        if as_json:
            document(kept)
        else:
            line(f"noted on {on} {which}: {kept.text}")
        return Exit.DONE

    run(work, needs_secrets=False)
