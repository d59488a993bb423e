"""The connections of a home: listed, one more added, and which of them a client trades by."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.vocabulary import ConnectionKind
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord, json_too
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import at_terminal, run, typed
from tradedesk.cli.views.people.clients import client_shape, connection_row_shape, connection_shape

if TYPE_CHECKING:
    from data.repositories.connections import ConnectionRow
    from engine.desk import Desk

connections_app = typer.Typer(
    help="Connections: which venues this home trades at.", invoke_without_command=True
)

KNOWN = ("paper", "kite", "upstox", "groww")
"""What a home may have a connection to."""


@connections_app.callback()
def connections(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The venues that this home trades at; the first brings the prices and the market's clock."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = [connection_shape(one) for one in desk.connecting.all()]
        if as_json:
            document(found)
            return Exit.DONE
        rows = [
            (
                one.name,
                one.kind,
                one.broker,
                one.address or "this home",
                str(one.clients),
                "prices and clock" if one.brings_prices else "",
                one.trouble or "",
            )
            for one in found
        ]
        table(("name", "kind", "broker", "address", ">clients", "brings", "trouble"), rows)
        return Exit.DONE

    run(work, needs_secrets=False)


@connections_app.command("add")
def add(
    venue: Annotated[str, typer.Argument(metavar="paper|kite|upstox|groww")],
    address: Annotated[
        str,
        typer.Option(metavar="URL", help="Of a stand-in, such as http://127.0.0.1:8100; else the broker's."),
    ] = "",
    word: Annotated[
        str,
        typer.Option(metavar="WORDS", help="Where a live connection would stand beside another kind."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Give this home one more connection, from the next command on; no app may be open meanwhile.

    A live connection shares a home with another kind only once the words for it were typed.
    """
    row = row_of(venue, address)

    async def work(desk: "Desk") -> Exit:
        if row.kind is ConnectionKind.SIM:
            from tradedesk.compose.rehearsing.rehearsal import check_stands_for

            await check_stands_for(row.name, row.address)
        given, wanted = word, desk.connecting.word_for(row)
        if wanted and not given and at_terminal():
            what = f"{desk.home}: {wanted}. Its live clients trade with real money, the others with none."
            then = ["connections", "add", venue, f"--address={address}", f"--word={wanted}"]
            if not await typed(wanted, what, [*then, *json_too(as_json)]):
                return Exit.NOTHING_SENT
            given = wanted
        await desk.connecting.add(row, given)
        if as_json:
            document(connection_row_shape(row))
        else:
            line(f"{row.name} ({row.kind.value}) is a connection of {desk.home} from now on")
        say("clients that are imported from now on trade by their own broker's connection, others by paper")
        if row.kind is not ConnectionKind.PAPER:
            say(
                "what its broker lists is read each morning once somebody is signed in, "
                "or with `tradedesk instruments import FILE`; until then nothing can be traded there"
            )
        return Exit.DONE

    run(work, needs_secrets=False)


def row_of(venue: str, address: str) -> "ConnectionRow":
    """The connection that was typed. Raises `BadInput`."""
    wanted = venue.strip().lower()
    if wanted not in KNOWN:
        raise BadInput("venue", venue, f"give one of {', '.join(KNOWN)}")
    if wanted != "paper":
        from tradedesk.compose.brokers.at_brokers import row_at

        return row_at(wanted, address)
    if address:
        raise BadInput("address", address, "the paper exchange lies in the home; leave it out")
    from tradedesk.compose.brokers.paper import PAPER

    return PAPER


@connections_app.command("carry")
def carry(
    client: ClientWord,
    name: Annotated[str, typer.Argument(metavar="CONNECTION", help="The name of a connection.")],
    as_json: AsJson = False,
) -> None:
    """Have a client trade by a connection; only one that has never traded here."""

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        await desk.connecting.carry(found.id, name.strip())
        if as_json:
            document(client_shape(desk, desk.clients.get(found.id)))
        else:
            line(f"{found.code} {found.name} trades by {name.strip()}")
        return Exit.DONE

    run(work, needs_secrets=False)
