"""Leases: which desk has which client, where several desks share one database, and moving clients."""

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from data.acting import Actor
from data.vocabulary import DeskKind
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.firm.leases import lease_shape, leases_moved_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.leasing.views import LeasesMoved

leases_app = typer.Typer(
    help="Leases: which desk has which client, where several share one database.",
    invoke_without_command=True,
)

Whom = Annotated[list[str], typer.Argument(metavar="CODE|g:GROUP|free...", help="Clients, groups, or free.")]


@leases_app.callback()
def leases(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Every client with the desk that has it; of one that is free anybody may take it."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = await desk.leases.rows()
        if as_json:
            document([lease_shape(one) for one in found])
            return Exit.DONE
        rows = [
            (
                one.code,
                one.name,
                "this desk" if one.mine and one.lasts else one.desk if one.lasts else "free",
                str(one.number) if one.lasts else "",
            )
            for one in found
        ]
        table(("code", "name", "desk", ">number"), rows)
        return Exit.DONE

    run(work, needs_secrets=False)


@leases_app.command("take")
def take(whom: Whom, as_json: AsJson = False) -> None:
    """Have this desk take clients that no other desk has."""

    async def work(desk: "Desk") -> Exit:
        moved = await desk.leases.take(" ".join(whom))
        _tell(moved, "this desk has {} now", as_json)
        return Exit.DONE if moved.moved or not moved.kept else Exit.NOTHING_SENT

    run(work, needs_secrets=False)


@leases_app.command("release")
def release(whom: Whom, as_json: AsJson = False) -> None:
    """Have this desk give clients up, once nothing of theirs is being sent; any desk may take them."""

    async def work(desk: "Desk") -> Exit:
        _tell(await desk.leases.release(" ".join(whom)), "{} given up", as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


@leases_app.command("hand-over")
def hand_over(
    whom: Whom,
    to: Annotated[int, typer.Option("--to", metavar="NUMBER", help="The other desk, as `leases` lists it.")],
    as_json: AsJson = False,
) -> None:
    """Have this desk hand clients to another one that is open, once nothing of theirs is being sent."""

    async def work(desk: "Desk") -> Exit:
        _tell(await desk.leases.release(" ".join(whom), to), f"{{}} handed to desk {to}", as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


def keep() -> None:
    """Stand by for the desks of this home without a screen: look after the orders of one that dies.

    With vault = "rows" for those of every home. It takes the clients of whom orders are at their brokers:
    reads and books, and goes on with cancels. It sends nothing; what was not sent waits for a trader. An app
    that opens gets its clients back.
    """

    async def work(desk: "Desk") -> Exit:
        with desk.acting(Actor(desk.workings.engine.trader)):  # nobody signs in for what stands by
            await desk.leases.rows()  # refused where nothing is shared
        over = asyncio.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, over.set)
        whose = "every home" if desk.rules.stands_by_for_all else "this home"
        say(f"standing by for the desks of {whose}, sending nothing; ctrl+c ends it")
        await over.wait()
        return Exit.DONE

    run(work, kind=DeskKind.KEEP)


def _tell(moved: "LeasesMoved", words: str, as_json: bool) -> None:
    if as_json:
        document(leases_moved_shape(moved))
        return
    if moved.moved:
        line(f"{words.format(counted(len(moved.moved), 'client'))}: {', '.join(moved.moved)}")
    for code, desk in moved.kept.items():
        say(f"{code}: the desk {desk} has it; have that one hand it over")
