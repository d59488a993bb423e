"""The whole market from the command line: its phases and halts, and a halt or an opening that is typed."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.formats import time_of_day
from engine.words.market import PHASES, market_halt_words, moved_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import clock_words
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.market import market_shape

if TYPE_CHECKING:
    from data.reference.phases import Phase
    from engine.desk import Desk

market_app = typer.Typer(
    invoke_without_command=True, help="Whether the market trades: phases, indices, halts of all of it."
)
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Kept in the audit.")]


@market_app.callback()
def market(ctx: typer.Context, as_json: AsJson = False) -> None:
    """How the market stands: the phase of each class of shares, the breaker's indices, what halts it."""
    if ctx.invoked_subcommand is None:
        run(lambda desk: _tell(desk, as_json), needs_secrets=False)


@market_app.command("halted")
def halted(
    level: Annotated[
        int | None,
        typer.Argument(metavar="[10|15|20]", help="The breaker's level, by whose table it goes on."),
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Say that the whole market is halted: runs keep their unsent orders, until it is said to be open."""

    async def work(desk: "Desk") -> Exit:
        await desk.market_halts.halt(level, reason)
        return await _tell(desk, as_json)

    run(work, needs_secrets=False)


@market_app.command("open")
def open_again(reason: Reason = "", as_json: AsJson = False) -> None:
    """Say that the market is open again; paused runs still take their typed words."""

    async def work(desk: "Desk") -> Exit:
        await desk.market_halts.open_again(reason)
        return await _tell(desk, as_json)

    run(work, needs_secrets=False)


async def _tell(desk: "Desk", as_json: bool) -> Exit:
    """Say how the market stands."""
    await desk.market_halts.fetch()
    found = market_shape(desk)
    if as_json:
        document(found)
        return Exit.DONE
    line(clock_words(desk))
    if (halt := desk.market_halts.standing) is not None:
        line(f"THE MARKET IS HALTED {market_halt_words(halt)}")
    line(f"F&O shares     {_phase_words(desk.market.phase_of(fno=True))}")
    line(f"other shares   {_phase_words(desk.market.phase_of(fno=False))}")
    for one in found.indices:
        line(f"{moved_words(one.key, one.moved_bps)} · the breaker halts at {found.halts_at_bps // 100} %")
    if not found.indices:
        line("no index of the breaker has a young price: say it by `tradedesk market halted`")
    return Exit.DONE


def _phase_words(phase: "Phase") -> str:
    """`continuous, until 15:15 closing auction`."""
    words = PHASES[phase.kind][0]
    if phase.ends_at is None:
        return words
    after = f" {PHASES[phase.next_kind][0]}" if phase.next_kind is not None else ""
    return f"{words} → {time_of_day(phase.ends_at)[:5]}{after}"
