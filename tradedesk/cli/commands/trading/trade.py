"""Plans, runs and single orders from the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.records import replace
from engine.planning.intent import side_from
from tradedesk.cli import arguments as choices
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import (
    Again,
    Amount,
    AsJson,
    Brokers,
    Clients,
    Confirm,
    Disclosed,
    DriftWord,
    Groups,
    Limit,
    OfAvailable,
    OfPortfolio,
    OfPosition,
    Override,
    Percent,
    ProductWord,
    Quantity,
    Ref,
    ToWeight,
    Trigger,
    ValidityWord,
    Wait,
    Yes,
    nothing_beside,
    nothing_beside_hash,
)
from tradedesk.cli.sending import send, send_stored, show_plan
from tradedesk.cli.session import run, seconds_from

if TYPE_CHECKING:
    from engine.desk import Desk

SideWord = Annotated[str, typer.Argument(metavar="buy|sell", help="Which way to trade.")]
SymbolWord = Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or EXCHANGE:SYMBOL.")]


def plan(
    ctx: typer.Context,
    side: Annotated[str | None, typer.Argument(metavar="buy|sell", help="Which way to trade.")] = None,
    symbol: Annotated[str | None, typer.Argument(metavar="SYMBOL", help="What to trade.")] = None,
    percent: Percent = None,
    of_available: OfAvailable = None,
    amount: Amount = None,
    quantity: Quantity = None,
    of_position: OfPosition = None,
    of_portfolio: OfPortfolio = None,
    to_weight: ToWeight = None,
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    drift: DriftWord = "desk",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    override: Override = "",
    ref: Ref = "",
    disclosed: Disclosed = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="The wish saved under this name, as it stands.")
    ] = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the wish under this name.")] = None,
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Show cash, MTF and weight of each client before and after.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Freeze and store a plan for many clients, and print its hash; nothing is sent.

    `tradedesk bulk --confirm HASH` sends exactly this plan while it is valid.
    """
    if preset is not None:
        nothing_beside(ctx, "a saved wish", "preset", "ref", "again", "override", "what_if", "as_json")
    elif side is None or symbol is None:
        raise BadInput("plan", side or "", "give buy or sell and a SYMBOL, or --preset NAME")

    async def work(desk: "Desk") -> Exit:
        if preset is not None:
            terms = {"ref": ref.strip(), "again": again, "override": override.strip()}
            intent = replace((await desk.presets.get(preset)).intent, **terms)
        else:
            assert side is not None
            assert symbol is not None
            way = side_from(side)
            sizing = choices.sizing_from(
                way, percent, of_available, amount, quantity, of_position, of_portfolio, to_weight
            )
            chosen = choices.selection_from(desk, clients, group or (), broker or ())
            intent = choices.intent_from(
                desk, way, symbol, sizing, limit, trigger, product, validity, chosen, again, drift
            )
            intent = choices.with_entry(intent, ref, disclosed, multiplied=True, override=override)
        made = await desk.plans.freeze(intent)
        if save is not None:
            await desk.presets.save(save, intent)
        found = [desk.plans.what_if(made, entry) for entry in made.lines if entry.wanted] if what_if else []
        return show_plan(made, as_json, found)

    run(work)


def bulk(
    ctx: typer.Context,
    side: Annotated[str | None, typer.Argument(metavar="buy|sell", help="Which way to trade.")] = None,
    symbol: Annotated[str | None, typer.Argument(metavar="SYMBOL", help="What to trade.")] = None,
    percent: Percent = None,
    of_available: OfAvailable = None,
    amount: Amount = None,
    quantity: Quantity = None,
    of_position: OfPosition = None,
    of_portfolio: OfPortfolio = None,
    to_weight: ToWeight = None,
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    drift: DriftWord = "desk",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    override: Override = "",
    ref: Ref = "",
    disclosed: Disclosed = None,
    confirm: Confirm = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Buy or sell one symbol for many clients: plan, confirm, send, and wait for the outcome."""
    patience = seconds_from(wait)
    if confirm is not None:
        nothing_beside_hash(ctx)
        run(lambda desk: send_stored(desk, confirm, patience, as_json))
    if side is None or symbol is None:
        raise BadInput("bulk", side or "", "give buy or sell and a SYMBOL, or --confirm HASH")
    way, word = side_from(side), symbol
    sizing = choices.sizing_from(
        way, percent, of_available, amount, quantity, of_position, of_portfolio, to_weight
    )

    async def work(desk: "Desk") -> Exit:
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        intent = choices.intent_from(
            desk, way, word, sizing, limit, trigger, product, validity, chosen, again, drift
        )
        intent = choices.with_entry(intent, ref, disclosed, multiplied=True, override=override)
        return await send(desk, await desk.plans.freeze(intent), yes, patience, as_json)

    run(work)


def order(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="A client's code or id.")],
    side: SideWord,
    symbol: SymbolWord,
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="Shares.")],
    limit: Limit = None,
    trigger: Trigger = None,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    drift: DriftWord = "desk",
    again: Again = False,
    override: Override = "",
    ref: Ref = "",
    disclosed: Disclosed = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Buy or sell for one client."""
    way, patience = side_from(side), seconds_from(wait)
    shares = count_from_text(quantity, "quantity")

    async def work(desk: "Desk") -> Exit:
        from data.vocabulary import SizingKind
        from engine.planning.intent import Selection, Sizing

        found = desk.clients.find(client)
        chosen = Selection(client_ids=(found.id,), title=found.code)
        sizing = Sizing(SizingKind.FIXED_QUANTITY, shares)
        intent = choices.intent_from(
            desk, way, symbol, sizing, limit, trigger, product, validity, chosen, again, drift
        )
        intent = choices.with_entry(intent, ref, disclosed, override=override)
        return await send(desk, await desk.plans.freeze(intent), yes, patience, as_json)

    run(work)
