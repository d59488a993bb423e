"""One run from the command line: how it stands, going on with its unsent rest, stopping it."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import OrderState
from engine.words.formats import counted, quantity, rupees
from engine.words.trading.runs import cancelled_words, not_cancelled_words, paused_words, prospect_lines
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Wait, Yes, json_too, nothing_beside
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.printing.printed import print_run
from tradedesk.cli.sending import follow_run, send
from tradedesk.cli.session import at_terminal, confirmed, run, seconds_from, typed
from tradedesk.cli.views.orders import run_cancel_shape, whole_run_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk
    from engine.execution.changes.cancelled import CancelledOrder
    from engine.execution.views import RunView

_ALWAYS = ("number", "action", "wait", "as_json")
READ_BY = {
    "show": _ALWAYS,
    "resume": (*_ALWAYS, "send", "yes"),
    "stop": (*_ALWAYS, "live", "yes"),
    "cancel": (*_ALWAYS, "yes"),
    "repair": (*_ALWAYS, "symbol", "yes"),
    "reverse": (*_ALWAYS, "symbol", "yes"),
}
"""What can be done with a run, and which parameters each reads."""


def one_run(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="N", help="The run's number.")],
    action: Annotated[
        str, typer.Argument(metavar="[show|resume|stop|cancel|repair|reverse]", help="What to do.")
    ] = "show",
    send: Annotated[
        str | None,
        typer.Option("--send", metavar="N", help="Resume: how many orders are unsent, as you were shown."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Stop: cancel what is live at the brokers too.")
    ] = False,
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="SYMBOL", help="Repair, reverse: the leg of this symbol alone."),
    ] = None,
    yes: Yes = False,
    wait: Wait = "30",
    as_json: AsJson = False,
) -> None:
    """Show a run, send on the unsent rest of a paused one, free that rest, or plan it anew.

    `resume` shows the move of the price and the new need; `--send N` with the number that is unsent now is
    its only yes. `cancel` frees that rest, cancels what is live, and tells what became of each order and of
    the money; nothing is halted. `repair` plans what provably failed or was skipped, `reverse` the opposite
    of what filled; of a basket `--symbol` takes one leg.
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
        if action == "cancel":
            return await _cancel(desk, found, yes, patience, as_json)
        if action in ("repair", "reverse"):
            key = None if symbol is None else desk.market.index.resolve(symbol).key
            return await _plan_of(desk, wanted, action, key, yes, patience, as_json)
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


async def _plan_of(
    desk: "Desk", number: int, action: str, key: str | None, yes: bool, patience: float, as_json: bool
) -> Exit:
    """Plan what is left of a run or a leg of it, or its opposite, and send that once it is confirmed."""
    intent_of = desk.runs.repair_intent if action == "repair" else desk.runs.reverse_intent
    intent = await intent_of(number, key)
    if intent is None:
        say(f"run {number} has nothing left to {action}")
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


async def _cancel(desk: "Desk", found: "RunView", yes: bool, patience: float, as_json: bool) -> Exit:
    """Stop a run with all that lives of it, and tell what became of each order."""
    number, orders = found.number, [desk.orders.get(order_id) for order_id in found.order_ids]
    living = [order for order in orders if order.live]
    if not living:
        say(f"run {number} has nothing that is unsent or live")
        if as_json:
            document(run_cancel_shape(desk, found, ()))
        return Exit.NOTHING_SENT
    people = {order.client_id for order in living}
    what = f"{desk.mode}  cancel run {number}, {found.title}: {found.unsent} unsent are freed, "
    what += f"{found.at_brokers} live are cancelled, of {counted(len(people), 'client')}"
    then = ["run", str(number), "cancel", "--yes", "--wait", f"{patience:g}", *json_too(as_json)]
    if not await confirmed(f"cancel {len(living)}", what, yes, "add --yes to cancel it", then):
        return _left_alone(desk, number, as_json)
    await desk.hear(people)
    told = await desk.runs.cancel(number, patience)
    if as_json:
        document(run_cancel_shape(desk, desk.runs.get(number), told))
    else:
        _print_cancelled(desk, number, told)
    if any(one.order.state is OrderState.UNKNOWN for one in told):
        return Exit.UNKNOWN
    return Exit.DONE if all(one.cancelled for one in told) else Exit.PARTLY


def _print_cancelled(desk: "Desk", number: int, told: "Sequence[CancelledOrder]") -> None:
    line(f"run {number}: {cancelled_words(told)}")
    rows = [
        (
            str(one.order.id),
            desk.clients.get(one.order.client_id).code,
            f"{one.order.side.value} {one.order.tradingsymbol}",
            one.order.state.value,
            quantity(one.order.filled_quantity),
            quantity(one.order.quantity),
            rupees(one.released_paise),
            rupees(desk.funds.of(one.order.client_id).available_paise),
            not_cancelled_words(one),
        )
        for one in told
    ]
    table((">order", "code", "", "state", ">filled", ">of", ">released", ">available", "why"), rows)
