"""Converting a client's position to delivery from the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.money import count_from_text
from data.vocabulary import ConversionState
from engine.words.conversions import ended_words, prospect_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Yes, given, json_too
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import confirmed, run

if TYPE_CHECKING:
    from engine.desk import Desk


def convert(
    client: Annotated[str, typer.Argument(metavar="CODE", help="The client's code or id.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    of: Annotated[str, typer.Argument(metavar="mis|mtf", help="The product the shares are in.")],
    to: Annotated[str, typer.Argument(metavar="cnc", help="The product they go to.")],
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="N", help="So many; all that are free without it.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a client's shares its own: what is lent on them is repaid from its cash, until the cut-off."""
    from engine.conversion.asked import product_from

    products = product_from(of), product_from(to)
    wanted = None if quantity is None else count_from_text(quantity, "quantity")

    async def work(desk: "Desk") -> Exit:
        client_id, key = desk.clients.find(client).id, desk.market.index.resolve(symbol).key
        await desk.reconcile.ensure([client_id])
        found = await desk.conversions.prospect(client_id, key, products, wanted)
        told = f"{desk.mode}  {prospect_words(found)}"
        then = ["convert", client, symbol, of, to, *given(quantity=quantity), "--yes", *json_too(as_json)]
        if found.why_not or not await confirmed(found.answer, told, yes, "add --yes to convert", then):
            if found.why_not:
                say(told)
            if as_json:
                document(found)
            return Exit.NOTHING_SENT
        made = await desk.conversions.convert(client_id, key, products, found.quantity)
        if as_json:
            document(made)
        else:
            line(ended_words(made))
        doubt = made.state is ConversionState.UNKNOWN
        return Exit.UNKNOWN if doubt else Exit.DONE if made.state is ConversionState.DONE else Exit.PARTLY

    run(work)
