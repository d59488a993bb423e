"""Converting clients' positions to delivery from the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import ConversionState, Product
from engine.words.refusals import refusal_words
from engine.words.trading.conversions import end_words, ended_words, ends_words, prospect_words, several_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Yes, given, json_too
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import confirmed, run

if TYPE_CHECKING:
    from engine.conversion.views import ConversionEnd, ConversionProspect, ConversionView
    from engine.desk import Desk

ALL = "all"
"""Stands for every client, or for every symbol."""

_EXITS = {ConversionState.DONE: Exit.DONE, ConversionState.UNKNOWN: Exit.UNKNOWN}
"""How the command ends, by what became of a conversion; else it was not done."""


def convert(
    client: Annotated[
        str, typer.Argument(metavar="CODE", help="The client's code or id; several with commas, or all.")
    ],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or all that is in the product.")],
    of: Annotated[str, typer.Argument(metavar="mis|mtf", help="The product the shares are in.")],
    to: Annotated[str, typer.Argument(metavar="cnc", help="The product they go to.")],
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="N", help="So many; all that are free without it.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make clients' shares their own: what is lent on them is repaid from their cash, until the cut-off."""
    from engine.conversion.asked import product_from

    products = product_from(of), product_from(to)
    wanted = None if quantity is None else count_from_text(quantity, "quantity")
    several = "," in client or ALL in (client.casefold(), symbol.casefold())
    if several and wanted is not None:
        raise BadInput("quantity", quantity, "give it for one client and symbol alone")
    then = ["convert", client, symbol, of, to, *given(quantity=quantity), "--yes", *json_too(as_json)]

    async def one(desk: "Desk") -> Exit:
        client_id, key = desk.clients.find(client).id, desk.market.index.resolve(symbol).key
        await desk.reconcile.ensure([client_id])
        found = await desk.conversions.prospect(client_id, key, products, wanted)
        told = f"{desk.mode}  {prospect_words(found)}"
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
        return _EXITS.get(made.state, Exit.PARTLY)

    async def each(desk: "Desk") -> Exit:
        return await _several(desk, (client, symbol), products, yes, as_json)

    run(each if several else one)


async def _several(
    desk: "Desk", named: tuple[str, str], products: tuple[Product, Product], yes: bool, as_json: bool
) -> Exit:
    """Convert what these clients have in a product, of one symbol or all, by one answer."""
    from engine.conversion.views import answer_of

    codes, symbol = named
    clients = (
        [one.id for one in desk.clients.all()]
        if codes.casefold() == ALL
        else [desk.clients.find(code).id for code in filter(None, codes.split(","))]
    )
    key = None if symbol.casefold() == ALL else desk.market.index.resolve(symbol).key
    held = [one for one in clients if any(h.product is products[0] for h in desk.holdings.of(one))]
    await desk.reconcile.ensure(held)
    found = await desk.several_conversions.prospects(clients, products, key)
    told = "\n".join([f"{desk.mode}  {several_words(found)}", *map(prospect_words, found)])
    then = ["convert", *named, *(one.value.lower() for one in products), "--yes", *json_too(as_json)]
    going = any(not one.why_not for one in found)
    if not going or not await confirmed(answer_of(found), told, yes, "add --yes to convert", then):
        if not going:
            say(told)
        if as_json:
            document({"answer": answer_of(found), "positions": found})
        return Exit.NOTHING_SENT
    ends = await desk.several_conversions.convert(found)
    _print(found, ends, as_json)
    states = {end.view.state if end.view is not None else ConversionState.REFUSED for end in ends}
    if ConversionState.UNKNOWN in states:
        return Exit.UNKNOWN
    whole = states == {ConversionState.DONE} and len(ends) == len(found)
    return Exit.DONE if whole else Exit.PARTLY


def _print(found: "list[ConversionProspect]", ends: "list[ConversionEnd]", as_json: bool) -> None:
    """What each came to, with those that could not be asked for."""
    kept = [(one, one.why_not) for one in found if one.why_not]
    kept += [(end.wanted, refusal_words(end.refusal)) for end in ends if end.refusal is not None]
    if as_json:
        views: list[ConversionView] = [end.view for end in ends if end.view is not None]
        not_asked = [
            {"client_id": one.client_id, "code": one.code, "tradingsymbol": one.tradingsymbol, "why": why}
            for one, why in kept
        ]
        document({"conversions": views, "not_asked": not_asked})
        return
    for end in ends:
        line(f"{end.wanted.code} {end.wanted.tradingsymbol} {end.wanted.quantity}: {end_words(end)}")
    for one, why in kept:
        if one.why_not:
            line(f"{one.code} {one.tradingsymbol}: not asked for: {why}")
    line(f"converted: {ends_words(ends)}")
