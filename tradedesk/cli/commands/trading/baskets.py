"""Baskets from the command line: several legs for many clients, and files of orders, in one plan each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.records import replace
from data.vocabulary import PerClient
from engine.words.trading.baskets import PER_CLIENT_WORDS
from tradedesk.cli import arguments as choices
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import (
    Again,
    AsJson,
    Brokers,
    Clients,
    Confirm,
    DriftWord,
    Groups,
    Override,
    ProductWord,
    Ref,
    ValidityWord,
    Wait,
    Yes,
    nothing_beside,
    nothing_beside_hash,
)
from tradedesk.cli.printing.baskets import print_legs, saved_words
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.sending import send, send_stored, show_plan
from tradedesk.cli.session import run, seconds_from
from tradedesk.cli.views.plans import basket_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.intent import Intent, Leg

LegWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="buy|sell SYMBOL:SIZE…",
        help="RELIANCE:15%, TCS:10 or INFY:₹50000, with :MTF or @LIMIT behind.",
    ),
]
LegFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Legs of a CSV file: symbol,side,size,product,type,limit."),
]
PerClientWord = Annotated[
    str | None,
    typer.Option(
        "--per-client",
        metavar="all|in_order",
        help="All legs of a client or none (the start for legs), or in their order while its cash lasts.",
    ),
]
_ORDERS_READ = (
    "orders",
    "per_client",
    "validity",
    "drift",
    "again",
    "override",
    "ref",
    "plan_only",
    "yes",
    "wait",
    "as_json",
)


def basket(
    ctx: typer.Context,
    legs: LegWords = None,
    file: LegFile = None,
    orders: Annotated[
        Path | None,
        typer.Option(
            "--orders",
            metavar="FILE",
            help="Orders of a CSV file: client,symbol,side,quantity,product,type,limit.",
        ),
    ] = None,
    saved: Annotated[
        str | None, typer.Option("--saved", metavar="NAME", help="The legs of a saved basket.")
    ] = None,
    per_client: PerClientWord = None,
    affordable: Annotated[
        bool,
        typer.Option("--affordable", help="Who is short of cash gets all legs, smaller in the same measure."),
    ] = False,
    product: ProductWord = None,
    validity: ValidityWord = "DAY",
    drift: DriftWord = "desk",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    override: Override = "",
    ref: Ref = "",
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Freeze and print the plan, send nothing.")
    ] = False,
    confirm: Confirm = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Trade several legs for many clients by one plan: each client's cash is reserved for all of them."""
    patience = seconds_from(wait)
    if confirm is not None:
        nothing_beside_hash(ctx)
        run(lambda desk: send_stored(desk, confirm, patience, as_json))
    if orders is not None:
        nothing_beside(ctx, "the orders of a file, which name their clients", *_ORDERS_READ)
    together = _per_client_from(per_client)
    if sum(one is not None for one in (legs or None, file, orders, saved)) != 1:
        expected = "give legs, --file FILE, --saved NAME or --orders FILE"
        raise BadInput("legs", " ".join(legs or ()), expected)

    async def work(desk: "Desk") -> Exit:
        from engine.planning.by_client import with_affordable
        from engine.planning.entry.leg_files import orders_from_file

        if orders is not None:
            intent = orders_from_file(readable(orders), desk.market.index, desk.clients.find)
        else:
            chosen = choices.selection_from(desk, clients, group or (), broker or ())
            wanted = await _basket(desk, legs, file, saved, product)
            intent = replace(wanted, selection=chosen)
        intent = choices.with_terms(intent, together or intent.per_client, validity, drift, again)
        intent = choices.with_entry(intent, ref, multiplied=orders is None, override=override)
        if affordable:
            intent = with_affordable(await desk.plans.preview(intent))
        made = await desk.plans.freeze(intent)
        if not plan_only:
            return await send(desk, made, yes, patience, as_json)
        return show_plan(made, as_json)

    run(work)


async def _basket(
    desk: "Desk", words: Sequence[str] | None, file: Path | None, saved: str | None, product: str | None
) -> "Intent":
    """The legs that were typed, those of a file, or those saved by a name. Raises `BadInput`."""
    from engine.planning.entry.leg_words import intent_of

    if saved is None:
        return intent_of(_legs(desk, words, file, product))
    if product is not None:
        raise BadInput("product", product, f"the legs of {saved} have theirs: leave it out")
    found = await desk.baskets.get(saved)
    return replace(intent_of(found.legs), per_client=found.per_client)


def _legs(
    desk: "Desk", words: Sequence[str] | None, file: Path | None, product: str | None
) -> "tuple[Leg, ...]":
    """The legs that were typed, or those of a file. Raises `BadInput`."""
    from engine.planning.entry.leg_files import legs_from_file
    from engine.planning.entry.leg_words import legs_from_words

    if file is None:
        return legs_from_words(words or (), desk.market.index, product)
    if product is not None:
        raise BadInput("product", product, "name it in the file, a row each")
    return legs_from_file(readable(file), desk.market.index)


def _per_client_from(word: str | None) -> PerClient | None:
    if word is None:
        return None
    try:
        return PerClient(word.strip().lower().replace("-", "_"))
    except ValueError:
        raise BadInput("per-client", word, f"give {' or '.join(PerClient)}") from None


baskets_app = typer.Typer(
    invoke_without_command=True, help="Saved baskets: legs under a name, for the next time."
)
NameWord = Annotated[str, typer.Argument(metavar="NAME", help="The basket's name.")]


@baskets_app.callback()
def list_baskets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the saved baskets."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.baskets.all()
        if as_json:
            document([basket_shape(one) for one in found])
        else:
            table(
                ("basket", ">legs", "what", "per client", "saved by"),
                [(one.name, str(len(one.legs)), *saved_words(one)) for one in found],
            )
        return Exit.DONE

    run(work, needs_secrets=False)


@baskets_app.command("show")
def show_basket(name: NameWord, as_json: AsJson = False) -> None:
    """Show a saved basket's legs."""

    async def work(desk: "Desk") -> Exit:
        found = await desk.baskets.get(name)
        if as_json:
            document(basket_shape(found))
        else:
            line(f"{found.name}: {PER_CLIENT_WORDS[found.per_client]}")
            print_legs(found.legs)
        return Exit.DONE

    run(work, needs_secrets=False)


@baskets_app.command("save")
def save_basket(
    name: NameWord,
    legs: LegWords = None,
    file: LegFile = None,
    per_client: PerClientWord = None,
    product: ProductWord = None,
    as_json: AsJson = False,
) -> None:
    """Save legs under a name, in place of those that it had."""
    if (file is None) == (not legs):
        raise BadInput("legs", " ".join(legs or ()), "give legs or --file FILE")
    together = _per_client_from(per_client) or PerClient.ALL

    async def work(desk: "Desk") -> Exit:
        replaced = await desk.baskets.save(name, _legs(desk, legs, file, product), together)
        found = await desk.baskets.get(name)
        if as_json:
            document(basket_shape(found))
        else:
            line(f"{found.name} {'replaced' if replaced else 'saved'}: {saved_words(found)[0]}")
        return Exit.DONE

    run(work, needs_secrets=False)


@baskets_app.command("rename")
def rename_basket(
    name: NameWord, to: Annotated[str, typer.Argument(metavar="NEW")], as_json: AsJson = False
) -> None:
    """Give a saved basket another name."""

    async def work(desk: "Desk") -> Exit:
        before = (await desk.baskets.get(name)).name
        await desk.baskets.rename(name, to)
        found = await desk.baskets.get(to)
        if as_json:
            document(basket_shape(found))
        else:
            line(f"{before} is {found.name} now")
        return Exit.DONE

    run(work, needs_secrets=False)


@baskets_app.command("remove")
def remove_basket(name: NameWord, as_json: AsJson = False) -> None:
    """Forget a saved basket; plans and runs made of it stay as they are."""

    async def work(desk: "Desk") -> Exit:
        found = await desk.baskets.get(name)
        await desk.baskets.remove(name)
        if as_json:
            document(basket_shape(found))
        else:
            line(f"{found.name} removed")
        return Exit.DONE

    run(work, needs_secrets=False)
