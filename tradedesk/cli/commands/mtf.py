"""The margin trading facility from the command line: ladders and what loans cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.formats import DASH, percent, price, quantity, rupees, signed
from engine.words.trading.mtf import (
    ESTIMATE,
    alone_words,
    base_words,
    ladder_words,
    list_import_words,
    list_words,
    money_words,
    near_words,
    pledge_words,
    restoring_words,
    rung_words,
    threshold_words,
    warning_words,
)
from tradedesk.cli.commands.queries import ClientWord
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import run
from tradedesk.cli.views.risk.mtf import mtf_shape, pledge_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk
    from engine.mtf.views import MtfView
    from engine.mtf.warnings import MtfWarning

mtf_app = typer.Typer(no_args_is_help=False, help="Shares on margin: ladders, pledges, brokers' lists.")


@mtf_app.callback(invoke_without_command=True)
def mtf(
    ctx: typer.Context,
    client: ClientWord = None,
    as_json: AsJson = False,
) -> None:
    """Clients on margin, the nearest to a call first; of one client all of its ladder and stocks."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        of = None if client is None else desk.clients.find(client).id
        await desk.price(None if of is None else (of,))
        await desk.mtf.read()
        found = desk.mtf.all() if of is None else [desk.mtf.of(of)]
        warnings = desk.mtf.warnings()
        if as_json:
            document([mtf_shape(desk, one, warnings) for one in found])
        elif of is not None:
            _print_client(desk, found[0])
            _print_warnings(desk, [one for one in warnings if one.client_id == of])
        else:
            _print_all(desk, found)
            _print_warnings(desk, warnings)
        return Exit.DONE

    run(work, needs_secrets=False)


def _print_all(desk: "Desk", found: "list[MtfView]") -> None:
    if not found:
        line("no client has shares on margin")
        return
    table(
        ("code", "nearest", ">lent", ">limit", ">own", ">value", ">free", ">interest a day", ">stocks"),
        [
            (
                desk.clients.get(one.client_id).code,
                near_words(one),
                rupees(one.loan_paise),
                rupees(one.limit_paise),
                rupees(one.own_paise),
                rupees(one.value_paise),
                rupees(one.cash_paise),
                price(one.interest_a_day_paise),
                str(len(one.stocks)),
            )
            for one in found
        ],
    )
    line(ESTIMATE)


def _print_client(desk: "Desk", view: "MtfView") -> None:
    client = desk.clients.get(view.client_id)
    line(f"{client.code} {client.name} · {view.broker} · {money_words(view)}")
    line(f"{ladder_words(view)} · {base_words(view)} · {list_words(view)}")
    for rung in view.rungs:
        line(f"  {rung_words(rung)}: {threshold_words(rung.threshold)}")
    for found in desk.mtf.restoring(view.client_id):
        line(f"  {restoring_words(found)}")
    if not view.stocks:
        return
    table(
        ("symbol", ">qty", ">avg", ">last", ">value", ">lent", ">own", ">P&L", ">margin %", ">alone"),
        [
            (
                one.tradingsymbol,
                quantity(one.quantity),
                price(one.cost_paise // one.quantity),
                price(one.last_paise),
                rupees(one.value_paise),
                rupees(one.loan_paise),
                rupees(one.own_paise),
                signed(one.unrealised_paise),
                DASH if one.margin_bps is None else percent(one.margin_bps),
                alone_words(one.alone),
            )
            for one in view.stocks
        ],
    )
    line(ESTIMATE)


def _print_warnings(desk: "Desk", found: "Sequence[MtfWarning]") -> None:
    for one in found:
        line(f"{desk.clients.get(one.client_id).code}: {warning_words(one)}")


@mtf_app.command("pledges")
def pledges(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[accept CODE [SYMBOL]]", help="What a client accepted, where no API tells."),
    ] = None,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="How it is known, such as `seen in CDSL`.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What was bought on margin and has to be pledged: who accepts what by when; note what was accepted."""
    from engine.colon.mtf import accepted_from

    asked = accepted_from(words or [])

    async def work(desk: "Desk") -> Exit:
        await desk.mtf.read()
        if asked is not None:
            for one in desk.mtf.to_accept(desk.clients.find(asked.code).id, asked.symbol):
                await desk.mtf.accept_pledge(one, note)
        found = desk.mtf.pledges()
        if as_json:
            document([pledge_shape(desk, one) for one in found])
            return Exit.DONE
        for one in found:
            line(f"{desk.clients.get(one.client_id).code}: {pledge_words(one)}")
        if not found:
            line("nothing bought on margin waits for a pledge")
        return Exit.DONE

    run(work, needs_secrets=False)


@mtf_app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The broker's own CSV, as it is.")],
    broker: Annotated[str, typer.Option("--broker", metavar="NAME", help="Whose list it is.")] = "zerodha",
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The day it is of; today's without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a broker's list of the stocks that it lends on: symbol, and margin or leverage of each."""
    path, day = readable(file), None if as_of is None else day_from("as-of", as_of)

    async def work(desk: "Desk") -> Exit:
        made = await desk.mtf_lists.take(broker.casefold(), path, day)
        if as_json:
            document(made)
            return Exit.DONE
        line(list_import_words(made))
        for key in made.held:
            line(f"{key.partition(':')[2]} left it, and clients hold it on margin: see tradedesk mtf")
        return Exit.DONE

    run(work, needs_secrets=False)
