"""What days have brought, and what flows were, from the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.day.history import UNCLASSED, returns_line, sources_words
from engine.words.formats import DASH, counted, rupees, signed, signed_percent
from tradedesk.cli.commands.day.whom import Whom, clients_of
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import MOST_NUMBER, AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.risk.figures import code_of

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.history.views import FlowView, HistoryView

LAST_DAYS = 10
"""Days that a table shows; JSON has all of them."""


def history(
    whom: Whom = "desk",
    take: Annotated[
        Path | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Take days of before the books: columns code, day, portfolio, flow, net_pnl.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Equity day by day, TWR and XIRR, drawdown and the months, of a client, a group or the desk.

    Returns are told once every flow is classed. A file takes the place of all earlier days of its clients.
    """

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.views.risk.history import history_shape

        if take is not None:
            taken = await desk.history.take(readable(take))
            days, clients = counted(sum(taken.values()), "day"), counted(len(taken), "client")
            say(f"{days} of {clients} taken from {take.name}")
        name, ids = clients_of(desk, whom)
        await desk.price(ids)
        view = await desk.history.of(ids, name)
        if as_json:
            document(history_shape(desk, view, await desk.history.trades(ids)))
        else:
            _print_history(view)
        return Exit.DONE

    run(work, needs_secrets=False)


def _print_history(view: "HistoryView") -> None:
    line(f"{view.name}: {returns_line(view)}")
    if words := sources_words(view):
        line(words)
    if view.unclassed:
        line(
            f"{UNCLASSED}: {len(view.unclassed)}; `flows` lists them, `flows class N KIND` says what one was"
        )
    table(
        ("day", ">portfolio", ">flow", ">net"),
        [
            (
                f"{one.day:%d %b %Y}{' so far' if one.provisional else ''}",
                rupees(one.portfolio_paise),
                signed(one.flow_paise),
                signed(one.net_pnl_paise),
            )
            for one in view.days[-LAST_DAYS:]
        ],
    )
    table(
        ("month", ">days", ">net", ">TWR %"),
        [
            (
                f"{one.year}-{one.month:02d}",
                str(len(one.nets)),
                signed(one.net_paise),
                DASH if one.twr_bps is None else signed_percent(one.twr_bps),
            )
            for one in view.months
        ],
    )


flows_app = typer.Typer(no_args_is_help=False, help="What came to accounts by no trade, and what it was.")


@flows_app.callback(invoke_without_command=True)
def flows(
    ctx: typer.Context,
    unclassed: Annotated[
        bool, typer.Option("--unclassed", help="Only those that nobody has classed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What came to clients and went by no trade, the oldest first."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.history.flows([one.id for one in desk.clients.all()])
        _tell(desk, [one for one in found if one.kind is None or not unclassed], as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


@flows_app.command("class")
def class_flow(
    number: Annotated[int, typer.Argument(metavar="N", min=1, max=MOST_NUMBER, help="As `flows` lists it.")],
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="pay-in, pay-out, dividend, charge, interest or other.")
    ],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="How that is known.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say what a flow was. Pay-ins and pay-outs are the client's own; all else is what the day brought."""

    async def work(desk: "Desk") -> Exit:
        from engine.history.flow_words import kind_from

        _tell(desk, [await desk.history.classify(number, kind_from(kind), note)], as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


def _tell(desk: "Desk", found: "list[FlowView]", as_json: bool) -> None:
    from tradedesk.cli.views.risk.history import flow_shape

    if as_json:
        document([flow_shape(desk, one) for one in found])
        return
    table(
        (">n", "day", "code", "by", ">amount", "was", "says", "note"),
        [
            (
                str(one.number),
                f"{one.day:%d %b %Y}",
                code_of(desk, one.client_id),
                one.transfer.value,
                signed(one.amount_paise),
                one.kind.value if one.kind else "unclassed",
                one.by,
                one.note,
            )
            for one in found
        ],
    )
