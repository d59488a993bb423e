"""Confirming somebody else's plan from the command line, and how far one is confirmed."""

from typing import TYPE_CHECKING, Annotated

import typer

from tradedesk.cli.exits import Exit
from tradedesk.cli.options import MOST_NUMBER, AsJson
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.people.persons import ApprovalShape, ConfirmedShape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.people.approvals import ApprovalState


def approve(
    plan: Annotated[int, typer.Argument(metavar="PLAN", min=1, max=MOST_NUMBER, help="The plan's number.")],
    digest: Annotated[
        str | None,
        typer.Option("--digest", metavar="HASH", help="Eight hex digits or more of its hash: confirm it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Confirm somebody else's plan by its hash, so that it may be sent; without --digest show its state."""

    async def work(desk: "Desk") -> Exit:
        state = await (desk.approvals.of(plan) if digest is None else desk.approvals.approve(plan, digest))
        if as_json:
            document(_shape(state))
        else:
            _tell(desk, state)
        return Exit.DONE

    run(work, needs_secrets=False)


def _shape(state: "ApprovalState") -> ApprovalShape:
    made, limit = state.plan, state.limit
    assert made.number is not None, "what was stored has a number"
    return ApprovalShape(
        made.number,
        made.digest,
        made.title,
        state.maker,
        state.worth_paise,
        0 if limit is None else limit.above_paise,
        0 if limit is None else limit.needed,
        state.missing,
        made.expires_at,
        tuple(ConfirmedShape(one.person, one.digest, one.at) for one in state.given),
    )


def _tell(desk: "Desk", state: "ApprovalState") -> None:
    from data.money import amount_words

    made = state.plan
    worth = f"buys for ₹{amount_words(state.worth_paise)}" if state.worth_paise else "buys nothing"
    line(f"plan {made.number}  {made.short_digest}  {made.title}: {worth}, frozen by {state.maker}")
    for one in state.given:
        line(f"{wall_time(desk, one.at)}  confirmed by {one.person}")
    if state.limit is None:
        line("it needs nobody else's confirmation")
    elif state.missing:
        until = wall_time(desk, made.expires_at)
        line(f"{state.missing} of {state.limit.needed} must still confirm it, until {until}")
    else:
        line(f"confirmed: `tradedesk bulk --confirm {made.short_digest}` sends it")
