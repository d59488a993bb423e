"""One run from the command line: how it stands, going on with its unsent rest, stopping it."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from engine.words.runs import paused_words, prospect_lines
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Wait, Yes, json_too, nothing_beside
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.printing.printed import print_run
from tradedesk.cli.sending import follow_run, send
from tradedesk.cli.session import at_terminal, confirmed, run, seconds_from, typed
from tradedesk.cli.views.orders import whole_run_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.execution.views import RunView

_ALWAYS = ("number", "action", "wait", "as_json")
READ_BY = {
    "show": _ALWAYS,
    "resume": (*_ALWAYS, "send", "yes"),
    "stop": (*_ALWAYS, "live", "yes"),
    "repair": (*_ALWAYS, "yes"),
    "reverse": (*_ALWAYS, "yes"),
}
"""What can be done with a run, and which parameters each reads."""


def one_run(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="N", help="The run's number.")],
    action: Annotated[
        str, typer.Argument(metavar="[show|resume|stop|repair|reverse]", help="What to do.")
    ] = "show",
    send: Annotated[
        str | None,
        typer.Option("--send", metavar="N", help="Resume: how many orders are unsent, as you were shown."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Stop: cancel what is live at the brokers too.")
    ] = False,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Show a run, send on the unsent rest of a paused one, free that rest, or plan it anew.

    `resume` shows the move of the price and the new need; `--send N` with the number that is unsent now is
    its only yes. `repair` plans what provably failed or was skipped, `reverse` the opposite of what filled.
    """
    wanted, patience = count_from_text(number, "run"), seconds_from(wait)
    if action not in READ_BY:
        raise BadInput("action", action, f"give one of {', '.join(READ_BY)}")
    nothing_beside(ctx, f"what {action} does", *READ_BY[action])
    if action == "resume" and yes:
        raise BadInput(
            "yes", "--yes", "give --send with the number that is unsent: nothing else sends a rest"
        )
    sending = None if send is None else count_from_text(send, "send")

    async def work(desk: "Desk") -> Exit:
        found = next((entry for entry in desk.runs.all() if entry.number == wanted), None)
        if found is None:
            raise BadInput("run", wanted, "no run of today or with live orders has this number")
        if action == "resume":
            return await _resume(desk, wanted, sending, patience, as_json)
        if action == "stop":
            return await _stop(desk, found, live, yes, as_json)
        if action in ("repair", "reverse"):
            return await _plan_of(desk, wanted, action, yes, patience, as_json)
        _show(desk, found, as_json)
        return Exit.DONE

    run(work)


def _show(desk: "Desk", found: "RunView", as_json: bool) -> None:
    if as_json:
        document(whole_run_shape(desk, found))
        return
    line(found.title)
    print_run(desk, found)
    if found.paused:
        line(paused_words(found))


async def _resume(desk: "Desk", number: int, sending: int | None, patience: float, as_json: bool) -> Exit:
    if sending is None:
        prospect = await desk.runs.prospect(number)
        what = "\n".join([desk.mode, *prospect_lines(prospect)])
        if not at_terminal():
            say(f"{what}\nnothing was done: add --send {prospect.unsent} to send them")
            return _left_alone(desk, number, as_json)
        sent = ["run", str(number), "resume", "--send", str(prospect.unsent), "--wait", f"{patience:g}"]
        if not await typed(prospect.answer, what, [*sent, *json_too(as_json)]):
            return _left_alone(desk, number, as_json)
        sending = prospect.unsent
    going_on = await desk.runs.go_on(number, sending)
    made = await desk.plans.get(going_on.plan_number)
    return await follow_run(desk, number, made, patience, as_json)


async def _plan_of(desk: "Desk", number: int, action: str, yes: bool, patience: float, as_json: bool) -> Exit:
    """Plan what is left of a run, or its opposite, and send that once it is confirmed."""
    intent_of = desk.runs.repair_intent if action == "repair" else desk.runs.reverse_intent
    intent = await intent_of(number)
    if intent is None:
        nothing = "failed or was skipped" if action == "repair" else "filled in whole lots"
        say(f"nothing of run {number} {nothing}")
        return _left_alone(desk, number, as_json)
    return await send(desk, await desk.plans.freeze(intent), yes, patience, as_json)


def _left_alone(desk: "Desk", number: int, as_json: bool) -> Exit:
    """What was not confirmed leaves the run as it is, which is then the document."""
    if as_json:
        document(whole_run_shape(desk, desk.runs.get(number)))
    return Exit.NOTHING_SENT


async def _stop(desk: "Desk", found: "RunView", live: bool, yes: bool, as_json: bool) -> Exit:
    unsent = found.unsent
    at_brokers = found.at_brokers if live else 0
    if not unsent and not at_brokers:
        say(f"run {found.number} has nothing to stop")
        _show(desk, found, as_json)
        return Exit.DONE
    answer = f"stop {unsent} and {at_brokers}" if unsent and at_brokers else f"stop {unsent or at_brokers}"
    what = f"{desk.mode}  stop run {found.number}, {found.title}: {unsent} unsent are freed"
    what += f", {at_brokers} live are cancelled" if at_brokers else "; what is live goes on"
    brokers = ["--live"] if live else []
    then = ["run", str(found.number), "stop", *brokers, "--yes", *json_too(as_json)]
    if not await confirmed(answer, what, yes, "add --yes to stop it", then):
        return _left_alone(desk, found.number, as_json)
    _show(desk, await desk.runs.stop(found.number, live), as_json)
    return Exit.DONE
