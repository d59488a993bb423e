"""A bulk over the clients of every desk: prepared, planned, confirmed by its hash, followed."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from data.money import count_from_text
from data.vocabulary import ClientStatus, DeskKind, JobState, RunStatus, Side
from engine.words.formats import counted
from tradedesk.cli import arguments as choices
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import (
    Again,
    Amount,
    AsJson,
    Brokers,
    Clients,
    DriftWord,
    Groups,
    Limit,
    OfAvailable,
    OfPosition,
    Percent,
    ProductWord,
    Quantity,
    Wait,
)
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run, seconds_from
from tradedesk.cli.views.firm.runs import firm_run_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.desk import Desk
    from engine.jobs.firm_wide import FirmRunView
    from engine.planning.intent import Intent

firm_bulk_app = typer.Typer(
    help="A bulk over the clients of every desk: prepare, buy or sell, confirm, follow.", no_args_is_help=True
)

SymbolWord = Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol, or EXCHANGE:SYMBOL.")]
RunNumber = Annotated[str, typer.Argument(metavar="RUN", help="A run's number.")]

LOOK_S = 0.5
"""Seconds between two looks at a run that is followed."""


@firm_bulk_app.command("prepare")
def prepare(wait: Wait = "60", as_json: AsJson = False) -> None:
    """Have the books of every client read at the brokers, which a plan over all of them asks for."""
    wait_s = seconds_from(wait)

    async def work(desk: "Desk") -> Exit:
        from engine.execution.over_firm.shards import SHARD
        from engine.jobs.asked import BooksReadAsked

        ready = sorted(one.id for one in desk.clients.all() if one.status is ClientStatus.ACTIVE)
        asked = [
            await desk.jobs.ask(BooksReadAsked(tuple(ready[at : at + SHARD])))
            for at in range(0, len(ready), SHARD)
        ]
        done = [await desk.jobs.finished(one.job.number, wait_s) for one in asked]
        found = Counter[str]()
        for job in done:
            found.update({name: int(count) for name, count in job.result.items()})
        told = {name: found[name] for name in ("read", "not_read", "agrees", "differs", "moving")}
        if as_json:
            document({"jobs": [one.number for one in done], "clients": len(ready), **told})
        else:
            read = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in told.items())
            line(f"{counted(len(ready), 'client')} in {counted(len(done), 'job')}: {read}")
        return Exit.DONE if all(one.state == JobState.DONE for one in done) else Exit.PARTLY

    run(work, kind=DeskKind.WORKER)


@firm_bulk_app.command("buy")
def buy(
    symbol: SymbolWord,
    percent: Percent = None,
    of_available: OfAvailable = None,
    amount: Amount = None,
    quantity: Quantity = None,
    limit: Limit = None,
    product: ProductWord = None,
    drift: DriftWord = "desk",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Freeze and store a buy for the clients of every desk, and print its hash; nothing is reserved."""
    sizing = choices.sizing_from(Side.BUY, percent, of_available, amount, quantity, None)

    def wish(desk: "Desk") -> "Intent":
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        more = (limit, None, product, "DAY", chosen, again, drift)
        return choices.intent_from(desk, Side.BUY, symbol, sizing, *more)

    _freeze(wish, as_json)


@firm_bulk_app.command("sell")
def sell(
    symbol: SymbolWord,
    of_position: OfPosition = None,
    quantity: Quantity = None,
    limit: Limit = None,
    product: ProductWord = None,
    drift: DriftWord = "desk",
    clients: Clients = None,
    group: Groups = None,
    broker: Brokers = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Freeze and store a sale for the clients of every desk, and print its hash; nothing is reserved."""
    sizing = choices.sizing_from(Side.SELL, None, None, None, quantity, of_position)

    def wish(desk: "Desk") -> "Intent":
        chosen = choices.selection_from(desk, clients, group or (), broker or ())
        more = (limit, None, product, "DAY", chosen, again, drift)
        return choices.intent_from(desk, Side.SELL, symbol, sizing, *more)

    _freeze(wish, as_json)


@firm_bulk_app.command("confirm")
def confirm(
    digest: Annotated[str, typer.Argument(metavar="HASH", help="The plan's hash, 8 digits or more.")],
    wait: Wait = "60",
    as_json: AsJson = False,
) -> None:
    """Begin the stored plan of this hash for every desk: jobs reserve it, then each desk sends its own."""
    wait_s = seconds_from(wait)

    async def work(desk: "Desk") -> Exit:
        made = await desk.plans.by_digest(digest)
        begun = await desk.firm_wide.begin(made, digest)
        for one in begun.shards if desk.jobs.works_here else ():
            await desk.jobs.finished(one.job_number, wait_s)
        return await _followed(desk, begun.number, wait_s, as_json)

    run(work, kind=DeskKind.WORKER)


@firm_bulk_app.command("follow")
def follow(number: RunNumber, wait: Wait = "60", as_json: AsJson = False) -> None:
    """How far a run over all desks is, shard by shard; waits until all of it is reserved or told missing."""
    wanted, wait_s = count_from_text(number, "run"), seconds_from(wait)

    async def work(desk: "Desk") -> Exit:
        return await _followed(desk, wanted, wait_s, as_json)

    run(work, kind=DeskKind.WORKER)


def _freeze(wish: "Callable[[Desk], Intent]", as_json: bool) -> None:
    """Freeze and store what is wished for the clients of every desk."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.cli.sending import show_plan

        made = await desk.plans.freeze(wish(desk))
        return show_plan(made, as_json, command="firm bulk confirm")

    run(work, kind=DeskKind.WORKER)


async def _followed(desk: "Desk", number: int, wait_s: float, as_json: bool) -> Exit:
    until = desk.clock.monotonic() + wait_s
    found = await desk.firm_wide.get(number)
    while found.status is RunStatus.RESERVING and desk.clock.monotonic() < until:
        await desk.clock.sleep(min(LOOK_S, wait_s))
        found = await desk.firm_wide.get(number)
    if as_json:
        document(firm_run_shape(found))
    else:
        _print(desk, found)
    good = found.status is not RunStatus.RESERVING and not found.missing
    return Exit.DONE if good else Exit.PARTLY


def _print(desk: "Desk", found: "FirmRunView") -> None:
    left = sum(one.ended_at is None for one in found.shards)
    line(
        f"run {found.number} of plan {found.plan_number}: {found.status}, "
        f"{counted(found.reserved, 'order')} reserved, {left} of {counted(len(found.shards), 'shard')} left"
    )
    for one in found.shards:
        if one.problem:
            codes = " ".join(desk.clients.get(whose).code for whose in one.client_ids)
            line(f"  shard {one.shard}: {one.problem}; nothing is reserved for {codes}")
